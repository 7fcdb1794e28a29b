"""Fixtures of the fault tests: far sides, a prepared hub on each kind of store, and processes that are killed.

Both stores are tried at once, each with a process and far sides of its own, since most of the time is waiting.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.faults.far_sides import FarSides
from tests.faults.prepared import prepare
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
STORES = ("sqlite", "postgresql")


class Runner:
    """The process that forks the hub's."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def run(self, home: Path, **how: Any) -> dict[str, Any]:
        """Run the hub from where its clock stands, to the end of the day or until it is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"home": str(home), **how}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass(frozen=True)
class Stage:
    """All that the cases on one kind of store share; `database` is the prepared one on PostgreSQL."""

    store: str
    runner: Runner
    sides: FarSides
    home: Path
    database: str = ""


@dataclass(frozen=True)
class Case:
    """One copy of the prepared hub, with nothing at the far sides yet."""

    stage: Stage
    home: Path

    @property
    def sides(self) -> FarSides:
        """The servers of this case."""
        return self.stage.sides

    def run(self, **how: Any) -> dict[str, Any]:
        """Run the hub; `boundary` and `nth`, or `after` seconds, kill it."""
        return self.stage.runner.run(self.home, **how)


@pytest.fixture(scope="session")
def stages(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    _sqlite_template: Path,
    _postgres_template: str,
) -> Iterator[list[Stage]]:
    """Prepare a hub, far sides and a process for each kind of store."""
    made = []
    for store in STORES:
        folder = tmp_path_factory.mktemp(store)
        key = asyncssh.generate_private_key("ssh-ed25519")
        sides = FarSides(folder / "sides", key.export_public_key().decode())
        sides.start()
        home, database = folder / "home", ""
        url = "sqlite:///hub.db"
        if store == "postgresql":
            database = postgres_server.create_database(_postgres_template)
            url = postgres_server.url(database)
        prepare(home, url, sides, key.export_private_key().decode())
        made.append(Stage(store, Runner(), sides, home, database))
    yield made
    for stage in made:
        stage.runner.stop()
        stage.sides.stop()


@pytest.fixture
def cases(stages: list[Stage], tmp_path: Path, postgres_server: PostgresServer) -> Iterator[list[Case]]:
    """Give a fresh case on each kind of store."""
    made, databases = [], []
    for stage in stages:
        home = tmp_path / stage.store
        shutil.copytree(stage.home, home)
        if stage.database:
            databases.append(postgres_server.create_database(stage.database))
            settings = (home / "hub.toml").read_text()
            settings = settings.replace(
                postgres_server.url(stage.database), postgres_server.url(databases[-1])
            )
            (home / "hub.toml").write_text(settings)
        stage.sides.anew()
        made.append(Case(stage, home))
    yield made
    for database in databases:
        postgres_server.drop_database(database)


def on_each(cases: list[Case], work: Callable[[Case], None]) -> None:
    """Do the same with every case at once; what fails names its store."""
    with ThreadPoolExecutor(len(cases)) as pool:
        futures = [(case, pool.submit(work, case)) for case in cases]
    for case, future in futures:
        if error := future.exception():
            error.add_note(f"on {case.stage.store}")
            raise error
