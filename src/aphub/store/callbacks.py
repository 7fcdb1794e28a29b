"""Keep the addresses that far sides may call, and what they said there."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from aphub.store.engine import allocate
from aphub.store.tables import callbacks, dispatches


def keep(connection: Connection, provider_id: int, reference: str, row: dict[str, Any]) -> bool:
    """Keep an address for a write of the dispatch with this reference; False where there is none."""
    chosen = select(dispatches.c.dispatch_id).where(
        dispatches.c.provider_id == provider_id, dispatches.c.reference == reference
    )
    dispatch_id = connection.execute(chosen).scalar_one_or_none()
    if dispatch_id is None:
        return False
    [number] = allocate(connection, "callbacks")
    values = {"provider_id": provider_id, "callback_id": number, "dispatch_id": dispatch_id, **row}
    connection.execute(insert(callbacks), values)
    return True


def by_token(connection: Connection, provider_id: int, token_hash: bytes) -> Row[Any] | None:
    """Give an address with the way its write went, by the hash of its random end."""
    chosen = (
        select(callbacks, dispatches.c.organisation, dispatches.c.channel)
        .join(
            dispatches,
            (dispatches.c.provider_id == callbacks.c.provider_id)
            & (dispatches.c.dispatch_id == callbacks.c.dispatch_id),
        )
        .where(callbacks.c.provider_id == provider_id, callbacks.c.token_hash == token_hash)
    )
    return connection.execute(chosen).one_or_none()


def hear(connection: Connection, provider_id: int, callback_id: int, **values: Any) -> bool:
    """Write down what was said at an address that nobody has used yet; False where somebody has."""
    changed = connection.execute(
        update(callbacks)
        .where(
            callbacks.c.provider_id == provider_id,
            callbacks.c.callback_id == callback_id,
            callbacks.c.heard_at.is_(None),
        )
        .values(**values)
    )
    return bool(changed.rowcount)


def ask_now(connection: Connection, provider_id: int, dispatch_id: int, now: datetime) -> None:
    """Let a dispatch that was handed over be asked after at once, also one that nobody asked after any more."""
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.dispatch_id == dispatch_id,
            dispatches.c.state == "handed_over",
        )
        .values(next_at=now)
    )


def said_of(connection: Connection, provider_id: int, reference: str) -> list[Row[Any]]:
    """Give what was said of the writes of a dispatch, in order."""
    chosen = (
        select(callbacks)
        .join(
            dispatches,
            (dispatches.c.provider_id == callbacks.c.provider_id)
            & (dispatches.c.dispatch_id == callbacks.c.dispatch_id),
        )
        .where(
            callbacks.c.provider_id == provider_id,
            dispatches.c.reference == reference,
            callbacks.c.heard_at.is_not(None),
        )
        .order_by(callbacks.c.heard_at, callbacks.c.callback_id)
    )
    return list(connection.execute(chosen))


def forget(connection: Connection, provider_id: int, before: datetime) -> int:
    """Drop the addresses that ended before then; give how many."""
    chosen = delete(callbacks).where(callbacks.c.provider_id == provider_id, callbacks.c.until_at < before)
    return connection.execute(chosen).rowcount
