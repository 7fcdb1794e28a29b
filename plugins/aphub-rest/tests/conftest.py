"""Example MIS, the invented system of the worked example, and an adapter that talks to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aphub.api import Delivery, Row
from aphub.conformance import kit_school
from aphub.sandbox import DemoAuthority, ExampleMisStandIn
from aphub.testing import PLANTED_SECRET, register_delivery, sample_tools
from aphub_rest import RestAdapter, RestConnection, RestRoute

SCHOOL, USER, SUBSCRIPTION = "hill", "hub", "subscription-of-ours"


@dataclass
class Played:
    """Example MIS with the kit's school, and the adapter that talks to it."""

    far_side: ExampleMisStandIn
    adapter: RestAdapter

    @property
    def posts(self) -> list[Any]:
        return [json.loads(one.body) for one in self.far_side.requests if self.far_side.is_write(one)]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def stand_in(authority: DemoAuthority) -> ExampleMisStandIn:
    state, school = kit_school()
    return ExampleMisStandIn(
        authority, state, school, slug=SCHOOL, user=USER, secret=PLANTED_SECRET, subscription=SUBSCRIPTION
    )


@pytest.fixture
def connect(authority: DemoAuthority) -> Callable[..., RestConnection]:
    def connection(url: str, **more: Any) -> RestConnection:
        settings = {"template": "example-mis", "user": USER, "secret": SecretStr(PLANTED_SECRET)}
        settings |= {
            "second_secret": SecretStr(SUBSCRIPTION),
            "ca_file": authority.ca_path,
            "timeout_seconds": 1.0,
        }
        return RestConnection(base_url=url, **(settings | more))

    return connection


@pytest.fixture
def played(stand_in: ExampleMisStandIn, connect: Callable[..., RestConnection]) -> Iterator[Played]:
    with stand_in:
        adapter = RestAdapter(connect(stand_in.url, page_size=2), sample_tools())
        yield Played(stand_in, adapter)
        adapter.close()


@pytest.fixture
def make() -> Callable[..., Delivery]:
    def delivery(*rows: Row, **more: Any) -> Delivery:
        return register_delivery(RestRoute(school=SCHOOL), *rows, **more)

    return delivery


@pytest.fixture(scope="session")
def readme() -> str:
    """Give the manual, which names every setting."""
    return (Path(__file__).parent.parent / "README.md").read_text()
