"""What is known of pupils for whom something may have to be done: their days, their ladders, their cases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.cases import DayKind, Event, Seen, day_kind, days_away, events_of, row_of_days
from aphub.domain.ladders import COUNTED, Ladder, Trigger, ladders_for
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.steps import Only
from aphub.services.desk import Desk
from aphub.store import following, pupil_days

_A_DAY_MAY_TAKE = 7
"""Calendar days in which a part-time pupil has one day due here."""
_HOLIDAYS = 28


@dataclass(frozen=True, slots=True)
class Raised:
    """A ladder that holds for a pupil's day, and what raised it."""

    ladder: Ladder
    event: Event


@dataclass(slots=True)
class Facts:
    """All that one look reads about some pupils."""

    lessons: dict[int, list[Any]]
    cases: dict[tuple[int, date], Row[Any]]
    steps: dict[int, list[Row[Any]]]
    placements: dict[int, Row[Any]]
    plans: dict[tuple[int, date], str]
    earlier: dict[tuple[int, str], set[date]] = field(default_factory=dict)

    @classmethod
    def read(cls, desk: Desk, connection: Connection, days: dict[int, set[date]]) -> "Facts":
        """Read what is known of pupils for some of their days, and for their later days with an open case."""
        provider = desk.provider_id
        first = min(day for some in days.values() for day in some)
        kept = following.cases_of_pupils(connection, provider, days, first)
        for row in kept:
            if row.state != "cleared" and row.day >= min(days[row.pupil_id]):
                days[row.pupil_id].add(row.day)
        last = max(day for some in days.values() for day in some)
        from_day = first - history_of(desk.config.provider.every_ladder())
        lessons = pupil_days.days_of(connection, provider, days, from_day, last)
        numbers = {row.placement_id for some in lessons.values() for row in some}
        plans = {
            (placement_id, day): ladder
            for day in sorted({day for some in days.values() for day in some})
            for placement_id, ladder in following.plans_on(connection, provider, numbers, day).items()
        }
        found = cls(
            lessons,
            {(row.pupil_id, row.day): row for row in kept},
            following.steps_of(connection, provider, [row.case_id for row in kept]),
            pupil_days.placements_now(connection, provider, numbers),
            plans,
        )
        found._read_earlier(desk, connection, from_day)
        return found

    def _read_earlier(self, desk: Desk, connection: Connection, from_day: date) -> None:
        counted = [one.name for one in desk.config.provider.every_ladder() if is_counted(one)]
        if counted:
            raised = following.raised_since(connection, desk.provider_id, self.lessons, counted, from_day)
            for pupil_id, ladder, day in raised:
                self.earlier.setdefault((pupil_id, ladder), set()).add(day)

    def on(self, pupil_id: int, day: date) -> list[Any]:
        """Give the lessons of a pupil's day, in order."""
        return [row for row in self.lessons.get(pupil_id, []) if row.day == day]

    def plan(self, pupil_id: int, day: date) -> str:
        """Name the ladder of the plan that the pupil has on a day."""
        named = (self.plans.get((row.placement_id, day), "") for row in self.on(pupil_id, day))
        return next((name for name in named if name), "")

    def fits(self, placement_id: int) -> set[Only]:
        """Say which conditions of steps hold for a placement."""
        row = self.placements.get(placement_id)
        if row is None:
            return set()
        return {
            Only.NOT_ON_A_ROLL if row.registration == "no_roll" else Only.ON_A_ROLL,
            Only.COUNCIL_ARRANGED if row.arranged_by == "council" else Only.SCHOOL_ARRANGED,
            *({Only.RISK_KNOWN} if row.risk_flag else ()),
        }


def is_counted(ladder: Ladder) -> bool:
    """Say whether a ladder is raised by a count over several days."""
    return ladder.when in COUNTED | {Trigger.REPEATED_LATENESS, Trigger.ATTENDANCE_RATE}


def history_of(ladders: Sequence[Ladder]) -> timedelta:
    """Say how far back the ladders look."""
    longest = 0
    for ladder in ladders:
        if ladder.when in COUNTED:
            longest = max(longest, ladder.days * _A_DAY_MAY_TAKE + _HOLIDAYS)
        elif ladder.when is Trigger.REPEATED_LATENESS and ladder.window is not None:
            longest = max(longest, ladder.window.days or 31)
    return timedelta(days=longest)


def holding(desk: Desk, facts: Facts, pupil_id: int, day: date) -> list[Raised]:
    """Give every ladder that holds for a pupil's day."""
    lessons = facts.on(pupil_id, day)
    case = facts.cases.get((pupil_id, day))
    seen = [
        Seen(row.starts_at, outcome_of(row), reason_of(row), row.made_at or row.starts_at) for row in lessons
    ]
    events = events_of(seen, case.found_at if case is not None else None)
    every = desk.config.provider.every_ladder()
    plan = facts.plan(pupil_id, day)
    found = [
        Raised(ladder, event)
        for trigger, event in events.items()
        for ladder in ladders_for(every, trigger, plan)
    ]
    return found + list(_counted(every, facts, pupil_id, day, seen))


def _counted(
    every: Iterable[Ladder], facts: Facts, pupil_id: int, day: date, seen: Sequence[Seen]
) -> Iterator[Raised]:
    counted = [
        ladder for ladder in every if is_counted(ladder) and ladder.when is not Trigger.ATTENDANCE_RATE
    ]
    known = [one for one in seen if one.outcome is not None]
    if not counted or not known:
        return
    kinds = days_kinds(facts, pupil_id, day)
    event = Event(max(one.known_at for one in known), known[-1].starts_at)
    for ladder in counted:
        since = _holds_since(ladder, facts, pupil_id, day, kinds)
        if since is None:
            continue
        earlier = (one for one in facts.earlier.get((pupil_id, ladder.name), ()) if since <= one < day)
        # One that a correction has taken back since counted something else, and answers nothing now.
        if not any(_held_on(ladder, facts, pupil_id, one) for one in earlier):
            yield Raised(ladder, event)


def _held_on(ladder: Ladder, facts: Facts, pupil_id: int, day: date) -> bool:
    return _holds_since(ladder, facts, pupil_id, day, days_kinds(facts, pupil_id, day)) is not None


def _holds_since(
    ladder: Ladder, facts: Facts, pupil_id: int, day: date, kinds: dict[date, DayKind]
) -> date | None:
    """Give the first day of what a counted ladder counted, where it holds on a day."""
    if ladder.when is Trigger.DAYS_IN_A_ROW:
        row = row_of_days(kinds)
        return row[0] if len(row) >= ladder.days and row[-1] == day else None
    if ladder.when is Trigger.RETURN_AFTER_ABSENCE:
        back = kinds.get(day) is DayKind.ATTENDED and days_away(kinds, day) >= ladder.days
        return day if back else None
    if ladder.window is None:
        return None
    starts = ladder.window.starts(day)
    late = [
        row.day
        for row in facts.lessons.get(pupil_id, [])
        if starts <= row.day <= day and row.outcome == Outcome.LATE
    ]
    return starts if len(late) >= ladder.times and day in late else None


def days_kinds(facts: Facts, pupil_id: int, until: date) -> dict[date, DayKind]:
    """Say what each of a pupil's days up to and with one adds to a row of days."""
    days: dict[date, list[tuple[Outcome | None, ReasonKind]]] = {}
    for row in facts.lessons.get(pupil_id, []):
        if row.day < until + ONE_DAY:
            days.setdefault(row.day, []).append((outcome_of(row), reason_of(row)))
    return {day: day_kind(some) for day, some in days.items()}


def outcome_of(row: Any) -> Outcome | None:
    """Give a lesson's outcome; None while nothing is known."""
    return Outcome(row.outcome) if row.outcome else None


def reason_of(row: Any) -> ReasonKind:
    """Give a lesson's reason kind."""
    return ReasonKind(row.reason) if row.reason else ReasonKind.NOT_APPLICABLE
