"""Reports that reached a wrong school: one row a message, and how far it has been dealt with."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from aphub.store.tables import disclosures


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Insert a disclosure."""
    connection.execute(insert(disclosures), row)


def of_dispatch(connection: Connection, provider_id: int, dispatch_id: int) -> Row[Any] | None:
    """Give what is kept of the disclosure by a message."""
    chosen = select(disclosures).where(
        disclosures.c.provider_id == provider_id, disclosures.c.dispatch_id == dispatch_id
    )
    return connection.execute(chosen).one_or_none()


def change(connection: Connection, provider_id: int, disclosure_id: int, **values: Any) -> None:
    """Write how far a disclosure has been dealt with."""
    connection.execute(
        update(disclosures)
        .where(disclosures.c.provider_id == provider_id, disclosures.c.disclosure_id == disclosure_id)
        .values(**values)
    )
