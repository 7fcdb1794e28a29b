"""One school day, played: invented pupils, registers as providers export them, real far sides on loopback."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["main", "play"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run `aphub demo`; give the exit status."""
    from aphub.demo.command import run  # noqa: PLC0415 - what the day needs is loaded only by who plays it

    return run(argv)


def play(folder: Path, console: "Console", *, again: bool = False) -> int:
    """Play the day into `folder`, or say that nothing is owed where it was played already; give the exit status."""
    from aphub.demo.command import play as play_there  # noqa: PLC0415 - likewise

    return play_there(folder, console, again=again)
