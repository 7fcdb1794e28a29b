"""Fixtures of the fault tests: far sides, a prepared hub on each kind of store, and processes that are killed.

Both stores are tried at once, each with a process and far sides of its own, since most of the time is waiting.
"""

import faulthandler
import json
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy import select as rows_of
from sqlalchemy import text

from aphub.clock import PlayedClock
from aphub.hub import open_hub
from aphub.store import tables as t
from tests.faults.far_sides import FarSides
from tests.faults.prepared import NOW, prepare
from tests.faults.runner import PATIENCE
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
STORES = ("sqlite", "postgresql")


class RunError(Exception):
    """A run of the hub never ends, or fails by itself; the notes say what it said last, and where it stands."""


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
        if not select.select([self._process.stdout], [], [], PATIENCE + 30)[0]:
            raise RunError("the process that forks the hub's does not answer")
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
        """Run the hub; `boundary` and `nth`, or `after` seconds, kill it.

        Raises:
            RunError: It runs for ever, or fails; how its threads, its rows and its far sides stand is in the notes.
        """
        ended = self.stage.runner.run(self.home, **how)
        if ended["hangs"] or ended["status"] not in {0, -signal.SIGKILL}:
            error = RunError(f"status {ended['status']} after {ended['seconds']} s on {self.stage.store}")
            for note in (ended["said"], standing(self.home), threads_here()):
                error.add_note(note)
            raise error
        return ended


def standing(home: Path) -> str:
    """Write how far a hub's work has come, row by row, and on PostgreSQL who waits for whom."""
    hub = open_hub(home, clock=PlayedClock(NOW), environment={})
    told = [f"played clock: {(home / 'clock').read_text()}"]
    try:
        with hub.store.reading() as connection:
            for table, columns in _TELLING.items():
                chosen = rows_of(*(table.c[name] for name in columns.split()))
                if table is t.owed_reports:
                    chosen = chosen.where(table.c.first_day == NOW.date())
                told += [f"{table.name} {dict(row._mapping)}" for row in connection.execute(chosen)]
            if not hub.store.is_sqlite:
                told += [str(dict(row._mapping)) for row in connection.execute(text(_SESSIONS))]
    finally:
        hub.close()
    return "\n".join(told)


_TELLING = {
    t.owed_reports: "owed_id first_day state because send_at look_at handed_over_at",
    t.dispatches: "dispatch_id reference channel lane state kind attempts next_at lease_until lease_by because",
    t.attempts: "dispatch_id number started_at outcome",
    t.lanes: "lane failures open_until since words",
    t.intakes: "intake_id state rows_read rows_entered rows_questioned",
}
_SESSIONS = (
    "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid) AS waits_for, left(query, 200) AS query"
    " FROM pg_stat_activity WHERE datname = current_database()"
)


def threads_here() -> str:
    """Write where each thread of this process stands, the far sides' among them."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


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
