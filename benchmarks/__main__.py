"""`make bench` and `make bench-quick`: measure everything, print the table, write benchmarks/out/latest.json."""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks import figures, lanes, mail, mail_sink, memory, mis, reading, sftp, ssh_server
from benchmarks.result import OUT, Measured, not_run, show, write


def main(arguments: list[str]) -> int:
    """Measure; exit 0 when every bar is met, 1 otherwise."""
    quick = "--quick" in arguments
    console = Console(width=80)
    rounds, small, large = (3, 1_000, 3_000) if quick else (5, 1_000, 10_000)
    rows: list[Measured] = []
    console.print("Reading registers ...")
    rows += reading.measure(rounds)
    if lacking := mail_sink.missing():
        rows.append(not_run("mail", f"{lacking} must be installed"))
    else:
        with tempfile.TemporaryDirectory() as folder, mail_sink.mail_sink(Path(folder)) as sink:
            console.print(f"Mail, {large} placements ...")
            rows += mail.measure(Path(folder), sink, placements=large, rounds=rounds)
            console.print("Cost of a report ...")
            rows.append(mail.cost(Path(folder), sink, small, large))
        console.print("Memory ...")
        rows.append(memory.measure(large))
        if quick:
            rows.append(not_run("peak memory at 100000 on PostgreSQL", "in make bench only", "<= 300"))
        else:
            rows.append(memory.measure_postgresql(100_000))
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
            rows += sftp.measure(Path(folder), server, placements=large // 2, rounds=rounds)
    console.print(f"The week's figures, {large} placements ...")
    rows += figures.measure(large)
    write(rows)
    show(rows, console)
    console.print(f"Written to {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
