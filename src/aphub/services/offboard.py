"""A provider leaves: its ledger is written out and kept, everything else of it is destroyed for good."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed
from aphub.store import keeping, leaving
from aphub.store import ledger as kept

STATEMENTS, CHECKPOINTS, KEYS = "statements.jsonl", "checkpoints.txt", "verifying-keys.txt"
_BETWEEN = "\n\x1e\n"


class CannotLeaveError(AphubError):
    """This provider cannot be closed now."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a provider's leaving destroys or has destroyed; `complete_at` is when the last copy of its keys expires."""

    keys: int
    pupils: int
    messages: int
    statements: int
    complete_at: datetime


def preview(desk: Desk) -> Leaving:
    """Say what would be destroyed; nothing is changed.

    Raises:
        CannotLeaveError: A legal hold is on a pupil.
    """
    with desk.store.reading() as connection:
        if keeping.open_holds(connection, desk.provider_id):
            raise CannotLeaveError(
                "A legal hold is on a pupil of this provider.",
                "Nothing was changed.",
                "See: aphub legal-hold",
            )
        pupils, messages = leaving.counts(connection, desk.provider_id)
        statements = kept.size(connection, desk.provider_id)
    keys = sum(desk.vault.classes().values())
    return Leaving(keys, pupils, messages, statements, desk.vault.copies_until(desk.now))


def leave(desk: Desk, by: str, folder: Path, confirmed: Callable[[Leaving], bool]) -> Leaving | None:
    """Close a provider: write its ledger into a folder, destroy every key, delete every row but the ledger's.

    Raises:
        CannotLeaveError: A legal hold is on a pupil, or the folder holds something.
    """
    name, would = named(by), preview(desk)
    if folder.exists() and any(folder.iterdir()):
        raise CannotLeaveError(f"The folder {folder} holds something already.", "Nothing was changed.")
    if not confirmed(would):
        return None
    with desk.store.transaction() as connection:
        # Closed already where a crash cut this short: then the rest is done.
        if desk.slug not in leaving.closed(connection):
            fields = {"keys": would.keys, "by": signed(desk, name)}
            record(connection, desk, [Statement("provider.closed", desk.slug[:40], fields)])
            leaving.close(connection, desk.provider_id, desk.now)
    desk.boundary("offboard.closed")
    write_ledger(desk, folder)
    desk.vault.erase_all()
    desk.boundary("offboard.keys_gone")
    with desk.store.transaction() as connection:
        leaving.delete_all_but_proof(connection, desk.provider_id)
    return would


def write_ledger(desk: Desk, folder: Path) -> None:
    """Write a whole ledger as files: each statement byte for byte on a line, every checkpoint, every verifying key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with desk.store.reading() as connection:
        with _new(folder / STATEMENTS) as file:
            for row in kept.statements_from(connection, desk.provider_id):
                file.write(bytes(row.body) + b"\n")
        with _new(folder / CHECKPOINTS) as file:
            file.write(_BETWEEN.join(kept.all_checkpoints(connection, desk.provider_id)).encode())
        with _new(folder / KEYS) as file:
            file.write("".join(f"{one}\n" for one in kept.vkeys(connection, desk.provider_id)).encode())


def _new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
