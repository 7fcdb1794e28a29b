"""Fifty far sides, of which forty-nine never answer: how late the fiftieth is."""

import socket
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import time as wall
from pathlib import Path

from sqlalchemy import select

from aphub.daemon import lanes_of, pass_once, settle_process
from aphub.services import tell
from aphub.store import tables as t
from benchmarks.apart import ChildError, peak_megabytes, run_module
from benchmarks.mail import ROUTE, connection_to
from benchmarks.mail_sink import mail_sink
from benchmarks.result import Measured, at_most, not_run
from benchmarks.world import at, fill, make_hub, new_home, write_config

LANES = 50
LATE_BAR, MEMORY_BAR_MB = 60.0, 300.0
_LATE, _MEMORY = "49 of 50 far sides dead: lateness of the 50th", "49 of 50 far sides dead: peak memory"


def measure() -> list[Measured]:
    """Play it in a process of its own, since threads that wait for the dead end with it only."""
    try:
        [[late, megabytes]] = run_module("benchmarks.lanes")
    except ChildError as exc:
        why = str(exc)
        return [not_run(_LATE, why, f"<= {LATE_BAR:g}"), not_run(_MEMORY, why, f"<= {MEMORY_BAR_MB:g}")]
    return [
        at_most(_LATE, float(late), LATE_BAR, "s", words="negative is early"),
        at_most(_MEMORY, float(megabytes), MEMORY_BAR_MB, "MB"),
    ]


def _child() -> None:
    with tempfile.TemporaryDirectory() as folder, mail_sink(Path(folder)) as sink, ExitStack() as stack:
        # They take the connection and never say a word.
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(LANES - 1)]
        dead = [{**connection_to(sink), "port": one.getsockname()[1]} for one in silent]
        home, clock = new_home(Path(folder))
        # The living one comes last, as it would on a bad day.
        write_config(home, LANES, dead[0], ROUTE, [*dead[1:], connection_to(sink)])
        hub = make_hub(home, clock)
        desk = fill(hub, LANES * 10)
        clock.advance_to(at(wall(9, 43)))
        settle_process()
        tell.tell_now(desk)
        clock.run()
        lanes = lanes_of(hub)
        end = time.monotonic() + LATE_BAR + 150
        while time.monotonic() < end:
            pass_once(hub, lanes=lanes)
            with hub.store.reading() as connection:
                went = connection.execute(
                    select(t.dispatches.c.handed_over_at, t.dispatches.c.due_by).where(
                        t.dispatches.c.handed_over_at.is_not(None)
                    )
                ).first()
            if went is not None:
                late = (went.handed_over_at - went.due_by).total_seconds()
                print(late, peak_megabytes(), sep="\t", flush=True)
                break
            hub.wake.wait(0.2)
            hub.wake.clear()
        else:
            message = "the fiftieth was never served"
            raise RuntimeError(message)
        stack.close()
        with closing(lanes):
            pass


if __name__ == "__main__":
    _child()
