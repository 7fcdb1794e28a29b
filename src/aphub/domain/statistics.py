"""Attendance figures: sums over sums, "as at" their caller's moment, and never netted.

Two kinds that are never mixed: the Department for Education's rate, from codes, and *placement
attendance*, from outcomes at this provider. Neither is a pupil's school attendance, which needs
marks that only the school holds.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from aphub.domain.codes import CodeSet, StatisticalClass, code_sets
from aphub.domain.outcomes import COULD_NOT_COME, Outcome, ReasonKind

_PERSISTENT = Fraction(10, 100)
_SEVERE = Fraction(50, 100)


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """How many sessions stand under each class of codes; they add up with `+`.

    `unread` are marks that no code set knows; they are shown apart and are in no rate.
    """

    present: int = 0
    educational_activity: int = 0
    authorised: int = 0
    unauthorised: int = 0
    not_possible: int = 0
    unread: int = 0

    def __add__(self, other: "CodeCounts") -> "CodeCounts":
        """Add class by class, so that a rate of the sum is sums over sums."""
        return CodeCounts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def attended(self) -> int:
        """Sessions that count as attended: present, and approved educational activity."""
        return self.present + self.educational_activity

    @property
    def missed(self) -> int:
        """Sessions that count as absence, authorised or not."""
        return self.authorised + self.unauthorised

    @property
    def possible(self) -> int:
        """Sessions that count at all."""
        return self.attended + self.missed

    @property
    def attendance(self) -> Fraction | None:
        """The overall attendance rate, or None where no session was possible."""
        return share(self.attended, self.possible)

    @property
    def absence(self) -> Fraction | None:
        """The overall absence rate, or None where no session was possible."""
        return share(self.missed, self.possible)

    @property
    def authorised_absence(self) -> Fraction | None:
        """The authorised absence rate, or None where no session was possible."""
        return share(self.authorised, self.possible)

    @property
    def unauthorised_absence(self) -> Fraction | None:
        """The unauthorised absence rate, or None where no session was possible."""
        return share(self.unauthorised, self.possible)


def count_codes(codes: Iterable[str], code_set: CodeSet) -> CodeCounts:
    """Count session marks by class; blanks are no sessions.

    A withdrawn code counts as it last did (H authorised, J educational activity), as in the
    Department for Education's own 2025/26 figures, where both are still found. A bare Y leaves the
    possible sessions, as then.
    """
    found: Counter[str] = Counter()
    for code, times in Counter(codes).items():
        if code:
            found[_class_of(code, code_set) or "unread"] += times
    return CodeCounts(**found)


@dataclass(frozen=True, slots=True)
class PlacementCounts:
    """How many lessons at this provider ended in which way; they add up with `+`."""

    in_person: int = 0
    left_site: int = 0
    taught_at_home: int = 0
    online: int = 0
    worked_at_home: int = 0
    could_not_join: int = 0
    absent: int = 0
    could_not_come: int = 0
    cancelled_by_us: int = 0
    at_home_school: int = 0
    register_missing: int = 0
    not_expected: int = 0
    arrived_unexpected: int = 0

    def __add__(self, other: "PlacementCounts") -> "PlacementCounts":
        """Add kind by kind, so that a rate of the sum is sums over sums."""
        return PlacementCounts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def due(self) -> int:
        """Lessons that the timetable owed here, whatever became of them."""
        elsewhere = self.cancelled_by_us + self.at_home_school + self.register_missing
        return self.offered + self.could_not_come + elsewhere

    @property
    def offered(self) -> int:
        """Lessons that took place, were to be here for this pupil who could come, and whose register was taken."""
        return (
            self.in_person
            + self.left_site
            + self.taught_at_home
            + self.online
            + self.worked_at_home
            + self.could_not_join
            + self.absent
        )

    @property
    def in_person_rate(self) -> Fraction | None:
        """Placement attendance: taught in person, of the lessons offered; None where there were none.

        A pupil who left the site had come: leaving is an event of its own, not an absence.
        """
        return share(self.in_person + self.left_site + self.taught_at_home, self.offered)

    @property
    def online_rate(self) -> Fraction | None:
        """Part taken online, of the lessons offered: beside placement attendance, never added to it."""
        return share(self.online, self.offered)

    @property
    def absent_rate(self) -> Fraction | None:
        """Absent, of the lessons offered."""
        return share(self.absent, self.offered)


COUNTED_AS = {
    Outcome.PRESENT: "in_person",
    Outcome.LATE: "in_person",
    Outcome.LEFT_EARLY: "in_person",
    Outcome.LEFT_SITE: "left_site",
    Outcome.TAUGHT_AT_HOME: "taught_at_home",
    Outcome.ONLINE: "online",
    Outcome.WORKED_AT_HOME: "worked_at_home",
    Outcome.COULD_NOT_JOIN: "could_not_join",
    Outcome.ABSENT: "absent",
    Outcome.CANCELLED: "cancelled_by_us",
    Outcome.AT_HOME_SCHOOL: "at_home_school",
    Outcome.NOT_YET_TAKEN: "register_missing",
    Outcome.NOT_READ: "register_missing",
    Outcome.NOT_CHECKED_AGAIN: "register_missing",
    Outcome.NOT_EXPECTED: "not_expected",
    Outcome.ARRIVED_UNEXPECTED: "arrived_unexpected",
}
"""Where each outcome is counted, whatever its reason: a field of PlacementCounts."""


def counted_as(outcome: Outcome, reason: ReasonKind) -> str:
    """Say where a lesson is counted: an absence of a pupil who could not come is not one of a pupil who did not."""
    if outcome is Outcome.ABSENT and reason in COULD_NOT_COME:
        return "could_not_come"
    return COUNTED_AS[outcome]


def count_outcomes(outcomes: Iterable[Outcome]) -> PlacementCounts:
    """Count lessons by what happened; each outcome is counted once, in one place."""
    found: Counter[str] = Counter()
    for outcome, times in Counter(outcomes).items():
        found[COUNTED_AS[outcome]] += times
    return PlacementCounts(**found)


class Window(StrEnum):
    """The stretch of days over which a provider's threshold looks."""

    WEEK = "week"
    MONTH = "month"

    def around(self, day: date) -> tuple[date, date]:
        """Give the first day of the window that holds this day, and the first day after it."""
        if self is Window.WEEK:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A provider's own rule such as "90% or under in a month, of at least 20 lessons": never law."""

    percent: Decimal
    window: Window
    least: int
    or_equal: bool = False

    def __post_init__(self) -> None:
        """Refuse a threshold that no figure could meet, or that a single lesson would."""
        if not 0 < self.percent <= 100 or self.least < 1:  # noqa: PLR2004 - per cent
            message = "a threshold has a percent from 0 to 100 and a least number of lessons"
            raise ValueError(message)

    def is_crossed(self, counts: PlacementCounts | CodeCounts) -> bool | None:
        """Say whether the rate fell below, or None where there are too few lessons to say."""
        if isinstance(counts, PlacementCounts):
            rate, whole = counts.in_person_rate, counts.offered
        else:
            rate, whole = counts.attendance, counts.possible
        if rate is None or whole < self.least:
            return None
        limit = Fraction(self.percent) / 100
        return rate <= limit if self.or_equal else rate < limit


class AbsenceBand(StrEnum):
    """The Department for Education's bands for a pupil's own absence; persistent includes severe."""

    BELOW = "below"
    PERSISTENT = "persistent"
    SEVERE = "severe"

    @property
    def is_persistent(self) -> bool:
        """Whether the pupil counts among the persistently absent."""
        return self is not AbsenceBand.BELOW


def absence_band(counts: CodeCounts, *, least: int) -> AbsenceBand | None:
    """Say in which band one pupil's absence lies, or None under `least` possible sessions.

    10% of the pupil's own possible sessions missed is persistent, 50% severe. It is a measure over
    time: the Department gives none for a day or a week, so neither does the caller.
    """
    if counts.absence is None or counts.possible < least:
        return None
    if counts.absence >= _SEVERE:
        return AbsenceBand.SEVERE
    return AbsenceBand.PERSISTENT if counts.absence >= _PERSISTENT else AbsenceBand.BELOW


def share(part: int, whole: int) -> Fraction | None:
    """Give an exact share, or None where the whole is nothing: never 0% or 100%."""
    return Fraction(part, whole) if whole else None


def percent_words(rate: Fraction | None, places: int = 1) -> str:
    """Write a rate as people read it: "93.1%", or a dash where there is none. Halves round up."""
    if rate is None:
        return "\u2013"
    exact = Decimal(rate.numerator * 100) / Decimal(rate.denominator)
    return f"{exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)}%"


def _class_of(code: str, code_set: CodeSet) -> StatisticalClass | None:
    """Look a code up in its set, then in the sets before it, newest first."""
    for one in (code_set, *reversed(code_sets())):
        if one.valid_from <= code_set.valid_from and code in one:
            return one.codes[code].statistical_class
    return None
