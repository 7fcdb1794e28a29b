"""What stands in a cell, and which cells are dangerous to whoever opens the file in a spreadsheet."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from aphub.api import Message, Report, Row, SessionEntry, action_words, line_words

_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""Signs with which a spreadsheet begins a formula, and their wide forms (OWASP, CSV injection)."""
_UNSEEN = frozenset({"Cf", "Zs", "Zl", "Zp"})
_CONTROL = "Cc"


@dataclass(frozen=True, slots=True)
class Line:
    """One session of one report, as every column can ask for it."""

    report: Report = field(repr=False)
    session: SessionEntry = field(repr=False)
    cells: dict[str, str] = field(repr=False)


def lines_of(message: Message, rows: tuple[Row, ...]) -> Iterator[Line]:
    """Give a message's lines; `rows` are its own rows, in their order."""
    sessions = ((report, session) for report in message.reports for session in report.sessions)
    for (report, session), row in zip(sessions, rows, strict=True):
        monday = session.day - timedelta(days=session.day.weekday())
        cells = {
            **row,
            "pupil_name": report.pupil_name,
            "initials": report.initials,
            "late_by": row["minutes_late"] if session.fact.outcome == "late" else "",
            "happened": line_words(session),
            "comment": _comment(message, session),
            "week_starts": monday.isoformat(),
        }
        yield Line(report, session, cells)


def _comment(message: Message, session: SessionEntry) -> str:
    """Say in one line what was said, and that an alternative provider did: it stands in their register."""
    if message.is_test:
        return f"TEST code {message.test_code}" if message.test_code else "TEST"
    return "; ".join((f"AP: {line_words(session)}", *action_words(session)))


def formatted(value: str, form: str) -> str:
    """Write a date, a time or a moment as they want it."""
    if not value or not form:
        return value
    if len(value) == len("09:30"):
        return time.fromisoformat(value).strftime(form)
    if len(value) == len("2026-03-03"):
        return date.fromisoformat(value).strftime(form)
    return datetime.fromisoformat(value).strftime(form)


def dangerous(text: str) -> bool:
    """Say whether a spreadsheet could take this for a formula, or it holds signs that are no text."""
    if any(unicodedata.category(sign) == _CONTROL for sign in text):
        return True
    for sign in text:
        if unicodedata.category(sign) not in _UNSEEN:
            return sign in _FORMULA
    return False


def guarded(text: str) -> str:
    """Write a cell for people: nothing in it is a formula to their spreadsheet (OWASP, CSV injection)."""
    if not dangerous(text):
        return text
    plain = "".join(" " if unicodedata.category(sign) == _CONTROL else sign for sign in text)
    return f"'{plain}" if dangerous(plain) else plain
