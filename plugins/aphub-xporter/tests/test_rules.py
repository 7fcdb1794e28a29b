"""The promises that every delivery adapter makes, kept against the stand-in of Xporter."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from aphub.api import Call
from aphub.conformance import RegisterAdapterRules, RegisterFarSide, kit_school
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.xporter import XporterStandIn
from aphub.testing import PLANTED_SECRET, SAMPLE_NOW
from aphub_xporter import XporterAdapter, XporterConnection, XporterRoute

ESTAB, PARTY = "9994001", "hub.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


class TestXporter(RegisterAdapterRules):
    adapter_class = XporterAdapter

    @pytest.fixture
    def far_side(self, authority) -> Iterator[RegisterFarSide]:
        state, school = kit_school()
        stand_in = XporterStandIn(
            authority,
            state,
            school,
            estab=ESTAB,
            relying_party=PARTY,
            secret=PLANTED_SECRET,
            now=lambda: SAMPLE_NOW,
        )
        far_side = RegisterFarSide(
            stand_in, state, school, finds=lambda request: request.path.endswith("/Students/")
        )
        yield far_side
        far_side.close()

    @pytest.fixture
    def connection(self, far_side, authority) -> XporterConnection:
        return XporterConnection(
            base_url=far_side.stand_in.url,
            relying_party=PARTY,
            secret=SecretStr(PLANTED_SECRET),
            ca_file=authority.ca_path,
            timeout_seconds=1.0,
        )

    @pytest.fixture
    def calls(self) -> list[tuple[Call, str]]:
        form = {"content-type": "application/x-www-form-urlencoded"}
        said = b"trackingid=0f3c&XodCompleted=True"
        echoed = {"id": "1", "estab": ESTAB, "trackingid": "0f3c", "XodCompleted": "False"}
        return [(Call({}, form, said, SAMPLE_NOW), "0f3c"), (Call(echoed, {}, b"", SAMPLE_NOW), "0f3c")]

    @pytest.fixture
    def route(self) -> XporterRoute:
        return XporterRoute(estab=ESTAB)
