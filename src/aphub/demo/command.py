"""`aphub demo`: set everything up, play the day, show what came of it."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from aphub.clock import PlayedClock
from aphub.demo.day import DAYS_BEFORE, ENDS, STARTS, THURSDAY, at, happenings
from aphub.demo.display import WIDTH, Display
from aphub.demo.far_sides import FarSides
from aphub.demo.folder import DEFAULT, Folder
from aphub.demo.loop import pass_until_quiet, play_until
from aphub.demo.set_up import go_live, import_people, make_hub
from aphub.demo.staff import Staff
from aphub.demo.summary import show_summary
from aphub.domain.errors import AphubError
from aphub.hub import Hub, open_hub

THURSDAY_MORNING = at("09:00", THURSDAY)


def run(argv: Sequence[str] | None = None) -> int:
    """Read the arguments and play; give the exit status."""
    parser = argparse.ArgumentParser("aphub demo", description="Play one school day with invented pupils.")
    parser.add_argument("--to", type=Path, default=DEFAULT, metavar="DIR", help=f"where (default: {DEFAULT})")
    parser.add_argument("--again", action="store_true", help="remove a day played there and play it anew")
    arguments = parser.parse_args(argv)
    return play(arguments.to, console_for_people(), again=arguments.again)


def console_for_people() -> Console:
    """Give a console of at most 80 columns, so that the day looks alike everywhere."""
    console = Console(highlight=False)
    if console.width > WIDTH or not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    return console


def play(home: Path, console: Console, *, again: bool = False) -> int:
    """Play the day into a folder; give the exit status."""
    folder = Folder(home.absolute())
    try:
        if not folder.begin(again=again):
            return _look_again(folder, home, console)
        began = time.monotonic()
        hub = _play(folder, console)
    except AphubError as exc:
        console.print(Text(str(exc), "yellow"), soft_wrap=True)
        if folder.is_finished:
            # A day that an older aphub played, say: it holds nothing that is worth keeping.
            console.print(Text("Play the day anew with: aphub demo --again", "dim"))
        return 2
    except KeyboardInterrupt:
        console.print(Text("Stopped. The next time it begins anew.", "yellow"))
        return 2
    try:
        folder.finish()
        show_summary(hub, home, console, seconds=time.monotonic() - began)
    finally:
        hub.close()
    return 0


def _play(folder: Folder, console: Console) -> Hub:
    """Play the whole day; the hub that comes back is still open."""
    clock = PlayedClock(THURSDAY_MORNING)
    with FarSides(folder) as sides, Display(console, STARTS, ENDS) as display:
        hub = make_hub(folder, sides, clock)
        try:
            display.say(clock.now(), "Published: five providers, seventeen schools and councils")
            for words in import_people(hub, folder):
                display.say(clock.now(), words)
            go_live(hub, clock, display, sides)
            clock.advance_to(DAYS_BEFORE)
            staff = Staff(hub, folder)
            play_until(hub, clock, [*happenings(folder, sides), *staff.acts()], ENDS, display, sides)
            staff.write_evidence()
        except BaseException:
            hub.close()
            raise
    return hub


def _look_again(folder: Folder, home: Path, console: Console) -> int:
    """Open a played hub at its kept time, pass once, and say what is owed: nothing."""
    hub = open_hub(folder.home, allow_simulated=True)
    try:
        result = pass_until_quiet(hub, None)
        show_summary(hub, home, console)
        owed = result.messages or result.handed_over or result.failed
        console.print(Text("Something was still owed." if owed else "Nothing is owed.", "bold"))
        console.print(Text("Play the day anew with: aphub demo --again", "dim"))
    finally:
        hub.close()
    return 0
