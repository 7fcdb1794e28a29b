"""What is known of pupils' days: lessons of which there is news, what became of each, and what schools confirmed."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from aphub.store import owed
from aphub.store.pupils import in_batches
from aphub.store.same import same, same_now
from aphub.store.tables import (
    cases,
    dispatch_reports,
    dispatches,
    entries,
    lessons,
    owed_reports,
    placements,
)


def lessons_to_look_at(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Give lessons whose follow-up must be looked at, oldest news first."""
    chosen: Any = (
        select(lessons.c.lesson_id, lessons.c.pupil_id, lessons.c.placement_id, lessons.c.day)
        .where(lessons.c.provider_id == provider_id, lessons.c.look_at <= now)
        .order_by(lessons.c.look_at)
        .limit(limit)
    )
    return list(connection.execute(chosen))


def looked_at(connection: Connection, provider_id: int, lesson_ids: Sequence[int], now: datetime) -> None:
    """Remember that these lessons were looked at."""
    for part in in_batches(lesson_ids):
        connection.execute(
            update(lessons)
            .where(
                lessons.c.provider_id == provider_id, lessons.c.lesson_id.in_(part), lessons.c.look_at <= now
            )
            .values(look_at=None)
        )


def days_of(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], from_day: date, until_day: date
) -> dict[int, list[Any]]:
    """Give what is known of pupils' lessons over some days (both count), by pupil and in order of time."""
    found: dict[int, list[Any]] = {}
    placed = select(placements.c.placement_id).where(
        placements.c.provider_id == provider_id,
        placements.c.current,
        placements.c.pupil_id.in_(bindparam("pupils", expanding=True)),
    )
    chosen = (
        select(
            lessons.c.lesson_id,
            lessons.c.pupil_id,
            lessons.c.placement_id,
            lessons.c.day,
            lessons.c.starts_at,
            entries.c.outcome,
            entries.c.reason,
            entries.c.made_at,
        )
        .outerjoin(entries, same_now(lessons, entries, "lesson_id"))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id.in_(placed),
            lessons.c.day >= from_day,
            lessons.c.day <= until_day,
            lessons.c.state != "withdrawn",
        )
        .order_by(lessons.c.starts_at)
    )
    for part in in_batches(dict.fromkeys(pupil_ids)):
        for row in connection.execute(chosen, {"pupils": part}).all():
            found.setdefault(row.pupil_id, []).append(row)
    return found


def lessons_of_days(
    connection: Connection, provider_id: int, wanted: Sequence[tuple[int, date]]
) -> list[int]:
    """Give the lessons of pupils' days."""
    asked = set(wanted)
    days = [day for _, day in wanted]
    known = days_of(connection, provider_id, {pupil for pupil, _ in asked}, min(days), max(days))
    return [row.lesson_id for pupil, rows in known.items() for row in rows if (pupil, row.day) in asked]


def lessons_due(connection: Connection, provider_id: int, day: date) -> list[Row[Any]]:
    """Give the lessons that are due on a day, by place, time and teaching group."""
    chosen: Any = (
        select(lessons)
        .where(lessons.c.provider_id == provider_id, lessons.c.day == day, lessons.c.state != "withdrawn")
        .order_by(
            lessons.c.place,
            lessons.c.starts_at,
            lessons.c.ends_wall,
            lessons.c.subject,
            lessons.c.staff,
            lessons.c.lesson_id,
        )
    )
    return list(connection.execute(chosen))


def confirmed_days(
    connection: Connection, provider_id: int, wanted: Sequence[tuple[int, date]]
) -> dict[tuple[int, date], datetime]:
    """Give when the newest message was made that a named person said they have, by pupil and day it is about."""
    pupil_ids = {pupil_id for pupil_id, _ in wanted}
    days = [day for _, day in wanted]
    found: dict[tuple[int, date], datetime] = {}
    for part in in_batches(pupil_ids):
        chosen = (
            select(
                owed_reports.c.pupil_id,
                owed_reports.c.first_day,
                owed_reports.c.until_day,
                dispatches.c.prepared_at,
            )
            .join(dispatch_reports, same(owed_reports, dispatch_reports, "owed_id"))
            .join(dispatches, same(dispatch_reports, dispatches, "dispatch_id"))
            .where(
                owed_reports.c.provider_id == provider_id,
                owed_reports.c.pupil_id.in_(part),
                owed_reports.c.first_day <= max(days),
                owed_reports.c.until_day > min(days),
                # Who confirms a summary has not read the day's news for that.
                owed_reports.c.summary.is_(None),
                dispatches.c.state == "confirmed",
            )
        )
        for row in connection.execute(chosen).all():
            for pupil_id, day in wanted:
                if pupil_id == row.pupil_id and row.first_day <= day < row.until_day:
                    found[pupil_id, day] = max(found.get((pupil_id, day), row.prepared_at), row.prepared_at)
    return found


def confirmed_now(connection: Connection, provider_id: int, dispatch_id: int, now: datetime) -> None:
    """Ask for a look at the cases of the pupils and days of a message that a named person said they have."""
    about = (
        select(owed_reports.c.owed_id)
        .join(dispatch_reports, same(owed_reports, dispatch_reports, "owed_id"))
        .where(
            owed_reports.c.provider_id == cases.c.provider_id,
            owed_reports.c.pupil_id == cases.c.pupil_id,
            owed_reports.c.first_day <= cases.c.day,
            owed_reports.c.until_day > cases.c.day,
            dispatch_reports.c.dispatch_id == dispatch_id,
        )
        .exists()
    )
    connection.execute(
        update(cases)
        .where(cases.c.provider_id == provider_id, cases.c.state != "cleared", about)
        .values(look_at=now)
    )


def tell_again(
    connection: Connection, provider_id: int, pupil_id: int | None, day: date, now: datetime
) -> None:
    """Ask for a look at what schools are told of a pupil's day."""
    if pupil_id is not None:
        lesson_ids = lessons_of_days(connection, provider_id, [(pupil_id, day)])
        owed.look_again(connection, provider_id, lesson_ids, now)


def placements_now(
    connection: Connection, provider_id: int, placement_ids: Iterable[int]
) -> dict[int, Row[Any]]:
    """Give what matters of placements for who is followed up, and how."""
    found: dict[int, Row[Any]] = {}
    for part in in_batches(dict.fromkeys(placement_ids)):
        chosen = select(
            placements.c.placement_id,
            placements.c.ref,
            placements.c.arranged_by,
            placements.c.registration,
            placements.c.risk_flag,
        ).where(
            placements.c.provider_id == provider_id, placements.c.current, placements.c.placement_id.in_(part)
        )
        found.update({row.placement_id: row for row in connection.execute(chosen).all()})
    return found
