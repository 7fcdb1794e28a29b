"""Example MIS, the invented system of the worked example, as strict as its template says, and an adapter that talks to it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from aphub.api import Delivery, Row
from aphub.conformance import kit_school
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School
from aphub.testing import PLANTED_SECRET, register_delivery, sample_tools
from aphub_rest import RestAdapter, RestConnection, RestRoute

SCHOOL, USER, SUBSCRIPTION, TOKEN = "hill", "hub", "subscription-of-ours", "t0ken-for-an-hour"
HALVES = {"morning": "AM", "afternoon": "PM"}


class ExampleMis(JsonStandIn):
    """One school of Example MIS; writes are jobs, queued for as many questions as `waits`."""

    stands_for = "any vendor"

    def __init__(self, authority: DemoAuthority, state: MisState, school: School) -> None:
        super().__init__(authority)
        self.state, self.school = state, school
        self.consents: list[dict[str, str]] = [{"what": "attendance"}]
        self.token = TOKEN
        self.waits = 0
        self.jobs: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.address[1]}/api/"

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        return {"ok": False, "error": f"{status} {words}"}

    def is_write(self, request: Request) -> bool:
        return request.writes and request.path != "/api/connect/token"

    def respond(self, request: Request) -> tuple[int, Mapping[str, Any], dict[str, str]]:
        if request.path == "/api/connect/token":  # a form, not JSON
            form = {key: one[0] for key, one in parse_qs(request.body.decode()).items()}
            good = {"grant_type": "client_credentials", "client_id": USER, "client_secret": PLANTED_SECRET}
            if form != good:
                return 400, {"error": "invalid_client"}, {}
            busy = self._takes("busy")
            if busy is not None:
                return 429, {}, {"Retry-After": str(int(busy.seconds))}
            return 200, {"access_token": self.token, "expires_in": 3600}, {}
        return super().respond(request)

    def sign_in(self, request: Request) -> None:
        subscribed = request.headers.get("x-subscription-key") == SUBSCRIPTION
        if not subscribed or request.authorization != ("bearer", self.token):
            raise AnsweredError(401, self.trouble(401, "Who are you?"))

    def answer(self, request: Request) -> Mapping[str, Any]:
        with self.state.lock:
            return self._answer(request, request.path.removeprefix("/api/").split("/"))

    def _answer(self, request: Request, path: list[str]) -> Mapping[str, Any]:
        match request.method, path:
            case "GET", ["schools", "hill", "consents"]:
                return {"consents": self.consents}
            case "GET", ["schools", "hill", "learners"]:
                return {"learners": [self._learner(one) for one in self._enrolled(request.query["upn"])]}
            case "GET", ["schools", "hill", "codes"]:
                codes = self.school.codes.items()
                return {"codes": [{"letter": letter, "id": code_id} for letter, code_id in codes]}
            case "GET", ["schools", "hill", "marks"]:
                return self._marks(request)
            case "POST", ["schools", "hill", "marks"]:
                return self._write(json.loads(request.body))
            case "GET", ["jobs", number] if number in self.jobs:
                return {"state": self._poll(self.jobs[number])}
        raise AnsweredError(404, self.trouble(404, "Nothing here"))

    def _enrolled(self, upn: str) -> list[Any]:
        return [one for one in self.school.students.values() if one.upn == upn and not one.leaver]

    def _learner(self, one: Any) -> dict[str, Any]:
        return {"id": int(one.mis_id), "identifiers": {"upn": one.upn}}

    def _marks(self, request: Request) -> Mapping[str, Any]:
        day = _plain_day(request.query["on"])
        students = self.school.students
        rows = [
            {
                "learner": {"id": int(students[mark.student_id].mis_id)},
                "day": request.query["on"],
                "half": next(half for half, session in HALVES.items() if session == mark.session),
                "code": {"id": mark.code_id},
                "late": mark.minutes_late,
                "note": mark.comment,
            }
            for mark in self.school.marks.values()
            if mark.date == day
        ]
        size, number = int(request.query["size"]), int(request.query.get("page", "1"))
        return {"marks": rows[(number - 1) * size : number * size], "more": number * size < len(rows)}

    def _write(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        students = {one.mis_id: one for one in self.school.students.values() if not one.leaver}
        known = {"learner", "code", "late", "note"}
        right = set(body) == {"day", "half", "marks"} and body["half"] in HALVES
        for mark in body["marks"]:
            right &= set(mark) <= known and mark["learner"]["id"] in students
            right &= mark["code"]["id"] in self.school.codes.values()
        if not right:
            return {"ok": False, "why": "Something in it is not known here"}
        half = self.takes_half()
        day = _plain_day(body["day"])
        job = {"polls": 0, "day": day, "session": HALVES[body["half"]], "marks": body["marks"], "half": half}
        self.jobs[f"J{len(self.jobs) + 1}"] = job
        if self.settles_at_once or not self.waits:
            self._settle(job)
        return {"ok": True, "job": f"J{len(self.jobs)}"}

    def _poll(self, job: dict[str, Any]) -> str:
        job["polls"] += 1
        if job["polls"] <= self.waits:
            return "waiting"
        self._settle(job)
        return "failed" if job["half"] and job["half"].words == "failed" else "done"

    def _settle(self, job: dict[str, Any]) -> None:
        students = {one.mis_id: one for one in self.school.students.values()}
        for number, mark in enumerate(job["marks"]):
            if not job.get("settled") and (job["half"] is None or number % 2 == 0):
                self.state.set_mark(
                    self.school,
                    students[mark["learner"]["id"]].id,
                    date=job["day"],
                    session=job["session"],
                    code_id=mark["code"]["id"],
                    made_by="job",
                    comment=mark.get("note"),
                    minutes_late=mark.get("late"),
                )
        job["settled"] = True


def _plain_day(text: str) -> str:
    day, month, year = text.split("/")
    return f"{year}-{month}-{day}"


@dataclass
class Played:
    """Example MIS with the kit's school, and the adapter that talks to it."""

    far_side: ExampleMis
    adapter: RestAdapter

    @property
    def posts(self) -> list[Any]:
        return [json.loads(one.body) for one in self.far_side.requests if self.far_side.is_write(one)]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def stand_in(authority: DemoAuthority) -> ExampleMis:
    state, school = kit_school()
    return ExampleMis(authority, state, school)


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
def played(stand_in: ExampleMis, connect: Callable[..., RestConnection]) -> Iterator[Played]:
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
