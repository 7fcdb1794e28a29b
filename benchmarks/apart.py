"""Steps in processes of their own, so that each is measured alone, and a store for them to share."""

import multiprocessing
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class ChildError(RuntimeError):
    """A measuring process ended badly; the words are its last."""


def run_module(module: str, *arguments: str) -> list[list[str]]:
    """Run a module of ours as a process that starts small; give the words of each line that it printed.

    Raises:
        ChildError: It ended badly.
    """
    command = [sys.executable, "-m", module, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"ended with {run.returncode}"]
        raise ChildError(said[-1][:60])
    return [line.split("\t") for line in run.stdout.splitlines()]


def one_after_another(*steps: Callable[..., None], given: tuple[Any, ...]) -> None:
    """Run each step in a process of its own, and end with the first that fails."""
    apart = multiprocessing.get_context("spawn")
    for step in steps:
        process = apart.Process(target=step, args=given)
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


def peak_megabytes() -> float:
    """Give the most memory that this process has held.

    Not by getrusage: what it says begins with the peak of the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [peak] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak.split()[1]) / 1024


def lacks_postgresql() -> str:
    """Say what must be installed for PostgreSQL; empty when it is there."""
    return "" if shutil.which("psql") and shutil.which("pg_ctlcluster") else "postgresql"


@contextmanager
def a_store(*, postgresql: bool) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database that syncs its writes; empty means SQLite."""
    if not postgresql:
        yield ""
        return
    from tests.postgres import running_postgres  # noqa: PLC0415 - only some rows need it

    with running_postgres(durable=True) as server:
        yield server.url(server.create_database())
