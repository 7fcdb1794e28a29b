"""What a census of alternative provision asks of a placement, in the words that an office types.

The school census module and the council's AP census want for each placement the provider's URN, else its UKPRN, else the
type of setting: exactly one; also why it was commissioned, and how much of the week it takes. Their code sets for reasons
and for attendance patterns were not found in public, so those two stay words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from aphub.domain.halves import SchoolHours, halves_between
from aphub.domain.placements import TimetableSlot

MOST_HOURS = 60
MOST_SESSIONS = 14
_CENTS = Decimal("0.01")
_CLOCK = re.compile(r"(\d{1,2})(?::|h ?)([0-5]\d)m?")


class Setting(StrEnum):
    """The type of setting of a provider that has neither URN nor UKPRN."""

    FURTHER_EDUCATION = "NFE"
    TUITION = "OOT"
    OTHER = "OTH"
    WORK = "WBP"


SETTING_WORDS = {
    Setting.FURTHER_EDUCATION: "non-maintained further education",
    Setting.TUITION: "one-on-one tuition",
    Setting.OTHER: "other unregistered provider",
    Setting.WORK: "work-based placement",
}
"""The four types as the census words them."""


class Pattern(StrEnum):
    """Whether a placement fills the pupil's week."""

    FULL_TIME = "full time"
    PART_TIME = "part time"


@dataclass(frozen=True, slots=True)
class Week:
    """How much of a week a timetable takes."""

    hours: Decimal
    sessions: int


def week_of(slots: Iterable[TimetableSlot], hours: SchoolHours) -> Week:
    """Give a timetable's hours, and how many of that school's half days it touches."""
    minutes, touched = 0, set()
    for slot in slots:
        minutes += (slot.ends.hour - slot.starts.hour) * 60 + slot.ends.minute - slot.starts.minute
        touched |= {(slot.weekday, half) for half in halves_between(slot.starts, slot.ends, hours)}
    return Week((Decimal(minutes) / 60).quantize(_CENTS), len(touched))


def read_hours(text: str) -> Decimal | None:
    """Read hours in a week, as "12.5", "12:30" or "12h 30m"; None where they are none, or more than a week has."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        hours = Decimal(clock[1]) + Decimal(clock[2]) / 60
    else:
        try:
            hours = Decimal(text.strip().removesuffix("h").strip())
        except InvalidOperation:
            return None
    if not hours.is_finite() or not 0 <= hours <= MOST_HOURS:
        return None
    return hours.quantize(_CENTS)


def hours_words(hours: Decimal) -> str:
    """Write hours as a spreadsheet reads them: 15, or 12.5."""
    return f"{hours:.2f}".rstrip("0").rstrip(".")
