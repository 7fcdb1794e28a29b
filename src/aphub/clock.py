"""Where the hub gets the time from, so that a played day and a real day run the same code."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time now, and a way to wait for a later one."""

    def now(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        ...

    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Return at `until`, or earlier when `wake` is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return datetime.now(UTC)

    def wait(self, until: datetime, wake: threading.Event) -> None:
        """Sleep until `until` or until woken, never longer than a minute at a time."""
        # A laptop that was suspended wakes with a clock that jumped; short naps notice that.
        seconds = (until - self.now()).total_seconds()
        wake.wait(max(0.0, min(seconds, 60.0)))


class PlayedClock:
    """A clock that stands still until it is told to move: for the demo and for tests."""

    def __init__(self, start: datetime) -> None:
        """Start at `start`, which must be aware."""
        if start.tzinfo is None:
            message = "a played clock needs an aware start"
            raise ValueError(message)
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the played instant in UTC."""
        with self._lock:
            return self._now

    def advance_to(self, instant: datetime) -> None:
        """Jump forward to `instant`; an earlier instant changes nothing."""
        with self._lock:
            self._now = max(self._now, instant.astimezone(UTC))

    def advance(self, step: timedelta) -> None:
        """Jump forward by `step`."""
        self.advance_to(self.now() + step)

    def wait(self, until: datetime, wake: threading.Event) -> None:  # noqa: ARG002 - a played clock does not sleep
        """Jump to `until` at once."""
        self.advance_to(until)
