"""A stand-in of Xporter on Demand on loopback, strict to what is publicly known of it.

Sources: the vendor's own endpoint texts and replies as recorded by xod_client (2018), and xporterdocs.groupcall.com.
"""

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from aphub.sandbox.calling_back import CallsBack
from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School, Student

SCOPES = ("School", "Student", "UPN", "Attendance", "WritebackAttendance")
MADE_BY = "write-back"
MOST_ROWS = 1000
NOTES_LIMIT = 500
_TOKEN_PATH = "/api/oauth/GetToken"
_NO_TOKEN: dict[str, Any] = {"token": None, "expires": "0001-01-01T00:00:00"}
_FINE: dict[str, Any] = {
    "Message": None,
    "ExceptionType": None,
    "ExceptionMessage": None,
    "InnerException": None,
}


class XporterStandIn(JsonStandIn):
    """One school's MIS behind Xporter; `secret` is the one that the school gave.

    A session that the school has closed (`closed_days`) is turned away after it was queued, as tier 2 of the contract.
    """

    stands_for = "Groupcall or Community Brands"

    def __init__(
        self,
        authority: DemoAuthority,
        state: MisState,
        school: School,
        *,
        estab: str,
        relying_party: str,
        secret: str,
        scopes: Sequence[str] = SCOPES,
        token_life: timedelta = timedelta(days=5),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        super().__init__(authority, port=port, names=names, folder=folder)
        self.state = state
        self.school = school
        self.estab = estab
        self.scopes = tuple(scopes)
        self.closed_days: set[str] = set()
        self.guests: set[str] = set()
        """UPNs of pupils who are guests or subsidiary here: lists leave them out unless asked for."""
        self._relying_party = relying_party
        self._secret = secret
        self._token_life = token_life
        self._now = now
        self._tokens: dict[str, datetime] = {}
        self._queue: list[tuple[str, str, list[Mapping[str, Any]]]] = []
        self.calls = CallsBack(str(authority.ca_path))
        self.calls_after: float | None = None
        """Seconds after which the queue is worked off by itself; None leaves that to `work_off`."""

    def calls_back(self, how: str) -> None:
        """Call back about what is written in this manner: `never`, `twice`, `forged` or `lies`, until told otherwise."""
        setattr(self.calls, how, True)

    def work_off(self) -> None:
        """Let the school's system fetch what is queued, all or nothing of each request, and call about each."""
        with self.state.lock:
            queue, self._queue = self._queue, []
        for tracking, url, marks in queue:
            closed = any(mark["Date"] in self.closed_days for mark in marks)
            for mark in [] if closed or self.calls.lies else marks:
                self._keep(mark)
            self._wrote()
            said = {"trackingid": tracking, "XodCompleted": str(not closed)}
            self.calls.call(url, said, number="trackingid")

    @property
    def url(self) -> str:
        """The base address."""
        return f"https://{self.address[0]}:{self.address[1]}/"

    def dump(self, folder: Path) -> list[Path]:
        """Write the register into `folder`."""
        return self.state.dump(folder)

    def forget_tokens(self) -> None:
        """Let every token end, as when the vendor pauses an authorisation."""
        self._tokens.clear()

    # The contract

    def sign_in(self, request: Request) -> None:
        """Ask for an Idaas token that has not ended, but for the one who comes to get one."""
        if request.path.rstrip("/") == _TOKEN_PATH:
            return
        kind, token = request.authorization
        if kind != "idaas" or self._tokens.get(token, self._now()) <= self._now():
            raise AnsweredError(401, self.trouble(401, "The token is not known or has expired."))

    def is_write(self, request: Request) -> bool:
        """Say that getting a token writes nothing."""
        return request.writes and request.path.rstrip("/") != _TOKEN_PATH

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give the vendor's envelope with an exception in it."""
        return {**_FINE, "ExceptionType": f"Http{status}", "ExceptionMessage": words}

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Answer by the path; most mistakes are a 200 with an exception inside."""
        path = request.path.strip("/").split("/")
        match request.method, path:
            case "POST", ["api", "oauth", "GetToken"]:
                return self._token(request)
            case "GET", ["api", "v1", "TokenDetails"]:
                return self._details(request)
            case "GET", ["api", "v1", "School", estab, what]:
                return self._read(estab, what, request)
            case "POST", ["api", "v1", "Attendance", estab]:
                return self._write(estab, request, callback=False)
            case "POST", ["api", "v1", "AttendanceAsync", estab]:
                return self._write(estab, request, callback=True)
        raise AnsweredError(404, self.trouble(404, "No such endpoint."))

    def _token(self, request: Request) -> Mapping[str, Any]:
        asked = _body(request)
        known = {"estab", "relyingParty", "password", "thirdpartyid"}
        good = (
            set(asked) == known
            and asked["estab"] == self.estab
            and asked["relyingParty"] == self._relying_party
            and asked["thirdpartyid"] == "XporterOnDemand"
            and hmac.compare_digest(str(asked["password"]).encode(), self._secret.encode())
        )
        if not good:
            return {**_FINE, **_NO_TOKEN, "ExceptionMessage": "The school or its secret is not known."}
        token, ends = secrets.token_urlsafe(40), self._now() + self._token_life
        self._tokens[token] = ends
        return _FINE | {"token": token, "expires": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}

    def _details(self, request: Request) -> Mapping[str, Any]:
        ends = self._tokens[request.authorization[1]]
        return _FINE | {
            "Estab": self.estab,
            "Expires": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "Name": self.school.name,
            "RelyingParty": self._relying_party,
            "Scopes": list(self.scopes),
        }

    def _needs(self, estab: str, *scopes: str) -> None:
        if estab != self.estab:
            raise AnsweredError(200, self.trouble(403, "The token is not for this school."))
        for scope in scopes:
            if scope not in self.scopes:
                raise AnsweredError(200, self.trouble(403, f"The scope {scope} has not been granted."))

    def _read(self, estab: str, what: str, request: Request) -> Mapping[str, Any]:
        if what == "SchoolInfo":
            self._needs(estab, "School")
            return {"SchoolInfo": [{"Name": self.school.name, "EstabId": self.estab}], "meta": []}
        if what == "Students":
            self._needs(estab, "Student")
            return self._page("Students", self._students(request), request)
        if what == "AttendanceCodes":
            self._needs(estab, "Attendance")
            rows = [
                {"Mark": letter, "Description": letter, "MeaningDescription": letter, "PhysicalMeaning": ""}
                for letter in self.school.codes
            ]
            return {"AttendanceCodes": rows, "meta": []}
        if what == "AttendanceForDate":
            self._needs(estab, "Attendance")
            return self._page("AttendanceForDate", self._marks(request), request)
        raise AnsweredError(404, self.trouble(404, "No such endpoint."))

    def _students(self, request: Request) -> list[dict[str, Any]]:
        options = request.query.get("options", "").split(",")
        wider = {"includeGuests", "includeSubsidiary"} & set(options)
        return [
            self._student(one)
            for one in self.school.students.values()
            if not one.leaver and (wider or one.upn not in self.guests)
        ]

    def _student(self, student: Student) -> dict[str, Any]:
        row: dict[str, Any] = {
            "Id": student.mis_id,
            "Forename": student.forename,
            "Surname": student.surname,
            "EnrolmentStatus": "G" if student.upn in self.guests else "C",
        }
        if "UPN" in self.scopes:
            row |= {"UPN": student.upn, "FormerUPN": None}
        return row

    def _marks(self, request: Request) -> list[dict[str, Any]]:
        day, session = request.query.get("date", ""), request.query.get("sessionType", "")
        if not _is_date(day) or request.query.get("attendanceType") != "S" or session not in {"AM", "PM", ""}:
            raise AnsweredError(200, self.trouble(400, "date, attendanceType or sessionType is not right."))
        students = self.school.students
        return [
            {
                "Id": f"{students[mark.student_id].mis_id}.{mark.date}.{mark.session}",
                "Date": f"{mark.date}T00:00:00",
                "StudentId": students[mark.student_id].mis_id,
                "Mark": self.school.code_of(mark.code_id),
                "MinsLate": mark.minutes_late or 0,
                "Notes": mark.comment,
                "Type": "S",
                "Session": mark.session,
            }
            for mark in list(self.school.marks.values())
            if mark.date == day and session in {"", mark.session}
        ]

    @staticmethod
    def _page(name: str, rows: list[dict[str, Any]], request: Request) -> Mapping[str, Any]:
        if "pageSize" not in request.query:
            return {name: rows, "meta": []}
        size, number = int(request.query["pageSize"]), int(request.query.get("page", "1"))
        size = max(1, min(size, MOST_ROWS))
        pages = max(1, -(-len(rows) // size))
        pagination = {
            "PageSize": size,
            "PageNumber": number,
            "PageCount": pages,
            "RowCount": len(rows),
            # The vendor's own last page names a next one too.
            "NextPage": f"?page={number + 1}&pageSize={size}",
        }
        shown = rows[(number - 1) * size : number * size]
        return {name: shown, "meta": [], "__pagination__": [pagination]}

    def _write(self, estab: str, request: Request, *, callback: bool) -> Mapping[str, Any]:
        self._needs(estab, "WritebackAttendance")
        body = _body(request)
        wrong = self._complaint(body, callback=callback)
        if wrong:
            raise AnsweredError(200, self.trouble(400, wrong))
        if callback:
            return self._queued(body)
        half = self.takes_half()
        marks = [mark for number, mark in enumerate(body["Marks"]) if half is None or number % 2 == 0]
        closed = any(mark["Date"] in self.closed_days for mark in marks)
        if closed:
            raise AnsweredError(200, self.trouble(400, "The school is closed on this date."))
        for mark in marks:
            self._keep(mark)
        if half is not None and half.words == "failed":
            raise AnsweredError(200, self.trouble(500, "Some of the marks could not be written."))
        return _FINE | {"Message": "success"}

    def _queued(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        tracking = secrets.token_hex(16)
        with self.state.lock:
            self._queue.append((tracking, body["Callback"]["Url"], list(body["Marks"])))
        if self.calls_after is not None:
            timer = threading.Timer(self.calls_after, self.work_off)
            timer.daemon = True
            timer.start()
        dataset = {
            "trackingid": [{"trackingid": tracking, "errorquery": "Writeback.AttendanceAsync_OnError"}]
        }
        return _FINE | {"TrackingId": tracking, "DataSet": dataset, "Message": "success"}

    def _complaint(self, body: Mapping[str, Any], *, callback: bool) -> str:
        if set(body) - {"Marks", "Callback"} or not isinstance(body.get("Marks"), list) or not body["Marks"]:
            return "Marks must be a list with at least one mark."
        asked = body.get("Callback") or {}
        if callback and (set(asked) != {"Method", "Url"} or not str(asked["Url"]).startswith("https://")):
            return "A callback with Method and Url is mandatory."
        if len({mark.get("Date") for mark in body["Marks"]}) != 1:
            return "All marks of a call must be of one date."
        return next((wrong for mark in body["Marks"] if (wrong := self._mark_complaint(mark))), "")

    def _mark_complaint(self, mark: Mapping[str, Any]) -> str:
        known = {"StudentId", "MarkType", "Date", "Session", "Mark", "Mins", "Notes"}
        wrong = {
            f"not known: {sorted(set(mark) - known)}": bool(set(mark) - known),
            "StudentId is not one of this school.": self._named(mark.get("StudentId")) is None,
            "MarkType must be S.": mark.get("MarkType") != "S",
            "Date is not a date.": not _is_date(mark.get("Date")),
            "Session must be AM or PM.": mark.get("Session") not in {"AM", "PM"},
            "Mark is not a code of this school.": mark.get("Mark") not in self.school.codes,
            "Mins is not a number.": not isinstance(mark.get("Mins", 0), int),
            "Notes are too long.": len(mark.get("Notes", "")) > NOTES_LIMIT,
        }
        return next((words for words, is_so in wrong.items() if is_so), "")

    def _named(self, mis_id: object) -> Student | None:
        students = self.school.students.values()
        return next((one for one in students if one.mis_id == mis_id and not one.leaver), None)

    def _keep(self, mark: Mapping[str, Any]) -> None:
        student = self._named(mark["StudentId"])
        if student is not None:
            self.state.set_mark(
                self.school,
                student.id,
                date=mark["Date"],
                session=mark["Session"],
                code_id=self.school.codes[mark["Mark"]],
                made_by=MADE_BY,
                comment=mark.get("Notes") or None,
                minutes_late=mark.get("Mins") or None,
            )


def _body(request: Request) -> Mapping[str, Any]:
    try:
        page = json.loads(request.body)
    except ValueError:
        page = None
    return page if isinstance(page, dict) else {}


def _is_date(value: object) -> bool:
    try:
        return date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        return False
