"""`make bench` and `make bench-quick`: measure everything, print the table, write benchmarks/out/latest.json."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks import lanes, large, mail, mail_sink, mis, reading, sftp, ssh_server
from benchmarks.result import OUT, Measured, not_run, show, write

LARGE = 100_000


def main(arguments: list[str]) -> int:
    """Measure; exit 0 when every bar is met, 1 otherwise."""
    quick = "--quick" in arguments
    console = Console(width=80)
    rounds, few, many = (3, 1_000, 3_000) if quick else (5, 1_000, 10_000)
    rows: list[Measured] = []
    console.print("Reading registers ...")
    rows += reading.measure(rounds)
    if lacking := mail_sink.missing():
        rows.append(not_run("mail", f"{lacking} must be installed"))
    else:
        with tempfile.TemporaryDirectory() as folder, mail_sink.mail_sink(Path(folder)) as sink:
            console.print(f"Mail, {many} placements ...")
            rows += mail.measure(Path(folder), sink, placements=many, rounds=rounds)
            console.print("Cost of a report ...")
            rows.append(mail.cost(Path(folder), sink, few, many))
        console.print(f"A large day, {many} placements ...")
        rows += large.measure(many)
        if not quick:
            console.print(f"A large day, {LARGE} placements on PostgreSQL ...")
            rows += large.measure(LARGE, postgresql=True)
        console.print("Dead far sides ...")
        rows += lanes.measure()
    console.print("MIS write-back ...")
    with tempfile.TemporaryDirectory() as folder:
        rows += mis.measure(Path(folder), bursts=5 if quick else 10, rounds=rounds)
    if lacking := ssh_server.missing():
        rows.append(not_run("SFTP files", f"{lacking} must be installed", f">= {sftp.BAR}"))
    else:
        console.print("SFTP files ...")
        with tempfile.TemporaryDirectory() as folder, ssh_server.ssh_server(Path(folder)) as server:
            rows += sftp.measure(Path(folder), server, placements=many // 2, rounds=rounds)
    write(rows)
    show(rows, console)
    console.print(f"Written to {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
