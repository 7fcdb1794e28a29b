"""The stand-in of Arbor on loopback, and an adapter that talks to it over verified TLS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aphub.api import Delivery, Row
from aphub.sandbox.arbor import ArborStandIn
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.mis_state import MisState, School
from aphub.testing import register_delivery, sample_tools
from aphub_arbor import ArborAdapter, ArborConnection, ArborRoute

USER, PASSWORD = "hub@example.org", "passw0rd-of-an-invented-user"
UPNS = ("G999400125001", "W999400125002", "K999400125003")


@dataclass
class Played:
    """A stand-in with one school, and the adapter that talks to it."""

    far_side: ArborStandIn
    school: School
    adapter: ArborAdapter

    def asked(self, part: str) -> int:
        return sum(part in request.path for request in self.far_side.requests)

    @property
    def posts(self) -> list[bytes]:
        return [one.body for one in self.far_side.requests if one.writes]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def played(authority: DemoAuthority) -> Iterator[Played]:
    state = MisState()
    school = state.add_school("Hill School")
    for upn in UPNS:
        state.add_student(school, upn, "Zebedee", "Invented")
    with ArborStandIn(authority, state, school, user=USER, password=PASSWORD) as far_side:
        connection = ArborConnection(
            base_url=far_side.url,
            user=USER,
            password=SecretStr(PASSWORD),
            ca_file=authority.ca_path,
            timeout_seconds=0.5,
            page_size=5,
        )
        one = Played(far_side, school, ArborAdapter(connection, sample_tools()))
        yield one
        one.adapter.close()


@pytest.fixture
def make() -> Callable[..., Delivery]:
    def delivery(*rows: Row, school: str = "127.0.0.1", **more: Any) -> Delivery:
        return register_delivery(ArborRoute(school=school), *rows, comment=False, **more)

    return delivery


@pytest.fixture(scope="session")
def readme() -> str:
    """Give the manual, which names every setting."""
    return (Path(__file__).parent.parent / "README.md").read_text()
