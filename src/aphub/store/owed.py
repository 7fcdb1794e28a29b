"""Lessons that are due, threads, and the reports that are owed for them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, or_, select, update

from aphub.store.among import among
from aphub.store.bulk import add_many, change_many, read_many
from aphub.store.engine import allocate
from aphub.store.same import same
from aphub.store.tables import lessons, owed_reports, threads

Rows = list[dict[str, Any]]
_TOLD_STATES = ("owed", "prepared", "met", "held")  # news about these is looked at


def lessons_between(
    connection: Connection, provider_id: int, placement_ids: Sequence[int], from_day: date, until_day: date
) -> list[Row[Any]]:
    """Give the kept lessons of these placements, withdrawn ones too."""
    chosen = select(lessons).where(
        lessons.c.provider_id == provider_id,
        lessons.c.day >= from_day,
        lessons.c.day < until_day,
        among(connection, lessons.c.placement_id, placement_ids),
    )
    return read_many(connection, chosen)


def add_lessons(connection: Connection, rows: Rows) -> None:
    """Insert lessons in one batch, numbering them."""
    for row, number in zip(rows, allocate(connection, "lessons", len(rows)), strict=True):
        row["lesson_id"] = number
    add_many(connection, lessons, rows)


def change_lessons(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Set columns of lessons named by `key`; every change has the same columns."""
    change_many(connection, lessons, provider_id, {"lesson_id": "key"}, changes)


def owed_between(
    connection: Connection, provider_id: int, placement_ids: Sequence[int], from_day: date, until_day: date
) -> list[Row[Any]]:
    """Give what decides about the kept owed reports of these placements whose period lies in a stretch of days."""
    c = owed_reports.c
    told = (c.owed_id, c.recipient_id, c.period, c.state, c.version)
    chosen = select(*told, c.entry_due, c.send_at, c.due_by, c.useful_until).where(
        owed_reports.c.provider_id == provider_id,
        owed_reports.c.first_day >= from_day,
        owed_reports.c.first_day < until_day,
        among(connection, owed_reports.c.placement_id, placement_ids),
        owed_reports.c.summary.is_(None),
    )
    return read_many(connection, chosen)


def owed_bursts(
    connection: Connection, provider_id: int, from_at: datetime, until_at: datetime
) -> list[tuple[datetime, datetime, str]]:
    """Give each instant at which reports are to leave, the promise, and the organisations that are told then."""
    chosen = (
        select(owed_reports.c.send_at, func.min(owed_reports.c.due_by), threads.c.organisation)
        .join(threads, same(owed_reports, threads, "thread_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.state == "owed",
            owed_reports.c.due_by >= from_at,
            owed_reports.c.due_by < until_at,
        )
        .group_by(owed_reports.c.send_at, threads.c.organisation)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(chosen)]


def add_owed(connection: Connection, rows: Rows) -> None:
    """Insert owed reports in one batch, numbering them."""
    for row, number in zip(rows, allocate(connection, "owed_reports", len(rows)), strict=True):
        row["owed_id"] = number
    add_many(connection, owed_reports, rows)


def change_owed(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Set columns of owed reports named by `key`; every change has the same columns."""
    change_many(connection, owed_reports, provider_id, {"owed_id": "key"}, changes)


def thread_ids(
    connection: Connection,
    provider_id: int,
    wanted: Iterable[tuple[str, str, str]],
    references: Iterable[str],
) -> dict[tuple[str, str, str], int]:
    """Give the thread of each (organisation, agreement, period), opening those that are new."""
    keys = list(dict.fromkeys(wanted))
    chosen = select(threads).where(
        threads.c.provider_id == provider_id,
        among(connection, threads.c.organisation, {organisation for organisation, _, _ in keys}),
        among(connection, threads.c.period, {period for _, _, period in keys}),
    )
    found = {
        (row.organisation, row.agreement, row.period): row.thread_id
        for row in connection.execute(chosen).all()
    }
    new = [key for key in keys if key not in found]
    if new:
        numbers = allocate(connection, "threads", len(new))
        rows = [
            {
                "provider_id": provider_id,
                "thread_id": number,
                "ref": ref,
                "organisation": organisation,
                "agreement": agreement,
                "period": period,
                "last_number": 0,
            }
            for number, ref, (organisation, agreement, period) in zip(numbers, references, new, strict=False)
        ]
        add_many(connection, threads, rows)
        found.update(dict(zip(new, numbers, strict=True)))
    return found


def next_look(connection: Connection, provider_id: int) -> datetime | None:
    """Give the earliest instant at which an owed report must be looked at."""
    chosen = select(func.min(owed_reports.c.look_at)).where(
        owed_reports.c.provider_id == provider_id, owed_reports.c.state.in_(_TOLD_STATES)
    )
    return connection.execute(chosen).scalar_one_or_none()


def look_again(connection: Connection, provider_id: int, lesson_ids: Sequence[int], at: datetime) -> None:
    """Ask for a look, at `at` or earlier, at every owed report that tells about these lessons."""
    told = exists().where(
        lessons.c.provider_id == provider_id,
        among(connection, lessons.c.lesson_id, lesson_ids),
        lessons.c.placement_id == owed_reports.c.placement_id,
        lessons.c.day >= owed_reports.c.first_day,
        lessons.c.day < owed_reports.c.until_day,
    )
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.state.in_(_TOLD_STATES),
            # A summary leaves at its time and not before; the next one says what has changed since.
            owed_reports.c.summary.is_(None),
            or_(owed_reports.c.look_at.is_(None), owed_reports.c.look_at > at),
            # Said twice, so that the rows are found by placement and not by looking at all of them.
            owed_reports.c.placement_id.in_(
                select(lessons.c.placement_id).where(
                    lessons.c.provider_id == provider_id, among(connection, lessons.c.lesson_id, lesson_ids)
                )
            ),
            told,
        )
        .values(look_at=at)
    )
