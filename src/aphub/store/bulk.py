"""Read and write hundreds of rows with one statement, at what the database's driver costs and little more.

SQLAlchemy builds the statement, once for each kind of database; the parameters of the rows are put together here, in a
fifth of the time that its own way takes for a row of twenty columns.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Executable, Insert, LargeBinary, Table, Update, bindparam, insert, update
from sqlalchemy.engine import Dialect

from aphub.store.among import among
from aphub.store.copying_in import copy_in

Rows = Sequence[dict[str, Any]]
_PROVIDER = "the_provider"
_FEW = 4  # rows that are changed alike, at least and on average, for a statement of their own
_TOGETHER = 20  # rows in one insert of SQLite's
_STATEMENTS = 256  # of one process: some thirty tables and changes, and as many databases as a test run opens


class _Prepared:
    """A statement as one driver takes it, and how to put its parameters together from a row."""

    __slots__ = ("_bytes", "_conversions", "_names", "_values_of", "_width", "one_more", "sql")

    def __init__(self, statement: Insert | Update, dialect: Dialect, row_keys: dict[str, str]) -> None:
        """Compile; `row_keys` names the row's key of each parameter."""
        compiled = statement.compile(dialect=dialect, column_keys=list(row_keys))
        if unknown := [key for name, key in row_keys.items() if name not in compiled.binds]:
            message = f"there is no column for {', '.join(unknown)}"
            raise KeyError(message)
        self.sql = str(compiled)
        self.one_more = (
            f", ({', '.join('?' * len(row_keys))})"  # what an insert of one row takes for a further one
        )
        order = list(compiled.positiontup or row_keys)
        keys = [row_keys[name] for name in order]
        self._values_of = itemgetter(*keys, keys[0])  # one more, so that it gives a tuple for one key too
        self._width = len(keys)
        self._names = [] if compiled.positional else order
        self._bytes: list[int] = []
        self._conversions: list[tuple[int, Callable[[Any], Any]]] = []
        for place, name in enumerate(order):
            kind = compiled.binds[name].type
            convert = kind.dialect_impl(dialect).bind_processor(dialect)
            # Both drivers take bytes as they are.
            if convert is not None and not isinstance(kind, LargeBinary):
                self._conversions.append((place, convert))
            elif isinstance(kind, LargeBinary) and dialect.name == "sqlite":
                self._bytes.append(place)

    def parameters(self, rows: Rows) -> list[Any]:
        """Give the rows' parameters in the driver's form, each value as the database takes it."""
        columns: list[Any] = list(zip(*map(self._values_of, rows), strict=True))[: self._width]
        for place, convert in self._conversions:
            # Rows of a burst share their instants: each is converted once. The rows keep alive whose numbers these are.
            numbers = list(map(id, columns[place]))
            made = {
                number: convert(value)
                for number, value in dict(zip(numbers, columns[place], strict=True)).items()
            }
            columns[place] = map(made.__getitem__, numbers)
        for place in self._bytes:
            # For every `bytes` SQLite's driver looks for somebody who adapts it, which costs as much as five columns.
            columns[place] = [value and bytearray(value) for value in columns[place]]
        given = zip(*columns, strict=True)
        return (
            [dict(zip(self._names, values, strict=True)) for values in given] if self._names else list(given)
        )


def add_many(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, all with the columns of the first; nothing happens for none."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        copy_in(connection, table, rows)
        return
    made = _insert(table, tuple(rows[0]), connection.dialect)
    given = made.parameters(rows)
    # SQLite's driver lets go of the interpreter three times a statement, and each time wakes whoever waits for it.
    together = len(given) - len(given) % _TOGETHER
    if together:
        several = [
            tuple(chain.from_iterable(given[first : first + _TOGETHER]))
            for first in range(0, together, _TOGETHER)
        ]
        connection.exec_driver_sql(made.sql + made.one_more * (_TOGETHER - 1), several)
    if given[together:]:
        connection.exec_driver_sql(made.sql, given[together:])


def change_many(
    connection: Connection, table: Table, provider_id: int, where: Mapping[str, str], rows: Rows
) -> None:
    """Set columns of one provider's rows; nothing happens for none.

    `where` gives the row's key for each column by which the row to change is found, such as `{"owed_id": "key"}`; all
    other keys of a row are the columns that change, the same in every row.
    """
    if not rows:
        return
    if len(where) == 1:
        [(column, key)] = where.items()
        alike: dict[tuple[Any, ...], list[Any]] = {}
        names = [name for name in rows[0] if name != key]
        # Of two changes of one row the later holds, as if each were a statement.
        for found_by, row in {row[key]: row for row in rows}.items():
            alike.setdefault(tuple([row[name] for name in names]), []).append(found_by)
        if len(alike) <= len(rows) // _FEW:
            # A burst changes all its rows alike: the database then finds them by itself.
            for values, keys in alike.items():
                chosen = update(table).where(
                    table.c.provider_id == provider_id, among(connection, table.c[column], keys)
                )
                connection.execute(chosen.values(dict(zip(names, values, strict=True))))
            return
    made = _update(table, tuple(where.items()), tuple(rows[0]), connection.dialect)
    connection.exec_driver_sql(made.sql, made.parameters([{**row, _PROVIDER: provider_id} for row in rows]))


def read_many(connection: Connection, chosen: Executable) -> list[Any]:
    """Give rows as named tuples: a row of SQLAlchemy's answers ten times as slowly for each column it is asked for."""
    result = connection.execute(chosen)
    return list(map(_named(tuple(result.keys())), result.all()))


@lru_cache(_STATEMENTS)
def _named(columns: tuple[str, ...]) -> Any:
    named: Any = namedtuple("Row", columns)  # type: ignore[misc]  # noqa: PYI024 - its columns are known only here
    return partial(tuple.__new__, named)  # what its own `_make` does, without a call in Python for each row


@lru_cache(_STATEMENTS)
def _insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    return _Prepared(insert(table), dialect, {name: name for name in names})


@lru_cache(_STATEMENTS)
def _update(
    table: Table, where: tuple[tuple[str, str], ...], names: tuple[str, ...], dialect: Dialect
) -> _Prepared:
    # In an UPDATE no parameter may be called like a column.
    found_by = {f"the_{column}": key for column, key in where}
    changed = {f"new_{name}": name for name in names if name not in found_by.values()}
    statement = (
        update(table)
        .where(
            table.c.provider_id == bindparam(_PROVIDER),
            *(table.c[column] == bindparam(f"the_{column}") for column, _ in where),
        )
        .values({name: bindparam(parameter) for parameter, name in changed.items()})
    )
    return _Prepared(statement, dialect, {_PROVIDER: _PROVIDER} | found_by | changed)
