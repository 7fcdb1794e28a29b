"""Join what asyncssh writes at one go: requests into one packet, packets into one system call.

asyncssh makes an SSH packet of each SFTP request, hands each to the socket by itself, and puts an empty packet in front
of every one (a guard for old ciphers), so that a file costs fourteen packets and as many wake-ups of the server. With
many files in flight most of these fall into one turn of the event loop: joined, they cost one packet and one call.
asyncssh takes the way in as it takes a tunnel: an object with `create_connection`.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncssh


class _AsKnownTo(dict[str, Any]):
    """What the socket's transport knows of its ends, in the form in which asyncio keeps it."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self._inner = inner

    def get(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)


class JoiningWriter:
    """Passes a channel's requests on at the end of the event loop's turn, as one piece: SFTP is a stream of bytes."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Stand in front of the channel's own writer."""
        self._inner = inner
        self._loop = loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        """Keep a request for the end of this turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        # A channel that has closed meanwhile says so to everybody who waits for an answer.
        with suppress(OSError):
            if waiting:
                self._inner.write(b"".join(waiting))

    def write_eof(self) -> None:
        """Write what waits, and that it was all."""
        self._flush()
        self._inner.write_eof()

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._inner.close()


def join_requests(files: asyncssh.SFTPClient) -> asyncssh.SFTPClient:
    """Let a client's requests be joined; an asyncssh that is made otherwise works as it is."""
    inside = getattr(files, "_handler", None)
    writer = getattr(inside, "_writer", None)
    if inside is not None and writer is not None:
        inside._writer = JoiningWriter(writer, asyncio.get_running_loop())  # noqa: SLF001 - there is no other way in
    return files


class JoiningTransport(asyncio.Transport):
    """Passes everything on, and writes at the end of the event loop's turn."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Stand in front of the socket's own transport."""
        super().__init__(extra=_AsKnownTo(inner))
        self._inner = inner
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the data for the end of this turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(bytes(data))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._inner.is_closing():
            self._inner.write(b"".join(waiting))

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Close at once; what was said before a goodbye still leaves, if it can leave at once."""
        self._flush()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Say whether it is closing or closed."""
        return self._inner.is_closing()

    def pause_reading(self) -> None:
        """Stop reading for now."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._inner.resume_reading()


TURNS_BEFORE_THE_END = 6
"""Turns of the event loop between the last words of a server and the end of the line.

asyncssh reads a packet of the key exchange in a task of its own. Where a server says why it leaves and hangs up in the
same turn, the end would overtake the reason, and "no cipher that is still safe" would read as "cannot be reached".
"""


class _Introduced(asyncio.Protocol):
    """Introduces the joining transport to the protocol behind, and lets the last words arrive before the end."""

    def __init__(self, behind: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.behind = behind
        self._loop = loop

    def connection_made(self, transport: Any) -> None:
        self.behind.connection_made(JoiningTransport(transport, self._loop))

    def data_received(self, data: bytes) -> None:
        self.behind.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_after(TURNS_BEFORE_THE_END, exc)

    def _end_after(self, turns: int, exc: Exception | None) -> None:
        if turns:
            self._loop.call_soon(self._end_after, turns - 1, exc)
        else:
            self.behind.connection_lost(exc)

    def pause_writing(self) -> None:
        self.behind.pause_writing()

    def resume_writing(self) -> None:
        self.behind.resume_writing()


class JoiningWay:
    """The way to the server, in the place where asyncssh expects a tunnel.

    It leads to the addresses that were judged, and asks no name service again.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        """Know where it leads."""
        self._addresses = addresses

    async def create_connection(self, factory: Callable[[], Any], _host: str, port: int) -> tuple[Any, Any]:
        """Connect to the first address that answers, with writes joined."""
        loop = asyncio.get_running_loop()
        for address in self._addresses[:-1]:
            with suppress(OSError):
                return await self._to(loop, factory, address, port)
        return await self._to(loop, factory, self._addresses[-1], port)

    @staticmethod
    async def _to(
        loop: asyncio.AbstractEventLoop, factory: Callable[[], Any], address: str, port: int
    ) -> tuple[Any, Any]:
        transport, introduced = await loop.create_connection(
            lambda: _Introduced(factory(), loop), address, port
        )
        return transport, introduced.behind
