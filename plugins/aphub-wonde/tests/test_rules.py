"""The promises that every delivery adapter makes, kept against the stand-in of Wonde."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from aphub.conformance import RegisterAdapterRules, WondeFarSide
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import PLANTED_SECRET
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


class TestWonde(RegisterAdapterRules):
    adapter_class = WondeAdapter

    @pytest.fixture
    def far_side(self, authority) -> Iterator[WondeFarSide]:
        far_side = WondeFarSide(authority, token=PLANTED_SECRET)
        yield far_side
        far_side.close()

    @pytest.fixture
    def connection(self, far_side, authority) -> WondeConnection:
        return WondeConnection(
            base_url=far_side.stand_in.url,
            token=SecretStr(PLANTED_SECRET),
            ca_file=authority.ca_path,
            timeout_seconds=1.0,
        )

    @pytest.fixture
    def route(self, far_side) -> WondeRoute:
        return WondeRoute(school_id=far_side.school.id)
