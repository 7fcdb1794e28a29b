"""Notes on pupils' records, and who was told what they are about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from aphub.store.same import same
from aphub.store.tables import owed_reports, recipients, record_notes


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Insert a note."""
    connection.execute(insert(record_notes), row)


def of_pupils(connection: Connection, provider_id: int, pupil_ids: Sequence[int]) -> list[Row[Any]]:
    """Give the notes on the records of these pupils, oldest first."""
    chosen = select(record_notes).where(
        record_notes.c.provider_id == provider_id, record_notes.c.pupil_id.in_(pupil_ids)
    )
    return list(connection.execute(chosen.order_by(record_notes.c.record_note_id)).all())


def told_about(connection: Connection, provider_id: int, pupil_id: int) -> list[str]:
    """Name the schools and councils that were ever told about a pupil."""
    chosen = (
        select(recipients.c.organisation)
        .join(owed_reports, same(recipients, owed_reports, "recipient_id"))
        .where(
            recipients.c.provider_id == provider_id,
            owed_reports.c.pupil_id == pupil_id,
            owed_reports.c.version > 0,
        )
        .distinct()
        .order_by(recipients.c.organisation)
    )
    return list(connection.execute(chosen).scalars())
