"""What was agreed with a school or council, and which reports it makes owed, by when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from aphub.domain.calendar import london_day, to_utc
from aphub.domain.choices import Choice
from aphub.domain.entries import Half
from aphub.domain.halves import SchoolHours, lines_of, starts_in
from aphub.domain.placements import Lesson, Recipient
from aphub.domain.recurring import Recurring
from aphub.domain.when import AgreementError, When

URGENT_WITHIN = timedelta(minutes=15)
"""Urgent news leaves within this of the lesson's start, or of the event."""

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


class Cadence(Choice):
    """How often a report is owed."""

    PER_SESSION = "per_session"
    DAILY = "daily"
    WEEKLY = "weekly"


class Send(Choice):
    """When a report leaves: as soon as its marks are in, or at its time and not before."""

    WHEN_COMPLETE = "when_complete"
    AT_TIME = "at_time"


class FirstCaller(Choice):
    """Who telephones home first when a pupil is missing."""

    PROVIDER = "provider"
    SCHOOL = "school"
    COUNCIL = "council"


@dataclass(frozen=True, slots=True)
class Period:
    """The stretch that one report covers; `until` is the first day after it."""

    key: str
    starts: date
    until: date
    half: Half | None = None


@dataclass(frozen=True, slots=True)
class DueInstants:
    """By when the register must be in, when the report leaves, and by when it was promised."""

    entry_due: datetime
    send_at: datetime
    due_by: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """A named template, valid from a date: how often, by when, how, and what may be written.

    `channels` are names in order; none means the organisation's own order. `may_write` are the codes that
    this school signed for. `lead` is how long before the promise a report leaves. `summaries` are sent beside the
    reports. Raises AgreementError.
    """

    name: str
    valid_from: date
    cadence: Cadence
    entry_due: When
    due: When
    pm_due: When | None = None
    send: Send = Send.WHEN_COMPLETE
    channels: tuple[str, ...] = ()
    may_write: frozenset[str] = frozenset()
    first_caller: FirstCaller = FirstCaller.PROVIDER
    lead: timedelta = timedelta(minutes=2)
    useful_for: timedelta | None = None
    summaries: tuple[Recurring, ...] = ()

    def __post_init__(self) -> None:
        """Refuse terms that contradict each other."""
        if problem := _problem(self):
            terms, mend = problem
            what = f"The agreement '{self.name}' {terms}."
            raise AgreementError(what, mend=mend)

    def due_instants(
        self, period: Period, lessons: Sequence[Lesson], hours: SchoolHours | None = None
    ) -> DueInstants:
        """Give the three instants of a period's report, from the lessons in it (at least one).

        Times after the start run from the first lesson. A promise by the clock that falls before the first
        lesson could be registered moves to when it can be: nobody can report a lesson that has not begun.
        `hours` matter only to a lesson across lunch, whose afternoon starts when the school's does.
        """
        starts = [starts_in(lesson, period.half, hours) if hours else lesson.starts_at for lesson in lessons]
        first, last = min(starts), max(starts)
        when = self.pm_due if self.pm_due and period.half is Half.PM else self.due
        due_by = when.instant(period.starts, first)
        if due_by - self.lead <= first:
            due_by = max(due_by, self._entry_due(first) + self.lead)
        send_at = due_by - self.lead
        # A register that is due after the report leaves is in truth needed by then.
        return DueInstants(min(self._entry_due(last), send_at), send_at, due_by)

    def _entry_due(self, start: datetime) -> datetime:
        return max(start, self.entry_due.instant(london_day(start), start))


@dataclass(frozen=True, slots=True)
class OwedReport:
    """A report that must exist and be handed over by `due_by`: one per recipient and period."""

    recipient: Recipient
    period: Period
    entry_due: datetime
    send_at: datetime
    due_by: datetime


def entry_due(agreement: Agreement, lesson: Lesson) -> datetime:
    """Give the instant by which a lesson's register must be in; never before the lesson starts."""
    return max(lesson.starts_at, agreement.entry_due.instant(lesson.day, lesson.starts_at))


def urgent_by(lesson: Lesson) -> datetime:
    """Give the instant by which urgent news of a lesson must have left, whatever the cadence."""
    return lesson.starts_at + URGENT_WITHIN


def agreement_on(versions: Iterable[Agreement], day: date) -> Agreement | None:
    """Give the version of an agreement that holds on `day`: the newest that began by then."""
    begun = [version for version in versions if version.valid_from <= day]
    return max(begun, key=lambda version: version.valid_from, default=None)


def periods_of(cadence: Cadence, lesson: Lesson, hours: SchoolHours) -> tuple[Period, ...]:
    """Give the periods to which a lesson belongs: two only for a lesson across lunch, told by session."""
    if cadence is Cadence.PER_SESSION:
        return tuple(_period(cadence, lesson.day, half) for half in lines_of(lesson, hours))
    return (_period(cadence, lesson.day, None),)


def lessons_in(
    period: Period, cadence: Cadence, lessons: Iterable[Lesson], hours: SchoolHours
) -> list[Lesson]:
    """Give those of `lessons` that a period's report tells about."""
    return [lesson for lesson in lessons if period in periods_of(cadence, lesson, hours)]


def whole_periods(cadence: Cadence, from_day: date, until_day: date) -> tuple[date, date]:
    """Widen a stretch of days so that it cuts no period: to Mondays for a weekly cadence."""
    if cadence is not Cadence.WEEKLY:
        return from_day, until_day
    return from_day - timedelta(days=from_day.weekday()), until_day + timedelta(days=-until_day.weekday() % 7)


def owed_reports(
    recipient: Recipient, agreement: Agreement, lessons: Iterable[Lesson], hours: SchoolHours
) -> list[OwedReport]:
    """Give the reports that a recipient is owed for these lessons, in order of their promise.

    Only lessons of the recipient's placement and within the recipient's dates count (the last day belongs to
    them). Owed over a longer stretch equals owed over its parts, `merged` where a part cuts a week.
    """
    told: dict[Period, list[Lesson]] = {}
    for lesson in lessons:
        if lesson.placement_ref != recipient.placement_ref or lesson.day < recipient.starts:
            continue
        if recipient.ends is not None and lesson.day > recipient.ends:
            continue
        for period in periods_of(agreement.cadence, lesson, hours):
            told.setdefault(period, []).append(lesson)
    owed = []
    for period, inside in told.items():
        due = agreement.due_instants(period, inside, hours)
        owed.append(OwedReport(recipient, period, due.entry_due, due.send_at, due.due_by))
    return sorted(owed, key=_in_order)


def merged(*parts: Iterable[OwedReport]) -> list[OwedReport]:
    """Join what was owed over neighbouring stretches, so that a week cut in two is owed once."""
    joined: dict[tuple[Recipient, Period], OwedReport] = {}
    for part in parts:
        for owed in part:
            known = joined.setdefault((owed.recipient, owed.period), owed)
            if known is not owed:
                send_at = min(known.send_at, owed.send_at)
                joined[owed.recipient, owed.period] = replace(
                    known,
                    entry_due=min(max(known.entry_due, owed.entry_due), send_at),
                    send_at=send_at,
                    due_by=min(known.due_by, owed.due_by),
                )
    return sorted(joined.values(), key=_in_order)


def may_send(owed: OwedReport, send: Send, *, complete: bool, now: datetime) -> bool:
    """Say whether a report leaves now: at its time with whatever is known, or earlier when complete.

    Even a complete one waits for its own first day, so that an absence known ahead is not told a week early.
    """
    if now >= owed.send_at:
        return True
    return send is Send.WHEN_COMPLETE and complete and london_day(now) >= owed.period.starts


def useful_until(
    owed: OwedReport, next_lesson_start: datetime | None, useful_for: timedelta | None = None
) -> datetime:
    """Give the instant after which a report helps nobody: the next lesson's start by default.

    Never before the period's last day and the day of the promise are over. `useful_for`, where agreed, counts
    from the promise instead.
    """
    if useful_for is not None:
        return owed.due_by + useful_for
    last_day = max(owed.period.until - _DAY, london_day(owed.due_by))
    end = to_utc(last_day + _DAY, time())
    return end if next_lesson_start is None else max(end, next_lesson_start)


def _in_order(owed: OwedReport) -> tuple[datetime, str]:
    return owed.due_by, owed.period.key


@lru_cache(maxsize=4096)
def _period(cadence: Cadence, day: date, half: Half | None) -> Period:
    if cadence is Cadence.WEEKLY:
        monday = day - timedelta(days=day.weekday())
        year, week, _ = day.isocalendar()
        return Period(f"{year}-W{week:02d}", monday, monday + _WEEK)
    if half is None:
        return Period(day.isoformat(), day, day + _DAY)
    return Period(f"{day.isoformat()}-{half.value}", day, day + _DAY, half)


def _problem(agreement: Agreement) -> tuple[str, str] | None:
    """Say in plain words what contradicts in an agreement, and its mend; None when nothing does."""
    entry, due, pm_due = agreement.entry_due, agreement.due, agreement.pm_due
    weekly = agreement.cadence is Cadence.WEEKLY
    by_session = agreement.cadence is Cadence.PER_SESSION
    names_weekday = due.weekday is not None or (pm_due is not None and pm_due.weekday is not None)
    rules = (
        (
            weekly and due.weekday is None,
            f"is weekly but its report is due '{due.words}'",
            "Name the weekday, such as 'Friday 15:30'.",
        ),
        (
            names_weekday and not weekly,
            "names a weekday but is not weekly",
            "Remove the weekday or make it weekly.",
        ),
        (
            entry.weekday is not None or entry.later,
            f"wants registers '{entry.words}'",
            "Write a time on the day, such as 'start + 15 min'.",
        ),
        (
            pm_due is not None and not by_session,
            "gives an afternoon time but is not told by session",
            "Remove the afternoon time.",
        ),
        (
            by_session and not due.is_relative and pm_due is None,
            f"is told by session but has one time, '{due.words}'",
            "Add a time for the afternoon.",
        ),
        (
            agreement.lead < timedelta(),
            "would send after its promise",
            "Make the lead 0 minutes or more.",
        ),
        (
            agreement.useful_for is not None and agreement.useful_for <= timedelta(),
            "says reports are useful for no time at all",
            "Give a length, or leave it out.",
        ),
    )
    return next(((what, mend) for broken, what, mend in rules if broken), None)
