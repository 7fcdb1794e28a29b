"""Bring a store that an older aphub made to this version's schema, with a copy of it as it was."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from aphub.store.copying import copy_sqlite
from aphub.store.engine import open_store
from aphub.store.schema import SchemaError, known_revisions, revision_of


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which schema version to which; `copy` is the store as it was, on SQLite."""

    before: str
    after: str
    copy: Path | None = None


def upgrade(url: str) -> Upgrade:
    """Bring a store forward, all in one transaction; nothing happens to one that is new already.

    The copy lies beside a SQLite store. It holds what the store held, so it is to be deleted when all is well.

    Raises:
        SchemaError: There is no hub in it, it was made by a newer aphub, or an earlier copy lies there.
    """
    engine = create_engine(url, hide_parameters=True)
    try:
        before = revision_of(engine)
    finally:
        engine.dispose()
    after = known_revisions()[0]
    if before is None:
        raise SchemaError("There is no hub in this database yet.", "Nothing was changed.", "Run: aphub init")
    copy = None
    if before in known_revisions()[1:] and (file := make_url(url).database) and url.startswith("sqlite"):
        copy = Path(f"{file}.{before}")
        if copy.exists():
            raise SchemaError(
                f"A copy of an earlier upgrade is in {copy}.",
                "Nothing was changed.",
                "Delete it if all was well, or put it back, and run this again.",
            )
        copy_sqlite(Path(file), copy)
    open_store(url, create=True).close()
    return Upgrade(before, after, copy)
