"""What may be POSTed to `attendance/session`, field by field, after the vendor's own PHP client.

Source: wondeltd/php-client v3.1.4, SessionAttendanceRecord and SessionRegister. The inner shape of a 422 is not
public; the one here is the usual one of the framework that the vendor's clients come from, and may differ.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from aphub.sandbox.mis_state import School

REQUIRED = ("date", "session", "student_id", "attendance_code_id")
OPTIONAL = ("comment", "employee_id", "minutes_late")
COMMENT_LIMIT = 255
LATE_LIMIT = 600

Errors = dict[str, list[str]]


def read_marks(body: bytes, school: School) -> tuple[list[dict[str, Any]], Errors]:
    """Give the marks of a request and what is wrong with them; marks count only when nothing is."""
    try:
        page = json.loads(body)
    except ValueError:
        return [], {"body": ["The body must be JSON."]}
    if not isinstance(page, dict) or set(page) != {"attendance"}:
        return [], {"attendance": ["The body must be an object with the one key attendance."]}
    marks = page["attendance"]
    if not isinstance(marks, list) or not marks:
        return [], {"attendance": ["The attendance field must be a list with at least one mark."]}
    errors: Errors = {}
    seen: set[tuple[object, ...]] = set()
    for number, mark in enumerate(marks):
        where = f"attendance.{number}"
        if not isinstance(mark, dict):
            errors[where] = ["A mark must be an object."]
            continue
        for name, words in _faults(mark, school).items():
            errors[f"{where}.{name}"] = [words]
        slot = tuple(str(mark.get(name)) for name in ("student_id", "date", "session"))
        if slot in seen:
            errors.setdefault(where, []).append("The same student, date and session stands here twice.")
        seen.add(slot)
    return marks, errors


def _faults(mark: Mapping[str, Any], school: School) -> dict[str, str]:
    faults = {name: "This field is not known." for name in mark if name not in REQUIRED + OPTIONAL}
    faults |= {name: "The field is required." for name in REQUIRED if name not in mark}
    checks = {
        "date": _is_date(mark.get("date")),
        "session": mark.get("session") in ("AM", "PM"),
        "student_id": _is_student(mark.get("student_id"), school),
        "attendance_code_id": mark.get("attendance_code_id") in school.codes.values(),
        "comment": _is_text(mark.get("comment", ""), COMMENT_LIMIT),
        "employee_id": _is_text(mark.get("employee_id", ""), COMMENT_LIMIT),
        "minutes_late": _is_minutes(mark.get("minutes_late", 0)),
    }
    for name, good in checks.items():
        if not good and name not in faults:
            faults[name] = f"The {name} is not one that this school knows."
    return faults


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_student(value: object, school: School) -> bool:
    return isinstance(value, str) and value in school.students and not school.students[value].leaver


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit


def _is_minutes(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and int(value) <= LATE_LIMIT
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LATE_LIMIT
