"""Times as people agree them in London words: "09:45", "start + 15 min", "Friday 15:30"."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aphub.domain.calendar import WEEKDAYS, to_utc
from aphub.domain.errors import NeedsCorrectionError

_RELATIVE = re.compile(
    r"(?:the )?(?:lesson |session )?start(?: ?\+ ?(?P<plus>\d{1,4}) ?(?P<unit>[a-z]+))?",
)
_AFTER = re.compile(
    r"(?P<plus>\d{1,4}) ?(?P<unit>[a-z]+) after (?:the )?(?:lesson |session )?(?:start|starts)",
)
_CLOCK = re.compile(r"(?:(?P<next>next )?(?P<day>[a-z]+) )?(?P<hour>\d{1,2}):(?P<minute>\d{2})")
_MINUTES = frozenset({"m", "min", "mins", "minute", "minutes"})
_HOURS = frozenset({"h", "hr", "hrs", "hour", "hours"})
_LONGEST = timedelta(hours=24)


class AgreementError(NeedsCorrectionError, ValueError):
    """An agreement says something that cannot be kept; the words say what to write instead."""


@dataclass(frozen=True, slots=True)
class When:
    """An agreed time: after a lesson's start, or by London's clocks on the day, next day or a weekday."""

    words: str
    after_start: timedelta | None = None
    at: time | None = None
    weekday: int | None = None
    later: bool = False

    @property
    def is_relative(self) -> bool:
        """Whether this time runs from a lesson's start."""
        return self.after_start is not None

    def instant(self, day: date, first_start: datetime) -> datetime:
        """Give the instant meant, for a period that begins on `day` and whose first lesson starts then.

        A weekday lies in the week of `day`, or with "next" in the week after; "next day" follows `day`.
        """
        if self.after_start is not None:
            return first_start + self.after_start
        if self.at is None:
            message = "an agreed time has a clock time or an offset"
            raise AssertionError(message)
        if self.weekday is not None:
            day += timedelta(days=self.weekday - day.weekday() + 7 * self.later)
        else:
            day += timedelta(days=self.later)
        return to_utc(day, self.at)


def parse_when(text: str) -> When:
    """Read an agreed time; raises AgreementError with the forms that can be read."""
    words = " ".join(text.split())
    folded = words.casefold()
    if match := _RELATIVE.fullmatch(folded) or _AFTER.fullmatch(folded):
        return When(words, after_start=_offset(words, match["plus"], match["unit"]))
    match = _CLOCK.fullmatch(folded)
    if match is None:
        raise _unreadable(words)
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour > 23 or minute > 59:  # noqa: PLR2004 - the clock's own bounds
        what = f"'{words}' is not a time of day."
        raise AgreementError(what, mend="Write hours 00 to 23 and minutes 00 to 59, such as 15:30.")
    later = match["next"] is not None
    if match["day"] is None or (later and match["day"] == "day"):
        return When(words, at=time(hour, minute), later=later)
    return When(words, at=time(hour, minute), weekday=_weekday(words, match["day"]), later=later)


def _offset(words: str, plus: str | None, unit: str | None) -> timedelta:
    if plus is None:
        return timedelta()
    if unit in _MINUTES:
        offset = timedelta(minutes=int(plus))
    elif unit in _HOURS:
        offset = timedelta(hours=int(plus))
    else:
        raise _unreadable(words)
    if offset > _LONGEST:
        what = f"'{words}' is more than a day after the start."
        raise AgreementError(what, mend="Write at most 'start + 24 hours'.")
    return offset


def _weekday(words: str, name: str) -> int:
    for number, weekday in enumerate(WEEKDAYS):
        full = weekday.casefold()
        if name in {full, full + "s", full[:3]} or (len(name) > 3 and full.startswith(name)):  # noqa: PLR2004 - "Tues" is a day, "T" is not
            return number
    raise _unreadable(words)


def _unreadable(words: str) -> AgreementError:
    return AgreementError(
        f"We cannot read the time '{words}'.",
        mend="Write it like '09:45', 'start + 15 min', 'Friday 15:30' or 'next day 09:00'.",
    )
