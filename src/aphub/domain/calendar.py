"""Days and hours in England: London time, bank holidays, terms, closures, and the lessons that are due."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.placements import Lesson, Placement, TimetableSlot

LONDON = ZoneInfo("Europe/London")
ONE_DAY = timedelta(days=1)
SATURDAY = 5
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def to_utc(day: date, wall_time: time) -> datetime:
    """Give the instant at which London's clocks show `wall_time` on `day`, in UTC.

    A wall time that London skips in spring means the first instant that exists after it; one that
    comes twice in autumn means the first of the two.
    """
    # Checked outside the cache: a time of 09:00 equals, as a key, one that carries a zone.
    if wall_time.tzinfo is not None:
        message = "a London wall time carries no time zone of its own"
        raise ValueError(message)
    return _instant(day, wall_time)


@lru_cache(maxsize=1 << 16)
def _instant(day: date, wall_time: time) -> datetime:
    """Convert once: thousands of lessons share a few starting times, and zoneinfo is slow."""
    wall = datetime.combine(day, wall_time.replace(fold=0))
    instant = wall.replace(tzinfo=LONDON).astimezone(UTC)
    if instant.astimezone(LONDON).replace(tzinfo=None) != wall:
        # London's clocks have always jumped one whole hour on the hour, so the skipped hour begins there.
        top_of_hour = wall.replace(minute=0, second=0, microsecond=0)
        return top_of_hour.replace(tzinfo=LONDON).astimezone(UTC)
    return instant


def london_day(instant: datetime) -> date:
    """Give the date in London at an aware instant."""
    return instant.astimezone(LONDON).date()


def london_time(instant: datetime) -> time:
    """Give the wall time in London at an aware instant."""
    return instant.astimezone(LONDON).time()


def days_from(from_day: date, until_day: date) -> Iterable[date]:
    """Give each day from `from_day` up to and without `until_day`."""
    for number in range((until_day - from_day).days):
        yield from_day + timedelta(days=number)


@cache
def bank_holidays() -> Mapping[date, str]:
    """Give the bank holidays of England and Wales by date, from dated data shipped with the hub."""
    source = files("aphub.domain") / "law" / "bank_holidays_england_and_wales.toml"
    listed = tomllib.loads(source.read_text(encoding="utf-8"))
    years = (days for days in listed.values() if isinstance(days, dict))
    return {date.fromisoformat(day): name for days in years for day, name in days.items()}


def is_bank_holiday(day: date) -> bool:
    """Say whether `day` is a bank holiday in England and Wales."""
    return day in bank_holidays()


def school_year(day: date) -> str:
    """Name the school year of a day, as "2025-26"; it starts on 1 September."""
    first = day.year if day.month >= 9 else day.year - 1  # noqa: PLR2004 - the ninth month
    return f"{first}-{(first + 1) % 100:02d}"


class CalendarError(NeedsCorrectionError, ValueError):
    """Dates or hours are not in order; the words say what to change."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some days in a row with a name; both ends belong to it."""

    starts: date
    ends: date
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a span that ends before it starts."""
        if self.ends < self.starts:
            named = f" ({self.name})" if self.name else ""
            what = f"The dates {self.starts} to {self.ends}{named} end before they start."
            raise CalendarError(what, mend="Swap them.")

    def __contains__(self, day: date) -> bool:
        """Say whether `day` lies in the span."""
        return self.starts <= day <= self.ends


@dataclass(frozen=True, slots=True)
class Calendar:
    """When one provider or school is open; no terms means open all the year.

    Weekends are not closures: a Saturday lesson is due if the timetable says so. A provider that
    works on bank holidays passes an empty mapping.
    """

    terms: tuple[Span, ...] = ()
    closures: tuple[Span, ...] = ()
    bank_holidays: Mapping[date, str] = field(default_factory=bank_holidays)
    _closed: Mapping[date, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Spread the closures over their days, so that each question is one look-up."""
        closed: dict[date, str] = {}
        for closure in self.closures:
            for day in days_from(closure.starts, closure.ends + ONE_DAY):
                closed.setdefault(day, closure.name or "closed")
        object.__setattr__(self, "_closed", closed)

    def why_closed(self, day: date) -> str:
        """Say in plain words why nothing happens on `day`; empty when it is open."""
        if reason := self._closed.get(day, ""):
            return reason
        if name := self.bank_holidays.get(day, ""):
            return f"bank holiday: {name}"
        if self.terms and not any(day in term for term in self.terms):
            return "outside term"
        return ""

    def is_open(self, day: date) -> bool:
        """Say whether lessons can be due on `day`."""
        return not self.why_closed(day)

    def is_bank_holiday(self, day: date) -> bool:
        """Say whether `day` is a bank holiday that this calendar keeps."""
        return day in self.bank_holidays

    def is_school_day(self, day: date) -> bool:
        """Say whether `day` is an open day from Monday to Friday."""
        return day.weekday() < SATURDAY and self.is_open(day)


def school_days_between(calendar: Calendar, after: date, until: date) -> int:
    """Count the school days after `after`, up to and with `until`; none when that is not later.

    So an absence of Friday is one school day old on Monday.
    """
    return sum(calendar.is_school_day(day) for day in days_from(after + ONE_DAY, until + ONE_DAY))


def lessons_of(
    placement: Placement, provider_calendar: Calendar, from_day: date, until_day: date
) -> list[Lesson]:
    """Give the lessons due from `from_day` up to and without `until_day`, in order of time.

    Only three things decide: the placement's dates (its last day belongs to it), its own timetable
    (so a part-time timetable is simply fewer slots), and the provider's calendar. A school's
    training day never makes a lesson not due; it is a note beside it.
    """
    first = max(from_day, placement.starts)
    last = until_day if placement.ends is None else min(until_day, placement.ends + ONE_DAY)
    if first >= last or not placement.timetable:
        return []
    by_weekday: dict[int, list[TimetableSlot]] = {}
    for slot in sorted(placement.timetable, key=lambda slot: (slot.starts, slot.ends)):
        by_weekday.setdefault(slot.weekday, []).append(slot)
    return [
        _lesson(placement.ref, day, slot)
        for day in days_from(first, last)
        if (slots := by_weekday.get(day.weekday())) and provider_calendar.is_open(day)
        for slot in slots
    ]


def timetable_problems(timetable: Iterable[TimetableSlot]) -> list[str]:
    """Name in plain words what cannot be right in a timetable; empty when all is well."""
    problems = []
    previous: TimetableSlot | None = None
    for slot in sorted(timetable, key=lambda slot: (slot.weekday, slot.starts, slot.ends)):
        name = f"{WEEKDAYS[slot.weekday]} {slot.starts:%H:%M} to {slot.ends:%H:%M}"
        if slot.ends <= slot.starts:
            problems.append(f"The lesson {name} ends before it starts. Check the two times.")
        if previous and previous.weekday == slot.weekday and slot.starts < previous.ends:
            problems.append(
                f"The lesson {name} starts before the one at {previous.starts:%H:%M} ends. Move one of them.",
            )
        previous = slot
    return problems


def _lesson(placement_ref: str, day: date, slot: TimetableSlot) -> Lesson:
    return Lesson(
        placement_ref=placement_ref,
        day=day,
        starts=slot.starts,
        ends=slot.ends,
        starts_at=to_utc(day, slot.starts),
        ends_at=to_utc(day, slot.ends),
        mode=slot.mode,
        nature=slot.nature,
        place=slot.place,
        subject=slot.subject,
        staff=slot.staff,
    )
