"""The whole life of messages: which there are, what they carried, each attempt, each receipt."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from aphub.store.same import same, same_now
from aphub.store.tables import (
    attempts,
    dispatch_reports,
    dispatches,
    owed_reports,
    placements,
    receipts,
    recipients,
)

_PART = 500

Rows = list[Row[Any]]


def owed_of_dispatches(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> list[int]:
    """Give the owed reports that these messages told about."""
    found: set[int] = set()
    for part in _parts(dispatch_ids):
        chosen = select(dispatch_reports.c.owed_id).where(
            dispatch_reports.c.provider_id == provider_id, dispatch_reports.c.dispatch_id.in_(part)
        )
        found.update(connection.execute(chosen).scalars())
    return sorted(found)


def written_before(
    connection: Connection, provider_id: int, owed_ids: Sequence[int], registers: Collection[tuple[str, str]]
) -> frozenset[int]:
    """Give those owed reports of which a version stands, or may stand, in one of these ways' registers."""
    found: set[int] = set()
    for part in _parts(owed_ids):
        chosen = (
            select(dispatch_reports.c.owed_id, dispatches.c.organisation, dispatches.c.channel)
            .join(dispatches, same(dispatch_reports, dispatches, "dispatch_id"))
            .where(
                dispatch_reports.c.provider_id == provider_id,
                dispatch_reports.c.owed_id.in_(part),
                dispatches.c.state.in_(("handed_over", "accepted", "confirmed", "uncertain")),
                or_(
                    dispatch_reports.c.answer.is_(None),
                    dispatch_reports.c.answer.in_(("taken", "already_there", "pending")),
                ),
            )
        )
        rows = connection.execute(chosen).all()
        found.update(row.owed_id for row in rows if (row.organisation, row.channel) in registers)
    return frozenset(found)


def owed_on(connection: Connection, provider_id: int, day: date) -> list[int]:
    """Give the owed reports that tell about a day."""
    chosen = select(owed_reports.c.owed_id).where(
        owed_reports.c.provider_id == provider_id,
        owed_reports.c.first_day <= day,
        owed_reports.c.until_day > day,
    )
    return list(connection.execute(chosen.order_by(owed_reports.c.owed_id)).scalars())


def owed_of_placement(connection: Connection, provider_id: int, ref: str) -> list[int]:
    """Give all that was ever owed for a placement."""
    chosen = (
        select(owed_reports.c.owed_id)
        .join(placements, same_now(owed_reports, placements, "placement_id"))
        .where(owed_reports.c.provider_id == provider_id, placements.c.ref == ref)
    )
    return list(connection.execute(chosen.order_by(owed_reports.c.owed_id)).scalars())


def owed_rows(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> Rows:
    """Give owed reports with their recipient's organisation and their placement's reference."""
    found: Rows = []
    for part in _parts(owed_ids):
        chosen = (
            select(
                owed_reports,
                recipients.c.organisation,
                recipients.c.agreement,
                placements.c.ref.label("placement_ref"),
            )
            .join(recipients, same(owed_reports, recipients, "recipient_id"))
            .join(placements, same_now(owed_reports, placements, "placement_id"))
            .where(owed_reports.c.provider_id == provider_id, owed_reports.c.owed_id.in_(part))
            .order_by(owed_reports.c.owed_id)
        )
        found += connection.execute(chosen).all()
    return found


def dispatches_of_owed(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> Rows:
    """Give the messages that told about these owed reports, in the order in which they were made."""
    found: dict[int, Row[Any]] = {}
    for part in _parts(owed_ids):
        chosen = (
            select(dispatches)
            .join(dispatch_reports, same(dispatches, dispatch_reports, "dispatch_id"))
            .where(dispatch_reports.c.provider_id == provider_id, dispatch_reports.c.owed_id.in_(part))
            .distinct()
        )
        found.update({row.dispatch_id: row for row in connection.execute(chosen)})
    return [found[number] for number in sorted(found)]


def reference_of(connection: Connection, provider_id: int, dispatch_id: int) -> str:
    """Give a message's reference by its number."""
    chosen = select(dispatches.c.reference).where(
        dispatches.c.provider_id == provider_id, dispatches.c.dispatch_id == dispatch_id
    )
    return connection.execute(chosen).scalar_one_or_none() or ""


def replacements_of(connection: Connection, provider_id: int, dispatch_id: int) -> Rows:
    """Give the messages that carried the same reports on by another channel."""
    chosen = select(dispatches).where(
        dispatches.c.provider_id == provider_id, dispatches.c.replaces_id == dispatch_id
    )
    return list(connection.execute(chosen.order_by(dispatches.c.dispatch_id)).all())


def attempts_of(connection: Connection, provider_id: int, dispatch_id: int) -> Rows:
    """Give every attempt at a message, oldest first."""
    chosen = select(attempts).where(
        attempts.c.provider_id == provider_id, attempts.c.dispatch_id == dispatch_id
    )
    return list(connection.execute(chosen.order_by(attempts.c.number)).all())


def receipts_of(connection: Connection, provider_id: int, dispatch_id: int) -> Rows:
    """Give every receipt of a message, oldest first."""
    chosen = select(receipts).where(
        receipts.c.provider_id == provider_id, receipts.c.dispatch_id == dispatch_id
    )
    return list(connection.execute(chosen.order_by(receipts.c.receipt_id)).all())


def _parts(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[start : start + _PART] for start in range(0, len(numbers), _PART)]
