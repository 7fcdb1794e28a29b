"""By when a step of a ladder must be done: "at once", "start + 10 min", "+ 1 hour", "12:00", "5 school days"."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aphub.domain.calendar import ONE_DAY, Calendar, london_day, to_utc
from aphub.domain.when import AgreementError

AT_ONCE = timedelta(minutes=5)
"""How long "at once" leaves a person to pick up the telephone."""

END_OF_DAY = time(16)
"""The time of a deadline that names only a day."""

_LONGEST = timedelta(days=366)
_OFFSET = re.compile(
    r"(?P<base>start|event|raised)? ?\+ ?(?P<many>\d{1,4}) ?(?P<unit>min|mins|minutes?|h|hours?)"
)
_CLOCK = re.compile(r"(?:(?P<next>next school day) )?(?P<hour>\d{1,2}):(?P<minute>\d{2})")
_DAYS = re.compile(r"(?P<many>\d{1,3}) (?P<unit>school days?|days?|weeks?)")
_FORMS = (
    "'at once', 'start + 10 min', '+ 1 hour', '12:00', 'next school day 09:30', '5 school days' or '2 weeks'"
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant that runs from a lesson's start, from the event itself, or by London's clocks on some later day."""

    words: str
    offset: timedelta | None = None
    from_start: bool = False
    at: time | None = None
    school_days: int = 0
    days: int = 0

    def instant(self, event: datetime, start: datetime | None, calendar: Calendar) -> datetime:
        """Give the instant meant for what was known at `event` about a lesson that began at `start`.

        A clock time that has passed means the moment of the event: nobody can be on time for news of the past.
        """
        if self.offset is not None:
            base = start if self.from_start and start is not None else event
            return base + self.offset
        day = london_day(event) + timedelta(days=self.days)
        for _ in range(self.school_days):
            day = next_school_day(calendar, day)
        return max(to_utc(day, self.at or END_OF_DAY), event)


def next_school_day(calendar: Calendar, day: date) -> date:
    """Give the first school day after `day`; after a year without any, the next weekday."""
    found = day + ONE_DAY
    while not calendar.is_school_day(found):
        found += ONE_DAY
        if found - day > _LONGEST:
            return day + ONE_DAY
    return found


def parse_deadline(text: str) -> Deadline:
    """Read a deadline; raises AgreementError with the forms that can be read."""
    words = " ".join(text.split())
    folded = words.casefold()
    if folded == "at once":
        return Deadline(words, offset=AT_ONCE)
    if folded in {"start", "event", "raised"}:
        return Deadline(words, offset=timedelta(), from_start=folded == "start")
    if folded in {"same day", "end of day"}:
        return Deadline(words, at=END_OF_DAY)
    if folded == "next school day":
        return Deadline(words, school_days=1)
    if match := _OFFSET.fullmatch(folded):
        many = int(match["many"])
        hours = match["unit"].startswith("h")
        offset = timedelta(hours=many) if hours else timedelta(minutes=many)
        return Deadline(words, offset=offset, from_start=match["base"] == "start")
    if match := _CLOCK.fullmatch(folded):
        hour, minute = int(match["hour"]), int(match["minute"])
        if hour < 24 and minute < 60:  # noqa: PLR2004 - the clock's own bounds
            return Deadline(words, at=time(hour, minute), school_days=1 if match["next"] else 0)
    if match := _DAYS.fullmatch(folded):
        many = int(match["many"])
        if match["unit"].startswith("school"):
            return Deadline(words, school_days=many)
        return Deadline(words, days=many * (7 if match["unit"].startswith("week") else 1))
    what = f"'{words}' is no deadline that we can read."
    raise AgreementError(what, mend=f"Write {_FORMS}.")
