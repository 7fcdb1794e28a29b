"""One file on its way: written under a temporary name, read back, and only then given its own.

The plain SFTP rename is asked first, because it never overwrites; `posix-rename@openssh.com` replaces what is there,
so it is used only where the plain one is missing, after a look.
"""

import asyncio
from contextlib import suppress

import asyncssh

from aphub.api import Answer, DeliveryError, UncertainDeliveryError
from aphub_drop import words
from aphub_drop.answers import MOST_BYTES
from aphub_drop.files import temporary
from aphub_drop.session import LOST

_ONE_PACKET = 30_000
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_NO_FOLDER = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_DENIED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)
_NEW = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC
_ONLY_NEW = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
_CLEAN_UP_SECONDS = 2.0


async def place_directly(
    files: asyncssh.SFTPClient,
    path: str,
    content: bytes,
    *,
    seconds: float,
    read_back: bool,
    last: bool,
) -> Answer:
    """Write one file under its own name, over nothing that is there but an unfinished try of ours.

    The `last` file says that all the others are there, so from its first byte on they may be taken.

    Raises:
        DeliveryError: It is not there, or (uncertain) the line went while the last file was made.
    """
    try:
        async with asyncio.timeout(seconds):
            try:
                await _write(files, path, content, read_back=read_back, flags=_ONLY_NEW)
            except _MayBeThereError as exc:
                there = await _compare(files, path, content, begun_is_ours=True)
                if there is not None:
                    return there
                if not await files.lexists(path):
                    raise await _why_not(files, path, exc.said) from exc
                await _write(files, path, content, read_back=read_back)
    except LOST as exc:
        raise (words.lost_at_last() if last else words.lost_before()) from exc
    except asyncssh.SFTPError as exc:
        raise words.write_failed(type(exc).__name__) from exc
    return Answer.TAKEN


class _MayBeThereError(Exception):
    """The server would not make the file, perhaps since there is one of this name."""

    def __init__(self, said: asyncssh.SFTPError) -> None:
        super().__init__()
        self.said = said


async def place(
    files: asyncssh.SFTPClient,
    folder: str,
    name: str,
    content: bytes,
    *,
    seconds: float,
    read_back: bool,
    last: bool = True,
) -> Answer:
    """Put one file there, whole or not at all, over nothing that is there.

    Before the `last` file, nobody takes anything: what was lost until then has not arrived.

    Raises:
        TransientDeliveryError: It did not get its name.
        RefusedDeliveryError: They will not have it.
        UncertainDeliveryError: The line went while it was getting its name.
    """
    unfinished, final = f"{folder}/{temporary(name)}", f"{folder}/{name}"
    naming = False
    try:
        # One limit for all of a file's requests: each costs as much to set as a request to make.
        async with asyncio.timeout(seconds):
            await _write(files, unfinished, content, read_back=read_back)
            naming = True
            if await _named(files, unfinished, final):
                if not read_back:
                    await _see(files, final, len(content))
                return Answer.TAKEN
            naming = False
            there = await _compare(files, final, content)
    except LOST as exc:
        raise (words.lost_at_rename() if naming and last else words.lost_before()) from exc
    except DeliveryError as exc:
        if not isinstance(exc, UncertainDeliveryError):
            await _remove(files, unfinished)
        raise
    await _remove(files, unfinished)
    if there is None:
        raise words.may_not_rename()
    return there


async def what_is_there(
    files: asyncssh.SFTPClient, folder: str, name: str, content: bytes, *, seconds: float
) -> Answer | None:
    """Look for a file by name: ours, another, or none.

    Raises:
        TransientDeliveryError: The line went, or they will not let us look.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _compare(files, f"{folder}/{name}", content)
    except LOST as exc:
        raise words.lost_before() from exc
    except asyncssh.SFTPError as exc:
        raise words.write_failed(type(exc).__name__) from exc


async def _write(
    files: asyncssh.SFTPClient, path: str, content: bytes, *, read_back: bool, flags: int = _NEW
) -> None:
    """Write, make durable and read back through one handle, so that no damaged file ever bears its name."""
    file = await _opened(files, path, content, flags | asyncssh.FXF_READ if read_back else flags)
    try:
        await file.write(content)
        with suppress(asyncssh.SFTPOpUnsupported):
            await file.fsync()
        if read_back:
            await _read_back(file, content)
        # A server may tell only now that the disk is full.
        await file.close()
    except _FULL as exc:
        await _given_up(files, file, path, flags)
        raise words.disk_full() from exc
    except (*LOST, DeliveryError):
        await _given_up(files, file, path, flags)
        raise
    except asyncssh.SFTPError as exc:
        await _given_up(files, file, path, flags)
        raise await _why_not(files, path, exc) from exc


async def _given_up(files: asyncssh.SFTPClient, file: asyncssh.SFTPClientFile, path: str, flags: int) -> None:
    """Close a file that will not be finished; remove it where it bears its name already, which we made."""
    with suppress(*LOST, asyncssh.Error):
        await file.close()
    if flags & asyncssh.FXF_EXCL:
        await _remove(files, path)


async def _opened(
    files: asyncssh.SFTPClient, path: str, content: bytes, flags: int
) -> asyncssh.SFTPClientFile:
    # One packet needs no machinery for blocks in parallel.
    block = 0 if len(content) <= _ONE_PACKET else -1
    try:
        return await files.open(path, flags, encoding=None, block_size=block)
    except _NO_FOLDER as exc:
        raise words.no_folder() from exc
    except _DENIED as exc:
        raise words.may_not_write() from exc
    except _FULL as exc:
        raise words.disk_full() from exc
    except LOST:
        raise
    except asyncssh.SFTPError as exc:
        if flags & asyncssh.FXF_EXCL:
            raise _MayBeThereError(exc) from exc
        raise await _why_not(files, path, exc) from exc


async def _read_back(file: asyncssh.SFTPClientFile, content: bytes) -> None:
    try:
        # One byte more than we wrote, so that a longer file shows.
        kept: object = await file.read(len(content) + 1, 0)
    except _DENIED as exc:
        raise words.may_not_read() from exc
    if kept != content:
        raise words.damaged()


async def _named(files: asyncssh.SFTPClient, unfinished: str, final: str) -> bool:
    """Give the file its name; say False where the server answered no, for which it seldom gives the reason."""
    try:
        await files.rename(unfinished, final)
    except asyncssh.SFTPOpUnsupported:
        if await files.lexists(final):
            return False
        return await _replaced(files, unfinished, final)
    except LOST:
        raise
    except _FULL as exc:
        raise words.disk_full() from exc
    except asyncssh.SFTPError:
        return False
    return True


async def _replaced(files: asyncssh.SFTPClient, unfinished: str, final: str) -> bool:
    try:
        await files.posix_rename(unfinished, final)
    except LOST:
        raise
    except asyncssh.SFTPError:
        return False
    return True


async def _compare(
    files: asyncssh.SFTPClient, path: str, content: bytes, *, begun_is_ours: bool = False
) -> Answer | None:
    """Compare what lies at a path with what we would put there.

    With `begun_is_ours`, the beginning of our own bytes is an unfinished try, and counts as nothing there.
    """
    try:
        size = (await files.stat(path)).size
    except _NO_FOLDER:
        return None
    if size != len(content) and not (begun_is_ours and size is not None and size < len(content)):
        return Answer.DIFFERS
    async with files.open(path, "rb") as file:
        kept: object = await file.read()
    if kept != content and begun_is_ours and isinstance(kept, bytes) and content.startswith(kept):
        return None
    return Answer.ALREADY_THERE if kept == content else Answer.DIFFERS


async def answer_file(files: asyncssh.SFTPClient, path: str, *, seconds: float) -> bytes | None:
    """Read the beginning of an answer file; None while there is none.

    Raises:
        TransientDeliveryError: The line went, or they will not let us look.
    """
    try:
        async with asyncio.timeout(seconds):
            async with files.open(path, "rb") as file:
                kept: object = await file.read(MOST_BYTES)
    except _NO_FOLDER:
        return None
    except LOST as exc:
        raise words.lost_before() from exc
    except asyncssh.SFTPError as exc:
        raise words.may_not_look(type(exc).__name__) from exc
    return kept if isinstance(kept, bytes) else b""


async def _see(files: asyncssh.SFTPClient, path: str, size: int) -> None:
    """Compare the size where nothing was read back; a reader who took the file away at once changes nothing.

    Raises:
        UncertainDeliveryError: Something of another size lies there.
    """
    with suppress(*LOST, asyncssh.SFTPError):
        seen = await files.stat(path)
        if seen.size is not None and seen.size != size:
            raise words.lost_at_rename()


async def _why_not(files: asyncssh.SFTPClient, path: str, exc: asyncssh.SFTPError) -> DeliveryError:
    """Tell a full disk from another failure: version 3 of the protocol has one word for both (and OpenSSH speaks 3)."""
    with suppress(asyncssh.Error, OSError):
        disk = await files.statvfs(path.rpartition("/")[0] or "/")
        if disk.bavail == 0 or disk.favail == 0 < disk.files:
            return words.disk_full()
    if "space" in exc.reason.lower() or "quota" in exc.reason.lower():
        return words.disk_full()
    return words.write_failed(type(exc).__name__)


async def _remove(files: asyncssh.SFTPClient, path: str) -> None:
    """Remove an unfinished file if they let us; the next try writes over it anyway."""
    with suppress(asyncssh.Error, OSError, TimeoutError):
        async with asyncio.timeout(_CLEAN_UP_SECONDS):
            await files.remove(path)
