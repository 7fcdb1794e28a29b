"""A Maildir that accepts messages the way a careful mail server does: written, synced, then renamed into `new`."""

import itertools
import os
import threading
from pathlib import Path

from aphub.sandbox.certificates import write_private


class Maildir:
    """A folder of messages, one file each, byte for byte as they arrived (https://cr.yp.to/proto/maildir.html)."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Make `tmp`, `new` and `cur`; `durable` syncs each message to the disk before it counts as accepted."""
        self.folder = folder
        self._durable = durable
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def keep(self, queue_id: str, content: bytes, unix_seconds: int) -> Path:
        """Write one message and give its path; it is on the disk when this returns."""
        with self._lock:
            number = next(self._numbers)
        name = f"{unix_seconds}.{os.getpid()}_{number}_{queue_id}.sandbox"
        temporary, final = self.folder / "tmp" / name, self.folder / "new" / name
        if self._durable:
            _write_synced(temporary, content)
        else:
            write_private(temporary, content)
        temporary.rename(final)
        if self._durable:
            _sync_folder(final.parent)
        return final

    def messages(self) -> list[bytes]:
        """Give every message that lies in `new` or `cur`, in order of arrival as far as file names tell."""
        files = [*self.folder.glob("new/*"), *self.folder.glob("cur/*")]
        return [path.read_bytes() for path in sorted(files, key=lambda path: path.name)]


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
