"""Claim dispatches, read what their delivery needs, and write what became of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from aphub.store.among import among
from aphub.store.bulk import add_many, change_many, read_many
from aphub.store.tables import (
    attempts,
    dispatch_reports,
    dispatches,
    owed_reports,
    receipts,
)

Rows = list[dict[str, Any]]

NOW = bindparam("now", type_=dispatches.c.next_at.type)
_EARLIER = dispatches.alias("earlier")
_WITHOUT_CONTENT = [column for column in dispatches.c if column.name != "sealed"]


def claim(
    connection: Connection, provider_id: int, lane: str, now: datetime, limit: int, until: datetime, by: str
) -> list[Row[Any]]:
    """Take the next dispatches of a lane for one burst, most urgent first, and mark them started.

    Gives them as they are then, without their content: thousands may wait, and all are looked at to find the next.
    A dispatch waits for every earlier one of its thread that is under way or yet to be tried again, in whatever lane;
    urgent news waits only for what is under way.
    """
    asked = {"provider": provider_id, "of_lane": lane, "now": now, "most": limit}
    numbers = list(connection.execute(_next_in_lane(), asked).scalars())
    if not numbers:
        return []
    started = (
        update(dispatches)
        .where(dispatches.c.provider_id == provider_id, among(connection, dispatches.c.dispatch_id, numbers))
        .values(
            state="started",
            lease_until=until,
            lease_by=by,
            attempts=dispatches.c.attempts + 1,
            next_at=None,
        )
        .returning(*_WITHOUT_CONTENT)
    )
    rows = {row.dispatch_id: row for row in read_many(connection, started)}
    return in_thread_order([rows[number] for number in numbers])


@cache
def _next_in_lane() -> Select[Any]:
    """Put the statement together once: it is asked for with every burst."""
    return (
        select(dispatches.c.dispatch_id)
        .where(
            dispatches.c.provider_id == bindparam("provider"),
            dispatches.c.lane == bindparam("of_lane"),
            dispatches.c.state == "waiting",
            dispatches.c.next_at <= NOW,
            ~waits_for_earlier(dispatches),
        )
        .order_by(
            dispatches.c.urgent.desc(), dispatches.c.due_by, dispatches.c.thread_id, dispatches.c.number
        )
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


def waits_for_earlier(later: FromClause) -> ColumnElement[bool]:
    """Say in SQL whether a waiting dispatch must let an earlier one of its thread go first `NOW`; see `claim`."""
    earlier = _EARLIER
    return (
        select(earlier.c.dispatch_id)
        .where(
            earlier.c.provider_id == later.c.provider_id,
            earlier.c.thread_id == later.c.thread_id,
            earlier.c.number < later.c.number,
            or_(
                earlier.c.state == "started",
                and_(
                    earlier.c.state == "waiting",
                    # What is urgent is about other pupils than the earlier one, or that would be cancelled.
                    ~later.c.urgent,
                    or_(
                        earlier.c.lane != later.c.lane,
                        earlier.c.next_at > NOW,
                        # An earlier one that would be chosen later could be left out of this burst.
                        and_(~earlier.c.urgent, earlier.c.due_by > later.c.due_by),
                    ),
                ),
            ),
        )
        .exists()
    )


def in_thread_order(rows: list[Row[Any]]) -> list[Row[Any]]:
    """Put the messages of each thread in their order, at the places that the thread has."""
    by_thread: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_thread.setdefault(row.thread_id, []).append(row)
    queues = {thread: iter(sorted(some, key=lambda row: row.number)) for thread, some in by_thread.items()}
    return [next(queues[row.thread_id]) for row in rows]


def waiting_in(
    connection: Connection, provider_id: int, lane: str, now: datetime, limit: int
) -> list[Row[Any]]:
    """Give the dispatches that wait in a lane and could be tried now."""
    chosen = (
        select(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.lane == lane,
            dispatches.c.state == "waiting",
            dispatches.c.next_at <= now,
        )
        .order_by(dispatches.c.due_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(connection.execute(chosen).all())


def by_reference(connection: Connection, provider_id: int, reference: str) -> Row[Any] | None:
    """Give the dispatch of a reference."""
    chosen = select(dispatches).where(
        dispatches.c.provider_id == provider_id, dispatches.c.reference == reference
    )
    return connection.execute(chosen).one_or_none()


def start_attempts(connection: Connection, rows: Rows) -> None:
    """Insert attempts, before anything leaves the machine."""
    add_many(connection, attempts, rows)


def end_attempts(connection: Connection, provider_id: int, ends: Rows) -> None:
    """Write how attempts ended; each names `key` (dispatch) and `try` (its number)."""
    change_many(connection, attempts, provider_id, {"dispatch_id": "key", "number": "try"}, ends)


def still_ours(connection: Connection, provider_id: int, dispatch_ids: Sequence[int], by: str) -> set[int]:
    """Give those dispatches whose lease we still hold."""
    chosen = (
        select(dispatches.c.dispatch_id)
        .where(
            dispatches.c.provider_id == provider_id,
            among(connection, dispatches.c.dispatch_id, dispatch_ids),
            dispatches.c.state == "started",
            dispatches.c.lease_by == by,
        )
        .with_for_update()
    )
    return set(connection.execute(chosen).scalars())


def change_dispatches(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Set columns of dispatches named by `key`; every change has the same columns."""
    change_many(connection, dispatches, provider_id, {"dispatch_id": "key"}, changes)


def count_tries(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> None:
    """Count one more try of each of these dispatches."""
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.provider_id == provider_id, among(connection, dispatches.c.dispatch_id, dispatch_ids)
        )
        .values(attempts=dispatches.c.attempts + 1)
    )


def answer_all(connection: Connection, provider_id: int, dispatch_ids: Sequence[int], answer: str) -> None:
    """Set the far side's answer for every report of dispatches."""
    connection.execute(
        update(dispatch_reports)
        .where(
            dispatch_reports.c.provider_id == provider_id,
            among(connection, dispatch_reports.c.dispatch_id, dispatch_ids),
        )
        .values(answer=answer)
    )


def answer_some(connection: Connection, provider_id: int, answers: Rows) -> None:
    """Set the far side's answer for single reports: `key` (dispatch), `report`, `answer`."""
    where = {"dispatch_id": "key", "report_id": "report"}
    change_many(connection, dispatch_reports, provider_id, where, answers)


def meet_debts(connection: Connection, provider_id: int, dispatch_ids: Sequence[int], now: datetime) -> None:
    """Say of every report that was handed over with these dispatches, and owed, that its debt is met."""
    handed = select(dispatch_reports.c.owed_id).where(
        dispatch_reports.c.provider_id == provider_id,
        among(connection, dispatch_reports.c.dispatch_id, dispatch_ids),
        dispatch_reports.c.answer.in_(("taken", "already_there", "pending")),
    )
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.owed_id.in_(handed),
            owed_reports.c.state == "prepared",
        )
        .values(
            state="met",
            handed_over_at=func.coalesce(
                owed_reports.c.handed_over_at, bindparam("at", now, owed_reports.c.handed_over_at.type)
            ),
        )
    )


def add_receipts(connection: Connection, rows: Rows) -> None:
    """Insert receipts."""
    add_many(connection, receipts, rows)


def started_before(connection: Connection, provider_id: int, lease_ended: datetime | None) -> list[Row[Any]]:
    """Give started dispatches whose lease ran out by an instant; all of them when none is given."""
    chosen = select(dispatches).where(
        dispatches.c.provider_id == provider_id, dispatches.c.state == "started"
    )
    if lease_ended is not None:
        chosen = chosen.where(dispatches.c.lease_until < lease_ended)
    return list(connection.execute(chosen).all())


def still_started(connection: Connection, provider_id: int, rows: Sequence[Row[Any]]) -> set[int]:
    """Give those of these started dispatches that nobody has answered or tried again since they were read."""
    chosen = (
        select(dispatches.c.dispatch_id, dispatches.c.attempts)
        .where(
            dispatches.c.provider_id == provider_id,
            among(connection, dispatches.c.dispatch_id, [row.dispatch_id for row in rows]),
            dispatches.c.state == "started",
        )
        .with_for_update()
    )
    now = {row.dispatch_id: row.attempts for row in connection.execute(chosen)}
    return {row.dispatch_id for row in rows if now.get(row.dispatch_id) == row.attempts}


def still_followed(connection: Connection, provider_id: int, row: Row[Any]) -> bool:
    """Say whether a handed-over dispatch is still as it was read, and keep others from settling it meanwhile."""
    chosen = (
        select(dispatches.c.dispatch_id)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.dispatch_id == row.dispatch_id,
            dispatches.c.state == row.state,
            dispatches.c.next_at == row.next_at,
        )
        .with_for_update()
    )
    return connection.execute(chosen).first() is not None


def next_lease(connection: Connection, provider_id: int) -> datetime | None:
    """Give the next instant at which the lease of something under way runs out."""
    chosen = select(func.min(dispatches.c.lease_until)).where(
        dispatches.c.provider_id == provider_id, dispatches.c.state == "started"
    )
    return connection.execute(chosen).scalar_one_or_none()


def owe_again(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> None:
    """Take back that these reports were handed over: the far side rejected them later."""
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            among(connection, owed_reports.c.owed_id, owed_ids),
            owed_reports.c.state == "met",
        )
        .values(state="prepared", handed_over_at=None)
    )


def to_follow(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Give handed-over dispatches whose far side must be asked now what became of them."""
    chosen = (
        select(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.state == "handed_over",
            dispatches.c.next_at <= now,
        )
        .order_by(dispatches.c.lane, dispatches.c.next_at)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())
