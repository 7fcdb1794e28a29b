"""What we have done about pupils, as schools are told of it: fixed words with their times, at the lesson it is about."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import CALL_WORDS, CallResult
from aphub.domain.entries import Action
from aphub.domain.outcomes import Outcome
from aphub.domain.steps import ACT_WORDS, FOUND_SAFE, Act
from aphub.services.desk import Desk
from aphub.store import calls, following

_STILL_AWAY = frozenset({Outcome.ABSENT, Outcome.LEFT_SITE})

Said = tuple[str, str, tuple[Action, ...]]
"""What an entry says beside its outcome: a note, the provider's own word, and what was done."""


def add_done(
    desk: Desk,
    connection: Connection,
    owed: Iterable[Row[Any]],
    lessons: dict[int, list[Row[Any]]],
    sealed: dict[int, Said],
) -> None:
    """Add what was done about the pupils of owed reports to what their entries say.

    It stands at the lesson that raised it, and at each later one of that day from which the pupil is still away.
    """
    pupil_of = {row.placement_id: row.pupil_id for row in owed}
    days = [row.day for some in lessons.values() for row in some]
    if not days:
        return
    pupil_ids = set(pupil_of.values())
    kept = following.cases_of_pupils(connection, desk.provider_id, pupil_ids, min(days), max(days))
    if not kept:
        return
    done = _done(desk, connection, kept)
    for placement_id, some in lessons.items():
        for row in some:
            acts = done.get((pupil_of[placement_id], row.day), ()) if row.entry_id is not None else ()
            away = bool(acts) and Outcome(row.outcome) in _STILL_AWAY
            mine = tuple(
                action
                for lesson_at, action in acts
                if row.starts_at == lesson_at or (away and row.starts_at > lesson_at)
            )
            if mine:
                note, word, said = sealed.get(row.entry_id, ("", "", ()))
                sealed[row.entry_id] = (note, word, (*said, *(a for a in mine if a not in said)))


def _done(
    desk: Desk, connection: Connection, kept: list[Row[Any]]
) -> dict[tuple[int, date], list[tuple[datetime, Action]]]:
    found: dict[tuple[int, date], list[tuple[datetime, Action]]] = defaultdict(list)
    steps = following.steps_of(connection, desk.provider_id, [case.case_id for case in kept])
    made: dict[str, list[Row[Any]]] = defaultdict(list)
    refs = [step.ref for some in steps.values() for step in some]
    for call in calls.about(connection, desk.provider_id, refs):
        made[call.subject].append(call)
    for case in kept:
        key = (case.pupil_id, case.day)
        for step in steps.get(case.case_id, []):
            words = ACT_WORDS[Act(step.act)].done
            if not words:
                continue
            rung = made.get(step.ref, [])
            found[key] += [
                (step.lesson_at, Action(call.at, words, CALL_WORDS[CallResult(call.result)])) for call in rung
            ]
            if step.state == "done" and not rung and step.ended_at is not None:
                found[key].append((step.lesson_at, Action(step.ended_at, words)))
        if case.found_at is not None:
            left = [step.lesson_at for step in steps.get(case.case_id, []) if step.trigger == "left_site"]
            found[key] += [(at, Action(case.found_at, FOUND_SAFE)) for at in left[:1]]
    return found
