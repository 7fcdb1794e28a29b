"""The connection check: each step of the way proved alone, and what to mend at the first that fails."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime

import asyncssh

from aphub.api import CheckStep, DeliveryError, Tools
from aphub_drop import words
from aphub_drop.files import temporary
from aphub_drop.session import LOST, Session, client_key, find, knock, leave, sign_in, start
from aphub_drop.settings import DropConnection, DropRoute

Step = Callable[[], Awaitable[str]]

_CLEAN_UP_SECONDS = 2.0
_TEST_CONTENT = (
    b"aphub checked that it can write, rename, read and remove here. This file may be deleted.\r\n"
)


async def check_steps(connection: DropConnection, route: DropRoute, tools: Tools) -> AsyncIterator[CheckStep]:
    """Give one step after the other, ending at the first that fails."""
    if route.reader is not None:
        found = recipient_step(route, tools.now())
        yield found
        if not found.ok:
            return
    step = "Our key can be used"
    line: asyncssh.SSHClientConnection | None = None
    session: Session | None = None
    test: _TestFile | None = None
    try:
        ours = client_key(connection)
        yield CheckStep(step, ok=True, found=f"{ours.get_algorithm()}, {ours.get_fingerprint()}")

        step = "The server's name is found"
        addresses = await find(connection, tools.reach)
        yield CheckStep(step, ok=True, found=", ".join(addresses[:4]))

        step = f"It answers on port {connection.port}"
        await knock(connection, addresses)
        yield CheckStep(step, ok=True)

        step = "It is the server whose key is pinned, and it accepts ours"
        line = await sign_in(connection, addresses)
        yield CheckStep(step, ok=True, found=connection.host_key)

        step = "It offers SFTP"
        session = await start(connection, line)
        yield CheckStep(step, ok=True, found=session.hops)

        test = _TestFile(session, connection, route)
        for step, prove, sentence in test.steps():
            yield CheckStep(step, ok=True, found=await _told(prove, sentence, connection.timeout))
    except DeliveryError as exc:
        yield CheckStep(step, ok=False, found=str(exc), mend=exc.what_now or "Try again in a few minutes")
    finally:
        if test is not None:
            await test.clean_up()
        if session is not None:
            await leave(session)
        elif line is not None:
            line.abort()


def recipient_step(route: DropRoute, now: datetime) -> CheckStep:
    """Say whether files can be locked for the recipient, and until when."""
    reader = route.reader
    step = "Files can be locked for the recipient"
    if reader is None or (why := reader.why_not(now)):
        return CheckStep(
            step, ok=False, found=why, mend="Put their new key into recipient_key, and approve it again"
        )
    until = f", until {reader.ends:%d %B %Y}" if reader.ends else ""
    return CheckStep(step, ok=True, found=f"{route.encryption}, key {reader.fingerprint[-16:]}{until}")


class _TestFile:
    """A file without a pupil in it, on the way that a report goes."""

    def __init__(self, session: Session, connection: DropConnection, route: DropRoute) -> None:
        self._files = session.channels[0]
        self._connection = connection
        self._folder = route.folder.rstrip("/")
        # Begins with a dot, so that whoever collects files there passes it over.
        name = f".aphub-check-{secrets.token_hex(4)}"
        self._route = route
        self._final = f"{self._folder}/{name}"
        self._unfinished = self._final if route.ready_file else f"{self._folder}/{temporary(name)}"
        self._left: set[str] = set()

    def steps(self) -> Iterator[tuple[str, Step, DeliveryError]]:
        """Give each step's name, its proof, and the sentence for a no."""
        yield "The folder is there", self._is_there, words.no_folder()
        yield "It has room", self._has_room, words.disk_full()
        yield "A test file can be written", self._write, words.may_not_write()
        if not self._route.ready_file:
            yield "It can be renamed", self._rename, words.may_not_rename()
        if self._connection.read_back:
            yield "It can be read back", self._read, words.may_not_read()
        yield "It can be removed", self._remove, words.may_not_write()
        if self._route.answers is not None:
            yield "Their answers can be looked for", self._look, words.no_answers()

    async def clean_up(self) -> None:
        """Remove what a failed step left, if they let us."""
        for path in self._left:
            with suppress(asyncssh.Error, OSError, TimeoutError):
                async with asyncio.timeout(_CLEAN_UP_SECONDS):
                    await self._files.remove(path)

    async def _is_there(self) -> str:
        if not await self._files.isdir(self._folder or "/"):
            raise words.no_folder()
        return self._folder

    async def _has_room(self) -> str:
        try:
            disk = await self._files.statvfs(self._folder or "/")
        except (asyncssh.SFTPOpUnsupported, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure):
            return "the server does not say"
        if disk.bavail == 0 or disk.favail == 0 < disk.files:
            raise words.disk_full()
        return f"{disk.bavail * disk.frsize // 1_000_000} MB free"

    async def _look(self) -> str:
        folder = (self._route.answers.folder if self._route.answers else "") or self._folder
        await self._files.listdir(folder)
        return folder

    async def _write(self) -> str:
        # Like a report: over nothing that is there.
        async with self._files.open(self._unfinished, "xb") as file:
            self._left.add(self._unfinished)
            await file.write(_TEST_CONTENT)
        return f"{len(_TEST_CONTENT)} bytes"

    async def _rename(self) -> str:
        self._left.add(self._final)
        try:
            await self._files.rename(self._unfinished, self._final)
        except asyncssh.SFTPOpUnsupported:
            await self._files.posix_rename(self._unfinished, self._final)
        self._left.remove(self._unfinished)
        return ""

    async def _read(self) -> str:
        async with self._files.open(self._final, "rb") as file:
            kept: object = await file.read()
        if kept != _TEST_CONTENT:
            raise words.damaged()
        return "every byte"

    async def _remove(self) -> str:
        await self._files.remove(self._final)
        self._left.remove(self._final)
        return ""


async def _told(prove: Step, sentence: DeliveryError, seconds: float) -> str:
    """Try a step, and turn what asyncssh raises into the sentence for it."""
    try:
        async with asyncio.timeout(seconds):
            return await prove()
    except LOST as exc:
        raise words.lost_before() from exc
    except asyncssh.Error as exc:
        raise sentence from exc
