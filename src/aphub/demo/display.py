"""What a person sees while the day is played: one live panel on a terminal, plain lines elsewhere."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aphub.domain.calendar import LONDON

WIDTH = 80
_SHOWN = 12


class Display:
    """Shows the played clock, what happens, and what has arrived."""

    def __init__(self, console: Console, starts: datetime, ends: datetime) -> None:
        """Show a stretch of played time on a console."""
        self._console = console
        self._starts, self._ends = starts, ends
        self._now = starts
        self._lines: deque[RenderableType] = deque(maxlen=_SHOWN)
        self._arrived: Mapping[str, int] = {}
        self._live = Live(
            console=console, refresh_per_second=12, transient=False, get_renderable=self._render
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the panel."""
        if self._console.is_terminal:
            self._live.stop()

    def say(self, at: datetime, words: str, *, bad: bool = False) -> None:
        """Tell one thing that happened."""
        self._now = at
        line = Text()
        line.append(f"{at.astimezone(LONDON):%a %H:%M}  ", "cyan")
        line.append(words, "yellow" if bad else "")
        if self._console.is_terminal:
            self._lines.append(line)
        else:
            self._console.print(line, soft_wrap=True)

    def move(self, at: datetime, arrived: Mapping[str, int]) -> None:
        """Show that the clock has moved, and what has arrived by now."""
        self._now = at
        self._arrived = arrived

    def _render(self) -> RenderableType:
        london = self._now.astimezone(LONDON)
        total = (self._ends - self._starts) / timedelta(seconds=1)
        gone = (self._now - self._starts) / timedelta(seconds=1)
        head = Table.grid(expand=True)
        head.add_column(width=24)
        head.add_column(ratio=1)
        head.add_row(
            Text(f"{london:%A} {london.day} {london:%B}  {london:%H:%M}", "bold"),
            ProgressBar(total=total, completed=max(0.0, min(gone, total))),
        )
        counts = ", ".join(f"{count} {name}" for name, count in self._arrived.items())
        foot = Text(f"Arrived so far: {counts or 'nothing'}", "green")
        empty = [Text() for _ in range(_SHOWN - len(self._lines))]
        return Panel(
            Group(head, Text(), *self._lines, *empty, Text(), foot),
            title="aphub: one school day, played",
            width=min(WIDTH, self._console.width),
        )
