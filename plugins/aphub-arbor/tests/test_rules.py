"""The promises that every delivery adapter makes, kept against the stand-in of Arbor."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from aphub.conformance import RegisterAdapterRules, RegisterFarSide, kit_school
from aphub.sandbox.arbor import ArborStandIn
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import PLANTED_SECRET
from aphub_arbor import ArborAdapter, ArborConnection, ArborRoute

USER = "hub@example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


class TestArbor(RegisterAdapterRules):
    adapter_class = ArborAdapter

    @pytest.fixture
    def far_side(self, authority) -> Iterator[RegisterFarSide]:
        state, school = kit_school()
        stand_in = ArborStandIn(authority, state, school, user=USER, password=PLANTED_SECRET)
        far_side = RegisterFarSide(
            stand_in, state, school, finds=lambda request: "filters.upn.equals" in request.query
        )
        yield far_side
        far_side.close()

    @pytest.fixture
    def connection(self, far_side, authority) -> ArborConnection:
        return ArborConnection(
            base_url=far_side.stand_in.url,
            user=USER,
            password=SecretStr(PLANTED_SECRET),
            ca_file=authority.ca_path,
            timeout_seconds=1.0,
        )

    @pytest.fixture
    def route(self) -> ArborRoute:
        return ArborRoute(school="127.0.0.1")
