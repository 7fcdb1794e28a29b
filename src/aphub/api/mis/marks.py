"""Marks on their way into a register: what is said, how it is written down, and when it may be written.

Pure: no I/O and no clock.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from aphub.api.adapters import Document
from aphub.domain.reports import Row

SCHEMA = "aphub-marks-1"
MEDIA_TYPE = "application/json"
SESSIONS = frozenset({"AM", "PM"})
Slot = tuple[str, str, str]
"""Pupil's id there, day and session: what a mark in a register belongs to."""

_OURS = re.compile(
    r"AP: (?P<code>[^\s,.]{1,2})(?:, (?P<minutes>[0-9]+) min late)?(?:, [^.]*)?\. Ref (?P<ref>\S+)-(?P<number>[0-9]+)"
)


class Mark(NamedTuple):
    """One session of one pupil as it should stand in the register; ids are found at the edge."""

    upn: str
    day: str
    session: str
    code: str
    minutes_late: int | None = None
    comment: str = ""
    reference: str = ""

    def __repr__(self) -> str:
        """Show nothing of the pupil."""
        return f"Mark(day={self.day!r}, session={self.session!r}, reference={self.reference!r})"


@dataclass(frozen=True, slots=True)
class Existing:
    """A mark that stands in the register already; `trouble` is what their system says against it."""

    code_id: str = field(repr=False)
    minutes_late: int | None = field(repr=False, default=None)
    comment: str = field(repr=False, default="")
    trouble: str = field(repr=False, default="")


class Verdict(Enum):
    """What a mark in the register means for one that we would write."""

    WRITE = "write"
    THERE = "there"
    NEWER = "newer"
    DIFFERS = "differs"


def marks_of(rows: Iterable[Row], *, comment: bool) -> list[Mark]:
    """Give the marks that rows state, one a row."""
    return [
        Mark(
            upn=row["upn"],
            day=row["date"],
            session=row["session"],
            code=row["suggested_code"],
            minutes_late=_minutes(row),
            comment=_comment(row) if comment else "",
            reference=row["reference"],
        )
        for row in rows
    ]


def document_of(name: str, marks: Sequence[Mark], *, test: bool) -> Document:
    """Freeze marks as the document that a preview shows; UPNs stand where ids will."""
    attendance = []
    for mark in marks:
        line: dict[str, Any] = {
            "upn": mark.upn,
            "date": mark.day,
            "session": mark.session,
            "code": mark.code,
        }
        if mark.minutes_late:
            line["minutes_late"] = mark.minutes_late
        if mark.comment:
            line["comment"] = mark.comment
        line["reference"] = mark.reference
        attendance.append(line)
    body = {"schema": SCHEMA, "test": test, "attendance": attendance}
    return Document(name, MEDIA_TYPE, json.dumps(body, ensure_ascii=False, indent=1).encode())


def marks_in(documents: Sequence[Document]) -> list[Mark]:
    """Read the marks back from the frozen document.

    Raises:
        ValueError: It is not one document of ours.
    """
    if len(documents) != 1:
        message = "one document of marks is expected"
        raise ValueError(message)
    body = json.loads(documents[0].content)
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        message = f"the document is not of the form {SCHEMA}"
        raise ValueError(message)
    return [
        Mark(
            upn=line["upn"],
            day=line["date"],
            session=line["session"],
            code=line["code"],
            minutes_late=line.get("minutes_late"),
            comment=line.get("comment", ""),
            reference=line["reference"],
        )
        for line in body["attendance"]
    ]


def judge(mark: Mark, code_id: str, existing: Existing | None, codes: Mapping[str, str]) -> Verdict:
    """Say whether a mark may be written over what stands there.

    Only nothing, or an older mark of ours that nobody has touched since, is written over. Ours is known by its
    comment, which repeats code and minutes: where they no longer agree, somebody at the school has changed the mark.
    `codes` gives the letter of each code id.
    """
    if existing is None:
        return Verdict.WRITE
    same = existing.code_id == code_id and (
        not mark.minutes_late or existing.minutes_late in {None, mark.minutes_late}
    )
    ours = _untouched(mark, existing, codes)
    if ours is None:
        return Verdict.THERE if same else Verdict.DIFFERS
    number, minutes = ours
    asked = int(mark.reference.rpartition("-")[2])
    if same and (number >= asked or minutes == (mark.minutes_late or 0)):
        return Verdict.THERE
    if number > asked:
        return Verdict.NEWER
    # The same code with other minutes is written too: what we said before is wrong, and nobody at the school has touched it.
    return Verdict.WRITE if number < asked else Verdict.DIFFERS


def _untouched(mark: Mark, existing: Existing, codes: Mapping[str, str]) -> tuple[int, int] | None:
    """Give number and minutes of a mark of ours in the same thread that still is as we wrote it; None for any other."""
    ours = _OURS.fullmatch(existing.comment.strip())
    thread, _, number = mark.reference.rpartition("-")
    if ours is None or ours["ref"] != thread or not number.isdecimal():
        return None
    if ours["code"] != codes.get(existing.code_id):
        return None
    minutes = int(ours["minutes"] or 0)
    if existing.minutes_late is not None and existing.minutes_late != minutes:
        return None
    return int(ours["number"]), minutes


def _minutes(row: Row) -> int | None:
    """Give the minutes late, where they are a number above nought and the pupil came late."""
    text = row["minutes_late"]
    if not row["outcome"].endswith("late") or not (text.isascii() and text.isdecimal()):
        return None
    return int(text) or None


def _comment(row: Row) -> str:
    """Say in the register what the code cannot: minutes, kind of reason, our reference; never a name or free text."""
    parts = [f"AP: {row['suggested_code']}"]
    minutes = _minutes(row)
    if minutes:
        parts.append(f"{minutes} min late")
    if row["reason_text"]:
        parts.append(row["reason_text"].replace(".", " "))
    return f"{', '.join(parts)}. Ref {row['reference']}"
