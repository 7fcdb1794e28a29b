"""What the daemon does beside its passes, in a thread of its own: what may be slow there delays no message."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aphub.logs import get_logger

_LAST_SECONDS = 30.0
log = get_logger("beside")


@contextmanager
def going_round(
    name: str,
    every: float,
    stop: threading.Event,
    look: Callable[[Callable[[], bool]], object],
    *,
    wanted: bool = True,
) -> Iterator[None]:
    """Call `look` again and again, `every` so many seconds, until the block is left or `stop` is set; nothing unless `wanted`.

    `look` is given a way to ask whether it should end. What goes wrong in it is logged, and it is called again.
    """
    if not wanted:
        yield
        return
    over = threading.Event()

    def ended() -> bool:
        return stop.is_set() or over.is_set()

    def go_round() -> None:
        while not ended():
            try:
                look(ended)
            except Exception:
                log.exception("beside.failed", what=name)
            over.wait(every)

    thread = threading.Thread(target=go_round, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # What it asks of a far side has time limits of its own; whoever stops the hub need not wait for all of them.
        thread.join(_LAST_SECONDS)
