"""What is counted beside lessons: half days, days, and hours; and which small groups are hidden.

The definitions stand here in their slow and obvious form; the store counts the same in its own sets.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from fractions import Fraction

from aphub.domain.entries import Half
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.statistics import PlacementCounts, counted_as, share

IN_PERSON = frozenset({"in_person", "left_site", "taught_at_home"})
"""Where taught in person is counted."""
AWAY = frozenset({"online", "worked_at_home", "could_not_join"})
"""Where a lesson without us in the room is counted."""
_NOT_DUE = frozenset({"not_expected", "arrived_unexpected"})

LEAST = 5
"""Groups of fewer pupils are hidden where anybody but the provider reads."""


@dataclass(frozen=True, slots=True)
class HalfDays:
    """How many half days with a lesson here went in which way; a half day counts once, whatever it holds.

    Attended in person if any lesson of it was; else not known while a register of it is missing; else missed if the
    pupil was absent from any; else away (online, at home, could not join); else at the home school; else cancelled;
    else the pupil could not come.
    """

    attended: int = 0
    not_known: int = 0
    missed: int = 0
    away: int = 0
    at_home_school: int = 0
    cancelled: int = 0
    could_not_come: int = 0

    def __add__(self, other: "HalfDays") -> "HalfDays":
        """Add kind by kind."""
        return HalfDays(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def possible(self) -> int:
        """Half days that were offered and of which the register was taken: possible sessions, here only."""
        return self.attended + self.missed + self.away

    @property
    def rate(self) -> Fraction | None:
        """Attended in person, of the possible; None where none was."""
        return share(self.attended, self.possible)


@dataclass(frozen=True, slots=True)
class Days:
    """Days with a lesson due here, and those on which the pupil was absent from all that was offered."""

    due: int = 0
    missed: int = 0

    def __add__(self, other: "Days") -> "Days":
        """Add both."""
        return Days(self.due + other.due, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class Minutes:
    """The planned lesson time by what became of it; the parts add up to what was planned."""

    delivered: int = 0
    cancelled: int = 0
    absent: int = 0
    away: int = 0
    at_home_school: int = 0
    not_known: int = 0

    def __add__(self, other: "Minutes") -> "Minutes":
        """Add part by part."""
        return Minutes(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def planned(self) -> int:
        """All that the timetable owed."""
        return sum(getattr(self, one.name) for one in fields(self))


MINUTES_AS = {
    **dict.fromkeys(IN_PERSON, "delivered"),
    **dict.fromkeys(AWAY, "away"),
    "cancelled_by_us": "cancelled",
    "absent": "absent",
    "could_not_come": "absent",
    "at_home_school": "at_home_school",
    "register_missing": "not_known",
}
"""Which part of the planned time a lesson is, by where it is counted; a lesson that was not due is in none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One lesson as the slow computation sees it; `halves` are those of a school's day."""

    who: Hashable
    day: date
    halves: tuple[Half, ...]
    outcome: Outcome
    length: int = 0
    late_by: int | None = None
    reason: ReasonKind = ReasonKind.NOT_APPLICABLE

    @property
    def counted_as(self) -> str:
        """Where it is counted."""
        return counted_as(self.outcome, self.reason)


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is counted of some lessons; they add up with `+` where no half day or day is cut."""

    lessons: PlacementCounts = field(default_factory=PlacementCounts)
    half_days: HalfDays = field(default_factory=HalfDays)
    days: Days = field(default_factory=Days)
    minutes: Minutes = field(default_factory=Minutes)
    late: int = 0
    late_minutes: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Add all."""
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def figures_of(lessons: Iterable[Seen]) -> Figures:
    """Count lessons one by one: slow, obvious, and what the store must agree with."""
    every = list(lessons)
    time: dict[str, int] = {}
    for one in every:
        part = MINUTES_AS.get(one.counted_as)
        if part:
            time[part] = time.get(part, 0) + one.length
    late = [one for one in every if one.outcome is Outcome.LATE]
    return Figures(
        PlacementCounts(**Counter(one.counted_as for one in every)),
        _half_days(every),
        _days(every),
        Minutes(**time),
        len(late),
        sum(one.late_by or 0 for one in late),
    )


def _half_days(every: Sequence[Seen]) -> HalfDays:
    kept: dict[Hashable, set[str]] = {}
    for one in every:
        for half in one.halves:
            if half is not Half.OUTSIDE:
                kept.setdefault((one.who, one.day, half), set()).add(one.counted_as)
    found: dict[str, int] = {}
    for counted in kept.values():
        if kind := half_day_kind(counted):
            found[kind] = found.get(kind, 0) + 1
    return HalfDays(**found)


def half_day_kind(counted: Iterable[str]) -> str:
    """Say as what a half day counts by where its lessons are counted; empty where none was due."""
    some = frozenset(counted) - _NOT_DUE
    for kinds, name in HALF_DAY_AS:
        if some & kinds:
            return name
    return ""


HALF_DAY_AS = (
    (IN_PERSON, "attended"),
    (frozenset({"register_missing"}), "not_known"),
    (frozenset({"absent"}), "missed"),
    (AWAY, "away"),
    (frozenset({"at_home_school"}), "at_home_school"),
    (frozenset({"cancelled_by_us"}), "cancelled"),
    (frozenset({"could_not_come"}), "could_not_come"),
)
"""As what a half day counts: the first of these that one of its lessons is."""


def _days(every: Sequence[Seen]) -> Days:
    kept: dict[Hashable, set[str]] = {}
    for one in every:
        kept.setdefault((one.who, one.day), set()).add(one.counted_as)
    due = [counted - _NOT_DUE for counted in kept.values() if counted - _NOT_DUE]
    missed = [
        some for some in due if "absent" in some and not some & (IN_PERSON | AWAY | {"register_missing"})
    ]
    return Days(len(due), len(missed))


def hidden_groups(sizes: Mapping[str, int], least: int = LEAST) -> frozenset[str]:
    """Say which groups must not be shown, where they and their total are published together.

    A group of fewer than `least` pupils is hidden; so is the next smallest while what is hidden can still be worked out
    from the total: while it is a single group, or while all hidden groups together are fewer than `least`.
    """
    hidden = {name for name, size in sizes.items() if 0 < size < least}
    if not hidden:
        return frozenset()
    others = sorted(
        (name for name, size in sizes.items() if size >= least), key=lambda name: (sizes[name], name)
    )
    for name in others:
        if len(hidden) > 1 and sum(sizes[one] for one in hidden) >= least:
            break
        hidden.add(name)
    return frozenset(hidden)


def hidden_cells(sizes: Mapping[tuple[str, str], int], least: int = LEAST) -> frozenset[tuple[str, str]]:
    """Say which cells of a table must not be shown, where the totals of its rows and columns are published too.

    In no row and no column can what is hidden be worked out: `hidden_groups` holds for each of them.
    """
    hidden = {cell for cell, size in sizes.items() if 0 < size < least}
    lines = [
        sorted((cell for cell in sizes if cell[place] == name), key=lambda cell: (sizes[cell], cell))
        for place in (0, 1)
        for name in dict.fromkeys(cell[place] for cell in sizes)
    ]
    before = -1
    while len(hidden) != before:
        before = len(hidden)
        for line in lines:
            hidden |= _beside(line, hidden, sizes, least)
    return frozenset(hidden)


def _beside(
    line: Sequence[tuple[str, str]],
    hidden: set[tuple[str, str]],
    sizes: Mapping[tuple[str, str], int],
    least: int,
) -> set[tuple[str, str]]:
    """Give what must be hidden in a line too, smallest first, so that its hidden cells cannot be worked out."""
    found = {cell for cell in line if cell in hidden}
    for cell in line:
        if not found or (len(found) > 1 and sum(sizes[one] for one in found) >= least):
            break
        found.add(cell)
    return found


def by_group(lessons: Iterable[Seen], key: Callable[[Seen], Hashable]) -> dict[Hashable, Figures]:
    """Count group by group."""
    groups: dict[Hashable, list[Seen]] = {}
    for one in lessons:
        groups.setdefault(key(one), []).append(one)
    return {name: figures_of(some) for name, some in groups.items()}
