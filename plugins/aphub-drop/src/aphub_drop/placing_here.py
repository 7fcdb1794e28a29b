"""One file into a mounted folder: whole or not at all, and over nothing that is there."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aphub.api import Answer, Document
from aphub_drop import words
from aphub_drop.answers import MOST_BYTES
from aphub_drop.files import temporary

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CANNOT_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_AWAY = {errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EIO, errno.ENODEV}


def place_in_folder(
    folder: Path,
    document: Document,
    *,
    link: Callable[[Path, Path], None] = os.link,
    sync: Callable[[int], None] = os.fsync,
) -> Answer:
    """Put one file there, whole or not at all, over nothing that is there.

    `link` and `sync` are the two calls in which shares of different make disagree most.

    Raises:
        DeliveryError: It did not get its name, or (uncertain) the share went while it was getting it.
    """
    unfinished, final = folder / temporary(document.name), folder / document.name
    try:
        with as_delivery_errors():
            _write(unfinished, document.content, sync)
        try:
            _rename(unfinished, final, link)
        except FileExistsError:
            with as_delivery_errors():
                return compared(final, document.content) or Answer.DIFFERS
        except OSError as exc:
            if exc.errno in _AWAY:
                raise words.lost_at_rename() from exc
            if exc.errno in _FULL:
                raise words.disk_full() from exc
            raise words.may_not_rename() from exc
        with suppress(OSError):
            # Some network file systems cannot make a folder durable by itself; the file was.
            _sync_folder(folder, sync)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return Answer.TAKEN


def place_directly_in_folder(
    folder: Path, document: Document, *, sync: Callable[[int], None] = os.fsync
) -> Answer:
    """Write one file under its own name, over nothing that is there but an unfinished try of ours.

    Raises:
        DeliveryError: It is not there whole.
    """
    path = folder / document.name
    with as_delivery_errors():
        try:
            _write(path, document.content, sync, only_new=True)
        except FileExistsError:
            kept = path.read_bytes()
            if kept == document.content:
                return Answer.ALREADY_THERE
            if not document.content.startswith(kept):
                return Answer.DIFFERS
            _write(path, document.content, sync)
        except OSError as exc:
            if exc.errno in _FULL:
                # Ours, since it was new: what is left of it would only be in the way.
                path.unlink(missing_ok=True)
            raise
    return Answer.TAKEN


def _write(path: Path, content: bytes, sync: Callable[[int], None], *, only_new: bool = False) -> None:
    """Write, make durable and read back through one descriptor."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    flags |= os.O_EXCL if only_new else os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o660), "r+b", buffering=0) as file:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]
        sync(file.fileno())
        file.seek(0)
        kept = file.read()
    if kept != content:
        raise words.damaged()


def _rename(unfinished: Path, final: Path, link: Callable[[Path, Path], None]) -> None:
    """Give the file its name by a second link, which never overwrites; by renaming where a share has no links."""
    try:
        link(unfinished, final)
    except OSError as exc:
        if exc.errno not in _CANNOT_LINK:
            raise
        if final.exists():
            raise FileExistsError(errno.EEXIST, "exists") from None
        unfinished.rename(final)


def compared(path: Path, content: bytes) -> Answer | None:
    """Compare what lies at a path with what we would put there."""
    try:
        kept = path.read_bytes() if path.stat().st_size == len(content) else None
    except FileNotFoundError:
        return None
    return Answer.ALREADY_THERE if kept == content else Answer.DIFFERS


def beginning(path: Path) -> bytes:
    """Read the beginning of an answer file."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _sync_folder(folder: Path, sync: Callable[[int], None]) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def as_reading_errors() -> Iterator[None]:
    """Translate what hinders reading an answer file that is there."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as exc:
        raise words.may_not_look(errno.errorcode.get(exc.errno or 0, "OSError")) from exc


@contextmanager
def as_delivery_errors() -> Iterator[None]:
    """Translate what the operating system says before a file has its name."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise words.no_folder() from exc
    except PermissionError as exc:
        raise words.may_not_write() from exc
    except OSError as exc:
        if exc.errno in _FULL:
            raise words.disk_full() from exc
        raise words.write_failed(errno.errorcode.get(exc.errno or 0, "OSError")) from exc
