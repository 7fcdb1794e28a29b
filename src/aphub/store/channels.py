"""Channels: the ways to each organisation, how far each has come towards live, and what waited for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, or_, select, update

from aphub.store.tables import channels, dispatches, holds, owed_reports, recipients, tasks

NOT_APPROVED = "channel_not_approved"
"""The kind of a hold that a channel's approval ends."""


def one(connection: Connection, provider_id: int, organisation: str, name: str) -> Row[Any] | None:
    """Give a channel, which nobody else changes until this transaction ends."""
    chosen = select(channels).where(*_is(provider_id, organisation, name))
    return connection.execute(chosen.with_for_update()).one_or_none()


def every(connection: Connection, provider_id: int, organisation: str = "") -> list[Row[Any]]:
    """Give all channels, or those of one organisation."""
    chosen = select(channels).where(channels.c.provider_id == provider_id)
    if organisation:
        chosen = chosen.where(channels.c.organisation == organisation)
    return list(connection.execute(chosen.order_by(channels.c.organisation, channels.c.name)).all())


def change(connection: Connection, provider_id: int, organisation: str, name: str, **values: Any) -> None:
    """Change a channel."""
    connection.execute(update(channels).where(*_is(provider_id, organisation, name)).values(**values))


def held_for_channel(
    connection: Connection, provider_id: int, organisation: str, name: str
) -> list[Row[Any]]:
    """Give the messages that were stopped because this channel was not live."""
    waits = exists().where(
        holds.c.provider_id == dispatches.c.provider_id,
        holds.c.dispatch_id == dispatches.c.dispatch_id,
        holds.c.kind == NOT_APPROVED,
        holds.c.settled_at.is_(None),
    )
    chosen = (
        select(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.organisation == organisation,
            dispatches.c.channel == name,
            dispatches.c.state == "held",
            waits,
        )
        .order_by(dispatches.c.dispatch_id)
    )
    return list(connection.execute(chosen).all())


def settle_holds(
    connection: Connection, provider_id: int, dispatch_ids: list[int], now: datetime, by: str, how: str
) -> None:
    """Say of the holds of these messages who ended them, and how."""
    connection.execute(
        update(holds)
        .where(
            holds.c.provider_id == provider_id,
            holds.c.dispatch_id.in_(dispatch_ids),
            holds.c.settled_at.is_(None),
        )
        .values(settled_at=now, settled_by=by[:80], settled_how=how[:120])
    )


def release_owed(
    connection: Connection, provider_id: int, organisation: str, now: datetime, since: datetime
) -> int:
    """Owe again what was held for want of a way to this organisation, and clear the tasks about it."""
    to_it = exists().where(
        recipients.c.provider_id == owed_reports.c.provider_id,
        recipients.c.recipient_id == owed_reports.c.recipient_id,
        recipients.c.organisation == organisation,
    )
    waiting = and_(
        owed_reports.c.provider_id == provider_id,
        owed_reports.c.state == "held",
        owed_reports.c.due_by >= since,
        or_(
            owed_reports.c.because.like("no way to send: no channel%"),
            owed_reports.c.because.like("no way to send: no live channel%"),
        ),
        to_it,
    )
    refs = list(connection.execute(select(owed_reports.c.ref).where(waiting)).scalars())
    if refs:
        connection.execute(
            update(tasks)
            .where(
                tasks.c.provider_id == provider_id,
                tasks.c.kind.in_(("phone_school", "send_summary")),
                tasks.c.state == "open",
                tasks.c.subject.in_(refs),
            )
            .values(state="cleared", ended_at=now, result="the way is approved now")
        )
        connection.execute(
            update(owed_reports).where(waiting).values(state="owed", because=None, look_at=now)
        )
    return len(refs)


def _is(provider_id: int, organisation: str, name: str) -> tuple[Any, ...]:
    return (
        channels.c.provider_id == provider_id,
        channels.c.organisation == organisation,
        channels.c.name == name,
    )
