"""News that comes before or after the register: known absences, and decisions that only a school can make.

A **known absence** is what somebody told the provider; it fills entries in ahead, explains an absence that the register
only counts, and stops the daily chase. A **decision** is what a pupil's school decided (SI 2024/208 reg 11): without
one, no reason in the world becomes C, C1, C2, G, E, J1 or S.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from aphub.domain.calendar import ONE_DAY, Calendar, school_days_between
from aphub.domain.entries import Fact, Half
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.readings import UNEXPLAINED

SUSPENDED_DAYS = 5
"""School days for which E may stand; from the sixth, provision is due (domain notes, section 3.1 rows 6 and 7)."""

LONGEST_DAYS = 92
"""No absence is known for longer at once: after a term somebody must say again that it still holds."""

NEWS = frozenset({Outcome.ABSENT, Outcome.AT_HOME_SCHOOL, Outcome.NOT_EXPECTED})
"""What somebody may tell ahead of a register."""

TOO_EARLY = timedelta(hours=1)
"""A register is taken as pupils arrive; a mark made longer before its lesson states what nobody can know yet."""


class Teller(StrEnum):
    """Who told the provider; a role, never a name."""

    PARENT = "parent"
    PUPIL = "pupil"
    SCHOOL = "school"
    COUNCIL = "council"
    TRANSPORT = "transport"
    STAFF = "our own staff"
    OTHER = "somebody else"


class Evidence(StrEnum):
    """Whether something in writing was wanted; only for absences that are frequent or have a pattern."""

    NONE = "none"
    ASKED = "asked"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days with a weekly shape: both ends belong to it; no weekdays means all, no half means the whole day."""

    starts: date
    ends: date
    half: Half | None = None
    weekdays: frozenset[int] = frozenset()

    def covers(self, day: date, halves: Collection[Half]) -> bool:
        """Say whether a lesson that stands in these halves of a day lies in it, or a half of it does."""
        return not set(halves).isdisjoint(self.halves_on(day))

    def is_part_of(self, halves: Collection[Half]) -> bool:
        """Say whether it covers only one half of a lesson that stands in both."""
        return self.half is not None and len(halves) > 1

    def halves_on(self, day: date) -> tuple[Half, ...]:
        """Give the halves of a day that it covers."""
        if not self.starts <= day <= self.ends or (self.weekdays and day.weekday() not in self.weekdays):
            return ()
        return tuple(Half) if self.half is None else (self.half,)


@dataclass(frozen=True, slots=True)
class KnownAbsence:
    """What somebody told about one pupil for some days; `fact` is what entries say of it."""

    absence_id: int
    ref: str
    pupil_id: int
    stretch: Stretch
    fact: Fact
    told_by: Teller
    evidence: Evidence = Evidence.NONE
    by: str = ""


@dataclass(frozen=True, slots=True)
class SchoolDecision:
    """What a pupil's school decided for some days."""

    ref: str
    pupil_id: int
    organisation: str
    reason: ReasonKind
    stretch: Stretch


def is_known_ahead(fact: Fact) -> bool:
    """Say whether a fact can be known before its lesson begins: news with its reason, and never that somebody came."""
    if fact.outcome is Outcome.ABSENT:
        return fact.reason not in UNEXPLAINED
    return fact.outcome in NEWS or fact.outcome in {Outcome.CANCELLED, Outcome.NOT_YET_TAKEN}


def is_too_early(fact: Fact, starts_at: datetime, now: datetime) -> bool:
    """Say whether a mark was made before anybody can know what it says."""
    return starts_at - now > TOO_EARLY and not is_known_ahead(fact)


def explained(
    fact: Fact, known: Iterable[KnownAbsence], day: date, halves: Collection[Half]
) -> tuple[Fact, Half | None]:
    """Give a register's bare absence the reason that somebody told; whatever else the register says stands.

    `halves` are those of which the register speaks. With it comes the one half for which the reason was told, where
    the lesson stands in both.
    """
    if fact.outcome is not Outcome.ABSENT or fact.reason not in UNEXPLAINED:
        return fact, None
    telling = [one for one in known if one.fact.outcome is Outcome.ABSENT and one.stretch.covers(day, halves)]
    if not telling:
        return fact, None
    stretch = telling[-1].stretch
    return replace(fact, reason=telling[-1].fact.reason), stretch.half if stretch.is_part_of(halves) else None


def decided_on(decisions: Iterable[SchoolDecision], day: date) -> frozenset[tuple[Half, ReasonKind]]:
    """Give what the school has decided for each half of a day."""
    return frozenset((half, one.reason) for one in decisions for half in one.stretch.halves_on(day))


def suspension_day(calendar: Calendar, first: date, day: date) -> int:
    """Count which school day of a suspension `day` is, the first being 1; days without school count as the one before."""
    return school_days_between(calendar, first, day) + 1


def suspended_since(calendar: Calendar, suspensions: Iterable[Stretch], day: date) -> date | None:
    """Give the first day of the suspension that covers `day`, None where none does.

    One that follows another with no school day between them is the same suspension, made longer: E stands for five
    days of it and not for five days of each.
    """
    every = list(suspensions)
    covering = [one.starts for one in every if one.halves_on(day)]
    if not covering:
        return None
    first = min(covering)
    while before := [
        one.starts
        for one in every
        if one.starts < first and not school_days_between(calendar, one.ends, first - ONE_DAY)
    ]:
        first = min(before)
    return first


def provision_due(calendar: Calendar, suspensions: Iterable[Stretch], day: date) -> bool:
    """Say whether a suspension that covers `day` has lasted more than five school days, so that E fits no more."""
    first = suspended_since(calendar, suspensions, day)
    return first is not None and suspension_day(calendar, first, day) > SUSPENDED_DAYS


def stays_filled(known: KnownAbsence, every: Iterable[KnownAbsence], calendar: Calendar, day: date) -> bool:
    """Say whether a known absence fills an entry in ahead: a suspension only for the days on which E may stand.

    `every` is all that is known of the pupil, in which a suspension may go on from an earlier one.
    """
    if known.fact.reason is not ReasonKind.SUSPENDED:
        return True
    suspensions = [one.stretch for one in every if one.fact.reason is ReasonKind.SUSPENDED]
    return not provision_due(calendar, suspensions, day)
