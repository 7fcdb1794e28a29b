"""The folder source: files that stand still are registers, oldest first."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

from aphub.api import (
    AphubError,
    Source,
    SourceBatch,
    SourceRefusedError,
    SourceRow,
    SourceSettings,
    media_type,
    read_cells,
)
from aphub_inbox.put_away import put_away, sync_folder
from aphub_inbox.rows import find_headings, rows_of
from aphub_inbox.settings import InboxSettings

DONE, REFUSED = "done", "refused"
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".download")


class FolderMissingError(AphubError):
    """The folder for registers is not there."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it was read; another size or time later means another content."""

    size: int
    changed: int
    too_large: bool = False


class Inbox(Source[InboxSettings]):
    """Registers that somebody, or some system, puts into a folder."""

    name: ClassVar[str] = "inbox"
    settings_class: ClassVar[type[SourceSettings]] = InboxSettings

    def __init__(self, settings: InboxSettings, home: Path | None = None) -> None:
        """Find the folder; nothing is read yet."""
        super().__init__(settings, home)
        self.folder = self.home / settings.folder
        self._seen: dict[str, _Seen] = {}

    def waiting(self) -> Iterator[SourceBatch]:
        """Give the files that have stood still, oldest first; one that is too large comes without its content.

        Raises:
            FolderMissingError: The folder is not there: a network drive may not be connected.
        """
        for path, seen in self._standing_still():
            content = b""
            if not seen.too_large:
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                if self._look(path) != seen:
                    continue  # somebody is still writing
            self._seen[path.name] = seen
            yield SourceBatch(path.name, media_type(path.name), content)

    def rows(self, batch: SourceBatch) -> Iterator[SourceRow]:
        """Read one file; see `aphub.api.read_cells` for what is refused."""
        seen = self._seen.get(batch.name)
        if seen is not None and seen.too_large:
            raise SourceRefusedError(
                f"This file is larger than {self.settings.largest_mb} MB, so we did not open it. It is kept as it came.",
                "Nothing of it was taken.",
                "Export fewer days at a time, and delete the large file.",
            )
        cells = read_cells(
            batch.name,
            batch.content,
            limits=self.settings.limits,
            encoding=self.settings.encoding,
            delimiter=self.settings.delimiter,
            sheet=self.settings.sheet,
        )
        headings = find_headings(cells, self.settings.columns)
        return rows_of(cells, headings, month_first=self.settings.dates == "month first")

    def settled(self, batch: SourceBatch, *, taken: bool, report: str, sealed: bytes) -> None:
        """Move a file to `done/` or `refused/`: sealed, with its report beside it; the plain file goes last.

        A file that changed since it was read stays: it is another original and its turn comes.
        """
        path = self.folder / Path(batch.name).name
        if not path.exists():
            return
        seen = self._seen.pop(batch.name, None)
        target = self.folder / (DONE if taken else REFUSED)
        put_away(target, path.name, sealed, report)
        if seen is not None and seen.too_large:
            # Too large to be sealed; its report says that it lies here as it came.
            path.replace(target / path.name)
        elif path.stat().st_size == len(batch.content) and path.read_bytes() == batch.content:
            path.unlink()
        sync_folder(self.folder)

    def _standing_still(self) -> list[tuple[Path, _Seen]]:
        if not self.folder.is_dir():
            raise FolderMissingError(
                "The folder for registers is not there.",
                "No register was taken.",
                "Make it, or connect the drive on which it is.",
            )
        now = time.time()
        found = []
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        for name in names:
            if not self._is_register(name):
                continue
            path = self.folder / name
            try:
                seen = self._look(path)
            except FileNotFoundError:
                continue
            # A clock that runs ahead on another machine must not hold a file back, so its age has no sign.
            if abs(now - seen.changed / 1e9) >= self.settings.still_for:
                found.append((path, seen))
        return sorted(found, key=lambda one: (one[1].changed, one[0].name))

    def _is_register(self, name: str) -> bool:
        folded = name.lower()
        if folded.startswith((".", "~$")) or folded.endswith(_UNFINISHED):
            return False
        return any(fnmatchcase(folded, pattern.lower()) for pattern in self.settings.patterns)

    def _look(self, path: Path) -> _Seen:
        found = path.stat()
        return _Seen(found.st_size, found.st_mtime_ns, found.st_size > self.settings.limits.file_bytes)
