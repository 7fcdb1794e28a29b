"""Read hundreds of rows with a statement that is put together once, at what the database's driver costs and little more.

SQLAlchemy needs a millisecond to put a statement of many columns together, and as long again for a hundred of its rows.
Most columns of such rows say the same in many of them. These are read as one value, which is taken apart once for all
rows that have it. SQLite's driver, besides, lets go of the interpreter at each column of each row, and wakes whoever
waits for it: there, a row's own columns travel as one value too.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, LargeBinary, Numeric, Select, func
from sqlalchemy.engine import Dialect

from aphub.store.among import among_named

Among = Callable[[ColumnElement[int], str], ColumnElement[bool]]
"""Says in SQL that a column holds one of the keys in a parameter of this name."""


Conversions = list[tuple[int, Callable[[Any], Any]]]


class Reading:
    """A SELECT whose parameters have names, made at its first use for each kind of database.

    Called with its parameters, keys as a list, it gives named tuples. `own` names the columns in which hardly two rows
    say the same. What a row says in the others, and not in sealed ones, it also has as one tuple, `alike`: where two
    rows agree in all of them, that is the same object.
    """

    def __init__(self, own: Collection[str], chosen: Callable[[Among], Select[Any]]) -> None:
        """Keep how it is made."""
        self._own = own
        self._chosen = chosen
        self._made: dict[str, _Statement] = {}

    def __call__(self, connection: Connection, **given: Any) -> list[Any]:
        """Give the rows."""
        dialect = connection.dialect
        made = self._made.get(dialect.name)
        if made is None:
            chosen = self._chosen(partial(among_named, dialect))
            made = self._made[dialect.name] = _Statement(chosen, self._own, dialect)
        if made.as_json:
            given = {
                name: json.dumps(value) if type(value) is list else value for name, value in given.items()
            }
        result = connection.execute(made.chosen, given)
        rows = list(result.cursor.fetchall())
        result.close()
        return made.named(rows) if rows else []


def reading(*own: str) -> Callable[[Callable[[Among], Select[Any]]], Reading]:
    """Make a `Reading` of the function that gives its statement, with the columns that are each row's own."""
    return partial(Reading, own)


class _Statement:
    """A statement as one kind of database takes it, and what makes named tuples of its driver's rows."""

    __slots__ = ("_after", "_alike", "_before", "_named", "_own", "as_json", "chosen")

    def __init__(self, chosen: Select[Any], own_names: Collection[str], dialect: Dialect) -> None:
        columns = list(chosen.selected_columns)
        sealed = [one for one in columns if isinstance(one.type, LargeBinary)]
        own = [one for one in columns if one.key in own_names]
        apart = {one.key for one in (*own, *sealed)}
        shared = [one for one in columns if one.key not in apart]
        self.as_json = dialect.name == "sqlite"
        if any(isinstance(one.type, (Float, Numeric)) for one in (*own, *shared)):
            message = "a fraction may be rounded in JSON"
            raise TypeError(message)
        # One value a row of each sort where the driver is asked for each: those are few steps, whatever the columns.
        asked = [[func.json_array(*own)], [func.json_array(*shared)]] if self.as_json else [own, shared]
        self.chosen = chosen.with_only_columns(*asked[0], *asked[1], *sealed, maintain_column_froms=True)
        names = [str(one.key) for one in (*own, *shared, *sealed)]
        names.insert(len(own), "alike")
        named: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - as the statement has them
        self._named = partial(
            tuple.__new__, named
        )  # what its own `_make` does, without a call in Python for each row
        self._before, self._after = len(asked[0]), len(asked[0]) + len(asked[1])
        self._own = _conversions(own, dialect)
        self._alike = _conversions(shared, dialect)

    def named(self, rows: list[Any]) -> list[Any]:
        """Give the driver's rows, of which there is at least one, as named tuples."""
        before, after = self._before, self._after
        columns = list(zip(*rows, strict=True))
        own, said = (
            columns[:2]
            if self.as_json
            else (zip(*columns[:before], strict=True), list(zip(*columns[before:after], strict=True)))
        )
        apart = list(set(said))
        alike = {
            one: (shared, *shared) for one, shared in zip(apart, self._read(apart, self._alike), strict=True)
        }
        sealed = zip(*columns[after:], strict=True) if columns[after:] else repeat((), len(rows))
        return [
            self._named(mine + shared + rest)
            for mine, shared, rest in zip(
                self._read(own, self._own), map(alike.__getitem__, said), sealed, strict=True
            )
        ]

    def _read(self, values: Iterable[Any], conversions: Conversions) -> Iterable[tuple[Any, ...]]:
        read = json.loads(f"[{','.join(values)}]") if self.as_json else values
        return zip(*_converted(zip(*read, strict=True), conversions), strict=True)


def _conversions(columns: Iterable[ColumnElement[Any]], dialect: Dialect) -> Conversions:
    """Give what converts each column's values from how the driver gives them, where anything does."""
    return [
        (place, convert)
        for place, one in enumerate(columns)
        if (convert := one.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]


def _converted(columns: Iterable[Any], conversions: Conversions) -> list[Any]:
    """Convert some columns; a value that stands in many rows once."""
    made = list(columns)
    for place, convert in conversions:
        known = {value: convert(value) for value in set(made[place])}
        made[place] = [known[value] for value in made[place]]
    return made
