"""Go on after a restored backup: a new epoch of the ledger, and nothing sent that may have been sent already.

What happened between the backup and the loss is unknown to us, though schools may have it. So what was due since is
listed for a person, ways to schools are paused, and numbers of messages jump, so that none is ever used twice.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from aphub.clock import SystemClock
from aphub.domain.calendar import london_day
from aphub.domain.errors import AphubError
from aphub.domain.ledger import EMPTY, Checkpoint, parse_checkpoint
from aphub.domain.threads import JUMP
from aphub.domain.wording import count_words, moment_words
from aphub.logs import get_logger
from aphub.sealing import MasterKey
from aphub.services import erase, owe
from aphub.services.asking import SINCE_RESTORE
from aphub.services.backup import Manifest, put_back_config, read_manifest
from aphub.services.decide import UNKNOWN
from aphub.services.desk import Desk, place_of
from aphub.services.recording import Statement, record
from aphub.services.way import named
from aphub.settings.load import load_settings
from aphub.store import carrying, copying, dispatching, key_copies, restoring
from aphub.store import ledger as kept
from aphub.store.engine import allocate, home_url, recall, remember
from aphub.store.keys import KeyStore, master_key, open_keys

_ANSWER_WITHIN = timedelta(minutes=30)
_CAUSE = "restored-backup"
log = get_logger("restore")


class RestoreError(AphubError):
    """A backup cannot be restored so."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore found at one provider."""

    epoch: int
    messages_in_doubt: int
    reports_unknown: int
    ways_paused: int
    erased_again: int


def put_back(
    home: Path,
    backup: Path,
    copy: Path | None,
    master: Callable[[], MasterKey],
    *,
    even_if_expired: bool = False,
    now: datetime | None = None,
) -> Manifest:
    """Put a backup into `home`, which may be a new folder or one whose database is lost; what is there stays.

    `master` gives the master key where its file is lost; `copy` is a copy of the keys, where they are lost too.

    Raises:
        AphubError: Something is there already, the backup is not whole, or the keys are missing or expired.
    """
    manifest = read_manifest(backup)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    put_back_config(home, backup)
    settings = load_settings(home)
    key_file = home / settings.store.master_key
    if not key_file.exists() and "APHUB_MASTER_KEY" not in os.environ:
        key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        master().write_new_file(key_file)
    keys = open_keys(home_url(home, settings.store.keys), master_key(key_file, os.environ))
    try:
        put_back_keys(keys, copy, now or SystemClock().now(), even_if_expired=even_if_expired)
    finally:
        keys.close()
    put_back_store(home_url(home, settings.store.url), manifest)
    return manifest


def put_back_store(url: str, manifest: Manifest) -> None:
    """Put the backup's database where the settings say; raises CopyError where something is there."""
    copying.put_back(url, manifest.folder, manifest.revision)


def put_back_keys(keys: KeyStore, copy: Path | None, now: datetime, *, even_if_expired: bool = False) -> None:
    """Put the copied keys into a key store that has none; one that has keys is the newest truth and stays.

    Raises:
        RestoreError: There are no keys and no copy, or the copy has expired: it may hold keys of erased pupils.
    """
    if keys.has_keys():
        return
    if copy is None:
        raise RestoreError(
            "There are no keys here, and a database without keys says nothing.",
            "Nothing was changed.",
            "Name the newest copy of the keys: --keys FILE",
        )
    said = key_copies.described(copy)
    if said.expires_at <= now and not even_if_expired:
        raise RestoreError(
            f"This copy of the keys expired at {moment_words(said.expires_at)}: it may open what has been erased since.",
            "Nothing was changed.",
            "Use a newer one. If there is none at all, add: --even-if-expired",
        )
    key_copies.put_back(keys.engine, copy)


def begin_again(
    desk: Desk, taken_at: datetime, by: str, *, seen: str = "", trust_ways: bool = False
) -> Restored:
    """Open a new epoch, and make a list for a person of all that may have happened since the backup.

    `seen` is the newest checkpoint that anybody kept, such as a mail's header has it; `trust_ways` leaves the ways to
    schools live as they were approved at the backup.

    Raises:
        RestoreError: The checkpoint seen belongs to another ledger.
    """
    named(by)
    now = desk.now
    newest, gone = _newest(desk, seen), _gone(desk)
    # Days on which nobody looked are owed too: they are listed, not left out.
    owe.regenerate(desk, london_day(taken_at), desk.today + owe.AHEAD)
    with desk.store.transaction() as connection:
        epoch = int(recall(connection, f"epoch:{desk.provider_id}") or "1") + 1
        remember(connection, f"epoch:{desk.provider_id}", str(epoch))
        said = [_epoch(desk, epoch, newest)]
        said += _doubt(desk, connection)
        unknown = _unknown(desk, connection, now, gone)
        restoring.jump(connection, desk.provider_id, JUMP)
        paused = (
            0 if trust_ways else restoring.pause_ways(connection, desk.provider_id, "paused since a restore")
        )
        record(connection, desk, said)
    for number in gone:
        erase.erase_by_age(desk, number, named(by), "erased after the backup that was put back")
    result = Restored(epoch, len(said) - 1, unknown, paused, len(gone))
    log.info("restore.done", epoch=epoch, doubt=result.messages_in_doubt, unknown=unknown, erased=len(gone))
    return result


def _newest(desk: Desk, seen: str) -> Checkpoint:
    with desk.store.reading() as connection:
        row = kept.newest_checkpoint(connection, desk.provider_id)
    ours = parse_checkpoint(row.note.partition("\n\n")[0] + "\n") if row is not None else None
    if not seen.strip():
        return ours or Checkpoint("", 0, EMPTY.root())
    theirs = parse_checkpoint("\n".join(seen.partition("\n\n")[0].split()[:3]) + "\n")
    if ours is not None and theirs.origin != ours.origin:
        raise RestoreError("That checkpoint belongs to another ledger.", "Nothing was changed.")
    return theirs if ours is None or theirs.size > ours.size else ours


def _epoch(desk: Desk, epoch: int, newest: Checkpoint) -> Statement:
    fields = {"epoch": epoch, "size": newest.size, "root": newest.root.hex(), "cause": _CAUSE}
    return Statement("epoch.started", desk.slug[:40], fields)


def _doubt(desk: Desk, connection: Connection) -> list[Statement]:
    """Say of every message that had not left that it may have left since."""
    rows = restoring.had_not_left(connection, desk.provider_id)
    numbers = [row.dispatch_id for row in rows]
    carried = carrying.carried(connection, desk.provider_id, numbers)
    restoring.doubt(connection, desk.provider_id, numbers, UNKNOWN)
    return [
        Statement(
            "dispatch.uncertain",
            row.reference,
            {
                "dispatch": row.reference,
                "reports": [one.commitment for one in carried[row.dispatch_id]],
                "attempt": row.attempts,
                "cause": _CAUSE,
            },
        )
        for row in rows
        if carried.get(row.dispatch_id)
    ]


def _unknown(desk: Desk, connection: Connection, now: datetime, gone: Sequence[int]) -> int:
    """Hold what was due since, and give each to a person."""
    erased = set(gone)
    rows = [row for row in restoring.was_due(connection, desk.provider_id, now) if row.pupil_id not in erased]
    restoring.make_unknown(connection, desk.provider_id, [row.owed_id for row in rows], UNKNOWN)
    if rows:
        numbers = allocate(connection, "tasks", len(rows))
        tasks = [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": "release",
                "subject": row.ref,
                "pupil_id": row.pupil_id,
                "organisation": row.organisation,
                "words": f"Unknown since a restore: {SINCE_RESTORE}",
                "due_at": now + _ANSWER_WITHIN,
                "state": "open",
                "raised_at": now,
            }
            for row, number, ref in zip(rows, numbers, _references(desk), strict=False)
        ]
        dispatching.open_tasks(connection, tasks)
    return len(rows)


def _gone(desk: Desk) -> list[int]:
    """Name the pupils who were erased since the backup: their keys are gone, only their rows came back."""
    with desk.store.reading() as connection:
        rows = restoring.not_erased(connection, desk.provider_id)
    places = [(row.key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.sealed) for row in rows]
    opened = desk.vault.try_open_many(places)
    return [row.pupil_id for row, plain in zip(rows, opened, strict=True) if plain is None]


def _references(desk: Desk) -> Iterator[str]:
    while True:
        yield from desk.references(64)


def words_of(slug: str, restored: Restored, since: datetime) -> Iterator[str]:
    """Say what a restore found, line by line."""
    yield f"{slug}: the ledger goes on in epoch {restored.epoch}, with what was known at {moment_words(since)}."
    yield (
        f"{slug}: {count_words(restored.messages_in_doubt, 'message')} may have left since, and "
        f"{count_words(restored.reports_unknown, 'report')} fell due."
    )
    if restored.ways_paused:
        paused = f"{count_words(restored.ways_paused, 'way')} {'is' if restored.ways_paused == 1 else 'are'} paused"
        yield f"{slug}: {paused}. Compare each with your newest configuration, then: aphub resume"
    if restored.erased_again:
        yield f"{slug}: {count_words(restored.erased_again, 'pupil')} whose keys are gone: erased again."
