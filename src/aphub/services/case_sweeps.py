"""Cases that no single entry raises: attendance under a limit, judged each evening, and registers that nobody took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY, london_day, to_utc
from aphub.domain.cases import Event, StepState, plan_steps
from aphub.domain.deadlines import next_school_day
from aphub.domain.ladders import Ladder, Trigger
from aphub.domain.ledger.fields import instant_text
from aphub.domain.steps import Until
from aphub.domain.wording import time_words
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
from aphub.store import following, pupil_days, settling, watching
from aphub.store.engine import lock_ledger, recall, remember

EVENING = time(17)
"""When a day's attendance is judged: its registers are in, and people who act on it are still there."""

_LOOK_BACK = timedelta(hours=12)


def judge_rates(desk: Desk) -> int:
    """Raise a ladder for each pupil whose attendance over its window is under its limit; once a school day."""
    ladders = [one for one in desk.config.provider.every_ladder() if one.when is Trigger.ATTENDANCE_RATE]
    if not ladders:
        return 0
    day = _judged_day(desk)
    name = f"rates:{desk.provider_id}"
    with desk.store.reading() as connection:
        if (recall(connection, name) or "") >= day.isoformat():
            return 0
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        writing = Writing()
        calendar = desk.config.provider.calendar()
        if calendar.is_open(day):
            _raise_low(
                desk,
                connection,
                [low for ladder in ladders for low in _judge(desk, connection, ladder, day)],
                day,
                writing,
            )
            write(desk, connection, writing)
        remember(connection, name, day.isoformat())
    return len(writing.cases)


def next_register(desk: Desk, connection: Connection) -> datetime | None:
    """Give when a register is due next that nobody has taken; None where no ladder asks for it."""
    if not any(one.when is Trigger.REGISTER_NOT_TAKEN for one in desk.config.provider.every_ladder()):
        return None
    return watching.next_register(connection, desk.provider_id, desk.now)


def next_judging(desk: Desk) -> datetime | None:
    """Give when attendance is judged next; None where no ladder asks for it."""
    if not any(one.when is Trigger.ATTENDANCE_RATE for one in desk.config.provider.every_ladder()):
        return None
    return to_utc(_judged_day(desk) + ONE_DAY, EVENING)


def _judged_day(desk: Desk) -> date:
    today = desk.today
    return today if desk.now >= to_utc(today, EVENING) else today - ONE_DAY


@dataclass(frozen=True, slots=True)
class _Low:
    """A pupil under the limit of a ladder, with what was counted in words."""

    ladder: Ladder
    pupil_id: int
    placement_id: int
    words: str


def _judge(desk: Desk, connection: Connection, ladder: Ladder, day: date) -> list[_Low]:
    provider, calendar = desk.provider_id, desk.config.provider.calendar()
    if ladder.window is None or not ladder.window.ends_with(day, next_school_day(calendar, day)):
        return []
    starts = ladder.window.starts(day)
    counted = pupil_days.attendance(connection, provider, starts, day)
    low = {row.pupil_id: row for row in counted if ladder.reached(row.attended, row.offered)}
    before = {
        pupil_id
        for pupil_id, _, on in following.raised_since(connection, provider, low, [ladder.name], starts)
        if on <= day
    }
    since = f"lessons since {starts.day} {starts:%B}"
    return [
        _Low(ladder, pupil_id, row.placement_id, f"{row.attended} of {row.offered} {since}")
        for pupil_id, row in low.items()
        if pupil_id not in before
    ]


def _raise_low(desk: Desk, connection: Connection, low: Sequence[_Low], day: date, writing: Writing) -> None:
    """Raise what is low in one case a pupil, however many limits it is under."""
    provider = desk.provider_id
    cases = following.by_subject(connection, provider, [subject_of(one.pupil_id, day) for one in low])
    steps = following.steps_of(connection, provider, [case.case_id for case in cases.values()])
    by_pupil: dict[int, list[_Low]] = {}
    for one in low:
        by_pupil.setdefault(one.pupil_id, []).append(one)
    for pupil_id, some in by_pupil.items():
        case = cases.get(subject_of(pupil_id, day))
        there = [StepNow.of(one) for one in steps.get(case.case_id, [])] if case is not None else []
        asked = [(one.ladder, one.words) for one in some]
        _raise(desk, asked, case, (pupil_id, day, some[0].placement_id), there, writing)


def _raise(
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


def follow_registers(desk: Desk) -> int:
    """Raise one case for each time at which registers were due and are not there; clear it when they have come."""
    ladders = [one for one in desk.config.provider.every_ladder() if one.when is Trigger.REGISTER_NOT_TAKEN]
    if not ladders:
        return 0
    now, provider = desk.now, desk.provider_id
    with desk.store.reading() as connection:
        due = watching.registers_due(connection, provider, now, now - _LOOK_BACK, now)
        out = {row.entry_due: row.pupils for row in due}
        still = following.open_registers(connection, provider)
        known = following.by_subject(connection, provider, [_register(at) for at in out])
    fresh = sorted(at for at in out if _register(at) not in known)
    come = [row for row in still if row.subject not in {_register(at) for at in out}]
    if not fresh and not come:
        return 0
    with desk.store.transaction() as connection:
        lock_ledger(connection, provider)
        known = following.by_subject(connection, provider, [_register(at) for at in fresh])
        writing = Writing()
        for at in fresh:
            if _register(at) not in known:
                words = f"due at {time_words(at)}, {out[at]} {'pupil' if out[at] == 1 else 'pupils'}"
                about = (None, london_day(at), None)
                _raise(desk, [(one, words) for one in ladders], None, about, [], writing, _register(at))
                settling.clear_tasks(connection, provider, instant_text(at), now, "the hub", "a case now")
        steps = following.steps_of(connection, provider, [row.case_id for row in come])
        for row in come:
            _clear(desk, row, [StepNow.of(step) for step in steps.get(row.case_id, [])], writing)
        write(desk, connection, writing)
    return len(writing.cases)


def _clear(desk: Desk, row: Row[Any], steps: list[StepNow], writing: Writing) -> None:
    for step in steps:
        if step.state not in OVER and step.until is not Until.DONE:
            step.state, step.because, step.changed = StepState.CLEARED, "the register came in", True
    pass_time(desk, row, steps, writing)


def _register(at: datetime) -> str:
    return f"register {instant_text(at)}"
