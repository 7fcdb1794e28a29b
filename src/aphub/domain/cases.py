"""One pupil's day: what of it raises a ladder, what ends one, and which steps follow. Time is passed in."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from aphub.domain.calendar import Calendar
from aphub.domain.deadlines import AT_ONCE, parse_deadline
from aphub.domain.ladders import Ladder, Trigger
from aphub.domain.outcomes import ATTENDED, Outcome, ReasonKind, is_urgent
from aphub.domain.steps import ACT_WORDS, AT_HOME, Act, Only, Step, Until

_SEEN = ATTENDED | {
    Outcome.AT_HOME_SCHOOL,
    Outcome.TAUGHT_AT_HOME,
    Outcome.WORKED_AT_HOME,
    Outcome.ONLINE,
}
"""Outcomes after which somebody knows where the pupil is."""

_NOT_OFFERED = frozenset(
    {
        Outcome.CANCELLED,
        Outcome.AT_HOME_SCHOOL,
        Outcome.NOT_EXPECTED,
        Outcome.NOT_YET_TAKEN,
        Outcome.COULD_NOT_JOIN,
    }
)
_NO_TRANSPORT = frozenset({ReasonKind.TRANSPORT_FAILED, ReasonKind.NO_TRAVEL_ARRANGED})


class CaseState(StrEnum):
    """Where a case stands: somebody should look, somebody has looked, or nothing is left to do."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class StepState(StrEnum):
    """Where a step stands: its time has not come, it is to be done, a person did it, or it is not needed any more."""

    LATER = "later"
    OPEN = "open"
    DONE = "done"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one lesson of a pupil's day, and since when; no outcome means that nothing is."""

    starts_at: datetime
    outcome: Outcome | None
    reason: ReasonKind
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What raises a ladder: when it became known, and the lesson whose start its times run from."""

    at: datetime
    start: datetime


def events_of(day: Iterable[Seen], found_at: datetime | None = None) -> dict[Trigger, Event]:
    """Say what holds of a pupil's day now, from its lessons in order.

    A pupil who is seen later is not missing any more; an absence of the morning carries over to the afternoon. Who left
    the site is missing from then on for that reason, and for no other.
    """
    found: dict[Trigger, Event] = {}
    for lesson in sorted(day, key=lambda one: one.starts_at):
        if lesson.outcome is not None and lesson.outcome is not Outcome.NOT_YET_TAKEN:
            event = Event(lesson.known_at, lesson.starts_at)
            _where_the_pupil_is(found, lesson.outcome, lesson.reason, event)
            for trigger in _facts(lesson.outcome, lesson.reason):
                if trigger is Trigger.ABSENCE:
                    # Of an absence that was known ahead, each day is a day of its own.
                    event = Event(max(lesson.known_at, lesson.starts_at), lesson.starts_at)
                found.setdefault(trigger, event)
    if found_at is not None:
        left = found.pop(Trigger.LEFT_SITE, None)
        found[Trigger.FOUND_SAFE] = Event(found_at, left.start if left else found_at)
    return found


def _where_the_pupil_is(
    found: dict[Trigger, Event], outcome: Outcome, reason: ReasonKind, event: Event
) -> None:
    missing = outcome is Outcome.ABSENT and is_urgent(outcome, reason)
    if outcome is Outcome.LEFT_SITE:
        found.setdefault(Trigger.LEFT_SITE, event)
        found.pop(Trigger.UNEXPLAINED_ABSENCE, None)
    elif missing and Trigger.LEFT_SITE not in found:
        found.setdefault(Trigger.UNEXPLAINED_ABSENCE, event)
    elif outcome in _SEEN:
        found.pop(Trigger.UNEXPLAINED_ABSENCE, None)
        found.pop(Trigger.LEFT_SITE, None)
    elif outcome is Outcome.ABSENT and not missing:
        found.pop(Trigger.UNEXPLAINED_ABSENCE, None)


def _facts(outcome: Outcome, reason: ReasonKind) -> Iterator[Trigger]:
    if outcome is Outcome.ABSENT:
        yield Trigger.ABSENCE
        if reason in _NO_TRANSPORT:
            yield Trigger.TRANSPORT_TROUBLE
    elif outcome is Outcome.COULD_NOT_JOIN:
        yield Trigger.COULD_NOT_JOIN
    elif outcome is Outcome.CANCELLED:
        yield Trigger.LESSON_CANCELLED


class DayKind(StrEnum):
    """What a day that was due here adds to a row of days."""

    NOT_COUNTED = "not counted"
    ATTENDED = "attended"
    EXPLAINED = "away, with a reason"
    UNEXPLAINED = "away, unexplained or unauthorised"


def day_kind(lessons: Iterable[tuple[Outcome | None, ReasonKind]]) -> DayKind:
    """Say what one day adds: a lesson that we cancelled, or whose register is missing, says nothing of the pupil."""
    told = [(outcome, reason) for outcome, reason in lessons if outcome and outcome not in _NOT_OFFERED]
    if not told:
        return DayKind.NOT_COUNTED
    if any(outcome is not Outcome.ABSENT for outcome, _ in told):
        return DayKind.ATTENDED
    return (
        DayKind.UNEXPLAINED
        if all(is_urgent(outcome, reason) for outcome, reason in told if outcome)
        else DayKind.EXPLAINED
    )


def row_of_days(days: Mapping[date, DayKind]) -> list[date]:
    """Give the days due here in a row, up to the newest, that were unexplained or unauthorised; ill days break it."""
    return _row(days, {DayKind.UNEXPLAINED})


def days_away(days: Mapping[date, DayKind], before: date) -> int:
    """Count the days due here in a row before a day on which the pupil was away, for any reason."""
    earlier = {day: kind for day, kind in days.items() if day < before}
    return len(_row(earlier, {DayKind.UNEXPLAINED, DayKind.EXPLAINED}))


def _row(days: Mapping[date, DayKind], wanted: Container[DayKind]) -> list[date]:
    row: list[date] = []
    for day in sorted(days, reverse=True):
        if days[day] is DayKind.NOT_COUNTED:
            continue
        if days[day] not in wanted:
            break
        row.append(day)
    return row[::-1]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a case as it will stand: whose, by when, and how it may end."""

    ladder: str
    name: str
    act: Act
    owner: str
    words: str
    lesson_at: datetime
    opens_at: datetime
    due_at: datetime
    until: Until
    record: str = ""
    if_not_done: str = ""
    letter: str = ""


def plan_steps(ladder: Ladder, event: Event, calendar: Calendar, fits: Container[Only]) -> list[PlannedStep]:
    """Give the steps that a ladder raises for an event; those that are not for such a pupil are left out.

    News that comes after a deadline still leaves a person the time to pick up the telephone.
    """
    planned = []
    for step in ladder.steps:
        if not all(only in fits for only in step.only):
            continue
        opens = step.opens.instant(event.at, event.start, calendar) if step.opens else event.at
        opens = max(opens, event.at)
        due = step.by.instant(event.at, event.start, calendar)
        planned.append(_planned(ladder, step, event, opens, max(due, opens + AT_ONCE)))
    return planned


def _planned(ladder: Ladder, step: Step, event: Event, opens: datetime, due: datetime) -> PlannedStep:
    return PlannedStep(
        ladder=ladder.name,
        name=step.name,
        act=step.do,
        owner=step.owner,
        words=step.words,
        lesson_at=event.start,
        opens_at=opens,
        due_at=due,
        until=step.until,
        record=step.record,
        if_not_done=step.if_not_done,
        letter=step.letter,
    )


_TOLD_SAFE = frozenset(
    {
        Act.PHONE_HOME,
        Act.PHONE_EMERGENCY_CONTACTS,
        Act.PHONE_SCHOOL,
        Act.PHONE_COUNCIL,
        Act.TELL_SAFEGUARDING_LEAD,
        Act.TELL_LEADERSHIP,
        Act.CALL_999,
        Act.TELL_POLICE,
    }
)


def safe_steps(done: Sequence[tuple[str, Act, str, datetime]], found_at: datetime) -> list[PlannedStep]:
    """Give a step for each way by which it was told that a pupil had left: found safe is told by the same routes.

    `done` are name, act, owner and lesson of the steps that a person did.
    """
    return [
        PlannedStep(
            ladder=SAFE,
            name=f"safe-{name}"[:40],
            act=act,
            owner=owner,
            words=f"{ACT_WORDS[act].task} again: the pupil is found and safe",
            lesson_at=lesson_at,
            opens_at=found_at,
            due_at=found_at + AT_ONCE,
            until=Until.DONE,
        )
        for name, act, owner, lesson_at in done
        if act in _TOLD_SAFE
    ]


SAFE = "found-safe"
"""The ladder of steps that tell by the same routes that a pupil is safe."""


def ends(until: Until, act: Act, *, holds: bool, reached: bool, confirmed: bool) -> str:
    """Say in words why a step is not needed any more; empty while it is."""
    if until is Until.DONE:
        return ""
    if not holds:
        return "what raised it no longer holds"
    if reached and (until is Until.REACHED or act in AT_HOME):
        return "somebody at home has answered"
    if confirmed and until is Until.CONFIRMED:
        return "the school has the message"
    return ""


def _standard(name: str, when: Trigger, *only: Only) -> Ladder:
    step = Step("phone-home", Act.PHONE_HOME, parse_deadline("at once"), "office", only=only)
    return Ladder(name, when, (step,), "Every provider's, where it has no ladder of its own")


STANDARD = (
    _standard("standard-missing", Trigger.UNEXPLAINED_ABSENCE, Only.RISK_KNOWN),
    _standard("standard-left", Trigger.LEFT_SITE),
)
"""What is done where a provider wrote no ladder: a child who left, or is missing with a known risk, is never forgotten."""


def with_standard(ladders: Sequence[Ladder]) -> tuple[Ladder, ...]:
    """Add the standard ladders for triggers that a provider wrote none for."""
    written = {ladder.when for ladder in ladders if not ladder.plan}
    return (*ladders, *(ladder for ladder in STANDARD if ladder.when not in written))


def next_look(steps: Iterable[tuple[StepState, datetime, datetime, bool]]) -> datetime | None:
    """Give when a case must be looked at next: a step opens, or one is overdue and nobody was told of it.

    Each step as state, opens at, due at, and whether its lateness was told.
    """
    found: list[datetime] = []
    for state, opens_at, due_at, told in steps:
        if state is StepState.LATER:
            found.append(opens_at)
        elif state is StepState.OPEN and not told:
            found.append(due_at + timedelta(seconds=1))
    return min(found, default=None)
