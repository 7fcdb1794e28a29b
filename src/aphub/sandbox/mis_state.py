"""What stand-ins of school systems hold: schools, students, code tables and marks."""

import hashlib
import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The vendor's names for permissions are not public; these are shaped like the ones in its clients' documentation.
PERMISSIONS = ("students.read", "education-details.read", "attendance.read", "attendance.write")
CODES: Mapping[str, tuple[str, str]] = {
    "/": ("Present (AM)", "PRESENT"),
    "\\": ("Present (PM)", "PRESENT"),
    "B": ("Attending any other approved educational activity", "APPROVED_EDUCATIONAL_ACTIVITY"),
    "D": ("Dual registered at another school", "ATTENDANCE_NOT_REQUIRED"),
    "I": ("Illness", "AUTHORISED_ABSENCE"),
    "K": ("Attending provision arranged by the local authority", "APPROVED_EDUCATIONAL_ACTIVITY"),
    "L": ("Late before the register closed", "PRESENT"),
    "M": ("Medical or dental appointment", "AUTHORISED_ABSENCE"),
    "N": ("Reason for absence not yet established", "UNAUTHORISED_ABSENCE"),
    "O": ("Absent without authorisation", "UNAUTHORISED_ABSENCE"),
    "P": ("Sporting activity", "APPROVED_EDUCATIONAL_ACTIVITY"),
    "W": ("Work experience", "APPROVED_EDUCATIONAL_ACTIVITY"),
}


@dataclass(slots=True)
class Student:
    """A pupil as the school's MIS knows one."""

    id: str
    upn: str = field(repr=False)
    forename: str = field(repr=False)
    surname: str = field(repr=False)
    mis_id: str
    upi: str
    leaver: bool = False


@dataclass(slots=True)
class SessionMark:
    """One mark in a school's register, with those that it replaced."""

    id: str
    student_id: str
    date: str
    session: str
    code_id: str
    made_by: str
    comment: str | None = field(repr=False, default=None)
    minutes_late: int | None = None
    employee_id: str | None = None
    replaced: list[dict[str, Any]] = field(repr=False, default_factory=list)


@dataclass(slots=True)
class School:
    """A school whose MIS is reached through the aggregator."""

    id: str
    name: str
    urn: str
    la_code: str
    establishment_number: str
    mis: str = "SIMS"
    allows_writeback: bool = True
    custom_attendance_codes: bool = False
    approved: bool = True
    region_domain: str = ""
    permissions: tuple[str, ...] = PERMISSIONS
    students: dict[str, Student] = field(repr=False, default_factory=dict)
    codes: dict[str, str] = field(repr=False, default_factory=dict)
    marks: dict[tuple[str, str, str], SessionMark] = field(repr=False, default_factory=dict)

    def code_of(self, code_id: str) -> str:
        """Give the letter behind a code's id."""
        return next(letter for letter, known in self.codes.items() if known == code_id)


class MisState:
    """Everything the stand-in knows; each method is one step under one lock."""

    def __init__(self) -> None:
        """Begin with no school."""
        self.lock = threading.RLock()
        self.schools: dict[str, School] = {}
        self._numbers = itertools.count(1)

    def add_school(
        self,
        name: str,
        *,
        urn: str = "",
        la_code: str = "999",
        establishment_number: str = "4001",
        codes: Mapping[str, tuple[str, str]] = CODES,
        **more: Any,
    ) -> School:
        """Add a school with a code table (letter to description and type); ids depend on the name alone."""
        with self.lock:
            school = School(_id("school", name), name, urn, la_code, establishment_number, **more)
            school.codes = {letter: _id("code", name, letter) for letter in codes}
            self.schools[school.id] = school
            return school

    def add_student(self, school: School, upn: str, forename: str, surname: str, **more: Any) -> Student:
        """Enrol a student at a school."""
        with self.lock:
            number = len(school.students) + 1
            mis_id = str(4400 + number)
            student_id, upi = _id("student", school.id, upn), _digest(school.id, mis_id).hex()
            student = Student(student_id, upn, forename, surname, mis_id, upi, **more)
            school.students[student.id] = student
            return student

    def enrol_again(self, school: School, upn: str) -> Student:
        """Let a pupil leave and enrol again: the old id is a leaver's, the new one is new."""
        with self.lock:
            old = next(one for one in school.students.values() if one.upn == upn and not one.leaver)
            old.leaver = True
            number = len(school.students) + 1
            mis_id = str(4400 + number)
            student_id, upi = _id("student", school.id, upn, mis_id), _digest(school.id, mis_id).hex()
            new = Student(student_id, upn, old.forename, old.surname, mis_id, upi)
            school.students[new.id] = new
            return new

    def set_mark(
        self,
        school: School,
        student_id: str,
        *,
        date: str,
        session: str,
        code_id: str,
        made_by: str = "school",
        comment: str | None = None,
        minutes_late: int | None = None,
        employee_id: str | None = None,
    ) -> SessionMark:
        """Create or update a mark, keeping what was there before under `replaced`."""
        with self.lock:
            before = school.marks.get((student_id, date, session))
            mark = SessionMark(
                before.id if before else f"A{next(self._numbers):09d}",
                student_id,
                date,
                session,
                code_id,
                made_by,
                comment,
                minutes_late,
                employee_id,
            )
            if before is not None:
                mark.replaced = [*before.replaced, _plain(school, before)]
            school.marks[student_id, date, session] = mark
            return mark

    def mark_made_by_school(
        self, school: School, upn: str, *, date: str, session: str, code: str, made_by: str = "school"
    ) -> SessionMark:
        """Put a mark into the register as somebody at the school would."""
        with self.lock:
            student = next(one for one in school.students.values() if one.upn == upn and not one.leaver)
            return self.set_mark(
                school, student.id, date=date, session=session, code_id=school.codes[code], made_by=made_by
            )

    def dump(self, folder: Path) -> list[Path]:
        """Write one JSON file a school into `folder`, marks in order of date, session and student."""
        folder.mkdir(parents=True, exist_ok=True)
        with self.lock:
            pages = {school: self._page(school) for school in self.schools}
        paths = []
        for school_id, page in pages.items():
            slug = "-".join(self.schools[school_id].name.casefold().split())
            path = folder / f"{''.join(c for c in slug if c.isalnum() or c == '-') or school_id}.json"
            path.write_text(json.dumps(page, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            paths.append(path)
        return paths

    def _page(self, school_id: str) -> dict[str, Any]:
        school = self.schools[school_id]
        marks = sorted(school.marks.values(), key=lambda mark: (mark.date, mark.session, mark.student_id))
        return {
            "note": "Made by a stand-in, not by the school's real system.",
            "school": {"id": school.id, "name": school.name, "urn": school.urn, "mis": school.mis},
            "marks": [_plain(school, mark) | {"replaced": mark.replaced} for mark in marks],
        }


def _plain(school: School, mark: SessionMark) -> dict[str, Any]:
    student = school.students[mark.student_id]
    return {
        "student": f"{student.forename} {student.surname}",
        "upn": student.upn,
        "date": mark.date,
        "session": mark.session,
        "code": school.code_of(mark.code_id),
        "minutes_late": mark.minutes_late,
        "comment": mark.comment,
        "made_by": mark.made_by,
    }


def _id(*parts: str) -> str:
    """Make an id shaped like the vendor's ("A1930499544"), the same for the same parts."""
    return f"A{int.from_bytes(_digest(*parts)) % 10_000_000_000:010d}"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:8]
