"""Plans for placements whose pupils are known not to attend."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from aphub.store.same import same_now
from aphub.store.tables import placements, plans


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Keep one plan."""
    connection.execute(insert(plans), row)


def end(connection: Connection, provider_id: int, placement_id: int, now: datetime, by: str) -> bool:
    """End a placement's plan; False when it had none."""
    ended = connection.execute(
        update(plans)
        .where(
            plans.c.provider_id == provider_id,
            plans.c.placement_id == placement_id,
            plans.c.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=by[:80])
    )
    return bool(ended.rowcount)


def listed(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give every plan with its placement's reference."""
    chosen = (
        select(plans, placements.c.ref.label("placement_ref"))
        .join(placements, same_now(plans, placements, "placement_id"))
        .where(plans.c.provider_id == provider_id)
    )
    return list(connection.execute(chosen.order_by(plans.c.plan_id)))
