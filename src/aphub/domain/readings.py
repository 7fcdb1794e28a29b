"""What one entry says about one half of the day, when its lesson lies across lunch.

A mark for a whole day states only the half in which it was taken. It speaks for the other half as well when

- a second check (`SECOND_CHECK`) or a departure (`DEPARTED`) was recorded there, or
- the source says that it was taken after the lesson was over, or
- it is no reading of a room: cancelled, not expected, at the home school, or absent for a known reason.

A source that does not say when it took the register is held to have taken it at the beginning. What nobody
has stated is "not checked again", never assumed: the pupil was seen that day, so nobody is alarmed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aphub.domain.calendar import to_utc
from aphub.domain.entries import Entry, Fact, Half
from aphub.domain.halves import SchoolHours, is_split
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.placements import Lesson

SECOND_CHECK = "looked again"
"""The action kind of a second look at the room, later in the day."""

DEPARTED = "departed"
"""The action kind of a pupil's departure, at its time."""

ONLY_IN = {
    Half.AM: "the reason is for the morning only",
    Half.PM: "the reason is for the afternoon only",
}
"""The action kinds that say for which half of a lesson across lunch the reason of an absence was told."""

UNEXPLAINED = frozenset({ReasonKind.UNKNOWN, ReasonKind.UNAUTHORISED, ReasonKind.NOT_APPLICABLE})
"""Reasons that explain nothing yet."""

_READ_IN_THE_ROOM = frozenset(
    {
        Outcome.PRESENT,
        Outcome.LATE,
        Outcome.LEFT_EARLY,
        Outcome.LEFT_SITE,
        Outcome.ARRIVED_UNEXPECTED,
        Outcome.TAUGHT_AT_HOME,
        Outcome.WORKED_AT_HOME,
        Outcome.ONLINE,
        Outcome.COULD_NOT_JOIN,
    },
)
_DEPARTURES = frozenset({Outcome.LEFT_EARLY, Outcome.LEFT_SITE})


@dataclass(frozen=True, slots=True)
class Reading:
    """One lesson and the fact that holds for it in one half."""

    lesson: Lesson
    fact: Fact


def reading_in(entry: Entry, half: Half, hours: SchoolHours) -> Reading:
    """Give what `entry` states about `half`; its own fact unless the lesson lies across lunch."""
    entry = _without_reason_elsewhere(entry, half)
    fact = entry.fact
    absent_unexplained = fact.outcome is Outcome.ABSENT and fact.reason in UNEXPLAINED
    if is_split(entry.lesson, hours) and (fact.outcome in _READ_IN_THE_ROOM or absent_unexplained):
        noon = to_utc(entry.lesson.day, hours.pm_starts)
        fact = _afternoon(entry, noon) if half is Half.PM else _morning(entry, noon)
    return Reading(entry.lesson, fact)


def _without_reason_elsewhere(entry: Entry, half: Half) -> Entry:
    """Leave out a reason that was told for the other half only."""
    fact = entry.fact
    told_for = {one for one, kind in ONLY_IN.items() if any(action.kind == kind for action in entry.actions)}
    if fact.outcome is not Outcome.ABSENT or not told_for or half in told_for:
        return entry
    return replace(entry, fact=replace(fact, reason=ReasonKind.UNKNOWN))


def _morning(entry: Entry, noon: datetime) -> Fact:
    fact = entry.fact
    arrived = _arrived(entry)
    if arrived is not None and arrived >= noon:
        return replace(
            fact,
            outcome=Outcome.ABSENT,
            reason=ReasonKind.UNKNOWN if fact.reason in UNEXPLAINED else fact.reason,
            minutes=None,
            note=_joined(fact.note, "arrived in the afternoon"),
        )
    left = _left(entry)
    if fact.outcome in _DEPARTURES:
        if left is not None and left >= noon:
            return replace(fact, outcome=Outcome.PRESENT, note=_joined(fact.note, "left in the afternoon"))
        return fact
    was_there_to_leave = left is not None and fact.outcome is not Outcome.ABSENT
    if _states(entry, noon, Half.AM) or was_there_to_leave:
        return fact
    return _unstated(fact, "taken in the afternoon only")


def _afternoon(entry: Entry, noon: datetime) -> Fact:
    fact = entry.fact
    arrived = _arrived(entry)
    if arrived is not None and arrived >= noon:
        minutes = int((arrived - noon) / timedelta(minutes=1))
        return replace(fact, minutes=minutes) if minutes else _arrived_in_time(fact)
    left = _left(entry)
    if left is not None and left < noon and fact.outcome is not Outcome.LEFT_SITE:
        return _unstated(fact, "left before the afternoon began")
    if fact.outcome is Outcome.LEFT_EARLY and left is None:
        return _unstated(fact, "left early, at a time not recorded")
    if fact.outcome in _DEPARTURES:
        return fact
    if left is not None or _states(entry, noon, Half.PM):
        return _arrived_in_time(fact)
    return _unstated(fact, "no second check recorded")


def _states(entry: Entry, noon: datetime, half: Half) -> bool:
    """Say whether somebody looked in `half`, or spoke when the lesson was over."""
    taken = entry.taken_at or entry.lesson.starts_at
    looks = [taken, *(action.at for action in entry.actions if action.kind == SECOND_CHECK)]
    if taken >= entry.lesson.ends_at:
        return True
    return any((look >= noon) is (half is Half.PM) for look in looks)


def _left(entry: Entry) -> datetime | None:
    """Give when the pupil left: the recorded departure, else the time of a mark that says so."""
    departed = min((action.at for action in entry.actions if action.kind == DEPARTED), default=None)
    if departed is None and entry.fact.outcome in _DEPARTURES and entry.taken_at is not None:
        # A mark made when the lesson was over tells that the pupil left, not when.
        return entry.taken_at if entry.taken_at < entry.lesson.ends_at else None
    return departed


def _arrived(entry: Entry) -> datetime | None:
    if entry.fact.outcome is not Outcome.LATE or entry.fact.minutes is None:
        return None
    return entry.lesson.starts_at + timedelta(minutes=entry.fact.minutes)


def _arrived_in_time(fact: Fact) -> Fact:
    """Turn a morning's lateness into plain presence: it was late for the morning only."""
    return replace(fact, outcome=Outcome.PRESENT, minutes=None) if fact.outcome is Outcome.LATE else fact


def _unstated(fact: Fact, why: str) -> Fact:
    return Fact(
        Outcome.NOT_CHECKED_AGAIN,
        note=_joined(fact.note, why),
        provider_word=fact.provider_word,
        mode=fact.mode,
    )


def _joined(note: str, more: str) -> str:
    return f"{note}; {more}" if note else more
