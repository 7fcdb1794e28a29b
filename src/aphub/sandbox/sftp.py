"""An SFTP server on loopback, chrooted to one folder, that lets in named keys and nobody by password.

asyncssh (extra `aphub[sandbox]`) runs in a thread and an event loop of its own.
"""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aphub.sandbox.certificates import write_private
from aphub.sandbox.far_side import FarSide, Mood

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

    import asyncssh

STOP_SECONDS = 10.0
T = TypeVar("T")


class SftpSink(FarSide):
    """A secure drop that keeps files in `folder`.

    `authorized_keys` are public keys as lines of OpenSSH text; `host_key` is a private key file, made if it is
    missing, so that a fingerprint pinned once stays right.
    """

    def __init__(
        self,
        folder: Path,
        *,
        authorized_keys: Sequence[str],
        port: int = 0,
        host_key: Path | None = None,
        user: str = "aphub",
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        import asyncssh  # noqa: PLC0415 - an extra, wanted by those who start one

        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.user = user
        self.posix_rename = True
        self._port = port
        self._keys = [asyncssh.import_public_key(line) for line in authorized_keys]
        self._host_key = self._own_host_key = _host_key(host_key)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._sign_ins = 0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return ("127.0.0.1", self._port)

    @property
    def fingerprint(self) -> str:
        """The host key's fingerprint as OpenSSH prints it, "SHA256:…"."""
        return str(self._host_key.get_fingerprint())

    @property
    def host_public_key(self) -> str:
        """The host key as one line of OpenSSH text."""
        return str(self._host_key.export_public_key().decode().strip())

    @property
    def sign_ins(self) -> int:
        """How many clients got as far as trying to sign in."""
        with self._lock:
            return self._sign_ins

    def files(self) -> dict[str, bytes]:
        """Every file below the folder, by its relative name."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    # Coming and going

    def up(self) -> None:
        """Listen, on the same port as before."""
        if self._acceptor is not None:
            return
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        self._acceptor = self._run(self._listen())
        self._port = self._acceptor.get_port()

    def down(self) -> None:
        """Stop listening and cut every open connection."""
        if self._acceptor is not None:
            self._run(self._close(self._acceptor))
            self._acceptor = None

    def stop(self) -> None:
        """Stop listening, cut every connection, end the event loop."""
        super().stop()
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def swaps_host_key(self) -> None:
        """Come back with another host key, as an impostor would."""
        self.down()
        self._host_key = _host_key(None)
        self.up()

    # Moods of its own

    def accepts(self) -> None:
        """Take everything again, under the right host key."""
        self.posix_rename = True
        if self._host_key is not self._own_host_key:
            self.down()
            self._host_key = self._own_host_key
        super().accepts()

    def is_busy(self, *, times: int | None = None) -> None:
        """Close new connections before the greeting, as sshd does when too many come, and cut those that are open."""
        super().is_busy(times=times)
        if self._acceptor is not None:
            self._run(self._cut())

    def refuses(self, *, at: str = "open", times: int | None = None) -> None:
        """Say "permission denied" at "open" (for writing), "read" or "rename"."""
        self._be(Mood("refuses", at=at, times=times))

    def damages(self, *, times: int | None = None) -> None:
        """Keep other bytes than it was sent, as a failing disk does."""
        self._be(Mood("damages", times=times))

    def is_full(self, *, times: int | None = None) -> None:
        """Open files, and fail at every write as a full disk does."""
        self._be(Mood("full", times=times))

    def has_no_posix_rename(self) -> None:
        """Know only the plain rename, which never overwrites."""
        self.posix_rename = False

    def cuts_off_after_reading(
        self, *, kept: bool = True, times: int | None = None, at: str = "rename", ending: str = ""
    ) -> None:
        """Close instead of answering at "open", "rename" or "write", with the effect kept or not.

        With `ending`, only for files whose name ends so.
        """
        self._be(Mood("cuts_off", at=at, kept=kept, words=ending, times=times))

    # Inside the loop

    def _run(self, work: "Coroutine[Any, Any, T]") -> T:
        if self._loop is None:
            work.close()
            message = "the SFTP stand-in has not been started"
            raise RuntimeError(message)
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(STOP_SECONDS)

    async def _listen(self) -> "asyncssh.SSHAcceptor":
        import asyncssh  # noqa: PLC0415 - see above

        from aphub.sandbox.sftp_session import session_classes  # noqa: PLC0415 - imports asyncssh

        ssh, files = session_classes(self)
        return await asyncssh.create_server(
            ssh,
            "127.0.0.1",
            self._port,
            server_host_keys=[self._host_key],
            sftp_factory=files,
            allow_scp=False,
            agent_forwarding=False,
            gss_host=None,
            reuse_address=True,
            login_timeout=30,
        )

    async def _close(self, acceptor: "asyncssh.SSHAcceptor") -> None:
        acceptor.close()
        await self._cut()
        await acceptor.wait_closed()

    async def _cut(self) -> None:
        open_now = list(self._connections)
        for connection in open_now:
            connection.abort()
        for connection in open_now:
            await connection.wait_closed()

    # For the session

    def came(self, connection: "asyncssh.SSHServerConnection") -> bool:
        """Note a connection; say whether to go on with it."""
        self._connections.add(connection)
        return self._takes("busy") is None

    def went(self, connection: "asyncssh.SSHServerConnection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def tries_to_sign_in(self) -> None:
        """Count a client that came as far as sign-in."""
        with self._lock:
            self._sign_ins += 1

    def knows(self, user: str, key: "asyncssh.SSHKey") -> bool:
        """Say whether this key may sign in."""
        return user == self.user and key in self._keys

    def heard(self, chunk: bytes) -> None:
        """Record what reached the server."""
        self._record(chunk)

    def trouble(self, name: str, at: str = "") -> Mood | None:
        """Give the mood if it is this one, and count it down."""
        return self._takes(name, at)

    async def pause(self, name: str = "slow") -> None:
        """Wait if the mood is this one, without holding up other connections."""
        if self.mood.name == name:
            await asyncio.get_running_loop().run_in_executor(None, self._waits, name)


def _host_key(path: Path | None) -> "asyncssh.SSHKey":
    import asyncssh  # noqa: PLC0415 - see above

    if path is not None and path.exists():
        return asyncssh.read_private_key(str(path))
    key = asyncssh.generate_private_key("ssh-ed25519")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, key.export_private_key())
    return key
