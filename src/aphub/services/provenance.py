"""Say of each change what it was, from whom it comes, by whom it was made (name and role), when, and why."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from aphub.domain.entries import SessionEntry
from aphub.domain.halves import SchoolHours, lines_of
from aphub.domain.narrative import tells_too_much
from aphub.domain.placements import Pupil
from aphub.domain.threads import Changed, changed
from aphub.domain.wording import moment_words
from aphub.services.absences import EXPLAINED
from aphub.services.desk import Desk
from aphub.services.look import Look, lessons_of
from aphub.store.telling import lesson_in

_REFERENCE = re.compile(r" [0-9A-Z]{8}$")
_PRIVATE = "we hold the reason; phone us"
_REGISTER = "register"
_CHANGED = "our register was changed"
_WHYS = {
    "the register changed": _CHANGED,
    "answered a question about the register": "a mark that we could not read was settled",
    "the known absence was ended": "what we had been told no longer holds",
    "somebody at home told us the reason": "we were told the reason later",
}


def sourced_changes(desk: Desk, look: Look, row: Row[Any], lines: Sequence[SessionEntry]) -> list[str]:
    """Give what differs from what was told; where a fact changed, with its source, maker, time and reason."""
    now_told = {(line.day, line.half) for line in lines}
    before = [line for line in look.told[row.owed_id].lines if (line.day, line.half) in now_told]
    hours = desk.config.organisations[row.organisation].hours.hours()
    inside = lessons_of(look, row)
    return [
        f"{one.words}. {source}" if (source := _source(look, hours, row, inside, one)) else one.words
        for one in changed(before, lines)
    ]


def without_names(words: str, pupil: Pupil) -> str:
    """Give words without the pupil's own names: where they travel, a name may not be allowed to."""
    for name in (pupil.name, pupil.given_name, pupil.family_name):
        if len(name) > 1:
            words = words.replace(name, pupil.initials)
    return words


def _source(look: Look, hours: SchoolHours, row: Row[Any], inside: Sequence[Row[Any]], one: Changed) -> str:
    entered = [
        lesson
        for lesson in inside
        if lesson.entry_id is not None
        and lesson.day == one.day
        and one.half in lines_of(lesson_in(lesson, row.placement_ref), hours)
    ]
    if not entered or not one.is_fact:
        return ""
    newest = max(entered, key=lambda entry: entry.made_at)
    told_by, why = look.sources.get(newest.entry_id, ("", ""))
    by_register = newest.made_by.startswith(_REGISTER)
    if by_register and not one.takes_back:
        # A register that is taken, or a reason that stands in it, is how it should be: nobody need answer for it.
        return ""
    told_by = "our register" if by_register else told_by or "our own staff"
    made_by = "the hub" if by_register else newest.made_by
    words = f"From: {told_by}. By: {made_by}, {moment_words(newest.made_at)}."
    return f"{words} Why: {_CHANGED if by_register else _why(newest.because, why)}."


def _why(because: str, why: str) -> str:
    if why:
        return _PRIVATE if tells_too_much(why) else " ".join(why.split()).rstrip(".")
    if because.startswith(EXPLAINED):
        return "we were told the reason later"
    # What follows our phrase is the reference of what was told, or of a cancellation.
    return _WHYS.get(because) or _REFERENCE.sub("", because) or "not said"
