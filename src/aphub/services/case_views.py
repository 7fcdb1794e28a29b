"""Cases as people look at them: one line a case, and one case with every step and call. Reading only."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import CALL_WORDS, VOICEMAIL_RULE, CallMade, CallResult, next_call
from aphub.domain.cases import StepState
from aphub.domain.ladders import Trigger
from aphub.domain.placements import Pupil
from aphub.domain.steps import AT_HOME, BY_PHONE, Act
from aphub.services import accesses
from aphub.services.calling import open_calls
from aphub.services.case_acts import case_of
from aphub.services.contacts import INSTEAD, LEAD, REACHES_HOME, AtHome
from aphub.services.desk import Desk, place_of
from aphub.services.persons import people_of
from aphub.services.step_words import OWN_FILE
from aphub.store import calls as kept
from aphub.store import following
from aphub.store.vault import KeyErasedError

DO_NOT_SHARE = "do not share this pupil: ask the safeguarding lead"
MOST = 500

TRIGGER_WORDS = {
    Trigger.UNEXPLAINED_ABSENCE: "not here, reason not known",
    Trigger.ABSENCE: "not here",
    Trigger.LEFT_SITE: "left our site",
    Trigger.FOUND_SAFE: "found safe",
    Trigger.COULD_NOT_JOIN: "could not join online",
    Trigger.TRANSPORT_TROUBLE: "no transport",
    Trigger.LESSON_CANCELLED: "lesson cancelled by us",
    Trigger.REGISTER_NOT_TAKEN: "register not taken",
    Trigger.REPEATED_LATENESS: "often late",
    Trigger.DAYS_IN_A_ROW: "away for days in a row",
    Trigger.RETURN_AFTER_ABSENCE: "back after a long absence",
    Trigger.ATTENDANCE_RATE: "attendance under the limit",
    Trigger.WEEKLY_HOURS: "weekly hours past the limit",
}
"""What raised a case, as people read it."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case: what it is about, where it stands, and the next thing to do."""

    ref: str
    day: date
    pupil_ref: str
    about: str
    state: str
    next_step: str = ""
    owner: str = ""
    due: datetime | None = None
    overdue: bool = False
    also: str = ""
    to_do: int = 0
    done: int = 0
    taken_by: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of a case, with its calls."""

    ref: str
    words: str
    owner: str
    state: str
    opens: datetime
    due: datetime
    overdue: bool
    record: str = ""
    ended: datetime | None = None
    by: str = ""
    result: str = ""
    letter: str = ""
    said: str = field(repr=False, default="")
    calls: tuple["CallLine", ...] = ()
    next_call: str = ""
    reach: str = field(repr=False, default="")
    script: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call: when, by whom, whom, what came of it."""

    at: datetime
    by: str
    result: str
    whom: str = field(repr=False, default="")
    answered_by: str = field(repr=False, default="")
    said: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case whole; the pupil's name stands in it, since somebody is about to telephone.

    `restriction` is how far contact with the home is restricted, `restricted` the same in words with its note.
    """

    line: CaseLine
    pupil: str = field(repr=False)
    steps: tuple[StepLine, ...] = ()
    restriction: str = ""
    restricted: str = field(repr=False, default="")
    found_at: datetime | None = None
    found_by: str = ""


def cases_on(desk: Desk, day: date | None = None, *, over: bool = False) -> list[CaseLine]:
    """Give the cases that are not over, of every day or of one; with `over`, those of the day that are over too."""
    with desk.store.reading() as connection:
        rows = following.listed(connection, desk.provider_id, day, over=over, limit=MOST)
        steps = following.steps_of(connection, desk.provider_id, [row.case_id for row in rows])
        refs = _pupils(desk, connection, rows)
    return [_line(desk, row, steps.get(row.case_id, []), refs) for row in rows]


def case_view(desk: Desk, ref: str, by: str) -> CaseView:
    """Give one case whole. Who looked is noted.

    Raises:
        CannotFollowError: There is none of that reference.
    """
    with desk.store.reading() as connection:
        row = case_of(desk, connection, ref)
        steps = following.steps_of(connection, desk.provider_id, [row.case_id]).get(row.case_id, [])
        made = kept.about(connection, desk.provider_id, [step.ref for step in steps])
        people = _pupils(desk, connection, [row])
    if row.pupil_id is not None:
        accesses.note(desk, accesses.What.NAMES, row.ref, by, [row.pupil_id], "to follow it up")
    opened = open_calls(desk, made)
    by_step: dict[str, list[tuple[Row[Any], dict[str, Any]]]] = {}
    for call, content in zip(made, opened, strict=True):
        by_step.setdefault(call.subject, []).append((call, content))
    pupil = people.get(row.pupil_id)
    name = "" if pupil is None else DO_NOT_SHARE if pupil.suppressed else pupil.name
    home = AtHome.of(None if pupil is not None and pupil.suppressed else pupil)
    return CaseView(
        _line(desk, row, steps, people),
        name,
        tuple(_step(desk, step, by_step.get(step.ref, []), name, home) for step in steps),
        home.restriction.words if home.restriction else "",
        home.words,
        row.found_at,
        row.found_by or "",
    )


def _line(desk: Desk, row: Row[Any], steps: list[Row[Any]], people: dict[int | None, Pupil]) -> CaseLine:
    still = sorted(
        (step for step in steps if step.state == StepState.OPEN), key=lambda step: (step.due_at, step.step_id)
    )
    later = [step for step in steps if step.state == StepState.LATER]
    first = next(iter([*still, *later]), None)
    late = [step for step in still if step.overdue_told_at is not None]
    who = desk.config.provider.who
    pupil = people.get(row.pupil_id)
    words, owner = _task_now(first, AtHome.of(pupil)) if first is not None else ("", "")
    triggers = dict.fromkeys(Trigger(step.trigger) for step in steps)
    if Trigger.UNEXPLAINED_ABSENCE in triggers:
        triggers.pop(Trigger.ABSENCE, None)  # the same, said with less
    raised = [TRIGGER_WORDS[one] for one in triggers]
    return CaseLine(
        ref=row.ref,
        day=row.day,
        pupil_ref=pupil.provider_ref if pupil is not None else "",
        about=", ".join(raised),
        state=row.state,
        next_step=words,
        owner=who(owner) if owner else "",
        due=first.due_at if first is not None else None,
        overdue=bool(late),
        also=", ".join(dict.fromkeys(who(step.if_not_done) for step in late if step.if_not_done)),
        to_do=len(still) + len(later),
        done=sum(step.state == StepState.DONE for step in steps),
        taken_by=row.acknowledged_by or "",
        because=row.cleared_because or "",
    )


def _task_now(step: Row[Any], home: AtHome) -> tuple[str, str]:
    """Say what a step still to be done asks, and of which role: nobody is told to reach a home that is restricted."""
    still = step.state in {StepState.OPEN, StepState.LATER}
    return (INSTEAD, LEAD) if still and home.forbids(Act(step.act)) else (step.words, step.owner)


def _step(
    desk: Desk, step: Row[Any], calls: list[tuple[Row[Any], dict[str, Any]]], pupil: str, home: AtHome
) -> StepLine:
    act = Act(step.act)
    said = ""
    if step.sealed is not None:
        place = place_of("steps", desk.provider_id, step.step_id)
        with suppress(KeyErasedError):
            said = str(desk.vault.open_json(step.key_id, place, step.sealed).get("said", ""))
    still = step.state in {StepState.OPEN, StepState.LATER}
    made = [CallMade(content["whom"], row.at, CallResult(row.result)) for row, content in calls]
    rule = desk.config.provider.calls.rule()
    free = home.restriction is None
    after = next_call(rule, made, desk.now) if act in AT_HOME and still and free else None
    reach = home.reach(after.whom) if after is not None else ""
    words, owner = _task_now(step, home)
    return StepLine(
        ref=step.ref,
        words=words.replace(OWN_FILE, "").strip() if reach else words,
        owner=desk.config.provider.who(owner),
        state=step.state,
        opens=step.opens_at,
        due=step.due_at,
        overdue=step.overdue_told_at is not None and still,
        record=step.record,
        ended=step.ended_at,
        by=step.ended_by or "",
        result=step.result or "",
        letter=step.letter,
        said=said,
        calls=tuple(
            CallLine(
                row.at,
                row.made_by,
                CALL_WORDS[CallResult(row.result)],
                content["whom"],
                content["answered_by"],
                content["said"],
            )
            for row, content in calls
        ),
        next_call=after.whom if after is not None else "",
        reach=reach,
        script=_script(desk, act, pupil, home) if still else (),
    )


def _script(desk: Desk, act: Act, pupil: str, home: AtHome) -> tuple[str, ...]:
    """Say what to say: who is asked before a pupil is named, and nothing on a machine; or that nobody is to be called."""
    provider = desk.config.provider
    if home.restriction is not None and act in REACHES_HOME | {Act.LETTER_HOME}:
        return (f"STOP. {home.words}", f"Ask {provider.who('safeguarding lead')} what to do instead.")
    if act not in BY_PHONE:
        return ()
    opening = f"Say your name and {provider.name}. Ask who is speaking before you name the pupil."
    if act in AT_HOME:
        return (
            opening,
            f"Ask whether they know where {pupil or 'the pupil'} is, whether the pupil is safe, and why they are not here.",
            VOICEMAIL_RULE.replace("this provider's name", provider.name).replace(
                "the number to call", provider.phone
            ),
        )
    return (
        opening,
        f"Say what you know of {pupil or 'the pupil'}, and have them repeat it. Write down who took it.",
        VOICEMAIL_RULE,
    )


def _pupils(desk: Desk, connection: Connection, rows: list[Row[Any]]) -> dict[int | None, Pupil]:
    return people_of(desk, connection, [row.pupil_id for row in rows if row.pupil_id is not None])
