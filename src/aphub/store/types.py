"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: integer microseconds since 1970 on SQLite, timestamptz on PostgreSQL; naive is refused."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the dialect's own column."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Write an aware instant."""
        as_it_is = dialect.name == "postgresql"

        def write(value: datetime | None) -> Any:
            if value is None:
                return None
            if value.tzinfo is None:
                message = "an instant without a time zone cannot be stored"
                raise ValueError(message)
            return value if as_it_is else (value - _EPOCH) // _MICROSECOND

        return write

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002 - SQLAlchemy's signature
        """Read an aware instant in UTC."""
        if dialect.name == "postgresql":
            return lambda value: None if value is None else value.astimezone(UTC)
        return _instant


@lru_cache(4096)
def _instant(microseconds: int | None) -> datetime | None:
    """Read an instant; a burst reads few different ones, each many times."""
    return None if microseconds is None else _EPOCH + timedelta(0, 0, microseconds)
