"""A stand-in of Example MIS, the invented system of the worked template of `aphub-rest`, as strict as that template says.

No vendor has this API: it shows that a system without a plugin of its own can be reached by a template alone.
"""

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School, Student

HALVES = {"morning": "AM", "afternoon": "PM"}
_TOKEN_PATH = "/api/connect/token"


class ExampleMisStandIn(JsonStandIn):
    """One school of Example MIS, by its `slug` there; writes are jobs, queued for as many questions as `waits`."""

    stands_for = "any vendor"

    def __init__(
        self,
        authority: DemoAuthority,
        state: MisState,
        school: School,
        *,
        slug: str,
        user: str,
        secret: str,
        subscription: str,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        super().__init__(authority, port=port, names=names, folder=folder)
        self.state, self.school = state, school
        self.consents: list[dict[str, str]] = [{"what": "attendance"}]
        self.token = secrets.token_urlsafe(30)
        self.waits = 0
        self.jobs: dict[str, dict[str, Any]] = {}
        self._slug, self._user, self._secret, self._subscription = slug, user, secret, subscription

    @property
    def url(self) -> str:
        """The base address."""
        return f"https://{self.address[0]}:{self.address[1]}/api/"

    def dump(self, folder: Path) -> list[Path]:
        """Write the register into `folder`."""
        return self.state.dump(folder)

    # The contract

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give the system's own shape of a complaint."""
        return {"ok": False, "error": f"{status} {words}"}

    def is_write(self, request: Request) -> bool:
        """Say that getting a token writes nothing."""
        return request.writes and request.path != _TOKEN_PATH

    def respond(self, request: Request) -> tuple[int, Mapping[str, Any], dict[str, str]]:
        """Answer a sign-in, which is a form; everything else is JSON."""
        return self._token(request) if request.path == _TOKEN_PATH else super().respond(request)

    def _token(self, request: Request) -> tuple[int, Mapping[str, Any], dict[str, str]]:
        form = {key: one[0] for key, one in parse_qs(request.body.decode(errors="replace")).items()}
        given = form.pop("client_secret", "")
        known = form == {"grant_type": "client_credentials", "client_id": self._user}
        if not known or not hmac.compare_digest(given.encode(), self._secret.encode()):
            return 400, {"error": "invalid_client"}, {}
        busy = self._takes("busy")
        if busy is not None:
            return 429, {}, {"Retry-After": str(int(busy.seconds))}
        return 200, {"access_token": self.token, "expires_in": 3600}, {}

    def sign_in(self, request: Request) -> None:
        """Ask for the subscription and for a token that was given out."""
        subscribed = request.headers.get("x-subscription-key") == self._subscription
        if not subscribed or request.authorization != ("bearer", self.token):
            raise AnsweredError(401, self.trouble(401, "Who are you?"))

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Answer by the path."""
        with self.state.lock:
            return self._answer(request, request.path.removeprefix("/api/").split("/"))

    def _answer(self, request: Request, path: list[str]) -> Mapping[str, Any]:
        match request.method, path:
            case "GET", ["schools", self._slug, "consents"]:
                return {"consents": self.consents}
            case "GET", ["schools", self._slug, "learners"]:
                return {"learners": [self._learner(one) for one in self._enrolled(request.query["upn"])]}
            case "GET", ["schools", self._slug, "codes"]:
                codes = self.school.codes.items()
                return {"codes": [{"letter": letter, "id": code_id} for letter, code_id in codes]}
            case "GET", ["schools", self._slug, "marks"]:
                return self._marks(request)
            case "POST", ["schools", self._slug, "marks"]:
                return self._write(json.loads(request.body))
            case "GET", ["jobs", number] if number in self.jobs:
                return {"state": self._poll(self.jobs[number])}
        raise AnsweredError(404, self.trouble(404, "Nothing here"))

    def _enrolled(self, upn: str) -> list[Student]:
        return [one for one in self.school.students.values() if one.upn == upn and not one.leaver]

    def _learner(self, one: Student) -> dict[str, Any]:
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
