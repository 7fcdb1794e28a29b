"""A stand-in of Arbor's REST API on loopback, strict to what is publicly known of it.

Sources: the models, filters and envelope of Arbor's own sis-sdk-php. Lists give identities only; each is fetched for
the rest. What a roll call registration answers is not public; the envelope here is the SDK's general one.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School, SessionMark, Student

ROOT = "/rest-v2"
MADE_BY = "roll call registration"
ROLL_CALLS = {
    "1": ("Morning roll call", "AM"),
    "2": ("Afternoon roll call", "PM"),
    "3": ("Evening club", "EVE"),
}
_SESSIONS = {"AM": "1", "PM": "2"}
_ENDPOINT = f"{ROOT}/attendance-roll-call-registration"
_ROWS = 50
_KNOWN = {"student", "attendanceMark", "minutesLate", "recordDate", "rollCall"}


class ArborStandIn(JsonStandIn):
    """One school's Arbor; `permissions` are the resources that the school lets this application use.

    On a closed day a mark is taken and then found wanting: its record carries a `validationError`.
    """

    stands_for = "Arbor"

    def __init__(
        self,
        authority: DemoAuthority,
        state: MisState,
        school: School,
        *,
        user: str,
        password: str,
        application_id: str = "",
        denied: Sequence[str] = (),
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        super().__init__(authority, port=port, names=names, folder=folder)
        self.state = state
        self.school = school
        self.denied = set(denied)
        self.closed_days: set[str] = set()
        self.inactive: set[str] = set()
        """Letters that stand in the table and are no longer in use."""
        self._errors: dict[tuple[str, str, str], str] = {}
        self._user = user
        self._password = password
        self._application_id = application_id

    @property
    def url(self) -> str:
        """The base address."""
        return f"https://{self.address[0]}:{self.address[1]}/"

    def dump(self, folder: Path) -> list[Path]:
        """Write the register into `folder`."""
        return self.state.dump(folder)

    # The contract

    def sign_in(self, request: Request) -> None:
        """Ask for Basic, and for the application where one was given out."""
        kind, value = request.authorization
        try:
            given = base64.b64decode(value, validate=True) if kind == "basic" else b""
        except binascii.Error:
            given = b""
        named = request.headers.get("x-mis-application-id", "") == self._application_id
        if not named or not hmac.compare_digest(given, f"{self._user}:{self._password}".encode()):
            raise AnsweredError(401, self.trouble(401, "Bad credentials"))

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give the vendor's envelope."""
        error = {"exception": "Arbor_Exception", "message": words, "trace": ""}
        return {"response": {"code": status, "reason": words, "errors": [error]}}

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Answer by the path."""
        if request.path == _ENDPOINT:
            if request.method != "POST":
                raise AnsweredError(405, self.trouble(405, "Method not allowed"))
            return self._register(request)
        root, _, rest = request.path.removeprefix("/").partition("/")
        resource, _, number = rest.partition("/")
        if request.method != "GET" or f"/{root}" != ROOT:
            raise AnsweredError(404, self.trouble(404, "Not found"))
        if resource in self.denied:
            raise AnsweredError(403, self.trouble(403, f"No access to {resource}"))
        with self.state.lock:
            rows = {row["href"]: row for row in self._resource(resource)}
        if not number:
            return _fine() | {_camel(resource): self._list(list(rows.values()), request)}
        if request.path not in rows:
            raise AnsweredError(404, self.trouble(404, "Not found"))
        return _fine() | {_camel(resource).removesuffix("s"): rows[request.path]}

    def _resource(self, resource: str) -> Iterator[dict[str, Any]]:
        match resource:
            case "attendance-marks":
                for letter, code_id in self.school.codes.items():
                    fields = {"attendanceMark": letter, "active": letter not in self.inactive}
                    yield _entity("AttendanceMark", resource, code_id) | fields
            case "attendance-roll-calls":
                for number, (name, short) in ROLL_CALLS.items():
                    yield _entity("AttendanceRollCall", resource, number) | {"name": name, "shortName": short}
            case "uk-dfe_upn-assignments":
                for student in self.school.students.values():
                    ends = "2026-01-01 00:00:00" if student.leaver else None
                    yield _entity("UkDfe_UpnAssignment", resource, student.mis_id) | {
                        "upn": student.upn,
                        "student": _student(student),
                        "endDatetime": ends,
                    }
            case "attendance-roll-call-records":
                for mark in self.school.marks.values():
                    yield self._as_record(mark)
            case _:
                raise AnsweredError(404, self.trouble(404, "Not found"))

    def _as_record(self, mark: SessionMark) -> dict[str, Any]:
        student = self.school.students[mark.student_id]
        call = _SESSIONS[mark.session]
        number = f"{student.mis_id}-{mark.date}-{mark.session}"
        return _entity("AttendanceRollCallRecord", "attendance-roll-call-records", number) | {
            "attendanceRollCall": _entity("AttendanceRollCall", "attendance-roll-calls", call),
            "recordDate": mark.date,
            "student": _student(student),
            "attendanceMark": _entity("AttendanceMark", "attendance-marks", mark.code_id),
            "minutesLate": mark.minutes_late,
            "validationError": self._errors.get((mark.student_id, mark.date, mark.session)),
        }

    def _list(self, rows: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
        """Filter by equality, and give identities only, a page at a time."""
        for name, wanted in request.query.items():
            if name.startswith("filters."):
                _, field, operator = (*name.split("."), "", "")[:3]
                if operator != "equals" or any(field not in row for row in rows):
                    raise AnsweredError(422, self.trouble(422, f"Unknown filter {name}"))
                rows = [row for row in rows if wanted == _plain(row[field])]
        size = min(int(request.query.get("page-size", _ROWS)), 1000)
        number = int(request.query.get("page-number", "1"))
        shown = rows[(number - 1) * size : number * size]
        return [{"entityType": row["entityType"], "href": row["href"]} for row in shown]

    def _register(self, request: Request) -> Mapping[str, Any]:
        if "attendance-roll-call-registration" in self.denied:
            raise AnsweredError(403, self.trouble(403, "No access to attendance-roll-call-registration"))
        try:
            marks = json.loads(request.body)["request"]["marks"]
            wrong = next((words for mark in marks if (words := self._complaint(mark))), "")
        except (ValueError, KeyError, TypeError, AttributeError):
            marks, wrong = [], "The request is not of the form that is expected"
        if wrong or not marks:
            # A validation that failed is a normal reply by HTTP: only the envelope says no.
            raise AnsweredError(200, self.trouble(422, wrong or "There are no marks"))
        half = self.takes_half()
        results = []
        for number, mark in enumerate(marks):
            taken = half is None or number % 2 == 0
            if taken:
                self._keep(mark)
            claimed = taken or (half is not None and half.words == "success")
            results.append({"status": {"success": claimed}})
        return _fine() | {"results": results}

    def _complaint(self, mark: Mapping[str, Any]) -> str:
        day, call = mark.get("recordDate"), mark.get("rollCall")
        try:
            right_day = date.fromisoformat(str(day)).isoformat() == day
        except ValueError:
            right_day = False
        wrong = {
            "A mark has a field that is not known": bool(set(mark) - _KNOWN),
            "The student is not known": self._named(mark["student"]["href"]) is None,
            "The attendance mark is not known": self._letter(mark["attendanceMark"]["href"]) == "",
            "The date is not a date": not right_day,
            "The roll call is not known": call not in _SESSIONS,
            "The minutes are not a number": not isinstance(mark.get("minutesLate"), int | None),
        }
        return next((words for words, is_so in wrong.items() if is_so), "")

    def _named(self, href: str) -> Student | None:
        students = self.school.students.values()
        return next((one for one in students if _student(one)["href"] == href and not one.leaver), None)

    def _letter(self, href: str) -> str:
        codes = self.school.codes.items()
        return next((letter for letter, code_id in codes if href == f"{ROOT}/attendance-marks/{code_id}"), "")

    def _keep(self, mark: Mapping[str, Any]) -> None:
        student = self._named(mark["student"]["href"])
        if student is None:
            return
        letter = self._letter(mark["attendanceMark"]["href"])
        slot = (student.id, mark["recordDate"], mark["rollCall"])
        if mark["recordDate"] in self.closed_days:
            self._errors[slot] = "The register is closed"
        self.state.set_mark(
            self.school,
            student.id,
            date=mark["recordDate"],
            session=mark["rollCall"],
            code_id=self.school.codes[letter],
            made_by=MADE_BY,
            minutes_late=mark.get("minutesLate"),
        )


def _fine() -> dict[str, Any]:
    return {"response": {"code": 200, "reason": "OK", "errors": []}}


def _entity(kind: str, resource: str, number: str) -> dict[str, Any]:
    return {"entityType": kind, "href": f"{ROOT}/{resource}/{number}"}


def _student(student: Student) -> dict[str, Any]:
    return _entity("Student", "students", student.mis_id)


def _plain(value: Any) -> str:
    return str(value["href"] if isinstance(value, dict) else value)


def _camel(resource: str) -> str:
    first, *rest = resource.split("-")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
