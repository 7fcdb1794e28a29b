"""The marks that stand in a register, read from Wonde's rows; a row that cannot be read stops the writing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aphub.api import RefusedDeliveryError
from aphub.api.mis import SESSIONS, Existing, Slot, at

_STUDENT_PATHS = ("student_id", "student.data.id", "student.id", "student")
_CODE_PATHS = ("attendance_code_id", "attendance_code.data.id", "attendance_code.id", "attendance_code")


def standing_in(rows: Iterable[Mapping[str, Any]]) -> dict[Slot, Existing]:
    """Give the mark of each slot; a row without a code is no mark.

    Raises:
        RefusedDeliveryError: A row does not say whose mark it is, or which; writing blindly could harm it.
    """
    found: dict[Slot, Existing] = {}
    for row in rows:
        student_id, code_id = _first(row, _STUDENT_PATHS), _first(row, _CODE_PATHS)
        day, session = day_of(row.get("date")), str(row.get("session") or "").strip().upper()
        if not student_id or code_id is None or not day or session not in SESSIONS:
            raise RefusedDeliveryError(
                "The marks that Wonde shows us do not say whose they are. Nothing was written.",
                code="marks",
                what_now="Set marks_include to what Wonde names, such as student,attendance_code",
            )
        if code_id:
            minutes, comment = str(row.get("minutes_late")), row.get("comment")
            found[student_id, day, session] = Existing(
                code_id,
                int(minutes) if minutes.isascii() and minutes.isdecimal() else None,
                comment if isinstance(comment, str) else "",
            )
    return found


def _first(row: Mapping[str, Any], paths: Sequence[str]) -> str | None:
    """Give the id at the first path that exists: empty where it stands there as null, None where nothing stands."""
    for path in paths:
        parent, _, leaf = path.rpartition(".")
        holder = at(row, parent) if parent else row
        if isinstance(holder, Mapping) and leaf in holder:
            value = holder[leaf]
            if isinstance(value, dict):
                continue
            return "" if value is None else str(value)
    return None


def day_of(value: Any) -> str:
    """Read a day that stands as text, or as Wonde's object with the text inside."""
    if isinstance(value, dict):
        value = value.get("date")
    return str(value or "")[:10]
