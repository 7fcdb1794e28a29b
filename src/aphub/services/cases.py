"""One case a pupil and day: raise what a ladder asks for, open steps when their time comes, clear what is over.

One indexed look a round: lessons of which there is news, and cases in which a step opens or is overdue. Everything
that a look decides stands in one transaction, so that a case is raised once however often there is news.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import Stop
from aphub.domain.cases import (
    PlannedStep,
    StepState,
    ends,
    plan_steps,
    safe_steps,
)
from aphub.domain.ladders import Trigger
from aphub.domain.steps import AT_HOME, Act, Until
from aphub.services.case_facts import Facts, Raised, holding
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
from aphub.services.step_words import StepWords
from aphub.store import calls, following, pupil_days
from aphub.store.engine import lock_ledger

RAISES_BACK = timedelta(days=3)
"""News of an older day raises no case any more: nobody telephones home about last month."""
ROWS = 500

_JUDGED_ELSEWHERE = frozenset({Trigger.ATTENDANCE_RATE, Trigger.WEEKLY_HOURS, Trigger.REGISTER_NOT_TAKEN})


@dataclass(frozen=True, slots=True)
class CasesResult:
    """What one look at cases did."""

    looked: int = 0
    raised: int = 0
    opened: int = 0
    cleared: int = 0
    overdue: int = 0


def follow_cases(desk: Desk) -> CasesResult:
    """Look at everything about which somebody may have to do something by now, up to `ROWS` of each kind."""
    now, provider = desk.now, desk.provider_id
    with desk.store.reading() as connection:
        waiting = pupil_days.lessons_to_look_at(connection, provider, now, 1)
        if not waiting and not following.cases_to_look_at(connection, provider, now, 1):
            return CasesResult()
    with desk.store.transaction() as connection:
        lock_ledger(connection, provider)
        lessons = pupil_days.lessons_to_look_at(connection, provider, now, ROWS)
        due = following.cases_to_look_at(connection, provider, now, ROWS)
        days: dict[int, set[date]] = defaultdict(set)
        for row in lessons:
            days[row.pupil_id].add(row.day)
        for row in due:
            if row.pupil_id is not None:
                days[row.pupil_id].add(row.day)
        writing = Writing()
        if days:
            facts = Facts.read(desk, connection, days)
            look_at_pupils(desk, connection, facts, days, writing)
        for row in due:
            if row.pupil_id is None:
                steps = following.steps_of(connection, provider, [row.case_id]).get(row.case_id, [])
                pass_time(desk, row, [StepNow.of(step) for step in steps], writing)
        write(desk, connection, writing)
        pupil_days.looked_at(connection, provider, [row.lesson_id for row in lessons], now)
    return CasesResult(
        looked=len(lessons) + len(due),
        raised=len(writing.cases),
        opened=sum(one["state"] == StepState.OPEN for one in [*writing.steps, *writing.step_changes]),
        cleared=sum(one["state"] == StepState.CLEARED for one in writing.step_changes),
        overdue=sum(one.type == "step.overdue" for one in writing.said),
    )


def look_at_pupils(
    desk: Desk, connection: Connection, facts: Facts, days: dict[int, set[date]], writing: Writing
) -> None:
    """Raise, open and clear what each of these pupils' days asks for."""
    oldest = desk.today - RAISES_BACK
    every = [row.step_id for some in facts.steps.values() for row in some if Act(row.act) in AT_HOME]
    reached = calls.answered_steps(connection, desk.provider_id, every)
    if desk.config.provider.calls.rule().stop is Stop.EXPLAINED:
        # An answer of somebody who knew nothing has reached nobody.
        done = {row.step_id for some in facts.steps.values() for row in some if row.state == StepState.DONE}
        reached &= done
    confirmed = _confirmed(desk, connection, facts)
    words = StepWords.read(desk, connection, list(facts.placements))
    for pupil_id, some in days.items():
        for day in sorted(some):
            case = facts.cases.get((pupil_id, day))
            raised = holding(desk, facts, pupil_id, day)
            now_steps = [StepNow.of(row) for row in facts.steps.get(case.case_id, [])] if case else []
            answered = any(step.key in reached for step in now_steps)
            _clear(now_steps, raised, reached=answered, confirmed=confirmed.get((pupil_id, day)))
            fresh = _fresh(desk, facts, pupil_id, day, raised, now_steps) if day >= oldest else []
            if case is not None and case.found_at is not None:
                fresh += _safe(case, now_steps)
            if case is not None or fresh:
                lessons = facts.on(pupil_id, day)
                placement = lessons[0].placement_id if lessons else None
                _keep(desk, writing, case, (pupil_id, day, placement), now_steps, fresh, words)


def _clear(
    steps: Sequence[StepNow], raised: Sequence[Raised], *, reached: bool, confirmed: datetime | None
) -> None:
    """End what is not needed any more; `confirmed` is when the newest message was made that the school says it has."""
    hold = {one.ladder.name for one in raised}
    since = {step.ladder: min(one.opens_at for one in steps if one.ladder == step.ladder) for step in steps}
    for step in steps:
        if step.state in OVER:
            continue
        holds = step.ladder in hold or step.trigger in _JUDGED_ELSEWHERE
        # What the school said that it has must be news of this, not what it was told before.
        heard = confirmed is not None and confirmed >= since[step.ladder]
        because = ends(step.until, step.act, holds=holds, reached=reached, confirmed=heard)
        if because:
            step.state, step.because, step.changed = StepState.CLEARED, because, True


Fresh = tuple[PlannedStep, Trigger]


def _fresh(
    desk: Desk, facts: Facts, pupil_id: int, day: date, raised: Sequence[Raised], steps: Sequence[StepNow]
) -> list[Fresh]:
    there = {step.ladder for step in steps}
    lessons = facts.on(pupil_id, day)
    fits = facts.fits(lessons[0].placement_id) if lessons else set()
    calendar = desk.config.provider.calendar()
    return [
        (step, one.ladder.when)
        for one in raised
        if one.ladder.name not in there
        for step in plan_steps(one.ladder, one.event, calendar, fits)
    ]


def _safe(case: Row[Any], steps: Sequence[StepNow]) -> list[Fresh]:
    """Tell by the same routes that the pupil is safe, once for each."""
    there = {step.name for step in steps}
    done = [
        (step.name, step.act, step.owner, step.lesson_at or step.opens_at)
        for step in steps
        if step.state is StepState.DONE and step.trigger == Trigger.LEFT_SITE
    ]
    return [(step, Trigger.FOUND_SAFE) for step in safe_steps(done, case.found_at) if step.name not in there]


def _keep(
    desk: Desk,
    writing: Writing,
    case: Row[Any] | None,
    about: tuple[int | None, date, int | None],
    steps: list[StepNow],
    fresh: Sequence[Fresh],
    words: StepWords,
) -> None:
    """Write a pupil's case with its new steps, and let time pass in it."""
    pupil_id, day, placement_id = about
    case_id = case.case_id if case is not None else -len(writing.cases) - 1
    for step, trigger in fresh:
        row = new_step(desk, case_id, step, trigger, words.of(step, placement_id))
        writing.steps.append(row)
        steps.append(now_of(row))
    if case is not None:
        pass_time(desk, case, steps, writing)
        return
    new = {
        "provider_id": desk.provider_id,
        "case_id": case_id,
        "ref": desk.references(1)[0],
        "subject": subject_of(pupil_id, day),
        "day": day,
        "pupil_id": pupil_id,
        "placement_id": placement_id,
        "state": "raised",
        "raised_at": desk.now,
        "look_at": None,
    }
    begin(desk, new, steps, writing)


def _confirmed(desk: Desk, connection: Connection, facts: Facts) -> dict[tuple[int, date], datetime]:
    """Give when the newest message was made that the school said it has, where a step of a pupil's day waits for that."""
    asked = [
        case
        for case in facts.cases.values()
        for step in facts.steps.get(case.case_id, [])
        if step.until == Until.CONFIRMED and StepState(step.state) not in OVER
    ]
    if not asked:
        return {}
    return pupil_days.confirmed_days(connection, desk.provider_id, [(one.pupil_id, one.day) for one in asked])
