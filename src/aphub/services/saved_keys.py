"""Copies of the keys, and what a person says became of one that the hub cannot reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aphub.domain.errors import AphubError
from aphub.domain.ledger.fields import instant_text
from aphub.services.desk import Desk
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.store import settling
from aphub.store.keys import KeyStore


class UnknownCopyError(AphubError):
    """We know no such copy of the keys."""


@dataclass(frozen=True, slots=True)
class KeyCopy:
    """One copy of the key store that counts as readable: its file, where it was written, and until when it lives."""

    name: str
    place: str
    taken_at: datetime
    expires_at: datetime
    expired: bool


def copies(keys: KeyStore, now: datetime) -> list[KeyCopy]:
    """List the copies that may still be read, oldest first: until the last expires, nothing erased is gone for good."""
    return [
        KeyCopy(row.name, row.place, row.taken_at, row.expires_at, row.expires_at <= now)
        for row in keys.living_copies()
    ]


def given_up(
    desks: Sequence[Desk], keys: KeyStore, name: str, by: str, because: str, now: datetime
) -> KeyCopy:
    """Keep that nobody can read a copy any more, in each provider's ledger, and end the tasks about it.

    Raises:
        UnknownCopyError: There is none of that name, or it is not said why.
    """
    person = named(by)
    known = {one.name: one for one in copies(keys, now)}
    found = known.get(name.strip().rpartition("/")[2])
    if found is None:
        raise UnknownCopyError(
            "We know no copy of the keys of this name.", "Nothing was changed.", "See: aphub key-copies"
        )
    why = typed("The reason", because, 120)
    if not why:
        raise UnknownCopyError(
            "We need to know why nobody can read this copy any more.",
            "Nothing was changed.",
            'Add: --because "the disk was destroyed"',
        )
    for desk in desks:
        fields = {
            "taken": instant_text(found.taken_at),
            "until": instant_text(found.expires_at),
            "reason": desk.vault.digest(why.encode()).hex(),
            "by": signed(desk, person),
        }
        with desk.store.transaction() as connection:
            record(connection, desk, [Statement("keys.copy_gone", found.name[:40], fields)])
            settling.clear_tasks(connection, desk.provider_id, found.name, desk.now, person, why)
    keys.give_up_copy(found.name, now)
    return found
