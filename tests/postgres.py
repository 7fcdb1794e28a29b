"""A private PostgreSQL for tests: its own cluster in its own folder, on a unix socket, gone at the end."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from tests.real_servers import needs

_STARTS_WITHIN = 30.0  # seconds; a cold laptop takes three

_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
# Every column, index and constraint, in words that are the same in each copy.
_SHAPE = """
SELECT attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull::text
FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), '', ''
FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL SELECT conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'alembic', version_num, '', '' FROM alembic_version
ORDER BY 1, 2
"""


class PostgresServer:
    """A running cluster; every test takes a database of its own from it."""

    def __init__(self, folder: Path, owner: str) -> None:
        self.folder = folder
        self.owner = owner
        self._numbers = itertools.count(1)
        self._clean: list[str] = []
        self._shape: list[tuple[str, ...]] = []

    def url(self, database: str) -> str:
        """Give the address of a database, as SQLAlchemy writes it."""
        address = URL.create(
            "postgresql+psycopg", username=self.owner, database=database, query={"host": str(self.folder)}
        )
        return address.render_as_string(hide_password=False)

    def create_database(self, template: str = "template0") -> str:
        """Make a database, empty or as a copy of another, and give its name."""
        name = f"aphub_{os.getpid()}_{next(self._numbers)}"
        # FILE_COPY is the quicker way for a small template when nothing is synced.
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def lend_database(self, template: str) -> str:
        """Give a copy of a migrated database; one that was taken back, if there is any."""
        if not self._shape:
            self._shape = self._shape_of(template)
        return self._clean.pop() if self._clean else self.create_database(template)

    def take_back_database(self, name: str) -> None:
        """Empty a database for the next test, which costs a fifth of a new copy; drop it if its shape was changed."""
        if self._shape_of(name) != self._shape:
            self.drop_database(name)
            return
        with self._connected(name) as connection:
            connection.execute(_OTHERS)
            tables = [table for (table,) in connection.execute(_TABLES).fetchall()]
            for table in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        self._clean.append(name)

    def cut_off(self, name: str) -> None:
        """Cut every line to a database and take no new one, as a server does that goes down."""
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        with self._connected("postgres") as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(cut, [name])

    def let_in(self, name: str) -> None:
        """Take lines to a database again."""
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)

    def _shape_of(self, name: str) -> list[tuple[str, ...]]:
        try:
            with self._connected(name) as connection:
                return connection.execute(_SHAPE).fetchall()
        except psycopg.errors.UndefinedTable:
            return []

    def _connected(self, database: str) -> psycopg.Connection[tuple[str, ...]]:
        return psycopg.connect(host=str(self.folder), user=self.owner, dbname=database, autocommit=True)

    def _run(self, statement: str, *names: str) -> None:
        with self._connected("postgres") as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a cluster as the user `postgres` when we are root, else as ourselves.

    A `durable` one syncs its writes, for tests that kill it.
    """
    initdb, postgres = needs("initdb"), needs("postgres")
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # A socket's path may have a hundred characters, so the folder is not pytest's.
    folder = Path(tempfile.mkdtemp(prefix="aphub-pg-"))
    user = owner if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    try:
        subprocess.run(
            [
                *(initdb, "--pgdata", folder / "data", "--username", owner),
                *("--auth=trust", "--encoding=UTF8", "--locale=C"),
                *([] if durable else ["--no-sync"]),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            group=user,
        )
        quick = ["fsync=off", "full_page_writes=off", "max_connections=200", "max_wal_size=4GB"]
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", *([] if durable else quick)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [postgres, "-D", folder / "data", *(word for one in settings for word in ("-c", one))],
                stdout=log,
                stderr=log,
                cwd=folder,
                user=user,
                group=user,
            )
        try:
            _wait_until_ready(folder, owner, process)
            yield PostgresServer(folder, owner)
        finally:
            process.send_signal(signal.SIGINT if durable else signal.SIGQUIT)  # SIGQUIT: at once
            process.wait(_STARTS_WITHIN)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(folder: Path, owner: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the cluster answers; raise with its log when it ends first."""
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            psycopg.connect(host=str(folder), user=owner, dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return
