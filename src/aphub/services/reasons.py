"""A reason that somebody gave us for a pupil's day: each lesson missed without one gets it, as a new version."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Outcome, ReasonKind, is_urgent
from aphub.services.desk import Desk
from aphub.services.entering import NewEntry, enter, opened_entry
from aphub.store import entries, pupils

_NO_REASONS = frozenset({ReasonKind.NOT_APPLICABLE, ReasonKind.UNKNOWN, ReasonKind.UNAUTHORISED})


def home_reason(text: str) -> ReasonKind:
    """Read a reason that somebody at home may give; raises NeedsCorrectionError with those that there are."""
    folded = "_".join(text.casefold().replace("-", " ").split())
    given = sorted(set(ReasonKind) - DECIDED_BY_SCHOOL - _NO_REASONS)
    found = next((kind for kind in given if kind.value == folded), None)
    if found is None:
        decided = folded in {kind.value for kind in DECIDED_BY_SCHOOL}
        raise NeedsCorrectionError(
            "Only the school decides this." if decided else f"'{text[:40]}' is no reason that we know.",
            "Nothing was kept.",
            f"Choose one of: {', '.join(kind.value.replace('_', ' ') for kind in given)}.",
        )
    return found


def explain_day(desk: Desk, connection: Connection, case: Row[Any], reason: ReasonKind, because: str) -> int:
    """Give a reason to every lesson of a case's day that was missed without one; give how many there were."""
    provider = desk.provider_id
    placed = pupils.placements_of(connection, provider, [case.pupil_id]).get(case.pupil_id, [])
    numbers = [one.placement_id for one in placed]
    lessons = entries.lessons_on(connection, provider, numbers, case.day, case.day)
    new = [
        _explained(desk, row, reason, because)
        for row in lessons.get((case.pupil_id, case.day), [])
        if row.outcome == Outcome.ABSENT and is_urgent(Outcome.ABSENT, ReasonKind(row.reason))
    ]
    enter(desk, connection, new)
    return len(new)


def _explained(desk: Desk, row: Row[Any], reason: ReasonKind, because: str) -> NewEntry:
    """Give one lesson's entry its reason, and keep what was noted and done about it."""
    before, actions = opened_entry(desk, row)
    return NewEntry(
        lesson_id=row.lesson_id,
        pupil_id=row.pupil_id,
        version=row.version + 1,
        fact=replace(before, reason=reason),
        made_by=because.partition(",")[0][:80],
        because="somebody at home told us the reason",
        by_person=True,
        taken_at=row.taken_at,
        actions=actions,
        told_by="home",
    )
