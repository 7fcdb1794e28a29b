"""Keep mornings that the provider cancelled, lesson by lesson, with where each pupil is instead."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from aphub.store.pupils import in_batches
from aphub.store.same import same, same_now
from aphub.store.tables import cancellations, cancelled_lessons, entries, lessons, placements, pupils, tasks

Rows = list[dict[str, Any]]


_OF_LESSON = same(lessons, cancelled_lessons, "lesson_id")
_OF_CANCELLATION = same(cancelled_lessons, cancellations, "cancellation_id")


def lessons_between(
    connection: Connection,
    provider_id: int,
    day: date,
    from_wall: str,
    until_wall: str,
    *,
    staff: str = "",
    place: str = "",
    placement_refs: Iterable[str] = (),
) -> list[Row[Any]]:
    """Give the lessons due on a day that start within a stretch of wall times, each with its current entry.

    `staff`, `place` and `placement_refs` narrow them where given.
    """
    refs = list(placement_refs)
    chosen = (
        _lessons()
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.day == day,
            lessons.c.starts_wall >= from_wall,
            lessons.c.starts_wall < until_wall,
            lessons.c.state != "withdrawn",
            *([lessons.c.staff == staff] if staff else []),
            *([lessons.c.place == place] if place else []),
            *([placements.c.ref.in_(refs)] if refs else []),
        )
        .order_by(lessons.c.starts_at, lessons.c.lesson_id)
    )
    return list(connection.execute(chosen).all())


def _lessons() -> Any:
    return (
        select(
            lessons,
            placements.c.ref.label("placement_ref"),
            placements.c.commissioner,
            placements.c.attends_on_school_closure,
            pupils.c.ref.label("pupil_ref"),
            pupils.c.key_id.label("pupil_key_id"),
            pupils.c.sealed.label("pupil_sealed"),
            entries.c.entry_id,
            entries.c.version,
            entries.c.outcome,
            entries.c.reason,
            entries.c.minutes,
            entries.c.taken_at,
            entries.c.key_id.label("entry_key_id"),
            entries.c.sealed.label("entry_sealed"),
        )
        .join(placements, same_now(lessons, placements, "placement_id"))
        .join(pupils, same(lessons, pupils, "pupil_id"))
        .outerjoin(entries, same_now(lessons, entries, "lesson_id"))
    )


def add(connection: Connection, row: dict[str, Any], rows: Rows) -> None:
    """Keep a cancellation with its lessons; a lesson cancelled before moves to the newer one."""
    for part in in_batches(one["lesson_id"] for one in rows):
        connection.execute(
            cancelled_lessons.delete().where(
                cancelled_lessons.c.provider_id == row["provider_id"],
                cancelled_lessons.c.lesson_id.in_(part),
            )
        )
    connection.execute(insert(cancellations), row)
    connection.execute(insert(cancelled_lessons), rows)


def on_days(connection: Connection, provider_id: int, from_day: date) -> list[Row[Any]]:
    """Give the cancellations of a day and later ones."""
    chosen = (
        select(cancellations)
        .where(cancellations.c.provider_id == provider_id, cancellations.c.day >= from_day)
        .order_by(cancellations.c.day, cancellations.c.cancellation_id)
    )
    return list(connection.execute(chosen).all())


def of_ref(connection: Connection, provider_id: int, ref: str) -> list[Row[Any]]:
    """Give the lessons of one cancellation with what was answered, in order of time."""
    chosen = (
        _lessons()
        .add_columns(
            cancellations.c.ref.label("cancellation_ref"),
            cancellations.c.cancellation_id,
            cancelled_lessons.c.answer,
            cancelled_lessons.c.answered_by,
            cancelled_lessons.c.answered_at,
        )
        .join(cancelled_lessons, _OF_LESSON)
        .join(cancellations, _OF_CANCELLATION)
        .where(cancellations.c.provider_id == provider_id, cancellations.c.ref == ref)
        .order_by(lessons.c.starts_at, lessons.c.lesson_id)
    )
    return list(connection.execute(chosen).all())


def refs_of(
    connection: Connection, provider_id: int, placement_ids: Sequence[int], from_day: date
) -> dict[tuple[int, datetime], str]:
    """Give the cancellation of each cancelled lesson of some placements, by placement and start."""
    chosen = (
        select(lessons.c.placement_id, lessons.c.starts_at, cancellations.c.ref)
        .join(cancelled_lessons, _OF_LESSON)
        .join(cancellations, _OF_CANCELLATION)
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id.in_(placement_ids),
            lessons.c.day >= from_day,
        )
    )
    return {(row.placement_id, row.starts_at): row.ref for row in connection.execute(chosen)}


def answer(
    connection: Connection, provider_id: int, lesson_ids: Sequence[int], said: str, by: str, now: datetime
) -> None:
    """Keep where a pupil is instead."""
    connection.execute(
        update(cancelled_lessons)
        .where(cancelled_lessons.c.provider_id == provider_id, cancelled_lessons.c.lesson_id.in_(lesson_ids))
        .values(answer=said, answered_by=by[:80], answered_at=now)
    )


def finish_task(
    connection: Connection, provider_id: int, kind: str, subject: str, by: str, result: str, now: datetime
) -> None:
    """End the one task of a kind and subject, if it is open."""
    connection.execute(
        update(tasks)
        .where(
            tasks.c.provider_id == provider_id,
            tasks.c.kind == kind,
            tasks.c.subject == subject,
            tasks.c.state == "open",
        )
        .values(state="done", ended_at=now, ended_by=by[:80], result=result[:120])
    )
