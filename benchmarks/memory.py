"""Peak memory of a whole telling and sending, in a process of its own."""

import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.mail_sink import Sink, mail_sink
from benchmarks.result import Measured, at_most, not_run

BAR_MB, LARGE_BAR_MB = 200.0, 300.0


def measure(placements: int) -> Measured:
    """Measure a day on SQLite."""
    return _in_a_child(f"peak memory at {placements}", BAR_MB, [str(placements)])


def measure_postgresql(placements: int) -> Measured:
    """Measure a large day on PostgreSQL; the database's own memory is not counted."""
    name = f"peak memory at {placements} on PostgreSQL"
    if not (shutil.which("psql") and shutil.which("pg_ctlcluster")):
        return not_run(name, "postgresql must be installed", f"<= {LARGE_BAR_MB:g}")
    return _in_a_child(name, LARGE_BAR_MB, [str(placements), "postgresql"])


def _in_a_child(name: str, bar: float, arguments: list[str]) -> Measured:
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return not_run(name, run.stderr.strip().splitlines()[-1][:60], f"<= {bar:g}")
    return at_most(name, float(run.stdout.split()[-1]), bar, "MB")


def _child(placements: int, *, postgresql: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, mail_sink(Path(folder)) as sink:
        if not postgresql:
            _fill_then_play(Path(folder), sink, placements, "")
            return
        from tests.postgres import running_postgres  # noqa: PLC0415 - only this row needs it

        with running_postgres(durable=True) as server:
            _fill_then_play(Path(folder), sink, placements, server.url(server.create_database()))


def _fill_then_play(folder: Path, sink: Sink, placements: int, store_url: str) -> None:
    """Make the hub in one process and measure the day in another, as a daemon meets it."""
    apart = multiprocessing.get_context("spawn")
    for step in (_fill, _play):
        process = apart.Process(target=step, args=(folder, sink, placements, store_url))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


def _fill(folder: Path, sink: Sink, placements: int, store_url: str) -> None:
    from benchmarks.mail import Mailing  # noqa: PLC0415 - only the children pay for it

    Mailing.made(folder, sink, placements, store_url).hub.close()


def _play(folder: Path, _sink: Sink, placements: int, _store_url: str) -> None:
    from benchmarks.mail import Mailing  # noqa: PLC0415 - likewise

    one = Mailing.reopened(folder, placements)
    one.whole()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    one.hub.close()


if __name__ == "__main__":
    _child(int(sys.argv[1]), postgresql="postgresql" in sys.argv)
