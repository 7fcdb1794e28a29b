"""Cases that no single entry raises: attendance under a limit, judged each evening, and registers that nobody took."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY, days_from, london_day, to_utc
from aphub.domain.cases import StepState
from aphub.domain.deadlines import next_school_day
from aphub.domain.ladders import Ladder, Trigger
from aphub.domain.ledger.fields import instant_text
from aphub.domain.steps import Until
from aphub.domain.wording import time_words
from aphub.services.case_hours import clear_hours, hours_passed
from aphub.services.case_keeping import (
    OVER,
    StepNow,
    Writing,
    pass_time,
    write,
)
from aphub.services.case_raising import Low, clear_where, raise_in_case, raise_low
from aphub.services.desk import Desk
from aphub.services.thresholds import crossings_of
from aphub.store import following, settling, watching
from aphub.store.engine import lock_ledger, recall, remember

EVENING = time(17)
"""When a day's attendance is judged: its registers are in, and people who act on it are still there."""

CORRECTED_WITHIN = timedelta(days=35)
"""How long what a window's figures raised is judged again: registers are corrected within a month."""

_EVENING = frozenset({Trigger.ATTENDANCE_RATE, Trigger.WEEKLY_HOURS})
_LOOK_BACK = timedelta(hours=12)


def judge_rates(desk: Desk) -> int:
    """Raise a ladder for each pupil whose attendance or weekly hours passed its limit; once a school day.

    What corrections have taken back since is cleared.
    """
    every = desk.config.provider.every_ladder()
    if not any(one.when in _EVENING for one in every):
        return 0
    ladders = [one for one in every if one.when is Trigger.ATTENDANCE_RATE]
    day = _judged_day(desk)
    name = f"rates:{desk.provider_id}"
    with desk.store.reading() as connection:
        if (recall(connection, name) or "") >= day.isoformat():
            return 0
    raised = 0
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        calendar = desk.config.provider.calendar()
        for each in _not_judged(recall(connection, name), day):
            if not calendar.is_open(each):
                continue
            low = [low for ladder in ladders for low in _judge(desk, connection, ladder, each)]
            if each == day:
                low += hours_passed(desk, connection, day)
            writing = Writing()
            raise_low(desk, connection, low, each, writing)
            write(desk, connection, writing)
            raised += len(writing.cases)
        _clear_corrected(desk, connection, ladders)
        clear_hours(desk, connection, day)
        remember(connection, name, day.isoformat())
    return raised


def _not_judged(newest: str | None, day: date) -> list[date]:
    """Give the days up to one that are to be judged: those also on whose evenings the hub was off."""
    first = day
    if newest:
        first = max(date.fromisoformat(newest) + ONE_DAY, day - CORRECTED_WITHIN)
    return list(days_from(first, day + ONE_DAY))


def next_register(desk: Desk, connection: Connection) -> datetime | None:
    """Give when a register is due next that nobody has taken; None where no ladder asks for it."""
    if not any(one.when is Trigger.REGISTER_NOT_TAKEN for one in desk.config.provider.every_ladder()):
        return None
    return watching.next_register(connection, desk.provider_id, desk.now)


def next_judging(desk: Desk) -> datetime | None:
    """Give when attendance is judged next; None where no ladder asks for it."""
    if not any(one.when in _EVENING for one in desk.config.provider.every_ladder()):
        return None
    return to_utc(_judged_day(desk) + ONE_DAY, EVENING)


def _judged_day(desk: Desk) -> date:
    today = desk.today
    return today if desk.now >= to_utc(today, EVENING) else today - ONE_DAY


def _judge(desk: Desk, connection: Connection, ladder: Ladder, day: date) -> list[Low]:
    provider, calendar = desk.provider_id, desk.config.provider.calendar()
    if ladder.window is None or not ladder.window.ends_with(day, next_school_day(calendar, day)):
        return []
    starts = ladder.window.starts(day)
    low = {one.pupil_id: one for one in crossings_of(desk, connection, ladder, day)}
    raised: dict[date, set[int]] = {}
    for pupil_id, _, on in following.raised_since(connection, provider, low, [ladder.name], starts):
        raised.setdefault(on, set()).add(pupil_id)
    before: set[int] = set()
    for on in (one for one in raised if one <= day):
        # One that a correction has taken back since answers nothing now.
        stands = (
            {one.pupil_id for one in crossings_of(desk, connection, ladder, on)} if on < day else raised[on]
        )
        before |= raised[on] & stands
    since = f"lessons since {starts.day} {starts:%B}"
    return [
        Low(ladder, pupil_id, row.placement_id, f"{row.attended.part} of {row.attended.whole} {since}")
        for pupil_id, row in low.items()
        if pupil_id not in before
    ]


def _clear_corrected(desk: Desk, connection: Connection, ladders: Sequence[Ladder]) -> None:
    """Clear what figures raised that corrections have taken back; attendance that only became better clears nothing."""
    by_name = {ladder.name: ladder for ladder in ladders}
    judged: dict[tuple[str, date], set[int]] = {}

    def because(case: Row[Any], step: StepNow) -> str:
        ladder = by_name.get(step.ladder)
        if ladder is None:
            return ""
        key = (step.ladder, case.day)
        if key not in judged:
            judged[key] = {one.pupil_id for one in crossings_of(desk, connection, ladder, case.day)}
        return "" if case.pupil_id in judged[key] else "corrected: not under the limit"

    clear_where(desk, connection, Trigger.ATTENDANCE_RATE, desk.today - CORRECTED_WITHIN, because)


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
                raise_in_case(
                    desk, [(one, words) for one in ladders], None, about, [], writing, _register(at)
                )
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
