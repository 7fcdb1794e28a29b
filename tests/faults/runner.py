"""A hub's day in a process that may be killed at any moment; each run is forked, so that starting costs little.

Reads one JSON request a line and answers with one JSON line: how the run ended, after how long, and what it said last.
A run that does not come to its end writes down where each of its threads stands before it is ended.
"""

import faulthandler
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aphub import daemon
from aphub.clock import PlayedClock
from aphub.hub import Hub, built_in, open_hub
from aphub.plugins import load
from aphub.services.lanes import Lanes

ENDS = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
PUTS = (
    (datetime(2026, 3, 3, 9, 5, tzinfo=UTC), "morning.csv"),
    (datetime(2026, 3, 3, 9, 50, tzinfo=UTC), "correction.csv"),
)
"""Which file appears in the inbox when."""
PATIENCE = 60.0
"""Seconds after which a run hangs: a day takes two, on a machine with nothing else to do."""
_LAST_WORDS = 6_000


def play(home: Path, boundary: str, nth: int) -> None:
    """Live the day from where the clock stands, as the daemon does; die at the nth passing of a boundary."""
    clock = PlayedClock(datetime.fromisoformat((home / "clock").read_text()))
    hub = open_hub(home, clock=clock, environment={})
    passed: Counter[str] = Counter()

    def at_boundary(name: str) -> None:
        passed[name] += 1
        if name == boundary and passed[name] == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    hub.boundary = at_boundary
    lanes = Lanes(hub.adapter, 4, hub.wake.set)
    daemon.start(hub)
    never = threading.Event()
    while True:
        put_files(home, clock)
        result = daemon.until_quiet(hub, lanes, never, wait=True)
        if clock.now() >= ENDS:
            break
        move_on(home, clock, result.next_at)
    lanes.close()
    close(hub)


def put_files(home: Path, clock: PlayedClock) -> None:
    """Let the office save its registers into the inbox, each once, whole."""
    for at, name in PUTS:
        source = home / "office" / name
        if clock.now() >= at and source.exists():
            shutil.copyfile(source, home / "inbox" / f".{name}")
            (home / "inbox" / f".{name}").rename(home / "inbox" / name)
            source.rename(home / "office" / f"{name}.sent")


def move_on(home: Path, clock: PlayedClock, due: datetime | None) -> None:
    """Jump to the next instant at which something is due, and remember it beyond this process's life."""
    soon = clock.now() + timedelta(seconds=1)
    at = max(min([due or ENDS, ENDS, *(put for put, _ in PUTS if put > clock.now())]), soon)
    (home / "clock.new").write_text(at.isoformat())
    (home / "clock.new").rename(home / "clock")
    clock.advance_to(at)


def close(hub: Hub) -> None:
    """Close the hub."""
    hub.close()


def forked(ask: dict[str, Any]) -> dict[str, Any]:
    """Run in a child; kill it after `after` seconds where that is asked for."""
    begun = time.monotonic()
    home = Path(ask["home"])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _speak_into(home)
            play(home, ask.get("boundary", ""), ask.get("nth", 0))
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the parent reads the status
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    ended = _ends_within(child, ask.get("after", PATIENCE))
    hangs = not ended and ask.get("after") is None
    if hangs:
        os.kill(child, signal.SIGUSR1)  # faulthandler writes where each thread stands
        time.sleep(1)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return {
        "killed": os.WIFSIGNALED(status) and not hangs,
        "status": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - begun,
        "hangs": hangs,
        "said": _words(home)[-_LAST_WORDS:],
    }


def _speak_into(home: Path) -> None:
    """Let what this process says, and where its threads stand when it is asked, be read when it is no more."""
    words = (home / "said").open("ab", buffering=0)
    os.dup2(words.fileno(), sys.stderr.fileno())
    faulthandler.register(signal.SIGUSR1, file=words, all_threads=True)


def _words(home: Path) -> str:
    return (home / "said").read_text(errors="replace") if (home / "said").exists() else ""


def _ends_within(child: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.001)
    return False


def main() -> None:
    """Answer requests until there are no more."""
    load(built_in())  # so that no child has to import the plugins
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)  # noqa: T201 - the answer to the request


if __name__ == "__main__":
    main()
