"""What one recipient is told about one placement for one period, and the message that carries it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from aphub.domain.calendar import LONDON
from aphub.domain.entries import SessionEntry
from aphub.domain.outcomes import ATTENDED, Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Nature, Power, Purpose, initials_of

if TYPE_CHECKING:
    from aphub.domain.papers import Paper

SCHEMA = "aphub-1"
SCHEMA_VERSION = "1"

COLUMNS = (
    "schema",
    "schema_version",
    "reference",
    "version",
    "provider_ref",
    "school_urn",
    "upn",
    "school_pupil_ref",
    "date",
    "session",
    "outcome",
    "suggested_code",
    "code_set",
    "minutes_late",
    "reason_text",
    "attended_online",
    "actions",
    "flag_call_dsl",
    "supersedes",
    "made_at",
    "lesson_start",
    "lesson_end",
    "place",
    "nature",
    "supervised_by",
    "arranged_by",
    "power",
)
"""The machine copy's columns. New ones come at the end only; meaning and order never change."""

Row = dict[str, str]
"""One session of one report, keyed by `COLUMNS`."""


class Kind(StrEnum):
    """Why a message is sent; alert, routine, update and correction share one thread.

    A notice is about the way itself. Our own office is told tasks, which is what waits for a person, and figures. None of
    these tells of a pupil.
    """

    ALERT = "alert"
    ROUTINE = "routine"
    UPDATE = "update"
    CORRECTION = "correction"
    CATCH_UP = "catch_up"
    SUMMARY = "summary"
    TEST = "test"
    NOTICE = "notice"
    TASKS = "tasks"
    FIGURES = "figures"


_ABOUT_NO_PUPIL = frozenset({Kind.NOTICE, Kind.TASKS, Kind.FIGURES})

REASON_WORDS = {
    ReasonKind.NOT_APPLICABLE: "",
    ReasonKind.UNKNOWN: "reason not known",
    ReasonKind.ILL: "ill",
    ReasonKind.MEDICAL: "medical or dental appointment",
    ReasonKind.RELIGIOUS: "religious observance",
    ReasonKind.TRANSPORT_FAILED: "usual transport did not come",
    ReasonKind.TRAVEL_DISRUPTED: "widespread travel disruption",
    ReasonKind.PREMISES_PART_CLOSED: "part of the premises closed",
    ReasonKind.SITE_CLOSED: "site closed",
    ReasonKind.DETAINED: "in detention by a court",
    ReasonKind.PUBLIC_HEALTH: "public health guidance",
    ReasonKind.UNAVOIDABLE: "unavoidable cause",
    ReasonKind.NO_TRAVEL_ARRANGED: "no travel was arranged",
    ReasonKind.PARENT_TRAVELLING: "parent travelling for work",
    ReasonKind.REFUSED: "pupil refused to attend",
    ReasonKind.UNAUTHORISED: "no reason given to us",
    ReasonKind.LEAVE_GRANTED: "leave granted by the school",
    ReasonKind.PERFORMANCE: "licensed performance",
    ReasonKind.PART_TIME: "part-time timetable agreed by the school",
    ReasonKind.HOLIDAY: "holiday",
    ReasonKind.SUSPENDED: "suspended by the school",
    ReasonKind.INTERVIEW: "interview",
    ReasonKind.STUDY_LEAVE: "study leave",
}
"""A reason as a school reads it: a category, never the words that a parent used."""

OUTCOME_WORDS = {
    Outcome.PRESENT: "attended",
    Outcome.LATE: "arrived late",
    Outcome.LEFT_EARLY: "attended, left early",
    Outcome.LEFT_SITE: "left our site without leave",
    Outcome.ABSENT: "did not attend",
    Outcome.AT_HOME_SCHOOL: "at your school today",
    Outcome.TAUGHT_AT_HOME: "taught at home in person",
    Outcome.WORKED_AT_HOME: "worked at home, not supervised in person",
    Outcome.ONLINE: "took part online",
    Outcome.COULD_NOT_JOIN: "could not join online (technical fault)",
    Outcome.CANCELLED: "lesson cancelled by us, pupil not in our building",
    Outcome.ARRIVED_UNEXPECTED: "attended, though not expected",
    Outcome.NOT_EXPECTED: "not expected",
    Outcome.NOT_YET_TAKEN: "register not yet taken",
    Outcome.NOT_READ: "not known yet, a mark in our register could not be read",
    Outcome.NOT_CHECKED_AGAIN: "no second check of this half day recorded yet",
}
"""An outcome as people read it."""


class Report(NamedTuple):
    """One placement's sessions in one period, for one recipient, in one version.

    A named tuple, since thousands are made in the minute when reports are due: a frozen dataclass takes six times as long.

    A summary tells `figures` of the period instead, by name; `restated` are those of earlier periods that it corrects.
    """

    ref: str
    version: int
    placement_ref: str
    purpose: Purpose
    sessions: tuple[SessionEntry, ...]
    nature: Nature
    arranged_by: ArrangedBy
    power: Power = Power.NONE
    place: str = ""
    supervised_by: str = ""
    pupil_name: str = ""
    upn: str = ""
    school_pupil_ref: str = ""
    changes: tuple[str, ...] = ()
    next_step: str = ""
    phone_us: bool = False
    figures: tuple[tuple[str, str], ...] = ()
    restated: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    def __repr__(self) -> str:
        """Name the report, and never the pupil."""
        return f"Report(ref={self.ref!r}, version={self.version})"

    @property
    def initials(self) -> str:
        """First letters of the pupil's names, for where a pupil may not be named."""
        return initials_of(self.pupil_name)


def all_attended(sessions: Iterable[SessionEntry]) -> bool:
    """Say whether a pupil was here in person for every session told of."""
    return all(session.fact.outcome in ATTENDED for session in sessions)


def asks_for_action(session: SessionEntry) -> bool:
    """Say whether somebody at the school should act on a session today."""
    outcome, reason = session.fact.outcome, session.fact.reason
    if outcome in _ASKING or bool(session.suggestion.question):
        return True
    return outcome is Outcome.ABSENT and reason in {ReasonKind.UNKNOWN, ReasonKind.UNAUTHORISED}


_ASKING = frozenset({Outcome.LEFT_SITE, Outcome.CANCELLED, Outcome.NOT_YET_TAKEN, Outcome.NOT_READ})


@dataclass(frozen=True)
class Message:
    """Everything that one message to one organisation says, before it becomes documents.

    A summary says it in a paper; the same paper with initials is for where names must not stand.
    """

    kind: Kind
    reference: str
    number: int
    thread_ref: str
    provider_name: str
    provider_phone: str
    provider_hours: str
    provider_ref: str
    reply_to: str
    organisation_name: str
    organisation_urn: str
    period_words: str
    period_key: str
    made_at: datetime
    due_by: datetime
    reports: tuple[Report, ...]
    previous_reference: str = ""
    late: bool = False
    ask_to_confirm: bool = False
    test_code: str = ""
    notes: tuple[str, ...] = ()
    checkpoint: str = ""
    paper: "Paper | None" = None
    paper_with_initials: "Paper | None" = None

    @property
    def is_test(self) -> bool:
        """Whether this is a TEST message about invented pupils."""
        return self.kind is Kind.TEST

    @property
    def about_pupils(self) -> bool:
        """Whether pupils are told of; where not, there is no report in it, and no file."""
        return self.kind not in _ABOUT_NO_PUPIL

    @cached_property
    def told(self) -> tuple[tuple[SessionEntry, ...], ...]:
        """The stretches of sessions it tells of, each once however many pupils share it."""
        return stretches_of(self.reports)

    @cached_property
    def needs_action(self) -> bool:
        """Whether somebody at the school should act on any of it today."""
        return any(report.phone_us for report in self.reports) or any(
            asks_for_action(session) for sessions in self.told for session in sessions
        )

    @property
    def file_stem(self) -> str:
        """A file name without ending, from safe fields only: no pupil, no school name."""
        test = "TEST-" if self.is_test else ""
        summary = "summary-" if self.kind is Kind.SUMMARY else ""
        return f"{test}aphub-{summary}{self.period_key}-{self.reference}"


def stretches_of(reports: Iterable[Report]) -> tuple[tuple[SessionEntry, ...], ...]:
    """Give the sessions that reports tell of, each stretch once however many pupils share it."""
    return tuple({id(report.sessions): report.sessions for report in reports}.values())


def rows_of(message: Message) -> Iterator[Row]:
    """Give the machine copy of a message: one row a session, in the order of its reports.

    A summary has one row a pupil, which says whose figures it holds.
    """
    common = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "reference": message.reference,
        "provider_ref": message.provider_ref,
        "school_urn": message.organisation_urn,
        "flag_call_dsl": "",
        "supersedes": message.previous_reference,
        "made_at": message.made_at.astimezone(LONDON).isoformat(timespec="seconds"),
    }
    summary = message.kind is Kind.SUMMARY
    told: dict[int, tuple[Any, Row]] = {}
    for report in message.reports:
        whose = {"upn": report.upn, "school_pupil_ref": report.school_pupil_ref}
        terms = _terms(report)
        if summary:
            yield {**_BLANK, **common, **_terms_said(report), **whose}
        for session in report.sessions:
            # Most pupils of a day share their lines and their terms; what these say is put together once.
            same, row = told.get(id(session), (None, {}))
            if same != terms:
                row = {**_BLANK, **common, **_terms_said(report), **_said(message, session)}
                told[id(session)] = terms, row
            yield {**row, **whose}


_BLANK = dict.fromkeys(COLUMNS, "")
"""Keeps the columns of every row in their order."""


_terms = attrgetter("version", "place", "nature", "supervised_by", "arranged_by", "power")


def _terms_said(report: Report) -> Row:
    return {
        "version": str(report.version),
        "place": report.place,
        "nature": str(report.nature),
        "supervised_by": report.supervised_by,
        "arranged_by": str(report.arranged_by),
        "power": str(report.power),
    }


def _said(message: Message, session: SessionEntry) -> Row:
    fact = session.fact
    online = {"place": "online"} if session.mode is Mode.ONLINE else {}
    test = "TEST " if message.is_test else ""
    return {
        "date": session.day.isoformat(),
        "session": session.half.value,
        "outcome": f"{test}{fact.outcome.value}",
        "suggested_code": session.suggestion.code,
        "code_set": session.suggestion.code_set,
        "minutes_late": "" if fact.minutes is None else str(fact.minutes),
        # A machine copy may travel alone, so the code of a TEST stands in it too.
        "reason_text": f"TEST code {message.test_code}" if message.test_code else REASON_WORDS[fact.reason],
        "attended_online": "yes" if fact.outcome is Outcome.ONLINE else "no",
        "actions": "; ".join(
            f"{action.at.astimezone(LONDON):%H:%M} {action.kind} {action.result}".strip()
            for action in session.actions
        ),
        "lesson_start": f"{session.starts:%H:%M}",
        "lesson_end": f"{session.ends:%H:%M}",
        **online,
    }


def lateness(handed_over: datetime, due_by: datetime) -> timedelta:
    """Say how long after the promise a report was handed over; negative means early."""
    return handed_over - due_by
