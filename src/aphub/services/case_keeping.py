"""Keep what a look at cases decided: new cases and steps, what opened, what is overdue, what is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.cases import PlannedStep, StepState, next_look
from aphub.domain.ladders import Trigger
from aphub.domain.ledger.fields import instant_text
from aphub.domain.steps import ACT_WORDS, Act, Until
from aphub.services.desk import Desk
from aphub.services.recording import Statement, record
from aphub.store import following, pupil_days
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate

OVER = frozenset({StepState.DONE, StepState.CLEARED})


@dataclass(slots=True)
class Writing:
    """The rows that a look at cases comes to."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    case_changes: list[dict[str, Any]] = field(default_factory=list)
    step_changes: list[dict[str, Any]] = field(default_factory=list)
    said: list[Statement] = field(default_factory=list)
    tell: list[tuple[int, date]] = field(default_factory=list)


@dataclass(slots=True)
class StepNow:
    """A step as it stands, while it is being looked at."""

    key: int
    ref: str
    state: StepState
    opens_at: datetime
    due_at: datetime
    told_at: datetime | None
    ladder: str = ""
    trigger: str = ""
    until: Until = Until.EXPLAINED
    act: Act = Act.OTHER
    name: str = ""
    lesson_at: datetime | None = None
    owner: str = ""
    because: str | None = None
    changed: bool = False

    @classmethod
    def of(cls, row: Row[Any]) -> "StepNow":
        """Read it from its row."""
        return cls(
            row.step_id, row.ref, StepState(row.state), row.opens_at, row.due_at, row.overdue_told_at,
            row.ladder, row.trigger, Until(row.until), Act(row.act), row.name, row.lesson_at, row.owner, row.result,
        )  # fmt: skip


def subject_of(pupil_id: int | None, day: date) -> str:
    """Name what a pupil's case is about, without a name."""
    return f"pupil {pupil_id} {day.isoformat()}"


def new_step(desk: Desk, case_id: int, step: PlannedStep, trigger: Trigger, words: str) -> dict[str, Any]:
    """Make the row of a step; `words` are what its task says."""
    return {
        "provider_id": desk.provider_id,
        "step_id": 0,
        "ref": desk.references(1)[0],
        "case_id": case_id,
        "ladder": step.ladder,
        "name": step.name,
        "trigger": trigger.value,
        "act": step.act.value,
        "owner": step.owner,
        "words": words[:300],
        "record": step.record,
        "until": step.until.value,
        "if_not_done": step.if_not_done,
        "letter": step.letter,
        "lesson_at": step.lesson_at,
        "state": StepState.LATER.value,
        "opens_at": step.opens_at,
        "due_at": step.due_at,
        "overdue_told_at": None,
    }


def now_of(row: dict[str, Any]) -> StepNow:
    """Give a step that is about to be kept as it stands."""
    return StepNow(0, row["ref"], StepState.LATER, row["opens_at"], row["due_at"], None, act=Act(row["act"]))


def pass_time(desk: Desk, case: Row[Any], steps: Sequence[StepNow], writing: Writing) -> None:
    """Open what is due in a case, notice what is overdue, and say when it must be looked at again."""
    _pass(desk, case.ref, steps, writing)
    over = all(step.state in OVER for step in steps)
    because = None
    if over:
        cleared = (step.because for step in steps if step.state is StepState.CLEARED and step.because)
        because = case.cleared_because or next(cleared, "everything is done")
    writing.case_changes.append(
        {
            "key": case.case_id,
            "state": "cleared" if over else "raised" if case.state == "cleared" else case.state,
            "look_at": _next(steps),
            "cleared_at": (case.cleared_at or desk.now) if over else None,
            "cleared_because": because,
        }
    )
    told = [step for step in steps if ACT_WORDS[step.act].done]
    done = any(step.state is StepState.DONE for step in told)
    if case.pupil_id is not None and done and all(step.state in OVER for step in told):
        writing.tell.append((case.pupil_id, case.day))


def begin(desk: Desk, case: dict[str, Any], steps: Sequence[StepNow], writing: Writing) -> None:
    """Keep a new case, whose steps stand in `writing` already, and let time pass in it."""
    writing.cases.append(case)
    writing.said.append(Statement("case.raised", case["ref"], {"case": case["ref"]}))
    _pass(desk, case["ref"], steps, writing)
    case["look_at"] = _next(steps)


def _pass(desk: Desk, ref: str, steps: Sequence[StepNow], writing: Writing) -> None:
    now = desk.now
    fresh = {row["ref"]: row for row in writing.steps}
    for step in steps:
        if step.state is StepState.LATER and step.opens_at <= now:
            step.state, step.changed = StepState.OPEN, True
        if step.state is StepState.OPEN and step.told_at is None and step.due_at < now:
            step.told_at, step.changed = now, True
            fields = {"case": ref, "step": step.ref, "due": instant_text(step.due_at)}
            writing.said.append(Statement("step.overdue", ref, fields))
        if step.ref in fresh:
            fresh[step.ref].update(state=step.state.value, overdue_told_at=step.told_at)
        elif step.changed:
            writing.step_changes.append(
                {
                    "key": step.key,
                    "state": step.state.value,
                    "overdue_told_at": step.told_at,
                    "result": step.because,
                    "cleared_at": now if step.state is StepState.CLEARED else None,
                }
            )


def _next(steps: Sequence[StepNow]) -> datetime | None:
    return next_look((step.state, step.opens_at, step.due_at, step.told_at is not None) for step in steps)


def write(desk: Desk, connection: Connection, writing: Writing) -> None:
    """Keep what a look came to, in the caller's transaction."""
    numbers = allocate(connection, "cases", len(writing.cases)) if writing.cases else range(0)
    new = {row["case_id"]: number for row, number in zip(writing.cases, numbers, strict=True)}
    for row in writing.cases:
        row["case_id"] = new[row["case_id"]]
    if writing.steps:
        for row, number in zip(writing.steps, allocate(connection, "steps", len(writing.steps)), strict=True):
            row["case_id"] = new.get(row["case_id"], row["case_id"])
            row["step_id"] = number
    following.add_cases(connection, writing.cases)
    following.add_steps(connection, writing.steps)
    following.change_cases(connection, desk.provider_id, writing.case_changes)
    following.end_or_open(connection, desk.provider_id, writing.step_changes)
    record(connection, desk, writing.said)
    if writing.tell:
        lessons = pupil_days.lessons_of_days(connection, desk.provider_id, writing.tell)
        owed_rows.look_again(connection, desk.provider_id, lessons, desk.now)
