"""The two sides of asyncssh that a stand-in shapes: who may sign in, and what happens to files."""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import asyncssh

if TYPE_CHECKING:
    from aphub.sandbox.sftp import SftpSink

_WRITES = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT


class _Door(asyncssh.SSHServer):
    """Lets in known keys only."""

    def __init__(self, sink: "SftpSink") -> None:
        self._sink = sink
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if not self._sink.came(conn):
            # Before the greeting is out, so that the client sees a bare end of connection.
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended does not matter
        if self._connection is not None:
            self._sink.went(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - everybody must sign in
        self._sink.tries_to_sign_in()
        return True

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return False

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._sink.knows(username, key)


class _Files(asyncssh.SFTPServer):
    """Files below one folder, as the far side's mood will have them."""

    def __init__(self, chan: Any, sink: "SftpSink") -> None:
        super().__init__(chan, chroot=str(sink.folder).encode())
        self._sink = sink

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        self._sink.heard(path + b"\n")
        await self._sink.pause()
        if pflags & _WRITES and self._sink.trouble("refuses", "open"):
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        await self._cut("open", lambda: self._opened(path, pflags, attrs).close(), path)
        return self._opened(path, pflags, attrs)

    def _opened(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        return super().open(path, pflags, attrs)

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if self._sink.trouble("refuses", "read"):
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        kept = super().read(file_obj, offset, size)
        if not isinstance(kept, bytes):
            message = "asyncssh reads local files at once"
            raise TypeError(message)
        return kept

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._sink.heard(data)
        await self._sink.pause()
        if self._sink.trouble("full"):
            raise OSError(errno.ENOSPC, "No space left on device")
        await self._cut("write", lambda: self._write(file_obj, offset, data))
        return self._write(file_obj, offset, data)

    def _write(self, file_obj: object, offset: int, data: bytes) -> int:
        kept = bytes(reversed(data)) if self._sink.trouble("damages") else data
        written = super().write(file_obj, offset, kept)
        if not isinstance(written, int):
            message = "asyncssh writes to local files at once"
            raise TypeError(message)
        return written

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._rename(oldpath, newpath, super().rename)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        if not self._sink.posix_rename:
            raise asyncssh.SFTPOpUnsupported("Operation not supported")
        await self._rename(oldpath, newpath, super().posix_rename)

    async def _rename(self, old: bytes, new: bytes, act: Callable[[bytes, bytes], object]) -> None:
        self._sink.heard(old + b"\n" + new + b"\n")
        await self._sink.pause()
        if self._sink.trouble("refuses", "rename"):
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        await self._cut("rename", lambda: act(old, new), new)
        act(old, new)
        await self._sink.pause("late")

    async def _cut(self, at: str, act: Callable[[], object], path: bytes = b"") -> None:
        """Leave without an answer if the mood says so (of this path), with the effect done or not."""
        if not path.endswith(self._sink.mood.words.encode()):
            return
        mood = self._sink.trouble("cuts_off", at)
        if mood is None:
            return
        if mood.kept:
            act()
        self.connection.abort()
        # The connection is gone: what asyncssh answers to this reaches nobody.
        raise asyncssh.SFTPConnectionLost("cut off")


def session_classes(
    sink: "SftpSink",
) -> tuple[Callable[[], asyncssh.SSHServer], Callable[[Any], asyncssh.SFTPServer]]:
    """Give what asyncssh asks for, one per connection and one per SFTP channel, bound to a sink."""
    return (lambda: _Door(sink)), (lambda chan: _Files(chan, sink))
