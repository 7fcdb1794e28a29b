"""Which half of a school's day a lesson belongs to: lessons are the provider's, halves the school's."""

from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache

from aphub.domain.calendar import CalendarError, to_utc
from aphub.domain.entries import Half
from aphub.domain.placements import Lesson

SPILL = 15
"""Minutes by which a lesson may run over lunch's edge without owing the other half a line."""


_NOON = time(12)


@dataclass(frozen=True, slots=True)
class SchoolHours:
    """When one school's morning and afternoon begin and end, as London wall times."""

    am_starts: time = time(8, 45)
    am_ends: time = time(12, 15)
    pm_starts: time = time(13, 0)
    pm_ends: time = time(15, 30)

    def __post_init__(self) -> None:
        """Refuse hours that are not in order."""
        if not self.am_starts < self.am_ends <= self.pm_starts < self.pm_ends:
            what = "The school's hours are not in order."
            mend = (
                "Give morning start, morning end, afternoon start, afternoon end, each later than the last."
            )
            raise CalendarError(what, mend=mend)


def halves_of(lesson: Lesson, hours: SchoolHours) -> tuple[Half, ...]:
    """Give the halves in which a lesson takes place: both across lunch, none for a twilight lesson.

    A lesson earns a code only in a session during which it takes place (SI 2024/208 reg 10(11)). One that
    runs at most a quarter of an hour over lunch's edge stays in the half where most of it lies.
    """
    return halves_between(lesson.starts, lesson.ends, hours)


def spoken_halves(starts: time, ends: time, hours: SchoolHours) -> tuple[Half, ...]:
    """Give the halves as people speak of a lesson: one outside the school's hours is in the half in which it begins."""
    return halves_between(starts, ends, hours) or ((Half.AM,) if starts < _NOON else (Half.PM,))


def half_of(lesson: Lesson, hours: SchoolHours) -> Half | None:
    """Give the half in which a lesson begins to count, or None for one outside the school's hours."""
    halves = halves_of(lesson, hours)
    return halves[0] if halves else None


def lines_of(lesson: Lesson, hours: SchoolHours) -> tuple[Half, ...]:
    """Give the lines of a report on which a lesson stands: its halves, or the one for outside hours."""
    return halves_of(lesson, hours) or (Half.OUTSIDE,)


def starts_in(lesson: Lesson, half: Half | None, hours: SchoolHours) -> datetime:
    """Give the instant at which a lesson begins to count in `half`; lunch's end for the second of two."""
    if half is Half.PM and lesson.starts < hours.am_ends and len(halves_of(lesson, hours)) > 1:
        return to_utc(lesson.day, hours.pm_starts)
    return lesson.starts_at


def is_split(lesson: Lesson, hours: SchoolHours) -> bool:
    """Say whether a lesson stands in both halves, so that one mark cannot speak for all of it."""
    return len(halves_of(lesson, hours)) > 1


@lru_cache(maxsize=4096)
def halves_between(starts: time, ends: time, hours: SchoolHours) -> tuple[Half, ...]:
    """Give the halves in which a stretch of a day lies, by the same rule as a lesson's."""
    am = _overlap(starts, ends, hours.am_starts, hours.am_ends)
    pm = _overlap(starts, ends, hours.pm_starts, hours.pm_ends)
    if am and pm and min(am, pm) <= SPILL and am != pm:
        return (Half.AM,) if am > pm else (Half.PM,)
    return tuple(half for half, shared in ((Half.AM, am), (Half.PM, pm)) if shared)


def _overlap(starts: time, ends: time, opens: time, closes: time) -> int:
    """Give how many minutes two stretches of one day share, never below zero."""
    return max(_minutes(min(ends, closes)) - _minutes(max(starts, opens)), 0)


def _minutes(wall: time) -> int:
    return wall.hour * 60 + wall.minute
