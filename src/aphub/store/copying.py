"""Copy a whole store consistently while it works, and put such a copy into an empty place.

SQLite: its own backup interface. PostgreSQL: COPY of every table within one snapshot, so that no program of the server's
version is needed. Either copy holds only what is sealed, or what says nothing without its keys.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, inspect
from sqlalchemy.engine import make_url

from aphub.domain.errors import AphubError
from aphub.store.engine import Store, open_store
from aphub.store.schema import known_revisions, migrate_to
from aphub.store.tables import metadata

SQLITE_FILE = "hub.db"
_CHUNK = 1 << 20


class CopyError(AphubError):
    """A copy of a store cannot be made or used."""


def copy_store(store: Store, folder: Path) -> list[str]:
    """Write a consistent copy of a store into files of a folder; give their names."""
    if store.is_sqlite:
        copy_sqlite(Path(str(make_url(store.url).database)), folder / SQLITE_FILE)
        return [SQLITE_FILE]
    names = []
    # One reading transaction is one snapshot: its isolation is REPEATABLE READ.
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            name = f"{table.name}.copy"
            _private(folder / name)
            what = f"COPY {_quoted(connection, table.name, table)} TO STDOUT"
            with (
                (folder / name).open("wb") as file,
                _cursor(connection) as cursor,
                cursor.copy(what) as copied,
            ):
                for block in copied:
                    file.write(block)
            names.append(name)
    return names


def copy_sqlite(source: Path, target: Path) -> None:
    """Write a consistent copy of a SQLite file, whoever writes there meanwhile, for its owner's eyes only."""
    _private(target)
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode=DELETE")


def put_back(url: str, folder: Path, revision: str) -> None:
    """Put a copy into an empty place: a SQLite path where no file is, or a PostgreSQL database without tables.

    Raises:
        CopyError: Something is there already, or a newer aphub made the copy.
    """
    if revision not in known_revisions():
        raise CopyError(
            f"This copy was made by another version of aphub (schema {revision}).",
            "Nothing was changed.",
            "Install that version or a newer one.",
        )
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _put_sqlite(Path(str(parsed.database)), folder)
    else:
        _put_postgresql(url, folder, revision)
    # What an older version copied becomes this version's schema.
    open_store(url, create=True).close()


def _put_sqlite(target: Path, folder: Path) -> None:
    if not (folder / SQLITE_FILE).is_file():
        raise CopyError(
            "This copy is of a PostgreSQL database.",
            "Nothing was changed.",
            "Name one in hub.toml: store.url",
        )
    if target.exists():
        raise CopyError(f"There is a database at {target} already.", "It was left as it is.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = target.with_name(target.name + ".partial")
    _private(partial)
    with (folder / SQLITE_FILE).open("rb") as source, partial.open("wb") as file:
        while block := source.read(_CHUNK):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(target)


def _put_postgresql(url: str, folder: Path, revision: str) -> None:
    engine = create_engine(url, hide_parameters=True)
    try:
        if (folder / SQLITE_FILE).is_file():
            raise CopyError(
                "This copy is of a SQLite database.", "Nothing was changed.", "Use SQLite in hub.toml."
            )
        with engine.connect() as connection:
            if inspect(connection).get_table_names():
                raise CopyError(
                    "The database named in hub.toml is not empty.",
                    "It was left as it is.",
                    "Make an empty one, and name it there: store.url",
                )
        migrate_to(engine, revision)
        with engine.begin() as connection:
            for path in sorted(folder.glob("*.copy")):
                with path.open("rb") as file, _cursor(connection) as cursor:
                    where = _quoted(connection, path.stem, metadata.tables.get(path.stem))
                    with cursor.copy(f"COPY {where} FROM STDIN") as copied:
                        while block := file.read(_CHUNK):
                            copied.write(block)
    finally:
        engine.dispose()


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """Give the driver's own cursor: COPY is nothing that SQLAlchemy knows."""
    with closing(connection.connection.cursor()) as cursor:
        yield cursor


def _quoted(connection: Connection, name: str, table: Table | None) -> str:
    """Name a table and, where we know them, its columns in our order."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    columns = ", ".join(quote(column.name) for column in table.columns) if table is not None else ""
    return f"{quote(name)} ({columns})" if columns else quote(name)


def _private(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
