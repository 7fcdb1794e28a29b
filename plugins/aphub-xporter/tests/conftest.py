"""The stand-in of Xporter on loopback, and an adapter that talks to it over verified TLS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from aphub.api import Delivery, Row, Tools
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.xporter import XporterStandIn
from aphub.testing import SAMPLE_DAY, SAMPLE_NOW, register_delivery, sample_tools
from aphub_xporter import XporterAdapter, XporterConnection, XporterRoute

SECRET = "s3cret-of-an-invented-school"
ESTAB = "9994001"
PARTY = "hub.example.org"
UPNS = ("G999400125001", "W999400125002", "K999400125003")


@dataclass
class Played:
    """A stand-in with one school, and the adapter that talks to it."""

    far_side: XporterStandIn
    school: School
    adapter: XporterAdapter
    now: datetime = SAMPLE_NOW

    def mark_of(self, upn: str, session: str = "AM", day: str = SAMPLE_DAY.isoformat()) -> Any:
        student = next(one.id for one in self.school.students.values() if one.upn == upn)
        return self.school.marks.get((student, day, session))

    def code_of(self, upn: str, session: str = "AM", day: str = SAMPLE_DAY.isoformat()) -> str:
        mark = self.mark_of(upn, session, day)
        return self.school.code_of(mark.code_id) if mark else ""

    def asked(self, ending: str) -> int:
        return sum(request.path.rstrip("/").endswith(ending) for request in self.far_side.requests)

    @property
    def posts(self) -> list[bytes]:
        return [one.body for one in self.far_side.requests if self.far_side.is_write(one)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def played(authority: DemoAuthority) -> Iterator[Played]:
    state = MisState()
    school = state.add_school("Hill School")
    for upn in UPNS:
        state.add_student(school, upn, "Zebedee", "Invented")
    one: Played
    with XporterStandIn(
        authority,
        state,
        school,
        estab=ESTAB,
        relying_party=PARTY,
        secret=SECRET,
        now=lambda: one.now,
    ) as far_side:
        connection = XporterConnection(
            base_url=far_side.url,
            relying_party=PARTY,
            secret=SecretStr(SECRET),
            ca_file=authority.ca_path,
            timeout_seconds=0.5,
            page_size=2,
        )
        lent = sample_tools()
        tools = Tools(http=lent.http, now=lambda: one.now, reach=lent.reach, memory=lent.memory)
        one = Played(far_side, school, XporterAdapter(connection, tools))
        yield one
        one.adapter.close()


@pytest.fixture
def make() -> Callable[..., Delivery]:
    def delivery(*rows: Row, estab: str = ESTAB, **more: Any) -> Delivery:
        return register_delivery(XporterRoute(estab=estab), *rows, **more)

    return delivery


@pytest.fixture(scope="session")
def readme() -> str:
    """Give the manual, which names every setting."""
    return (Path(__file__).parent.parent / "README.md").read_text()
