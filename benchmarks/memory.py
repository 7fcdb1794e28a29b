"""Peak memory of a whole telling and sending, in a process of its own."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.mail_sink import mail_sink
from benchmarks.result import Measured, at_most, not_run

BAR_MB = 200.0


def measure(placements: int) -> Measured:
    """Run the day in a child and read its peak."""
    name = f"peak memory at {placements}"
    command = [sys.executable, "-m", "benchmarks.memory", str(placements)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        return not_run(name, run.stderr.strip().splitlines()[-1][:60], f"<= {BAR_MB:g}")
    return at_most(name, float(run.stdout.split()[-1]), BAR_MB, "MB")


def _child(placements: int) -> None:
    from benchmarks.mail import Mailing  # noqa: PLC0415 - only the child pays for it

    with tempfile.TemporaryDirectory() as folder, mail_sink(Path(folder)) as sink:
        one = Mailing.made(Path(folder), sink, placements)
        one.prepare()
        one.send()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    _child(int(sys.argv[1]))
