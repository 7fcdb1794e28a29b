"""What came of the day: a table by organisation, what waits for a person, and where to look."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aphub.demo.day import TUESDAY
from aphub.domain.how_far import of_a_way, way_words
from aphub.domain.wording import time_words
from aphub.hub import Hub
from aphub.services.case_views import cases_on
from aphub.services.overview import Today, today
from aphub.services.waits import Open, waiting

PATHS = (
    ("config", "who is told what, when and how: an example to learn from"),
    ("mail", "what each mailbox received, as files (Maildir)"),
    ("drop", "what lies in the secure folders; one locks its files"),
    ("share", "what lies in the folder that a school's trust shares with us"),
    ("mis", "what the schools' own registers hold"),
    ("inbox", "the registers, put away sealed, a report beside each"),
    ("papers", "a sheet, a letter home, summaries, papers for an audit"),
    ("evidence", "proof that anyone can check without us"),
)
ASKED = (
    ("today", "the day as it stands"),
    ("--provider ypm cases", "who is followed up, and what is next"),
    ("--provider ypm log", "every message, newest first"),
    ("--provider sentre waiting", "what to do, and the command for it"),
)
"""What people ask a hub first, and where a provider must be named, which."""


def _program() -> str:
    """Give the command as the reader can type it: by name where it is found, otherwise by its path."""
    if shutil.which("aphub"):
        return "aphub"
    beside = Path(sys.executable).with_name("aphub")
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def show_summary(hub: Hub, home: Path, console: Console, *, seconds: float | None = None) -> None:
    """Print the end of a played day."""
    played = f", played in {seconds:.0f} seconds" if seconds is not None else ""
    console.print()
    console.print(Text(f"Tuesday 3 March 2026{played}", "bold"))
    console.print()
    console.print(day_table([one for desk in hub.desks() for one in today(desk, TUESDAY)]))
    console.print()
    _followed(hub, console)
    _waiting(hub, console)
    program = f"{_program()} --home {home}"
    _commands(
        console,
        "Check the record of what was sent",
        (
            (f"{program} verify", "here, with the hub"),
            (f"{_program()} verify --bundle {home / 'evidence' / 'ypm'}", "anywhere, without it"),
        ),
    )
    _commands(console, "Ask the hub", [(f"{program} {verb}", words) for verb, words in ASKED])
    locked = sorted((home / "drop" / "tern-bank").glob("marks-*.p7m"))
    if locked:
        key = home / "keys" / "tern-bank.key"
        opening = f"openssl cms -decrypt -inform DER -inkey {key} \\\n    -in {locked[-1]}"
        _commands(console, "Open the locked file, as the school does", [(opening, "")])
    _commands(console, "Look around", [(str(home / part), words) for part, words in PATHS])
    console.print()


def _commands(console: Console, title: str, lines: Sequence[tuple[str, str]]) -> None:
    """Print what can be typed or opened, what it is for beside it, or above it where that does not fit."""
    console.print(Text(title, "bold"))
    wide = max(len(command) for command, _ in lines)
    beside = wide + 4 + max(len(words) for _, words in lines) <= console.width
    for command, words in lines:
        if words and not beside:
            console.print(Text(f"  {words}:"))
        # Never folded by us: a command that is copied must be whole.
        line = Text(f"  {command.ljust(wide if beside else 0)}", "cyan")
        console.print(line.append(f"  {words}", "default") if beside else line, soft_wrap=True)


def _followed(hub: Hub, console: Console) -> None:
    """Count, by provider, the pupils about whom something was to be done, and how far that is."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Followed up by", no_wrap=True)
    for name in ("Cases", "Closed", "Steps done", "To do", "Overdue"):
        table.add_column(name, justify="right", no_wrap=True)
    for desk in hub.desks():
        cases = cases_on(desk, TUESDAY, over=True)
        late = sum(one.overdue for one in cases)
        table.add_row(
            desk.config.provider.name,
            str(len(cases)),
            str(sum(one.state == "cleared" for one in cases)),
            str(sum(one.done for one in cases)),
            str(sum(one.to_do for one in cases)),
            Text(str(late), "yellow" if late else ""),
        )
    console.print(table)
    console.print()


def day_table(days: Iterable[Today]) -> Table:
    """Lay out one row an organisation, of all providers: reports owed and sent, how, how far that got, and on time."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0))
    table.add_column("School or council", no_wrap=True)
    table.add_column("Owed", justify="right")
    table.add_column("Sent", justify="right")
    table.add_column("How", no_wrap=True, min_width=17)
    table.add_column("How far", no_wrap=True)
    table.add_column("On time", justify="right", min_width=8, no_wrap=True)
    for name, some in groupby(sorted(days, key=lambda one: one.name), key=lambda one: one.name):
        each = list(some)
        ways: Counter[tuple[str, str]] = Counter()
        for adapter, rung, count in (way for one in each for way in one.ways):
            ways[adapter, rung] += count
        table.add_row(
            name,
            str(sum(one.owed for one in each)),
            str(sum(one.sent for one in each)),
            "\n".join(way_words(adapter, count) for (adapter, _), count in sorted(ways.items())),
            "\n".join(of_a_way(rung, adapter) for adapter, rung in sorted(ways)),
            _on_time(each),
        )
    return table


def _on_time(each: Sequence[Today]) -> Text:
    owed, on_time = sum(one.owed for one in each), sum(one.on_time for one in each)
    if any(one.late or one.missing for one in each):
        return Text(f"{on_time} of {owed}", "yellow")
    # A report of the whole week is owed on each of its days, and leaves at its end.
    return Text("all" if on_time == owed else "so far", "green")


def _waiting(hub: Hub, console: Console) -> None:
    """Name what a person must do, decide or answer, by provider; pupils who are followed up were counted above."""
    found = {
        desk.config.provider.name: [one for one in waiting(desk) if one.kind != "case"]
        for desk in hub.desks()
    }
    count = sum(len(some) for some in found.values())
    console.print(Text(f"Waiting for a person: {count or 'nothing'}", "bold"))
    for provider, some in found.items():
        if not some:
            continue
        console.print(Text(f"  {provider}", "dim"))
        table = Table.grid(padding=(0, 1))
        table.add_column(width=3)
        table.add_column()
        for one in some:
            table.add_row("  -", Text(_line(one)))
        console.print(table)
    console.print()


def _line(one: Open) -> str:
    return f"By {time_words(one.due)}: {one.words}" if one.due else one.words
