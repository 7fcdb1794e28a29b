"""Whose a reference is, in a hub of several providers."""

from sqlalchemy import Connection, Index, Table, UniqueConstraint, literal, select, union

from aphub.store.tables import metadata

_INDEXED = ["provider_id", "ref"]


def providers_with(connection: Connection, ref: str) -> set[int]:
    """Give the providers that have something by this reference, whatever it is: a case, a mark, a placement.

    References are drawn at random from ten to the twelfth, so more than one is an accident, and the caller asks.
    """
    found = union(
        *(select(table.c.provider_id).where(table.c.ref == literal(ref)) for table in _with_references())
    )
    return set(connection.scalars(found))


def _with_references() -> list[Table]:
    return [
        table
        for table in metadata.sorted_tables
        if any(
            [column.name for column in one.columns] == _INDEXED
            for one in (*table.constraints, *table.indexes)
            if isinstance(one, (UniqueConstraint, Index))
        )
    ]
