"""The Wonde API's paths and what each answers, without sockets."""

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aphub.sandbox.json_api import AnsweredError, Request
from aphub.sandbox.mis_state import CODES, School, SessionMark, Student
from aphub.sandbox.wonde_contract import read_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aphub.sandbox.wonde import WondeStandIn

ROWS = 50
MOST_ROWS = 200
_LISTS = ("pending", "audited", "offline", "declined", "revoked")


class AnswerError(AnsweredError):
    """A request that ends here, with a status and the vendor's kind of body."""

    def __init__(self, status: int, message: str, errors: object = None) -> None:
        """Keep what goes into the body."""
        super().__init__(status, {"message": message} | ({"errors": errors} if errors else {}))


def token_of(request: Request) -> str:
    """Give the token: as Bearer, or as the user name of Basic with an empty password."""
    kind, value = request.authorization
    if kind == "bearer":
        return value
    if kind == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return "" if password else user
    return ""


class WondeRoutes:
    """Answers requests from a state; raises `AnswerError` for everything but 200."""

    def __init__(self, stand_in: "WondeStandIn") -> None:
        """Answer for one stand-in."""
        self._stand_in = stand_in
        self._state = stand_in.state
        school = r"schools/(?P<school>[^/]+)"
        gets: dict[str, Callable[..., dict[str, Any]]] = {
            r"schools": self._schools,
            r"schools/all": self._schools,
            rf"schools/(?:{'|'.join(_LISTS)})": lambda request: self._list(request, []),
            school: self._school,
            rf"meta/{school}": self._meta,
            rf"meta/{school}/permissions": self._permissions,
            rf"{school}/students": self._students,
            rf"{school}/students-leaver": self._leavers,
            rf"{school}/students/(?P<student>[^/]+)": self._student,
            rf"{school}/attendance-codes": self._codes,
            r"attendance-codes": self._global_codes,
            rf"{school}/attendance/session": self._marks,
            r"writebacks": self._writebacks,
            r"writebacks/(?P<writeback>[^/]+)": self._writeback,
        }
        posts = {rf"{school}/attendance/session": self._write}
        self._routes = [("GET", re.compile(pattern), act) for pattern, act in gets.items()]
        self._routes += [("POST", re.compile(pattern), act) for pattern, act in posts.items()]

    def answer(self, request: Request) -> dict[str, Any]:
        """Give the body of the 200; a slash at the end of the path makes no difference."""
        prefix, _, path = request.path.strip("/").partition("/")
        if prefix != "v1.0":
            raise AnswerError(404, "Not found.")
        known = False
        for method, pattern, act in self._routes:
            match = pattern.fullmatch(path)
            if match is not None:
                known = True
                if method == request.method:
                    return act(request, **match.groupdict())
        raise AnswerError(405 if known else 404, "Method not allowed." if known else "Not found.")

    # Who may see what

    def _reach(self, request: Request, school_id: str, permission: str = "") -> School:
        school = self._state.schools.get(school_id)
        if school is None:
            raise AnswerError(404, "School not found.")
        if not school.approved or not self._stand_in.reaches(token_of(request), school_id):
            raise AnswerError(403, "Access to this school has not been granted.")
        if permission and permission not in school.permissions:
            raise AnswerError(403, f"The permission {permission} has not been granted.")
        return school

    # Reads

    def _schools(self, request: Request) -> dict[str, Any]:
        schools = [
            school
            for school in self._state.schools.values()
            if school.approved and self._stand_in.reaches(token_of(request), school.id)
        ]
        for name in ("urn", "la_code", "establishment_number"):
            wanted = request.query.get(name)
            schools = [school for school in schools if wanted is None or getattr(school, name) == wanted]
        return self._list(request, [self._school_page(school) for school in schools])

    def _school(self, request: Request, school: str) -> dict[str, Any]:
        return {"data": self._school_page(self._reach(request, school))}

    def _school_page(self, school: School) -> dict[str, Any]:
        identifiers = {
            "la_code": school.la_code,
            "establishment_number": school.establishment_number,
            "urn": school.urn,
        }
        host, port = self._stand_in.address
        domain = school.region_domain or f"{host}:{port}"
        return {
            "id": school.id,
            "name": school.name,
            **identifiers,
            "phase_of_education": "Secondary",
            "timezone": "Europe/London",
            "mis": school.mis,
            "address": {"address_country": {"code": "GBR", "name": "United Kingdom"}},
            "extended": {
                "allows_writeback": school.allows_writeback,
                "has_timetables": False,
                "has_lesson_attendance": False,
                "audit_approved_at": None,
            },
            "region": {
                "code": "GBR",
                "domain": domain,
                "school_url": f"https://{domain}/v1.0/schools/{school.id}",
                "identifiers": identifiers,
            },
        }

    def _meta(self, request: Request, school: str) -> dict[str, Any]:
        found = self._reach(request, school)
        return {
            "data": {
                "online": True,
                "approved": found.approved,
                "audited": True,
                "custom_attendance_codes": found.custom_attendance_codes,
            }
        }

    def _permissions(self, request: Request, school: str) -> dict[str, Any]:
        found = self._reach(request, school)
        rows = [
            {
                "identity": name,
                "name": name,
                "description": "",
                "parent": None,
                "group": name.partition(".")[0],
                "active_from": None,
                "optional": False,
                "approved": True,
                "audited": True,
            }
            for name in found.permissions
        ]
        return {"data": rows}

    def _students(self, request: Request, school: str, *, leavers: bool = False) -> dict[str, Any]:
        found = self._reach(request, school, "students.read")
        students: Iterable[Student] = found.students.values()
        for option, name in (("only_upns", "upn"), ("only_mis_ids", "mis_id")):
            if option in request.query:
                wanted = set(request.query[option].split(","))
                students = [student for student in students if getattr(student, name) in wanted]
        rows = [self._student_page(request, found, s) for s in students if s.leaver == leavers]
        return self._list(request, rows)

    def _leavers(self, request: Request, school: str) -> dict[str, Any]:
        return self._students(request, school, leavers=True)

    def _student(self, request: Request, school: str, student: str) -> dict[str, Any]:
        found = self._reach(request, school, "students.read")
        if student not in found.students or found.students[student].leaver:
            raise AnswerError(404, "Student not found.")
        return {"data": self._student_page(request, found, found.students[student])}

    def _student_page(self, request: Request, school: School, student: Student) -> dict[str, Any]:
        page: dict[str, Any] = {
            "id": student.id,
            "upi": student.upi,
            "mis_id": student.mis_id,
            "forename": student.forename,
            "surname": student.surname,
            "legal_forename": student.forename,
            "legal_surname": student.surname,
        }
        if "education_details" in _includes(request):
            if "education-details.read" not in school.permissions:
                raise AnswerError(403, "The permission education-details.read has not been granted.")
            page["education_details"] = {
                "data": {"upn": student.upn, "local_upn": None, "current_nc_year": "10"}
            }
        return page

    def _codes(self, request: Request, school: str) -> dict[str, Any]:
        found = self._reach(request, school, "attendance.read")
        return self._list(request, [_code_page(code_id, letter) for letter, code_id in found.codes.items()])

    def _global_codes(self, request: Request) -> dict[str, Any]:
        return self._list(request, [_code_page(f"G{ord(letter):04d}", letter) for letter in CODES])

    def _marks(self, request: Request, school: str) -> dict[str, Any]:
        """List marks; a row has the field names of the write, since those of the read are not public."""
        found = self._reach(request, school, "attendance.read")
        after, before = (request.query.get(name, "") for name in self._stand_in.date_filters)
        rows = [
            _mark_page(mark, found, _includes(request))
            for mark in list(found.marks.values())
            if (not after or mark.date >= after) and (not before or mark.date <= before)
        ]
        return self._list(request, rows)

    def _list(self, request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Give one page; the whole of `meta.pagination` is missing when everything fits on one."""
        try:
            size = min(int(request.query.get("per_page", ROWS)), MOST_ROWS)
            number = int(request.query.get("page") or request.query.get("cursor", "1").replace("true", "1"))
        except ValueError:
            size = number = 0
        if size < 1 or number < 1:
            raise AnswerError(
                422, "The given data was invalid.", {"page": ["page and per_page are numbers."]}
            )
        shown = rows[(number - 1) * size : number * size]
        if len(rows) <= size:
            return {"data": shown}
        host, port = self._stand_in.address
        kind = "cursor" if "cursor" in request.query else "page"

        def link(to: int) -> str:
            query = urlencode({**request.query, kind: to})
            return f"https://{host}:{port}{request.path}?{query}"

        more = number * size < len(rows)
        pagination = {
            "next": link(number + 1) if more else None,
            "previous": link(number - 1) if number > 1 else None,
            "more": more,
            "per_page": size,
            "current_page": number,
        }
        return {"data": shown, "meta": {"pagination": pagination}}

    # Writes

    def _write(self, request: Request, school: str) -> dict[str, Any]:
        found = self._reach(request, school, "attendance.write")
        if not found.allows_writeback:
            raise AnswerError(403, "This school does not allow write-back.")
        marks, errors = read_marks(request.body, found)
        if errors:
            raise AnswerError(422, "The given data was invalid.", errors)
        writeback = self._stand_in.queue(found, token_of(request), marks)
        return {"writeback_id": writeback.id}

    def _writebacks(self, request: Request) -> dict[str, Any]:
        mine = [w for w in self._stand_in.writebacks.all.values() if w.token == token_of(request)]
        words = self._stand_in.status_words
        return self._list(request, [{"id": w.id, "status": words[w.state]} for w in mine])

    def _writeback(self, request: Request, writeback: str) -> dict[str, Any]:
        found = self._stand_in.writebacks.all.get(writeback)
        if found is None or found.token != token_of(request):
            raise AnswerError(404, "Write-back not found.")
        state = self._stand_in.writebacks.poll(found)
        page: dict[str, Any] = {
            "id": found.id,
            "type": "session_attendance",
            self._stand_in.status_field: self._stand_in.status_words[state],
        }
        if found.errors and state == "failed":
            page["errors"] = found.errors
        return {"data": page}


def _includes(request: Request) -> set[str]:
    return set(request.query.get("include", "").split(","))


def _code_page(code_id: str, letter: str) -> dict[str, Any]:
    description, kind = CODES.get(letter, ("A code of this school's own", "UNKNOWN"))
    return {"id": code_id, "code": letter, "description": description, "type": kind}


def _mark_page(mark: SessionMark, school: School, includes: set[str]) -> dict[str, Any]:
    page: dict[str, Any] = {
        "id": mark.id,
        "date": mark.date,
        "session": mark.session,
        "student_id": mark.student_id,
        "attendance_code_id": mark.code_id,
        "comment": mark.comment,
        "minutes_late": mark.minutes_late,
        "employee_id": mark.employee_id,
    }
    if "student" in includes:
        page["student"] = {"data": {"id": mark.student_id}}
    if "attendance_code" in includes:
        page["attendance_code"] = {"data": _code_page(mark.code_id, school.code_of(mark.code_id))}
    return page
