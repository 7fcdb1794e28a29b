"""Which heading means which of our columns: a provider's own mapping first, then what systems commonly write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_COMMON = {
    "pupil_ref": (
        *(
            "pupil ref",
            "ref",
            "reference",
            "pupil reference",
            "our ref",
            "pupil id",
            "pupil no",
            "pupil number",
        ),
        *(
            "learner id",
            "learner ref",
            "learner reference",
            "learner no",
            "learner number",
            "id",
            "person id",
        ),
        *("student id", "student ref", "student reference", "student no", "student number", "provider ref"),
    ),
    "upn": ("upn", "unique pupil number", "pupil upn", "student upn", "learner upn"),
    "name": (
        *("name", "pupil", "pupil name", "learner", "learner name", "student", "student name", "full name"),
        *("young person", "child", "child name", "attendee", "participant"),
    ),
    "given_name": ("forename", "first name", "given name", "firstname", "preferred name", "legal forename"),
    "family_name": ("surname", "last name", "family name", "lastname", "legal surname"),
    "day": (
        *("date", "day", "lesson date", "session date", "attendance date", "mark date", "register date"),
        *("calendar start date", "start datetime", "start date time", "startdatetime", "calendarstartdate"),
    ),
    "starts": (
        *("start time", "start", "starts", "time", "lesson start", "lesson time", "session start", "from"),
        *(
            "session start time",
            "lesson start time",
            "starts at",
            "session time",
            "time of lesson",
            "starttime",
        ),
    ),
    "session": (
        *(
            "session",
            "am pm",
            "ampm",
            "am or pm",
            "half day",
            "half",
            "session name",
            "period",
            "part of day",
        ),
        *("period display name", "perioddisplayname", "sessionname"),
    ),
    "mark": (
        *("mark", "code", "attendance", "attendance mark", "attendance code", "status", "attendance status"),
        *(
            "register mark",
            "outcome",
            "attended",
            "present absent",
            "attendancemark",
            "mark code",
            "dfe code",
        ),
    ),
    "minutes": (
        *(
            "minutes",
            "mins",
            "mins late",
            "minutes late",
            "minslate",
            "minuteslate",
            "late minutes",
            "late mins",
        ),
        *("late by", "lateness", "mins late early", "minute late"),
    ),
    "reason": (
        *(
            "reason",
            "reasons",
            "comment",
            "comments",
            "note",
            "notes",
            "reason for absence",
            "absence reason",
        ),
        *(
            "record note",
            "recordnote",
            "attendance comment",
            "attendancecomment",
            "remarks",
            "reason if absent",
        ),
    ),
    "recorded_at": (
        *(
            "recorded at",
            "taken at",
            "recorded",
            "time recorded",
            "timestamp",
            "time stamp",
            "completion time",
        ),
        *("marked at", "date recorded", "register taken at", "recordedat"),
    ),
    "recorded_by": (
        *(
            "recorded by",
            "taken by",
            "staff",
            "tutor",
            "teacher",
            "marked by",
            "staff name",
            "register taken by",
        ),
    ),
    "action": ("action", "actions", "action taken", "actions taken", "what we did", "follow up"),
}
FIELDS = tuple(_COMMON)
"""Our columns; `given_name` and `family_name` are joined into `name`."""

_BY_HEADING = {heading.replace(" ", ""): field for field, headings in _COMMON.items() for heading in headings}
_WHO = ("pupil_ref", "upn", "name", "family_name")
_SIGNS = re.compile(r"[^\w]+|_")


@dataclass(frozen=True, slots=True)
class Headings:
    """Where each of our columns stands in a file: its place in a row, or none."""

    row: int
    width: int
    places: Mapping[str, int]


def fold_heading(text: str) -> str:
    """Give a heading as it is compared: its letters and figures, so that "Start time" and "startTime" are one."""
    return _SIGNS.sub("", text.casefold())


def headings_in(number: int, cells: Sequence[str], own: Mapping[str, str]) -> Headings | None:
    """Read a row as headings; None where it is not the row that has them.

    It is if it names the mark, the day and something that says who. Where two columns have one meaning, the first
    holds, except that a provider's own mapping always does.
    """
    wanted = {fold_heading(heading): field for field, heading in own.items()}
    places: dict[str, int] = {}
    chosen: set[str] = set()
    for place, cell in enumerate(cells):
        heading = fold_heading(cell)
        if heading in wanted:
            places[wanted[heading]] = place
            chosen.add(wanted[heading])
            continue
        field = _BY_HEADING.get(heading)
        if field is not None and field not in own:
            places.setdefault(field, place)
    if "mark" in places and "day" in places and any(field in places for field in _WHO):
        return Headings(number, len(cells), places)
    return None
