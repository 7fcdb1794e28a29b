"""Rows that become doubtful when a backup takes the place of a lost database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from aphub.store.same import same
from aphub.store.tables import channels, dispatches, owed_reports, pupils, recipients, threads

_BATCH = 10_000


def had_not_left(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give the messages that waited or were under way when the backup was taken."""
    chosen = select(dispatches).where(
        dispatches.c.provider_id == provider_id, dispatches.c.state.in_(("waiting", "started"))
    )
    return list(connection.execute(chosen.order_by(dispatches.c.dispatch_id)).all())


def doubt(connection: Connection, provider_id: int, dispatch_ids: Sequence[int], because: str) -> None:
    """Say of messages that they may have arrived."""
    for start in range(0, len(dispatch_ids), _BATCH):
        connection.execute(
            update(dispatches)
            .where(
                dispatches.c.provider_id == provider_id,
                dispatches.c.dispatch_id.in_(dispatch_ids[start : start + _BATCH]),
            )
            .values(
                state="uncertain",
                rung="uncertain",
                because=because,
                next_at=None,
                lease_by=None,
                lease_until=None,
            )
        )


def was_due(connection: Connection, provider_id: int, now: datetime) -> list[Row[Any]]:
    """Give the reports whose time has come and of which nothing was sent when the backup was taken, or news waited."""
    chosen = (
        select(owed_reports, recipients.c.organisation)
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            or_(
                and_(owed_reports.c.state == "owed", owed_reports.c.send_at <= now),
                and_(owed_reports.c.state.in_(("owed", "prepared", "met")), owed_reports.c.look_at <= now),
            ),
        )
        .order_by(owed_reports.c.due_by, owed_reports.c.owed_id)
    )
    return list(connection.execute(chosen).all())


def make_unknown(connection: Connection, provider_id: int, owed_ids: Sequence[int], because: str) -> None:
    """Hold reports until a person says what became of them."""
    for start in range(0, len(owed_ids), _BATCH):
        connection.execute(
            update(owed_reports)
            .where(
                owed_reports.c.provider_id == provider_id,
                owed_reports.c.owed_id.in_(owed_ids[start : start + _BATCH]),
            )
            .values(state="held", because=because, look_at=None)
        )


def jump(connection: Connection, provider_id: int, to_next: int) -> None:
    """Let the numbers of every thread's messages go on from the next multiple, since lower ones may have been used."""
    connection.execute(
        update(threads)
        .where(threads.c.provider_id == provider_id)
        .values(last_number=(threads.c.last_number // to_next + 1) * to_next)
    )


def pause_ways(connection: Connection, provider_id: int, because: str) -> int:
    """Pause every live way; give how many there were."""
    return connection.execute(
        update(channels)
        .where(channels.c.provider_id == provider_id, channels.c.state == "live")
        .values(state="paused", because=because)
    ).rowcount


def not_erased(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give the pupils who count as not erased."""
    chosen = select(pupils).where(
        pupils.c.provider_id == provider_id, pupils.c.erased_at.is_(None), func.length(pupils.c.sealed) > 0
    )
    return list(connection.execute(chosen).all())
