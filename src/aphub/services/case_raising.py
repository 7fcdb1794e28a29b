"""Raise and clear in a pupil's case what no single entry raises: a rate or weekly hours past a limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.cases import Event, StepState, plan_steps
from aphub.domain.ladders import Ladder, Trigger
from aphub.services.case_keeping import (
    OVER,
    StepNow,
    Writing,
    begin,
    new_step,
    now_of,
    pass_time,
    subject_of,
    write,
)
from aphub.services.desk import Desk
from aphub.store import following


@dataclass(frozen=True, slots=True)
class Low:
    """A pupil past the limit of a ladder, with what was counted in words."""

    ladder: Ladder
    pupil_id: int
    placement_id: int
    words: str


def raise_low(desk: Desk, connection: Connection, low: Sequence[Low], day: date, writing: Writing) -> None:
    """Raise what is low in one case a pupil, however many limits it is under."""
    provider = desk.provider_id
    cases = following.by_subject(connection, provider, [subject_of(one.pupil_id, day) for one in low])
    steps = following.steps_of(connection, provider, [case.case_id for case in cases.values()])
    by_pupil: dict[int, list[Low]] = {}
    for one in low:
        by_pupil.setdefault(one.pupil_id, []).append(one)
    for pupil_id, some in by_pupil.items():
        case = cases.get(subject_of(pupil_id, day))
        there = [StepNow.of(one) for one in steps.get(case.case_id, [])] if case is not None else []
        asked = [(one.ladder, one.words) for one in some]
        raise_in_case(desk, asked, case, (pupil_id, day, some[0].placement_id), there, writing)


def raise_in_case(
    desk: Desk,
    asked: Sequence[tuple[Ladder, str]],
    case: Row[Any] | None,
    about: tuple[int | None, date, int | None],
    there: list[StepNow],
    writing: Writing,
    subject: str = "",
) -> None:
    """Raise ladders, each with words of its own for its steps, in one case."""
    pupil_id, day, placement_id = about
    now = desk.now
    case_id = case.case_id if case is not None else -len(writing.cases) - 1
    for ladder, words in asked:
        for step in plan_steps(ladder, Event(now, now), desk.config.provider.calendar(), set()):
            row = new_step(desk, case_id, step, ladder.when, f"{step.words} ({words})")
            writing.steps.append(row)
            there.append(now_of(row))
    if case is not None:
        pass_time(desk, case, there, writing)
    elif there:
        new = {
            "provider_id": desk.provider_id,
            "case_id": case_id,
            "ref": desk.references(1)[0],
            "subject": subject or subject_of(pupil_id, day),
            "day": day,
            "pupil_id": pupil_id,
            "placement_id": placement_id,
            "state": "raised",
            "raised_at": now,
            "look_at": None,
        }
        begin(desk, new, there, writing)


def clear_where(
    desk: Desk,
    connection: Connection,
    trigger: Trigger,
    since: date,
    because: Callable[[Row[Any], StepNow], str],
) -> None:
    """Clear the steps of a trigger for which `because` says why they are not needed any more."""
    writing = Writing()
    for case, rows in following.open_of_trigger(connection, desk.provider_id, trigger.value, since):
        steps = [StepNow.of(row) for row in rows]
        for step in steps:
            if step.trigger == trigger and step.state not in OVER and (why := because(case, step)):
                step.state, step.because, step.changed = StepState.CLEARED, why, True
        if any(step.changed for step in steps):
            pass_time(desk, case, steps, writing)
    write(desk, connection, writing)
