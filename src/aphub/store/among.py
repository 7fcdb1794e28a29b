"""Ask for the rows of many keys with one statement that stays the same, however many they are.

SQLAlchemy's `IN` writes a parameter for each key into the statement, which it and the database then read anew each time.
Here the keys travel as one value: a JSON list on SQLite, an array on PostgreSQL.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, any_, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[int]):
    """The values of a JSON list of whole numbers, as a subquery."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Listed)
def _subquery(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    listed = compiler.process(element.clause_expr, **kw)
    return f"(SELECT value FROM json_each{listed})"  # noqa: S608 - what stands there is a parameter


def among(connection: Connection, column: ColumnElement[int], keys: Collection[int]) -> ColumnElement[bool]:
    """Say in SQL that a column holds one of these keys."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(keys), ARRAY(BigInteger())))
    return column.bool_op("IN")(_Listed(bindparam(None, json.dumps(list(keys)))))
