"""Tasks of what comes round: those that were ever raised about a period, and since when a provider is here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from aphub.store.tables import snapshots, tasks


def tasks_about(
    connection: Connection, provider_id: int, kinds: Sequence[str], subjects: Sequence[str]
) -> dict[tuple[str, str], Row[Any]]:
    """Give the newest task of each kind and subject, done ones too."""
    chosen = (
        select(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.kind.in_(kinds), tasks.c.subject.in_(subjects))
        .order_by(tasks.c.task_id)
    )
    return {(row.kind, row.subject): row for row in connection.execute(chosen).all()}


def agreed_since(connection: Connection, provider_id: int) -> datetime | None:
    """Give when the configuration in force was published."""
    chosen = select(func.max(snapshots.c.published_at)).where(snapshots.c.provider_id == provider_id)
    return connection.execute(chosen).scalar_one_or_none()


def end(connection: Connection, provider_id: int, kind: str, subjects: Sequence[str], now: datetime) -> None:
    """Clear open tasks of a kind, since what they chased is done."""
    if subjects:
        connection.execute(
            update(tasks)
            .where(
                tasks.c.provider_id == provider_id,
                tasks.c.kind == kind,
                tasks.c.subject.in_(subjects),
                tasks.c.state == "open",
            )
            .values(state="cleared", ended_at=now, ended_by="the hub", result="it was done")
        )
