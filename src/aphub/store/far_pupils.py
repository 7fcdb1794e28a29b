"""Keep what far sides call our pupils; found by blind index, gone with the pupil."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from aphub.store.engine import insert_ignoring
from aphub.store.pupils import in_batches
from aphub.store.tables import far_pupils


def known(
    connection: Connection, provider_id: int, indexes: Sequence[bytes], since: datetime
) -> list[Row[Any]]:
    """Give the rows with these indexes that were found since then."""
    rows: list[Row[Any]] = []
    for part in in_batches(indexes):
        chosen = select(far_pupils).where(
            far_pupils.c.provider_id == provider_id,
            far_pupils.c.place_index.in_(part),
            far_pupils.c.found_at >= since,
        )
        rows += connection.execute(chosen).all()
    return rows


def keep(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Keep these; where another process was quicker, its word stands."""
    if rows:
        connection.execute(insert_ignoring(connection, far_pupils), rows)


def drop(connection: Connection, provider_id: int, indexes: Sequence[bytes]) -> None:
    """Forget these."""
    for part in in_batches(indexes):
        connection.execute(
            delete(far_pupils).where(
                far_pupils.c.provider_id == provider_id, far_pupils.c.place_index.in_(part)
            )
        )
