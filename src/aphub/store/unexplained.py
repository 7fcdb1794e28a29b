"""Absences that nobody has explained, as long as they stay so."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from aphub.domain.readings import UNEXPLAINED
from aphub.store.pupils import in_batches
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


def ask(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep one open task for each kind and subject, in today's words and due today; words that were dealt with stay so.

    The words say how old the absence is, so they differ on each school day and on no other.
    """
    kinds, provider_id = {row["kind"] for row in rows}, rows[0]["provider_id"]
    known: dict[tuple[str, str], tuple[int, str]] = {}
    answered: set[tuple[str, str, str]] = set()
    for part in in_batches(sorted({row["subject"] for row in rows})):
        about = select(tasks.c.task_id, tasks.c.kind, tasks.c.subject, tasks.c.words, tasks.c.state).where(
            tasks.c.provider_id == provider_id, tasks.c.kind.in_(kinds), tasks.c.subject.in_(part)
        )
        for one in connection.execute(about):
            if one.state == "open":
                known[one.kind, one.subject] = one.task_id, one.words
            elif one.state == "done":
                answered.add((one.kind, one.subject, one.words))
    fresh, older = [], []
    for row in rows:
        is_open = known.get((row["kind"], row["subject"]))
        if is_open is not None and is_open[1] != row["words"]:
            older.append({"key": is_open[0], "new_words": row["words"], "new_due": row["due_at"]})
        elif is_open is None and (row["kind"], row["subject"], row["words"]) not in answered:
            fresh.append(row)
    if older:
        chosen = update(tasks).where(tasks.c.provider_id == provider_id, tasks.c.task_id == bindparam("key"))
        connection.execute(chosen.values(words=bindparam("new_words"), due_at=bindparam("new_due")), older)
    if fresh:
        connection.execute(insert(tasks), fresh)


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
