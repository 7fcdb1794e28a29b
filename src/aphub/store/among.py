"""Ask for the rows of many keys with one statement that stays the same, however many they are.

SQLAlchemy's `IN` writes a parameter for each key into the statement, which it and the database then read anew each time.
Here the keys travel as one value: a JSON list on SQLite, an array on PostgreSQL.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Integer, String, any_, bindparam, tuple_
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[int]):
    """The values of a JSON list, as a subquery."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Listed)
def _subquery(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.clause_expr, **kw)
    return f"(SELECT value FROM json_each{listed})"  # noqa: S608 - what stands there is a parameter


class _ListedPairs(FunctionElement[int]):
    """The values of a JSON list of pairs of whole numbers, as a subquery of two columns."""

    type = BigInteger()
    inherit_cache = True


@compiles(_ListedPairs)
def _pairs(element: _ListedPairs, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.clause_expr, **kw)
    return f"(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each{listed})"  # noqa: S608 - as above


@compiles(_ListedPairs, "postgresql")
def _pairs_there(element: _ListedPairs, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.clause_expr, **kw)
    return f"(SELECT (value->>0)::bigint, (value->>1)::bigint FROM json_array_elements({listed}::json))"  # noqa: S608 - as above


def among(
    connection: Connection, column: ColumnElement[Any], keys: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """Say in SQL that a column holds one of these keys, all numbers or all words."""
    if connection.dialect.name == "postgresql":
        kind = BigInteger() if isinstance(column.type, Integer) else String()
        return column == any_(bindparam(None, list(keys), ARRAY(kind)))
    return column.bool_op("IN")(_Listed(bindparam(None, json.dumps(list(keys)))))


def among_pairs(
    one: ColumnElement[int], other: ColumnElement[int], keys: Collection[tuple[int, int]]
) -> ColumnElement[bool]:
    """Say in SQL that two columns together hold one of these pairs."""
    return tuple_(one, other).bool_op("IN")(_ListedPairs(bindparam(None, json.dumps(list(keys)))))


def among_named(dialect: Dialect, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Say in SQL that a column holds one of the keys in a parameter: a list on PostgreSQL, the same as JSON on SQLite."""
    if dialect.name == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(BigInteger())))
    return column.bool_op("IN")(_Listed(bindparam(name, type_=String())))
