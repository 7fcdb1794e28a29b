"""Keep pupils, their placements and who is told, and find them by blind index."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from aphub.store.tables import placements, pupils, recipients

_BATCH = 1000
_INDEXES = {"reference": pupils.c.ref_index, "upn": pupils.c.upn_index, "name": pupils.c.name_index}

Rows = list[dict[str, Any]]


def in_batches(values: Iterable[Any]) -> Iterable[list[Any]]:
    """Split values into lists short enough for one query."""
    listed = list(values)
    return (listed[start : start + _BATCH] for start in range(0, len(listed), _BATCH))


def by_index(
    connection: Connection, provider_id: int, kind: str, indexes: Iterable[bytes]
) -> dict[bytes, list[int]]:
    """Give the numbers of the pupils with these blind indexes of a kind (reference, upn, name)."""
    column = _INDEXES[kind]
    found: dict[bytes, list[int]] = {}
    for part in in_batches(dict.fromkeys(indexes)):
        chosen = select(column, pupils.c.pupil_id).where(
            pupils.c.provider_id == provider_id, column.in_(part)
        )
        for index, pupil_id in connection.execute(chosen).all():
            found.setdefault(index, []).append(pupil_id)
    return found


def by_numbers(connection: Connection, provider_id: int, pupil_ids: Iterable[int]) -> dict[int, Row[Any]]:
    """Give pupils' rows by number."""
    found: dict[int, Row[Any]] = {}
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = select(pupils).where(pupils.c.provider_id == provider_id, pupils.c.pupil_id.in_(part))
        found.update({row.pupil_id: row for row in connection.execute(chosen).all()})
    return found


def every_pupil(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give every pupil of a provider."""
    return list(connection.execute(select(pupils).where(pupils.c.provider_id == provider_id)).all())


def by_ref(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give a pupil by public reference."""
    chosen = select(pupils).where(pupils.c.provider_id == provider_id, pupils.c.ref == ref)
    return connection.execute(chosen).one_or_none()


def placements_of(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int]
) -> dict[int, list[Row[Any]]]:
    """Give the current placements of pupils, by pupil."""
    found: dict[int, list[Row[Any]]] = {}
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = (
            select(placements)
            .where(
                placements.c.provider_id == provider_id, placements.c.current, placements.c.pupil_id.in_(part)
            )
            .order_by(placements.c.placement_id)
        )
        for row in connection.execute(chosen).all():
            found.setdefault(row.pupil_id, []).append(row)
    return found


def recipients_of(
    connection: Connection, provider_id: int, placement_ids: Iterable[int]
) -> dict[int, list[Row[Any]]]:
    """Give the recipients of placements, by placement."""
    found: dict[int, list[Row[Any]]] = {}
    for part in in_batches(dict.fromkeys(placement_ids)):
        chosen = (
            select(recipients)
            .where(recipients.c.provider_id == provider_id, recipients.c.placement_id.in_(part))
            .order_by(recipients.c.recipient_id)
        )
        for row in connection.execute(chosen).all():
            found.setdefault(row.placement_id, []).append(row)
    return found


def add_pupils(connection: Connection, rows: Rows) -> None:
    """Add pupils."""
    if rows:
        connection.execute(insert(pupils), rows)


def change_pupils(connection: Connection, provider_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write what changed of pupils; each row names its pupil as `key`."""
    if rows:
        names = [name for name in rows[0] if name != "key"]
        statement = (
            update(pupils)
            .where(pupils.c.provider_id == provider_id, pupils.c.pupil_id == bindparam("key"))
            .values({name: bindparam(name) for name in names})
        )
        connection.execute(statement, list(rows))


def add_placements(connection: Connection, provider_id: int, rows: Rows) -> None:
    """Add versions of placements; each becomes the current one of its placement."""
    if not rows:
        return
    for part in in_batches(row["placement_id"] for row in rows):
        connection.execute(
            update(placements)
            .where(
                placements.c.provider_id == provider_id,
                placements.c.placement_id.in_(part),
                placements.c.current,
            )
            .values(current=False)
        )
    connection.execute(insert(placements), rows)


def add_recipients(connection: Connection, rows: Rows) -> None:
    """Add recipients."""
    if rows:
        connection.execute(insert(recipients), rows)


def change_recipients(
    connection: Connection, provider_id: int, rows: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Write agreement and last day of recipients; each row names its recipient as `key`."""
    if rows:
        statement = (
            update(recipients)
            .where(recipients.c.provider_id == provider_id, recipients.c.recipient_id == bindparam("key"))
            .values(agreement=bindparam("agreement"), ends_day=bindparam("ends_day"), changed_at=now)
        )
        connection.execute(statement, list(rows))
