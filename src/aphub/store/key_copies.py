"""Copies of the key store: written apart from every copy of the database, known by name, deleted when they expire."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, func, insert, select, update

from aphub.domain.errors import AphubError
from aphub.store.engine import prepare_sqlite
from aphub.store.key_tables import data_keys, kept_secrets, key_backups, metadata, signing_keys

COPIED = (data_keys, kept_secrets, signing_keys)
_BATCH = 5_000
_ENDING = ".keys"


class KeyCopyError(AphubError):
    """A copy of the key store cannot be used."""


def take(engine: Engine, folder: Path, now: datetime, lives: timedelta) -> Path:
    """Copy all keys, still wrapped, into a new file of `folder`, and note when it expires.

    Raises:
        KeyCopyError: There is a file of that name already.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"aphub-keys-{now:%Y%m%dT%H%M%SZ}{_ENDING}"
    path = folder / name
    if path.exists():
        raise KeyCopyError(
            f"There is a file {path} already.", "No keys were copied.", "Try again in a second."
        )
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    expires = now + lives
    with _opened(path) as there, engine.connect() as here:
        metadata.create_all(there)
        for table in COPIED:
            _copy(here, there, table)
        row = {"name": name, "place": str(folder.absolute()), "taken_at": now, "expires_at": expires}
        there.execute(insert(key_backups), row)
    _settle(path)
    with engine.begin() as connection:
        connection.execute(insert(key_backups), row)
    return path


def put_back(engine: Engine, path: Path) -> None:
    """Put the keys of a copy into a key store that has none."""
    with _opened(path) as there, engine.begin() as here:
        for table in COPIED:
            _copy(there, here, table)


def described(path: Path) -> Row[Any]:
    """Give a copy's name, when it was taken and when it expires.

    Raises:
        KeyCopyError: It is none.
    """
    try:
        with _opened(path) as there:
            return there.execute(select(key_backups)).one()
    except Exception as exc:
        raise KeyCopyError(f"{path} is no copy of a key store.", "Nothing was changed.") from exc


def last_expiry(engine: Engine, now: datetime) -> datetime:
    """Give when the last copy that still lives expires; `now` when there is none."""
    with engine.connect() as connection:
        chosen = select(func.max(key_backups.c.expires_at)).where(key_backups.c.gone_at.is_(None))
        latest: datetime | None = connection.execute(chosen).scalar_one()
    return max(latest or now, now)


def living(engine: Engine) -> list[Row[Any]]:
    """Give the copies that have not been deleted, oldest first."""
    with engine.connect() as connection:
        chosen = select(key_backups).where(key_backups.c.gone_at.is_(None)).order_by(key_backups.c.taken_at)
        return list(connection.execute(chosen).all())


def delete_expired(engine: Engine, now: datetime) -> tuple[list[str], list[str]]:
    """Delete the copies whose time is over; give those that are gone, and those that we could not reach.

    What lies on a disk that is not here must be deleted by hand, and then be given up with `give_up`.
    """
    gone, left = [], []
    for row in living(engine):
        if row.expires_at > now:
            continue
        folder = Path(row.place)
        if not folder.is_dir():
            left.append(f"{row.place}/{row.name}")
            continue
        path = folder / row.name
        overwrite(path)
        give_up(engine, row.name, now)
        gone.append(str(path))
    return gone, left


def give_up(engine: Engine, name: str, now: datetime) -> bool:
    """Note that a copy is gone; give whether there was one of that name."""
    with engine.begin() as connection:
        changed = connection.execute(
            update(key_backups)
            .where(key_backups.c.name == name, key_backups.c.gone_at.is_(None))
            .values(gone_at=now)
        )
    return bool(changed.rowcount)


def overwrite(path: Path) -> None:
    """Overwrite a file and delete it; a file that is not there is fine."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return


def _copy(source: Connection, target: Connection, table: Any) -> None:
    rows = source.execution_options(yield_per=_BATCH).execute(select(table)).mappings()
    for part in rows.partitions(_BATCH):
        target.execute(insert(table), [dict(row) for row in part])


@contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    """Open one copy as a database of its own; all or nothing is written."""
    engine = create_engine(f"sqlite:///{path.absolute()}", hide_parameters=True)
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _settle(path: Path) -> None:
    """Leave one file and no journal beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with path.open("rb") as file:
        os.fsync(file.fileno())
