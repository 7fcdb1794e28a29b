"""The same drop into a folder that is mounted on this machine: a share of the council, or a synchronised folder."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from aphub.api import (
    Answer,
    CheckStep,
    Delivery,
    DeliveryAdapter,
    DeliveryError,
    DeliveryResult,
    Document,
    Outbound,
    Repeat,
    Rung,
)
from aphub_drop import words
from aphub_drop.files import compose_csv, result_of, safe_name, temporary
from aphub_drop.settings import FolderConnection, FolderRoute

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CANNOT_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_AWAY = {errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EIO, errno.ENODEV}
_TEST_CONTENT = (
    b"aphub checked that it can write, rename, read and remove here. This file may be deleted.\r\n"
)


class FolderAdapter(DeliveryAdapter[FolderConnection, FolderRoute]):
    """Puts files into a mounted folder; the same file again is recognised and changes nothing."""

    name = "folder"
    connection_class = FolderConnection
    route_class = FolderRoute
    repeat = Repeat.HARMLESS
    reaches = Rung.HANDED_OVER
    looks_up = True
    capabilities: ClassVar[dict[str, str]] = {
        "encryption": "none of ours: whoever mounted the share answers for the way to it",
        "receipt": "the file lies there under its name and every byte was read back; not that anybody took it",
        "protection": "whoever may read the folder reads the file",
    }

    @classmethod
    def compose(cls, outbound: Outbound, route: FolderRoute) -> tuple[Document, ...]:  # noqa: ARG003 - one layout so far
        """Make the CSV; its name has only safe fields."""
        return compose_csv(outbound)

    def open(self) -> None:
        """See that the share is there."""
        path = self.connection.path
        try:
            there = path.is_dir() and (os.path.ismount(path) or not self.connection.must_be_mounted)
        except OSError as exc:
            raise words.not_mounted() from exc
        if not there:
            raise words.not_mounted()

    def close(self) -> None:
        """Nothing is held open."""

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Try once to put the delivery's files there."""
        # Asked again for each: a share that went since would leave an ordinary folder to write into.
        self.open()
        folder = self._folder(delivery.route)
        answers = [
            (str(folder / safe_name(document)), place_in_folder(folder, document))
            for document in delivery.documents
        ]
        return self._result(delivery, answers)

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Look for the delivery's files by name and compare every byte."""
        self.open()
        folder = self._folder(delivery.route)
        answers: list[tuple[str, Answer]] = []
        for document in delivery.documents:
            path = folder / safe_name(document)
            with _as_delivery_errors():
                found = _compare(path, document.content)
            if found is None:
                return None
            answers.append((str(path), found))
        return self._result(delivery, answers)

    def check(self, route: FolderRoute) -> Iterator[CheckStep]:
        """Write, rename, read back and remove a test file that holds no pupil."""
        document = Document(f"aphub-check-{secrets.token_hex(4)}", "text/plain", _TEST_CONTENT)
        step = "The share is there"
        try:
            self.open()
            yield CheckStep(step, ok=True, found=str(self.connection.path))
            step = "A test file can be written, read back and renamed"
            folder = self._folder(route)
            place_in_folder(folder, document)
            yield CheckStep(step, ok=True, found=route.folder)
            step = "It can be removed"
            with _as_delivery_errors():
                (folder / document.name).unlink()
            yield CheckStep(step, ok=True)
        except DeliveryError as exc:
            yield CheckStep(step, ok=False, found=str(exc), mend=exc.what_now or "Try again in a few minutes")

    def _folder(self, route: object) -> Path:
        if not isinstance(route, FolderRoute):
            message = "a folder is given routes of its own"
            raise TypeError(message)
        return self.connection.path / route.folder

    def _result(self, delivery: Delivery, answers: list[tuple[str, Answer]]) -> DeliveryResult:
        hops = f"this machine's mount at {self.connection.path}"
        return result_of(delivery, answers, evidence={"read back": "every byte"}, hops=hops)


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
        with _as_delivery_errors():
            _write(unfinished, document.content, sync)
        try:
            _rename(unfinished, final, link)
        except FileExistsError:
            with _as_delivery_errors():
                return _compare(final, document.content) or Answer.DIFFERS
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


def _write(path: Path, content: bytes, sync: Callable[[int], None]) -> None:
    """Write, make durable and read back through one descriptor."""
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
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


def _compare(path: Path, content: bytes) -> Answer | None:
    """Compare what lies at a path with what we would put there."""
    try:
        kept = path.read_bytes() if path.stat().st_size == len(content) else None
    except FileNotFoundError:
        return None
    return Answer.ALREADY_THERE if kept == content else Answer.DIFFERS


def _sync_folder(folder: Path, sync: Callable[[int], None]) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_delivery_errors() -> Iterator[None]:
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
