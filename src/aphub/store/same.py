"""Which rows of two tables belong together: never those of two providers."""

from typing import Any

from sqlalchemy import ColumnElement, and_


def same(one: Any, other: Any, key: str) -> ColumnElement[bool]:
    """Match the rows of one provider that share a key."""
    return and_(one.c.provider_id == other.c.provider_id, one.c[key] == other.c[key])


def same_now(one: Any, other: Any, key: str) -> ColumnElement[bool]:
    """Match likewise, with the version of the other that counts now."""
    return and_(same(one, other, key), other.c.current)
