"""Pupils, their agreed time with a provider, and who is told about it."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple

from aphub.domain.outcomes import Mode


class ArrangedBy(StrEnum):
    """Who arranged the provision: decides between the codes B and K."""

    SCHOOL = "school"
    COUNCIL = "council"


class Power(StrEnum):
    """The power under which a council arranged it (SI 2024/208 reg 10, code K)."""

    NONE = ""
    S19 = "s.19"
    S42 = "s.42(2)"
    S61 = "s.61(1)"


class Registration(StrEnum):
    """On whose roll the pupil is."""

    HOME = "home"
    DUAL = "dual"
    OWN = "own"
    NO_ROLL = "no_roll"


class Standing(StrEnum):
    """How firm a placement is: a pupil may be here before anybody has signed for it."""

    AGREED = "agreed"
    TRIAL = "trial"
    PENDING = "pending"


class Nature(StrEnum):
    """What kind of provision it is; schools must record it beside B and K."""

    AP = "alternative provision"
    TUITION_AT_CENTRE = "1:1 tuition at centre"
    TUITION_AT_HOME = "1:1 tuition at home"
    MENTORING = "mentoring"
    VOCATIONAL = "vocational course"
    THERAPY = "therapy"
    WORK_EXPERIENCE = "work experience"
    SPORT = "sport"
    ONLINE = "online"


class Purpose(StrEnum):
    """Why an organisation is told: decides which code is suggested to it."""

    HOME_SCHOOL = "home_school"
    COUNCIL = "council"
    OTHER_SCHOOL = "other_school"


class Pupil(NamedTuple):
    """One child, as the provider knows them; a named tuple, since thousands are opened in the minute when reports are due."""

    ref: str
    provider_ref: str
    given_name: str
    family_name: str
    upn: str = ""
    school_pupil_ref: str = ""
    suppressed: bool = False
    contact_restriction: str = ""
    contact_note: str = ""
    first_contact: str = ""
    second_contact: str = ""
    emergency_contacts: str = ""

    def __repr__(self) -> str:
        """Name the record, and never the child."""
        return f"Pupil(ref={self.ref!r})"

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        """First letters of the names, for messages that may not name a pupil."""
        return initials_of(self.name)


def initials_of(name: str) -> str:
    """Give the first letters of a name."""
    return "".join([part[0] for part in name.split()]).upper()


@dataclass(frozen=True, slots=True)
class TimetableSlot:
    """One weekly lesson: weekday 0 is Monday; times are London wall times."""

    weekday: int
    starts: time
    ends: time
    mode: Mode = Mode.IN_PERSON
    place: str = ""
    nature: Nature = Nature.AP
    subject: str = ""
    staff: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """A pupil's agreed time with the provider, in one version."""

    ref: str
    pupil_ref: str
    version: int
    starts: date
    ends: date | None
    arranged_by: ArrangedBy
    registration: Registration
    commissioner: str
    timetable: tuple[TimetableSlot, ...]
    nature: Nature = Nature.AP
    power: Power = Power.NONE
    attends_on_school_closure: bool = False
    risk_flag: bool = False
    standing: Standing = Standing.AGREED


@dataclass(frozen=True, slots=True)
class Recipient:
    """One line under a placement: an organisation that is told, why, and by which agreement."""

    placement_ref: str
    organisation: str
    purpose: Purpose
    agreement: str
    starts: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """One timetabled lesson on one day, with its London words and its UTC instants."""

    placement_ref: str
    day: date
    starts: time
    ends: time
    starts_at: datetime
    ends_at: datetime
    mode: Mode
    nature: Nature = Nature.AP
    place: str = ""
    subject: str = ""
    staff: str = ""
