"""Open the store, and the two ways to use it: `transaction` to write, `reading` to look."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url

from aphub.store import tables
from aphub.store.schema import migrate, no_hub_yet, require_known_schema

BUSY_TIMEOUT_MS = 15_000  # how long a second process waits for SQLite's one writer


class Store:
    """One database of the hub, with one writer at a time on SQLite."""

    def __init__(self, url: str, writer: Engine, reader: Engine) -> None:
        """Keep two engines: the reader cannot write."""
        self.url = url
        self._writer = writer
        self._reader = reader
        self._one_writer = threading.RLock()
        self.is_sqlite = writer.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a writing transaction; it commits at the end of the block and rolls back on any error.

        On SQLite it is BEGIN IMMEDIATE under one process lock, so a stage never fails half way for a lock.
        """
        if self.is_sqlite:
            with self._one_writer, self._writer.begin() as connection:
                yield connection
        else:
            with self._writer.begin() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read-only connection with one consistent view."""
        with self._reader.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest version."""
        migrate(self._writer)

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def open_store(url: str, *, create: bool = False) -> Store:
    """Open the store at `url` (`sqlite:///path` or `postgresql+psycopg://...`).

    Raises:
        SchemaError: The schema is missing, too old or too new for this version.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if create and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        elif parsed.database and not Path(parsed.database).exists():
            # To connect would make an empty file, and a restore after a lost disk would find its place taken.
            raise no_hub_yet()
        writer = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False})
        event.listen(writer, "connect", _prepare_sqlite_writer)
        event.listen(writer, "begin", _begin_immediate)
        reader = create_engine(url, hide_parameters=True, connect_args={"check_same_thread": False})
        event.listen(reader, "connect", _prepare_sqlite_reader)
        event.listen(reader, "begin", _begin_deferred)
    else:
        writer = create_engine(url, hide_parameters=True, pool_size=8, pool_pre_ping=True)
        reader = create_engine(
            url, hide_parameters=True, pool_size=8, pool_pre_ping=True, isolation_level="REPEATABLE READ"
        )
        event.listen(writer, "connect", _prepare_postgresql)
        event.listen(reader, "connect", _prepare_postgresql_reader)
    store = Store(url, writer, reader)
    try:
        if create:
            store.migrate()
        else:
            require_known_schema(writer)
    except Exception:
        store.close()
        raise
    return store


def home_url(home: Path, url: str) -> str:
    """Make a relative SQLite path relative to the hub's home, and its folder private."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(f"{prefix}/"):
        return url
    path = home / url.removeprefix(prefix)
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True, mode=0o700)
    return f"{prefix}{path.absolute()}"


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set up a new SQLite connection: WAL, full syncs, deleted rows overwritten."""
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "wal_autocheckpoint=4000",  # 16 MB: what bursts change many times is written back once
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_sqlite_writer(connection: Any, record: Any) -> None:
    prepare_sqlite(connection, record)
    connection.execute("PRAGMA cache_size=-16000")


def _prepare_sqlite_reader(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


# A plan for any values at all takes a stretch of days for a two-hundredth of a table, and looks at all of it for each
# batch. With the values at hand the batch's own index is taken; planning costs a few microseconds a row at the most.
_PLAN_WITH_VALUES = "SET plan_cache_mode = force_custom_plan"


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.execute("SET synchronous_commit = on")
    connection.execute(_PLAN_WITH_VALUES)
    connection.commit()


def _prepare_postgresql_reader(connection: Any, _record: Any) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.execute(_PLAN_WITH_VALUES)
    connection.commit()


_TAKE = (
    update(tables.counters)
    .where(tables.counters.c.name == bindparam("kind"))
    .values(next=tables.counters.c.next + bindparam("count"))
    .returning(tables.counters.c.next)
)


def allocate(connection: Connection, name: str, count: int = 1) -> range:
    """Take `count` fresh BIGINT keys of the kind `name`, never given out again."""
    asked = {"kind": name, "count": count}
    after = connection.execute(_TAKE, asked).scalar_one_or_none()
    if after is None:
        upsert = insert_ignoring(connection, tables.counters).values(name=name, next=1)
        connection.execute(upsert)
        after = connection.execute(_TAKE, asked).scalar_one()
    return range(after - count, after)


def insert_ignoring(connection: Connection, table: Any) -> Any:
    """Give an INSERT that skips rows whose unique key is already there."""
    maker = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    return maker(table).on_conflict_do_nothing()


def remember(connection: Connection, name: str, value: str) -> None:
    """Keep one single fact about this store, replacing the older one."""
    facts = tables.facts
    changed = connection.execute(update(facts).where(facts.c.name == name).values(value=value))
    if not changed.rowcount:
        connection.execute(insert(facts).values(name=name, value=value))


_FACT = select(tables.facts.c.value).where(tables.facts.c.name == bindparam("fact"))


def recall(connection: Connection, name: str) -> str | None:
    """Give a single fact about this store, or None."""
    return connection.execute(_FACT, {"fact": name}).scalar_one_or_none()


def database_now(connection: Connection) -> datetime:
    """Give the instant by the clock of the database (PostgreSQL)."""
    at: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return at.astimezone(UTC)


def lock_ledger(connection: Connection, provider_id: int) -> None:
    """Let only one transaction number a provider's statements at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(6962, :provider)"), {"provider": provider_id % 2**31}
        )
