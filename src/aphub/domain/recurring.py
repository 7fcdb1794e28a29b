"""What comes round every day, week, month or term: for which stretch of days, and due when.

It is due on the last open day of its stretch, or so many open days later: closures shift it as the calendar says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aphub.domain.calendar import ONE_DAY, Calendar, days_from, to_utc
from aphub.domain.deadlines import next_school_day
from aphub.domain.stretches import Every, Stretch, stretch_around

_LOOK_BACK = timedelta(days=75)
"""How far before its due day a month's stretch may begin: a month, and a long summer after it."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """Once for every stretch, at a London time; `later` counts open days after the stretch's last one."""

    every: Every
    at: time
    later: int = 0

    def due(self, stretch: Stretch, calendar: Calendar) -> datetime | None:
        """Give when it is due for a stretch; None where nobody is there on any day of it."""
        day = stretch.until_day - ONE_DAY
        while not calendar.is_school_day(day):
            day -= ONE_DAY
            if day < stretch.first_day:
                return None
        for _ in range(self.later):
            day = next_school_day(calendar, day)
        return to_utc(day, self.at)


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time that something recurring comes round."""

    stretch: Stretch
    due: datetime


def occasions(recurring: Recurring, calendar: Calendar, after: datetime, until: datetime) -> list[Occasion]:
    """Give the occasions that fall due after an instant, up to and with another, in order."""
    found = []
    for stretch in _stretches(recurring.every, calendar, after.date() - _LOOK_BACK, until.date() + ONE_DAY):
        due = recurring.due(stretch, calendar)
        if due is not None and after < due <= until:
            found.append(Occasion(stretch, due))
    return sorted(found, key=lambda one: (one.due, one.stretch.first_day))


def _stretches(every: Every, calendar: Calendar, from_day: date, until_day: date) -> Iterator[Stretch]:
    if every is Every.TERM:
        for term in calendar.terms:
            yield stretch_around(every, term.starts, calendar.terms)
        return
    until = from_day
    for day in days_from(from_day, until_day):
        if day >= until:
            stretch = stretch_around(every, day)
            until = stretch.until_day
            yield stretch
