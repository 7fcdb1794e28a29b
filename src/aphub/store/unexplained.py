"""Absences that nobody has explained, as long as they stay so."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from aphub.domain.readings import UNEXPLAINED
from aphub.store.same import same, same_now
from aphub.store.tables import entries, lessons, placements, pupils, tasks

_REASONS = tuple(reason.value for reason in UNEXPLAINED)


def absences(connection: Connection, provider_id: int, from_day: date, until_day: date) -> list[Row[Any]]:
    """Give each placement's days with an absence that nobody has explained, oldest first; both days count."""
    chosen = (
        select(
            lessons.c.placement_id,
            lessons.c.pupil_id,
            lessons.c.day,
            placements.c.ref.label("placement_ref"),
            placements.c.registration,
            pupils.c.key_id.label("pupil_key_id"),
            pupils.c.sealed.label("pupil_sealed"),
            func.count().label("lessons"),
        )
        .join(lessons, same(entries, lessons, "lesson_id"))
        .join(placements, same_now(lessons, placements, "placement_id"))
        .join(pupils, same(lessons, pupils, "pupil_id"))
        .where(
            entries.c.provider_id == provider_id,
            entries.c.current,
            entries.c.outcome == "absent",
            entries.c.reason.in_(_REASONS),
            lessons.c.state == "entered",
            lessons.c.day >= from_day,
            lessons.c.day <= until_day,
        )
        .group_by(
            lessons.c.placement_id,
            lessons.c.pupil_id,
            lessons.c.day,
            placements.c.ref,
            placements.c.registration,
            pupils.c.key_id,
            pupils.c.sealed,
        )
        .order_by(lessons.c.day, lessons.c.placement_id)
    )
    return list(connection.execute(chosen).all())


def clear_tasks(
    connection: Connection, provider_id: int, kinds: Iterable[str], still_open: set[str], now: datetime
) -> int:
    """Clear the open tasks of these kinds whose absences have been explained since."""
    open_now = and_(
        tasks.c.provider_id == provider_id, tasks.c.kind.in_(list(kinds)), tasks.c.state == "open"
    )
    gone = [
        row.task_id
        for row in connection.execute(select(tasks.c.task_id, tasks.c.subject).where(open_now)).all()
        if row.subject not in still_open
    ]
    if gone:
        connection.execute(
            update(tasks)
            .where(open_now, tasks.c.task_id.in_(gone))
            .values(state="cleared", ended_at=now, ended_by="the hub", result="the reason came in")
        )
    return len(gone)
