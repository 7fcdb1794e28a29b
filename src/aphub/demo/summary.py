"""What came of the day: a table by organisation, what waits for a person, and where to look."""

import shutil
import sys
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aphub.demo.day import TUESDAY
from aphub.hub import Hub
from aphub.services import standings
from aphub.services.standings import RUNG_WORDS, Standing, way_words

PATHS = (
    ("mail", "what each mailbox received, as files (Maildir)"),
    ("drop", "what lies in the secure folders"),
    ("mis", "what the schools' own registers hold"),
    ("inbox", "the registers, put away sealed, with a report beside each"),
    ("evidence", "proof that anyone can check without us"),
)


def _program() -> str:
    """Give the command as the reader can type it: by name where it is found, otherwise by its path."""
    if shutil.which("aphub"):
        return "aphub"
    beside = Path(sys.executable).with_name("aphub")
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def show_summary(hub: Hub, home: Path, console: Console, *, seconds: float | None = None) -> None:
    """Print the end of a played day."""
    days = [standings.day_of(desk, TUESDAY) for desk in hub.desks()]
    played = f", played in {seconds:.0f} seconds" if seconds is not None else ""
    console.print()
    console.print(Text(f"Tuesday 3 March 2026{played}", "bold"))
    console.print()
    console.print(day_table(standings.merged(days)))
    console.print()
    _waiting(hub, console)
    console.print(Text("Check the record of what was sent", "bold"))
    console.print(Padding(Text(f"{_program()} --home {home} verify", "cyan", overflow="fold"), (0, 0, 1, 2)))
    console.print(Text("Look around", "bold"))
    table = Table.grid(padding=(0, 2))
    for part, words in PATHS:
        table.add_row(Text(f"  {home / part}", "cyan", overflow="fold"), words)
    console.print(table)
    console.print()


def day_table(days: list[Standing]) -> Table:
    """Lay out one row an organisation: reports owed and sent, how, how far that got, and on time."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("School or council", no_wrap=True)
    table.add_column("Owed", justify="right")
    table.add_column("Sent", justify="right")
    table.add_column("How", no_wrap=True)
    table.add_column("How far", no_wrap=True)
    table.add_column("On time", justify="right", min_width=7)
    for one in days:
        ways = sorted(one.ways.items(), key=lambda way: way[0])
        table.add_row(
            one.name,
            str(one.owed),
            str(one.met),
            "\n".join(way_words(adapter, count) for (adapter, _), count in ways),
            "\n".join(RUNG_WORDS[rung].removeprefix("sent, ") for (_, rung), _ in ways),
            Text("all", "green")
            if one.on_time == one.owed
            else Text(f"{one.on_time} of {one.owed}", "yellow"),
        )
    return table


def _waiting(hub: Hub, console: Console) -> None:
    """Name what a person must do, decide or answer, by provider."""
    found = [one for desk in hub.desks() for one in standings.waiting(desk)]
    console.print(Text(f"Waiting for a person: {len(found) or 'nothing'}", "bold"))
    for provider, some in groupby(found, key=lambda one: one.provider):
        console.print(Text(f"  {provider}", "dim"))
        table = Table.grid(padding=(0, 1))
        table.add_column(width=3)
        table.add_column()
        for one in some:
            due = f" By {one.due}." if one.due else ""
            table.add_row("  -", Text(f"{one.title}: {one.words}{due}"))
        console.print(table)
    console.print()
