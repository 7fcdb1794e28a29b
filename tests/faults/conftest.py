"""Fixtures of the fault tests: far sides, a prepared hub on each kind of store, and the process that is killed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy.engine import make_url

from tests.faults.far_sides import FarSides
from tests.faults.prepared import prepare
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def client_key() -> asyncssh.SSHKey:
    """Give the key with which the hub signs in at the drop."""
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory, client_key: asyncssh.SSHKey) -> Iterator[FarSides]:
    """Run the far sides."""
    sides = FarSides(tmp_path_factory.mktemp("sides"), client_key.export_public_key().decode())
    sides.start()
    yield sides
    sides.stop()


@dataclass(frozen=True)
class Template:
    """A prepared hub; `database` is its PostgreSQL database, empty for SQLite."""

    home: Path
    database: str = ""


@pytest.fixture(scope="session")
def templates(
    tmp_path_factory: pytest.TempPathFactory,
    sides: FarSides,
    client_key: asyncssh.SSHKey,
    postgres_server: PostgresServer,
    _sqlite_template: Path,
    _postgres_template: str,
) -> dict[str, Template]:
    """Prepare one hub on each kind of store."""
    folder = tmp_path_factory.mktemp("prepared")
    private = client_key.export_private_key().decode()
    prepare(folder / "sqlite", "sqlite:///hub.db", sides, private)
    database = postgres_server.create_database(_postgres_template)
    prepare(folder / "postgresql", postgres_server.url(database), sides, private)
    return {
        "sqlite": Template(folder / "sqlite"),
        "postgresql": Template(folder / "postgresql", database),
    }


@pytest.fixture
def home(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    templates: dict[str, Template],
    sides: FarSides,
    postgres_server: PostgresServer,
) -> Iterator[Path]:
    """Give a copy of the prepared hub on the store that `request.param` names."""
    template = templates[request.param]
    copy = tmp_path / "home"
    shutil.copytree(template.home, copy)
    database = ""
    if template.database:
        database = postgres_server.create_database(template.database)
        text = (copy / "hub.toml").read_text()
        old = make_url(postgres_server.url(template.database)).render_as_string(hide_password=False)
        (copy / "hub.toml").write_text(text.replace(old, postgres_server.url(database)))
    sides.anew()
    yield copy
    if database:
        postgres_server.drop_database(database)


Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Give `run(home, boundary=…, nth=…)` or `run(home, after=seconds)`: the hub in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    writes, reads = process.stdin, process.stdout

    def ask(home: Path, **how: Any) -> dict[str, Any]:
        writes.write(json.dumps({"home": str(home), **how}) + "\n")
        writes.flush()
        answer: dict[str, Any] = json.loads(reads.readline())
        return answer

    yield ask
    writes.close()
    process.wait(10)
    reads.close()
