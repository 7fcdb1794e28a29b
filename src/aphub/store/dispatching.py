"""Write frozen reports and dispatches, and what they change about what is owed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, exists, insert, select, update

from aphub.store.among import among
from aphub.store.bulk import add_many, change_many, read_many
from aphub.store.engine import insert_ignoring
from aphub.store.reading import Among, reading
from aphub.store.same import same
from aphub.store.tables import (
    dispatch_reports,
    dispatches,
    holds,
    owed_reports,
    recipients,
    reports,
    tasks,
    threads,
)

Rows = list[dict[str, Any]]


@reading("owed_id")
def _owed_now(among: Among) -> Select[Any]:
    return (
        select(
            owed_reports.c.owed_id, owed_reports.c.version, owed_reports.c.state, recipients.c.organisation
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == bindparam("provider_id"), among(owed_reports.c.owed_id, "owed_ids")
        )
        .with_for_update(of=owed_reports)
    )


def owed_now(
    connection: Connection, provider_id: int, owed_ids: Sequence[int]
) -> dict[int, Row[Any, Any, Any, Any]]:
    """Give state, version and organisation of owed reports as they stand in this transaction."""
    return {
        row.owed_id: row for row in _owed_now(connection, provider_id=provider_id, owed_ids=list(owed_ids))
    }


@reading("thread_id")
def _last_numbers(among: Among) -> Select[Any]:
    return (
        select(threads.c.thread_id, threads.c.last_number)
        .where(threads.c.provider_id == bindparam("provider_id"), among(threads.c.thread_id, "ids"))
        .with_for_update()
    )


def thread_numbers(connection: Connection, provider_id: int, thread_ids: Sequence[int]) -> dict[int, int]:
    """Give the last number used in each of these threads."""
    rows = _last_numbers(connection, provider_id=provider_id, ids=list(thread_ids))
    return {row.thread_id: row.last_number for row in rows}


def set_thread_numbers(connection: Connection, provider_id: int, numbers: dict[int, int]) -> None:
    """Set the last number used in threads."""
    changes = [{"key": key, "last_number": number} for key, number in numbers.items()]
    change_many(connection, threads, provider_id, {"thread_id": "key"}, changes)


def newest_carriers(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Give the newest message that carried each owed report: its reference and state."""
    chosen = (
        select(dispatch_reports.c.owed_id, dispatches.c.reference, dispatches.c.state)
        .join(dispatches, same(dispatch_reports, dispatches, "dispatch_id"))
        .where(
            dispatch_reports.c.provider_id == provider_id,
            among(connection, dispatch_reports.c.owed_id, owed_ids),
            dispatches.c.kind != "test",
        )
        .order_by(dispatches.c.dispatch_id)
    )
    return {row.owed_id: row for row in read_many(connection, chosen)}


def add_reports(connection: Connection, rows: Rows) -> None:
    """Insert reports in one batch."""
    add_many(connection, reports, rows)


def add_dispatches(connection: Connection, rows: Rows, links: Rows) -> None:
    """Insert dispatches with the reports they carry."""
    add_many(connection, dispatches, rows)
    add_many(connection, dispatch_reports, links)


def cancel_superseded(
    connection: Connection, provider_id: int, thread_ids: Sequence[int], because: str
) -> list[Row[Any]]:
    """Cancel waiting dispatches of these threads all of whose reports have a newer version; give them."""
    newest = exists().where(
        dispatch_reports.c.provider_id == dispatches.c.provider_id,
        dispatch_reports.c.dispatch_id == dispatches.c.dispatch_id,
        reports.c.provider_id == dispatches.c.provider_id,
        reports.c.report_id == dispatch_reports.c.report_id,
        owed_reports.c.provider_id == dispatches.c.provider_id,
        owed_reports.c.owed_id == dispatch_reports.c.owed_id,
        owed_reports.c.version == reports.c.version,
    )
    stale = (
        dispatches.c.provider_id == provider_id,
        among(connection, dispatches.c.thread_id, thread_ids),
        dispatches.c.state == "waiting",
        dispatches.c.kind != "test",
        ~newest,
    )
    chosen = select(dispatches.c.dispatch_id, dispatches.c.reference).where(*stale)
    gone: list[Row[Any]] = list(connection.execute(chosen))
    if gone:
        connection.execute(
            update(dispatches)
            .where(
                dispatches.c.provider_id == provider_id,
                among(connection, dispatches.c.dispatch_id, [row.dispatch_id for row in gone]),
                # Another process may have started one since it was read.
                dispatches.c.state == "waiting",
            )
            .values(state="cancelled", because=because, next_at=None)
        )
    return gone


def sealed_of(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> list[Row[Any]]:
    """Give the sealed content of messages with its key, in the order of their numbers."""
    chosen = (
        select(dispatches.c.dispatch_id, dispatches.c.key_id, dispatches.c.sealed)
        .where(
            dispatches.c.provider_id == provider_id,
            among(connection, dispatches.c.dispatch_id, dispatch_ids),
        )
        .order_by(dispatches.c.dispatch_id)
    )
    return read_many(connection, chosen)


def raise_hold(connection: Connection, row: dict[str, Any]) -> None:
    """Insert something that waits for a person."""
    connection.execute(insert(holds), row)


def open_tasks(connection: Connection, rows: Rows, *, lasting: bool = False) -> None:
    """Insert tasks; one of the same kind and subject that is open stays as it is.

    `lasting` is for what is seen anew at each look: where a person has ended such a task, it is not raised again.
    """
    if lasting and rows:
        ended = _ended_by_people(connection, rows)
        rows = [row for row in rows if (row["kind"], row["subject"]) not in ended]
    if rows:
        connection.execute(insert_ignoring(connection, tasks), rows)


def _ended_by_people(connection: Connection, rows: Rows) -> set[tuple[str, str]]:
    chosen = select(tasks.c.kind, tasks.c.subject).where(
        tasks.c.provider_id == rows[0]["provider_id"],
        tasks.c.kind.in_({row["kind"] for row in rows}),
        tasks.c.subject.in_({row["subject"] for row in rows}),
        tasks.c.state == "done",
    )
    return {(row.kind, row.subject) for row in connection.execute(chosen)}


def waiting_in_lanes(connection: Connection, now: datetime) -> list[str]:
    """Name the lanes in which something waits to be tried now."""
    chosen = (
        select(dispatches.c.lane)
        .where(dispatches.c.state == "waiting", dispatches.c.next_at <= now)
        .distinct()
    )
    return list(connection.execute(chosen).scalars())
