"""Put a file away for good: the sealed copy is on disk before the plain one goes."""

import os
from pathlib import Path

_MODE = 0o600


def put_away(folder: Path, name: str, sealed: bytes, report: str) -> Path:
    """Write `name.sealed` and `name.report.txt` into a folder, durably, and give the sealed file's path.

    A file of that name that is already there stays: the new one gets a number.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = _free(folder, name, sealed)
    _write(kept, sealed)
    _write(kept.with_name(f"{kept.name.removesuffix('.sealed')}.report.txt"), report.encode())
    sync_folder(folder)
    return kept


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free(folder: Path, name: str, sealed: bytes) -> Path:
    """Give the first name that is free, or that already holds the very same bytes from an interrupted try."""
    number = 1
    while True:
        path = folder / (f"{name}.sealed" if number == 1 else f"{name}.{number}.sealed")
        if not path.exists() or path.read_bytes() == sealed:
            return path
        number += 1


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, _MODE)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
