"""The promises that every delivery adapter makes, kept against the system of the worked example."""

from collections.abc import Iterator

import pytest

from aphub.api import Call
from aphub.conformance import RegisterAdapterRules, RegisterFarSide
from aphub_rest import RestAdapter, RestConnection, RestRoute


class TestRest(RegisterAdapterRules):
    adapter_class = RestAdapter

    @pytest.fixture
    def far_side(self, stand_in) -> Iterator[RegisterFarSide]:
        far_side = RegisterFarSide(
            stand_in, stand_in.state, stand_in.school, finds=lambda request: "upn" in request.query
        )
        yield far_side
        far_side.close()

    @pytest.fixture
    def connection(self, far_side, connect) -> RestConnection:
        return connect(far_side.stand_in.url)

    @pytest.fixture
    def calls(self) -> list[tuple[Call, str]]:
        """Give none: the worked example does not call, and `test_called.py` plays a template whose vendor does."""
        return []

    @pytest.fixture
    def route(self) -> RestRoute:
        return RestRoute(school="hill")
