"""A Wonde at the wire, small enough to be bent in every way, and deliveries of invented pupils."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from aphub.api import Delivery, Row, Tools
from aphub.testing import register_delivery, sample_row
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute

TOKEN = "t0ken-of-an-invented-partner"
SCHOOL = "A1930499544"
BASE = "https://api.wonde.com/v1.0/"
NOW = datetime(2026, 3, 3, 9, 40, tzinfo=UTC)
UPNS = ["G999400125001", "W999400125002", "K999400125003"]
CODES = {"/": "C1", "\\": "C2", "B": "C3", "N": "C4", "L": "C5", "I": "C6", "K": "C7", "D": "C8"}


@dataclass
class FakeWonde:
    """One school at Wonde; tests change its attributes, or answer for it with `bend`."""

    students: dict[str, str] = field(default_factory=dict)
    codes: list[dict[str, str]] = field(default_factory=list)
    school: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    permissions: list[dict[str, Any]] = field(default_factory=list)
    marks: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    writebacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: str = "completed"
    applies: bool = True
    requests: list[httpx.Request] = field(default_factory=list)
    bend: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        bent = self.bend(request)
        if bent is not None:
            return bent
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        path = request.url.path.removeprefix("/v1.0/").rstrip("/")
        params = request.url.params
        if request.method == "POST":
            assert path == f"schools/{SCHOOL}/attendance/session"
            return self.take(json.loads(request.content)["attendance"])
        if path == f"schools/{SCHOOL}":
            return httpx.Response(200, json={"data": self.school})
        if path == f"meta/schools/{SCHOOL}":
            return httpx.Response(200, json={"data": self.meta})
        if path == f"meta/schools/{SCHOOL}/permissions":
            return httpx.Response(200, json={"data": self.permissions})
        if path == f"schools/{SCHOOL}/attendance-codes":
            return self.page(self.codes, params)
        if path == f"schools/{SCHOOL}/students":
            wanted = params.get("only_upns", "").split(",") if "only_upns" in params else list(self.students)
            return self.page(
                [
                    {"id": self.students[upn], "education_details": {"data": {"upn": upn}}}
                    for upn in wanted
                    if upn in self.students
                ],
                params,
            )
        if path == f"schools/{SCHOOL}/attendance/session":
            after, before = params["attendance_date_after"], params["attendance_date_before"]
            return self.page([row for row in self.marks.values() if after < row["date"] < before], params)
        if path.startswith("writebacks/"):
            found = self.writebacks.get(path.removeprefix("writebacks/"))
            return httpx.Response(200, json={"data": found}) if found else httpx.Response(404, json={})
        return httpx.Response(404, json={})

    def page(self, rows: list[dict[str, Any]], params: httpx.QueryParams) -> httpx.Response:
        size, number = int(params["per_page"]), int(params.get("page", "1"))
        body: dict[str, Any] = {"data": rows[(number - 1) * size : number * size]}
        if len(rows) > size:
            body["meta"] = {"pagination": {"more": number * size < len(rows), "current_page": number}}
        return httpx.Response(200, json=body)

    def take(self, records: list[dict[str, Any]]) -> httpx.Response:
        if self.applies:
            for record in records:
                self.stand(**record)
        reference = f"W{len(self.writebacks) + 1}"
        self.writebacks[reference] = {"id": reference, "status": self.status}
        return httpx.Response(200, json={"writeback_id": reference})

    def stand(
        self, *, date: str, session: str, student_id: str, attendance_code_id: str, **more: Any
    ) -> None:
        self.marks[student_id, date, session] = {
            "student_id": student_id,
            "date": date,
            "session": session,
            "attendance_code_id": attendance_code_id,
            **more,
        }

    @property
    def posts(self) -> list[list[dict[str, Any]]]:
        return [json.loads(r.content)["attendance"] for r in self.requests if r.method == "POST"]

    def reads(self, ending: str) -> int:
        return sum(r.method == "GET" and r.url.path.rstrip("/").endswith(ending) for r in self.requests)


@pytest.fixture
def wonde() -> Iterator[FakeWonde]:
    fake = FakeWonde(
        students={upn: f"S{number}" for number, upn in enumerate(UPNS, 1)},
        codes=[{"id": code_id, "code": letter, "type": "X"} for letter, code_id in CODES.items()],
        school={
            "id": SCHOOL,
            "extended": {"allows_writeback": True},
            "region": {"domain": "api.wonde.com"},
        },
        meta={"online": True, "approved": True, "audited": True, "custom_attendance_codes": False},
        permissions=[
            {"identity": "attendance.write", "optional": False, "approved": True},
            {"identity": "photos.read", "optional": True, "approved": False},
        ],
    )
    with respx.mock(assert_all_called=False) as router:
        router.route(host="api.wonde.com").mock(side_effect=fake)
        yield fake


@pytest.fixture
def connection() -> WondeConnection:
    return WondeConnection(token=SecretStr(TOKEN))


@pytest.fixture
def tools() -> Tools:
    return Tools(http=lambda **options: httpx.Client(trust_env=False, **options), now=lambda: NOW)


@pytest.fixture
def adapter(wonde: FakeWonde, connection: WondeConnection, tools: Tools) -> Iterator[WondeAdapter]:
    assert not wonde.requests  # the wire is faked before anything could leave
    one = WondeAdapter(connection, tools)
    one.open()
    yield one
    one.close()


@pytest.fixture
def make() -> Callable[..., Delivery]:
    """Make a delivery of rows; each row is a report of its own unless `reports` names them."""

    def delivery(*rows: Row, comment: bool = True, **more: Any) -> Delivery:
        route = more.pop("route", WondeRoute(school_id=SCHOOL, comment=comment))
        return register_delivery(route, *rows, comment=comment, **more)

    return delivery


@pytest.fixture
def a_row() -> Callable[..., Row]:
    return partial(sample_row, reference="RB-7K2MXY4P-1")


@pytest.fixture(scope="session")
def readme() -> str:
    """Give the manual, which names every setting."""
    return (Path(__file__).parent.parent / "README.md").read_text()
