"""Fixtures that the tests of the hub share: the store on both databases, and real servers."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aphub.store.engine import Store, open_store
from tests.compiled_once import share_compiled_statements
from tests.postgres import PostgresServer, running_postgres
from tests.real_servers import needs as find_or_leave_out


def pytest_configure() -> None:
    """Compile each statement once in a run, not once a test."""
    share_compiled_statements()


@pytest.fixture(scope="session")
def needs() -> Callable[[str], Path]:
    """Give `needs("postfix")`: the program's path, or the test is left out by name (with CI=true it fails)."""
    return find_or_leave_out


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one private PostgreSQL for the whole run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: PostgresServer) -> str:
    """Migrate one PostgreSQL database; tests copy it."""
    name = postgres_server.create_database()
    open_store(postgres_server.url(name), create=True).close()
    return name


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file; tests copy it."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    open_store(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give a PostgreSQL database with nothing in it."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """Give a migrated SQLite store of the test's own."""
    shutil.copyfile(_sqlite_template, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, _postgres_template: str) -> Iterator[str]:
    """Give a migrated PostgreSQL store of the test's own."""
    name = postgres_server.lend_database(_postgres_template)
    yield postgres_server.url(name)
    postgres_server.take_back_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Give a migrated store of the test's own, on each kind of database in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open `store_url`."""
    opened = open_store(store_url)
    yield opened
    opened.close()
