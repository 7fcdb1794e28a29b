"""Take a backup: the database in one folder, and the keys that open it in another, with a short life of their own.

Whoever has only one of the two has nothing. That is also why erasing works: when the last copy of a key has expired, no
backup of the database can bring a pupil back.
"""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aphub.domain.errors import AphubError
from aphub.store import copying, key_copies
from aphub.store.engine import Store
from aphub.store.keys import KeyStore
from aphub.store.schema import known_revisions

MANIFEST = "manifest.json"
_FORMAT = 1
_CONFIG = ("config", "hub.toml")


class BackupError(AphubError):
    """A backup cannot be taken or used."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was written, and until when the keys' copy lives."""

    folder: Path
    keys: Path | None
    keys_until: datetime | None
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    folder: Path
    taken_at: datetime
    revision: str
    files: tuple[str, ...]


def take(
    home: Path,
    store: Store,
    keys: KeyStore,
    to: Path,
    keys_to: Path | None,
    now: datetime,
    key_copy_days: int,
) -> Taken:
    """Write a backup of the database and the configuration into a new folder under `to`, and of the keys under `keys_to`.

    Raises:
        BackupError: Both would lie together, or the folder is there already.
        OSError: The disk refuses.
    """
    if keys_to is not None and _together(to, keys_to):
        raise BackupError(
            "The keys' copy must lie apart from the database's: together they open everything.",
            "Nothing was written.",
            "Name a folder on another disk: --keys-to",
        )
    name = f"aphub-{now:%Y%m%dT%H%M%SZ}"
    folder, partial = to / name, to / f"{name}.partial"
    if folder.exists() or partial.exists():
        raise BackupError(
            f"There is a backup {folder} already.", "Nothing was written.", "Try again in a second."
        )
    partial.mkdir(parents=True, mode=0o700)
    try:
        files = copying.copy_store(store, partial)
        _copy_config(home, partial)
        # The keys come after the database, so that every key that it needs is among them.
        copied = (
            key_copies.take(keys.engine, keys_to, now, timedelta(days=key_copy_days)) if keys_to else None
        )
        _write_manifest(partial, files, now)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Taken(
        folder=folder,
        keys=copied,
        keys_until=now + timedelta(days=key_copy_days) if copied else None,
        size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def read_manifest(folder: Path) -> Manifest:
    """Read what a backup says of itself, and check every file of its database.

    Raises:
        BackupError: It is none, it is not whole, or a file was changed.
    """
    try:
        said: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        taken_at, files = datetime.fromisoformat(said["taken_at"]), said["files"]
        revision, known = said["revision"], said["format"] == _FORMAT
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BackupError(f"{folder} holds no whole backup.", "Nothing was changed.") from exc
    for name, digest in files.items():
        path = folder / name
        if not known or not path.is_file() or copying.digest_of(path) != digest:
            raise BackupError(
                f"The backup's file {name} is missing or was changed.",
                "Nothing was changed.",
                "Take another backup of the same day.",
            )
    return Manifest(folder, taken_at, revision, tuple(files))


def _together(one: Path, other: Path) -> bool:
    first, second = one.absolute(), other.absolute()
    return first == second or first in second.parents or second in first.parents


def _copy_config(home: Path, folder: Path) -> None:
    for name in _CONFIG:
        source = home / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.is_file():
            shutil.copyfile(source, folder / name)


def put_back_config(home: Path, folder: Path) -> None:
    """Put the backup's configuration into a home that has none; what is there is newer, and stays."""
    for name in _CONFIG:
        source, target = folder / name, home / name
        if target.exists():
            continue
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            shutil.copyfile(source, target)


def _write_manifest(folder: Path, files: list[str], now: datetime) -> None:
    said = {
        "format": _FORMAT,
        "taken_at": now.isoformat(),
        "revision": known_revisions()[0],
        "files": {name: copying.digest_of(folder / name) for name in files},
    }
    with (folder / MANIFEST).open("x", encoding="utf-8") as file:
        json.dump(said, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
