"""By what way organisations were told in a stretch of time, and how far that is known to have come."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select

from aphub.domain.how_far import BY_TELEPHONE
from aphub.store.bulk import read_many
from aphub.store.same import same
from aphub.store.tables import calls, dispatches, owed_reports, recipients


def sent_between(
    connection: Connection, provider_id: int, after: datetime, before: datetime
) -> list[Row[Any]]:
    """Count the messages handed over in a stretch of time, by organisation, way and how far each got.

    One that a person told by voice, because it did not arrive, went by telephone.
    """
    adapter = case((dispatches.c.because == BY_TELEPHONE, "phone"), else_=dispatches.c.adapter)
    chosen = (
        select(
            dispatches.c.organisation,
            adapter.label("adapter"),
            dispatches.c.channel_rank,
            dispatches.c.rung,
            func.count().label("messages"),
        )
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.kind != "test",
            dispatches.c.handed_over_at >= after,
            dispatches.c.handed_over_at < before,
        )
        .group_by(dispatches.c.organisation, adapter, dispatches.c.channel_rank, dispatches.c.rung)
        .order_by(dispatches.c.organisation, dispatches.c.channel_rank, dispatches.c.rung)
    )
    return read_many(connection, chosen)


def phoned_between(
    connection: Connection, provider_id: int, after: datetime, before: datetime
) -> list[Row[Any]]:
    """Count the answered calls of a stretch of time by which an organisation was told what no message carried."""
    chosen = (
        select(recipients.c.organisation, func.count(calls.c.at.distinct()).label("calls"))
        .join(
            owed_reports,
            and_(owed_reports.c.provider_id == calls.c.provider_id, owed_reports.c.ref == calls.c.subject),
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            calls.c.provider_id == provider_id,
            calls.c.at >= after,
            calls.c.at < before,
            calls.c.result == "answered",
        )
        .group_by(recipients.c.organisation)
        .order_by(recipients.c.organisation)
    )
    return read_many(connection, chosen)
