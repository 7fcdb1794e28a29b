"""Up to where the answers of far sides have been read, and what was heard already."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from aphub.store.tables import dispatches, listening, receipts, tasks

DEAF = "cannot_listen"
"""The kind of task that says that answers cannot be read."""


def heard(connection: Connection, provider_id: int) -> dict[str, Row[Any]]:
    """Give what is known of each connection that was listened to."""
    chosen = select(listening).where(listening.c.provider_id == provider_id)
    return {row.connection: row for row in connection.execute(chosen)}


def keep(connection: Connection, provider_id: int, name: str, **values: Any) -> None:
    """Write down where reading goes on, and when."""
    changed = connection.execute(
        update(listening)
        .where(listening.c.provider_id == provider_id, listening.c.connection == name)
        .values(**values)
    )
    if not changed.rowcount:
        row = {"mark": "", "failures": 0, "heard_at": None, **values}
        connection.execute(insert(listening), {"provider_id": provider_id, "connection": name, **row})


def told_of(connection: Connection, provider_id: int, references: Sequence[str]) -> dict[str, Row[Any]]:
    """Give the dispatches of references, locked, since what is heard may change them."""
    chosen = select(dispatches).where(
        dispatches.c.provider_id == provider_id, dispatches.c.reference.in_(references)
    )
    return {row.reference: row for row in connection.execute(chosen.with_for_update())}


def is_known(connection: Connection, provider_id: int, dispatch_id: int, rung: str, identity: str) -> bool:
    """Say whether this piece of news was taken before."""
    chosen = select(receipts.c.receipt_id).where(
        receipts.c.provider_id == provider_id,
        receipts.c.dispatch_id == dispatch_id,
        receipts.c.rung == rung,
        receipts.c.far_reference == identity,
    )
    return connection.execute(chosen).first() is not None


def hears_again(connection: Connection, provider_id: int, name: str, now: datetime, by: str) -> None:
    """End the open tasks that say that a connection's answers cannot be read."""
    connection.execute(
        update(tasks)
        .where(
            tasks.c.provider_id == provider_id,
            tasks.c.kind == DEAF,
            tasks.c.subject.like(f"{name}/%"),
            tasks.c.state == "open",
        )
        .values(state="done", ended_at=now, ended_by=by[:80], result="works again")
    )
