"""Sees every connection that the process makes, by Python's own audit events (PEP 578)."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Seen = tuple[str, str, int]

_guard = threading.Lock()
_watches: list[list[Seen]] = []
_installed = False


@contextmanager
def watched_network() -> Iterator[list[Seen]]:
    """Give a list that fills with (event, host, port) while the block runs, from every thread."""
    global _installed  # noqa: PLW0603 - an audit hook can be added and never taken away
    seen: list[Seen] = []
    with _guard:
        if not _installed:
            sys.addaudithook(_audit)
            _installed = True
        _watches.append(seen)
    try:
        yield seen
    finally:
        with _guard:
            # By identity: two lists that have seen nothing are equal.
            _watches[:] = [watch for watch in _watches if watch is not seen]


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    """Note connections and look-ups of names; runs for every audit event, so it leaves at once."""
    if not _watches or not event.startswith("socket."):
        return
    address: object = None
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = (arguments[0], arguments[1] or 0)
    elif event == "socket.gethostbyname":
        address = (arguments[0], 0)
    if isinstance(address, tuple):
        host, port = address[0], address[1]
        host = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        number = port if isinstance(port, int) else 0
        for watch in _watches:
            watch.append((event, host, number))
