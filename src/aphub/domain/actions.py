"""What somebody did about an absence, read from a cell into a fixed list with times: free words never travel."""

import re
from datetime import date, datetime, time

from aphub.domain.calendar import to_utc
from aphub.domain.entries import Action
from aphub.domain.typed import read_clock

_LONGEST = 400
_PARTS = re.compile(r"[;\n]|,? (?:and )?then ")
_TIME = re.compile(r"\b(\d{1,2}[:.]\d{2} ?(?:[ap]\.?m\b)?|\d{1,2} ?[ap]m\b)", re.IGNORECASE)
_KINDS = (
    (re.compile(r"\b(?:text(?:ed)?|sms)\b", re.IGNORECASE), "texted home"),
    (re.compile(r"\b(?:visit(?:ed)?|went round)\b", re.IGNORECASE), "visited home"),
    (re.compile(r"\be-?mail(?:ed)?\b", re.IGNORECASE), "emailed home"),
    (re.compile(r"\b(?:dsl|safeguarding)\b", re.IGNORECASE), "told our safeguarding lead"),
    (re.compile(r"\b(?:phon(?:e|ed)|call(?:ed)?|rang|rung|tel)\b", re.IGNORECASE), "phoned home"),
)
_RESULTS = (
    (re.compile(r"\b(?:no (?:answer|reply|response)|voice ?mail|unanswered)\b", re.IGNORECASE), "no answer"),
    (
        re.compile(r"\b(?:spoke|answered|confirmed|parent says|mum says|dad says)\b", re.IGNORECASE),
        "answered",
    ),
)


def read_actions(text: str, day: date, otherwise_at: datetime | None) -> tuple[Action, ...]:
    """Read a cell of actions on a day; what names no known action, or has no time at all, is left out.

    `otherwise_at` is when the mark was made, for an action without a time of its own.
    """
    found = []
    for part in _PARTS.split(text[:_LONGEST]):
        kind = next((name for pattern, name in _KINDS if pattern.search(part)), "")
        if not kind:
            continue
        at = _when(part, day) or otherwise_at
        if at is not None:
            result = next((name for pattern, name in _RESULTS if pattern.search(part)), "")
            found.append(Action(at, kind, result))
    return tuple(found)


def _when(part: str, day: date) -> datetime | None:
    match = _TIME.search(part)
    wall: time | None = read_clock(match[1]) if match else None
    return to_utc(day, wall) if wall else None
