"""Let every store of a run share what SQLAlchemy made of a statement.

A hub opens its store once and compiles each statement once; a test opens a store of its own, and a quarter of its time
went into compiling the same hundred statements again. Dialects of one kind count as equal here, since that is part of
the key under which a compiled statement is kept.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(2_000)


class _Shared:
    """A dialect that is the same as any other of its kind."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class SharedSqlite(_Shared, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class SharedPostgresql(_Shared, PGDialect_psycopg):
    supports_statement_cache = True


def share_compiled_statements() -> None:
    """Have engines made from now on in this process use these dialects."""
    registry.register("sqlite", __name__, SharedSqlite.__name__)
    registry.register("postgresql.psycopg", __name__, SharedPostgresql.__name__)
