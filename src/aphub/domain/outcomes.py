"""The facts that a provider can state about a lesson, and the reasons for an absence."""

from enum import StrEnum


class Outcome(StrEnum):
    """What happened at one lesson: a fact stated by the provider, never a register code.

    The last three say that a fact is not there: nobody wrote one, a mark could not be read, or a mark for the whole day
    states only the half in which it was made.
    """

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    LEFT_SITE = "left_site"
    ABSENT = "absent"
    AT_HOME_SCHOOL = "at_home_school"
    TAUGHT_AT_HOME = "taught_at_home"
    WORKED_AT_HOME = "worked_at_home"
    ONLINE = "online"
    COULD_NOT_JOIN = "could_not_join"
    CANCELLED = "cancelled"
    ARRIVED_UNEXPECTED = "arrived_unexpected"
    NOT_EXPECTED = "not_expected"
    NOT_YET_TAKEN = "not_yet_taken"
    NOT_READ = "not_read"
    NOT_CHECKED_AGAIN = "not_checked_again"


class ReasonKind(StrEnum):
    """Why a pupil was absent, as a category; the words themselves stay sealed."""

    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ILL = "ill"
    MEDICAL = "medical"
    RELIGIOUS = "religious"
    TRANSPORT_FAILED = "transport_failed"
    TRAVEL_DISRUPTED = "travel_disrupted"
    PREMISES_PART_CLOSED = "premises_part_closed"
    SITE_CLOSED = "site_closed"
    DETAINED = "detained"
    PUBLIC_HEALTH = "public_health"
    UNAVOIDABLE = "unavoidable"
    NO_TRAVEL_ARRANGED = "no_travel_arranged"
    PARENT_TRAVELLING = "parent_travelling"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    LEAVE_GRANTED = "leave_granted"
    PERFORMANCE = "performance"
    PART_TIME = "part_time"
    HOLIDAY = "holiday"
    SUSPENDED = "suspended"
    INTERVIEW = "interview"
    STUDY_LEAVE = "study_leave"


class Mode(StrEnum):
    """How a lesson is given."""

    IN_PERSON = "in_person"
    AT_HOME = "at_home"
    ONLINE = "online"


ATTENDED = frozenset({Outcome.PRESENT, Outcome.LATE, Outcome.LEFT_EARLY, Outcome.ARRIVED_UNEXPECTED})
"""Outcomes of a pupil who was in the building for at least a part of the lesson."""

NOT_STATED = frozenset({Outcome.NOT_YET_TAKEN, Outcome.NOT_READ, Outcome.NOT_CHECKED_AGAIN})
"""Outcomes that say that there is no fact yet; the last two only the hub says."""

COULD_NOT_COME = frozenset(
    {
        ReasonKind.NO_TRAVEL_ARRANGED,
        ReasonKind.TRANSPORT_FAILED,
        ReasonKind.TRAVEL_DISRUPTED,
        ReasonKind.PREMISES_PART_CLOSED,
        ReasonKind.SITE_CLOSED,
        ReasonKind.DETAINED,
        ReasonKind.PUBLIC_HEALTH,
        ReasonKind.UNAVOIDABLE,
    }
)
"""Reasons of codes Q and Y1 to Y7: the pupil could not come, so the session was not possible and is in no rate."""

DECIDED_BY_SCHOOL = frozenset(
    {
        ReasonKind.LEAVE_GRANTED,
        ReasonKind.PERFORMANCE,
        ReasonKind.PART_TIME,
        ReasonKind.HOLIDAY,
        ReasonKind.SUSPENDED,
        ReasonKind.INTERVIEW,
        ReasonKind.STUDY_LEAVE,
    },
)
"""Reasons that are decisions: only the pupil's school can make them (SI 2024/208 reg 11)."""


def is_urgent(outcome: Outcome, reason: ReasonKind) -> bool:
    """Say whether this news concerns a child's safety and so waits for no cadence."""
    return outcome in _URGENT or (outcome is _ABSENT and reason in _UNEXPLAINED)


# Looked up once: thousands of lines are judged in a minute, and an enumeration is slow to give its members.
_ABSENT = Outcome.ABSENT
_URGENT = frozenset({Outcome.LEFT_SITE, Outcome.CANCELLED, Outcome.NOT_YET_TAKEN, Outcome.NOT_READ})
_UNEXPLAINED = frozenset({ReasonKind.UNKNOWN, ReasonKind.UNAUTHORISED})
