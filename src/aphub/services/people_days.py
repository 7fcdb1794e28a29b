"""Mistakes in days: a timetable that no open day ever meets, and a pupil who would be in two places at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from aphub.domain.calendar import WEEKDAYS, Calendar, days_from
from aphub.domain.placements import TimetableSlot
from aphub.services.people_rows import PersonRow, Problem

_LOOKED_AT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Booked:
    """When one placement has its pupil; `row` is where it stands in the file, 0 for one that we have."""

    pupil: str
    row: int
    starts: date
    ends: date | None
    slots: tuple[TimetableSlot, ...]


def never_due(rows: Sequence[PersonRow], calendar: Calendar, today: date) -> list[Problem]:
    """Name timetables that contradict the provider's calendar: lessons on weekdays on which it is never open."""
    found, seen = [], set()
    for row in rows:
        key = (row.pupil_ref.casefold(), *row.placement_key[1:])
        if key in seen:
            continue
        seen.add(key)
        first = max(row.starts, today)
        last = min(row.ends or first + _LOOKED_AT, first + _LOOKED_AT)
        taught = {slot.weekday for slot in row.timetable}
        days = list(days_from(first, last + timedelta(days=1)))
        # Of weekdays that never come in these dates nothing is said, unless none of the timetable's does.
        come = (taught & {day.weekday() for day in days}) or taught
        closed = sorted(come - {day.weekday() for day in days if calendar.is_open(day)})
        if closed and first <= last:
            names = ", ".join(WEEKDAYS[number] for number in closed)
            words = f"You are never open on a {names} in these dates, so nothing is due then."
            mend = "Check the timetable, the dates, or your terms and closures."
            found.append(Problem(row.number, "timetable", words, mend))
    return found


def double_booked(placements: Iterable[Booked]) -> list[Problem]:
    """Name placements that overlap with another of the same pupil: nobody can be in two lessons at once."""
    by_pupil: dict[str, list[Booked]] = {}
    for one in placements:
        by_pupil.setdefault(one.pupil, []).append(one)
    found = []
    for some in by_pupil.values():
        for one, other in combinations(some, 2):
            later, earlier = (one, other) if one.row >= other.row else (other, one)
            if not later.row or not _same_days(one, other):
                continue
            clash = next(
                (slot for slot in later.slots if any(_at_once(slot, also) for also in earlier.slots)), None
            )
            if clash is None:
                continue
            where = f"row {earlier.row}" if earlier.row else "a placement that we have"
            words = (
                f"The lesson on {WEEKDAYS[clash.weekday]} at {clash.starts:%H:%M} overlaps with {where}, "
                "which is about the same pupil."
            )
            mend = "Change one timetable, or end one placement before the other starts."
            found.append(Problem(later.row, "timetable", words, mend))
    return found


def _same_days(one: Booked, other: Booked) -> bool:
    return (one.ends is None or one.ends >= other.starts) and (other.ends is None or other.ends >= one.starts)


def _at_once(one: TimetableSlot, other: TimetableSlot) -> bool:
    return one.weekday == other.weekday and one.starts < other.ends and other.starts < one.ends
