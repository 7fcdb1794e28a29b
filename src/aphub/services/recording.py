"""Write statements into the ledger: numbered, hashed and signed in the transaction of the stage that makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from aphub.domain.ledger.fields import instant_text
from aphub.domain.ledger.merkle import append, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, sign_checkpoint, verifying_key
from aphub.domain.ledger.statements import leaf_bytes
from aphub.services.desk import Desk
from aphub.store import ledger as kept
from aphub.store.engine import lock_ledger, recall

SIGNING_KEY = "ledger-1"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing to be proved later: its type, the reference it is about, and its fields."""

    type: str
    subject: str
    fields: Mapping[str, Any]
    version: int = 1


def origin_of(desk: Desk) -> str:
    """Name a provider's log, as checkpoints print it: no other installation of aphub has one of this name."""
    return f"aphub/{desk.installation}/{desk.slug}"


def record(connection: Connection, desk: Desk, said: Sequence[Statement]) -> None:
    """Append statements in one batch and sign one checkpoint over them.

    Part of the caller's transaction: either the fact and its proof are both kept, or neither is.
    """
    if not said:
        return
    now = desk.now
    lock_ledger(connection, desk.provider_id)
    before = kept.frontier(connection, desk.provider_id)
    at = instant_text(now)
    leaves = [leaf_bytes({"type": one.type, "version": one.version, "at": at, **one.fields}) for one in said]
    after, complete = append(before, [leaf_hash(leaf) for leaf in leaves])
    rows = [
        {
            "provider_id": desk.provider_id,
            "number": before.size + offset,
            "kind": one.type,
            "subject": one.subject,
            "body": leaf,
            "at": now,
        }
        for offset, (one, leaf) in enumerate(zip(said, leaves, strict=True))
    ]
    kept.add(connection, desk.provider_id, rows, complete)
    name = origin_of(desk)
    private = desk.vault.signing_key(SIGNING_KEY)
    if before.size == 0:
        kept.add_vkey(connection, desk.provider_id, verifying_key(name, private).vkey, now)
    epoch = int(recall(connection, f"epoch:{desk.provider_id}") or "1")
    checkpoint = Checkpoint.of_epoch(name, after.size, after.root(), epoch)
    note = sign_checkpoint(checkpoint, name, private)
    kept.add_checkpoint(connection, desk.provider_id, after.size, epoch, note, now)


def newest_checkpoint_line(connection: Connection, desk: Desk) -> str:
    """Give size and root of the newest checkpoint in one line, as it goes out in a mail header."""
    row = kept.newest_checkpoint(connection, desk.provider_id)
    if row is None:
        return ""
    _, tree_size, root, *_ = row.note.split("\n")
    return f"{origin_of(desk)} {tree_size} {root}"
