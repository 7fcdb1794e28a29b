"""What came of the day: a table by organisation, what waits for a person, and where to look."""

import shutil
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aphub.demo.day import TUESDAY
from aphub.hub import Hub
from aphub.services import standings
from aphub.services.case_views import cases_on
from aphub.services.standings import RUNG_WORDS, Standing, way_words

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
    days = [standings.day_of(desk, TUESDAY) for desk in hub.desks()]
    played = f", played in {seconds:.0f} seconds" if seconds is not None else ""
    console.print()
    console.print(Text(f"Tuesday 3 March 2026{played}", "bold"))
    console.print()
    console.print(day_table(standings.merged(days)))
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


def day_table(days: list[Standing]) -> Table:
    """Lay out one row an organisation: reports owed and sent, how, how far that got, and on time."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0))
    table.add_column("School or council", no_wrap=True)
    table.add_column("Owed", justify="right")
    table.add_column("Sent", justify="right")
    table.add_column("How", no_wrap=True, min_width=17)
    table.add_column("How far", no_wrap=True)
    table.add_column("On time", justify="right", min_width=8, no_wrap=True)
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
            due = f" by {one.due}" if one.due else ""
            table.add_row("  -", Text(f"{one.title}{due}: {one.words}"))
        console.print(table)
    console.print()
