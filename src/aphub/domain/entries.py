"""The hub's versioned statements about lessons, and what a session of them adds up to."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import Lesson


class Half(StrEnum):
    """A half of a school day, or neither: a lesson outside the school's hours earns no session."""

    AM = "AM"
    PM = "PM"
    OUTSIDE = "OUT"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the provider did about an absence, from a fixed list, with its time."""

    at: datetime
    kind: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One lesson's outcome with its reason, before it is anybody's statement."""

    outcome: Outcome
    reason: ReasonKind = ReasonKind.NOT_APPLICABLE
    minutes: int | None = None
    note: str = field(repr=False, default="")
    provider_word: str = field(repr=False, default="")
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The statement for one placement and lesson, in one version.

    `taken_at` is when the register was taken, if the source says so; `made_at` is when the hub wrote it down.
    """

    lesson: Lesson
    version: int
    fact: Fact
    made_at: datetime
    made_by: str
    actions: tuple[Action, ...] = ()
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A code for a school to consider (or none), with the reason in words."""

    code: str
    why: str
    question: str = ""
    code_set: str = "england-2024-08"


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """The fold of a session's entries for one recipient: one line of a report, the same for all it happened to."""

    day: date
    half: Half
    fact: Fact
    suggestion: Suggestion
    starts: time
    ends: time
    mode: Mode
    actions: tuple[Action, ...] = ()
    disagreement: str = ""
