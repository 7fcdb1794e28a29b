"""Evidence: a folder of statements with their proofs that anybody can check, also without us."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.domain.ledger import (
    Damage,
    Finding,
    StatementError,
    make_bundle,
    opens,
    parse_vkey,
    read_statement,
    verify_bundle,
)
from aphub.domain.wording import day_words
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.evidence_pages import pages
from aphub.services.rectify import notes_of
from aphub.store import carrying, delivering, lives
from aphub.store import ledger as kept
from aphub.store.vault import KeyErasedError

KEYS = "verifying-keys.txt"
OPENINGS = "openings"
NOTES = "notes"
"""Notes on the records of pupils in it: what is disputed travels with what it is about."""
_HEAD_OF_SUBJECT = 40
_LIMIT = 64 * 1024 * 1024


class NothingToShowError(AphubError):
    """There is no evidence about this."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What an offline check of a folder found; `keys` are the verifying keys it relied on."""

    findings: tuple[Finding, ...]
    statements: int
    openings: int
    keys: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all of it is as it was signed."""
        return not self.findings and self.statements > 0


@dataclass(slots=True)
class _Part:
    """What a bundle is about."""

    title: str
    owed: list[int]
    dispatches: list[Row[Any]] = field(default_factory=list)
    owed_rows: list[Row[Any]] = field(default_factory=list)

    def subjects(self) -> list[str]:
        """Name everything about which the ledger may have said something."""
        ways = {f"{row.organisation}/{row.channel}"[:_HEAD_OF_SUBJECT] for row in self.dispatches}
        return [
            *(row.reference for row in self.dispatches),
            *(row.ref for row in self.owed_rows),
            *sorted(ways),
        ]


def evidence(desk: Desk, what: str, folder: Path, *, contents: bool = True, by: str = "") -> Path:
    """Write the evidence about a message, a placement or a day into a folder, with a page that people can read.

    `what` is a message's reference, a placement's reference, or a day such as 2026-03-03. With `contents`, the
    reports' contents are there too, each with the salt that shows that the ledger meant it: personal data then, and
    `by` is noted as whoever exported it.

    Raises:
        NothingToShowError: We know nothing of it, or nothing has been said yet.
        AphubError: The folder holds something already.
    """
    folder = _empty(folder)
    with desk.store.reading() as connection:
        part = _part(desk, connection, what.strip())
        found = kept.statements_about(connection, desk.provider_id, part.subjects())
        statements = {row.number: bytes(row.body) for row in found}
        if not statements:
            raise NothingToShowError(f"Nothing has been said about {what} yet.", "Nothing was written.")
        notes = [
            kept.covering_checkpoint(connection, desk.provider_id, max(statements) + 1),
            getattr(kept.newest_checkpoint(connection, desk.provider_id), "note", None),
        ]
        files = make_bundle(
            statements,
            [note for note in dict.fromkeys(notes) if note],
            lambda keys: kept.nodes(connection, desk.provider_id, keys),
        )
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id for row in part.dispatches])
        vkeys = kept.vkeys(connection, desk.provider_id)
        notes_on_it = (
            notes_of(desk, connection, {row.pupil_id for rows in carried.values() for row in rows})
            if contents
            else []
        )
    if contents and by:
        note(desk, What.EVIDENCE, what, by, (row.pupil_id for rows in carried.values() for row in rows))
    files[KEYS] = "".join(f"{vkey}\n" for vkey in vkeys).encode()
    openings = list(_openings(desk, carried)) if contents else []
    for opening in openings:
        name = f"{OPENINGS}/{opening['report']}.json"
        files[name] = (json.dumps(opening, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    for one in notes_on_it:
        files[f"{NOTES}/{one.ref}.json"] = one.as_json()
    files |= pages(desk, part.title, part.dispatches, part.owed_rows, statements, len(openings))
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def verify_folder(folder: Path, vkeys: Sequence[str] = ()) -> Checked:
    """Check a folder of evidence with nothing but its files, and keys that were got elsewhere where there are any.

    Without such keys the folder's own are used: that shows that nothing in it was changed, not who made it.

    Raises:
        NothingToShowError: This is no folder of evidence.
    """
    files = _read(folder)
    if KEYS not in files:
        raise NothingToShowError(
            "This folder holds no evidence.",
            "Nothing was checked.",
            "Name the folder that aphub evidence wrote.",
        )
    keys = tuple(vkeys) or tuple(files[KEYS].decode(errors="replace").split())
    for key in keys:
        parse_vkey(key)
    findings = verify_bundle(files, keys)
    meant: set[str] = set()
    count = 0
    for name, content in files.items():
        if name.startswith("statements/"):
            count += 1
            meant |= _commitments(content)
    openings = {name: content for name, content in files.items() if name.startswith(f"{OPENINGS}/")}
    findings += [finding for name, content in openings.items() if (finding := _closed(name, content, meant))]
    return Checked(tuple(findings), count, len(openings), keys)


def _empty(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AphubError(
            f"The folder {folder} holds something already.", "Nothing was written.", "Name a new one."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _part(desk: Desk, connection: Connection, what: str) -> _Part:
    provider = desk.provider_id
    row = delivering.by_reference(connection, provider, what.upper())
    if row is not None:
        owed = lives.owed_of_dispatches(connection, provider, [row.dispatch_id])
        part = _Part(f"Message {row.reference}", owed)
    elif day := _day(what):
        part = _Part(day_words(day), lives.owed_on(connection, provider, day))
    else:
        part = _Part(f"Placement {what.upper()}", lives.owed_of_placement(connection, provider, what.upper()))
    part.dispatches = lives.dispatches_of_owed(connection, provider, part.owed)
    part.owed_rows = lives.owed_rows(connection, provider, part.owed)
    if not part.owed:
        raise NothingToShowError(
            f"We know nothing of {what}.",
            "Nothing was written.",
            "Name a message, a placement, or a day such as 2026-03-03.",
        )
    return part


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _openings(desk: Desk, carried: dict[int, list[Row[Any]]]) -> Iterator[dict[str, str]]:
    """Give each report's content with its salt, where both are still there: what was erased stays closed."""
    reports = {row.report_id: row for rows in carried.values() for row in rows if row.salt is not None}
    for number, row in sorted(reports.items()):
        try:
            plain = desk.vault.open(row.key_id, place_of("reports", desk.provider_id, number), row.sealed)
        except KeyErasedError:
            continue
        yield {
            "report": row.ref,
            "placement": row.placement_ref,
            "commitment": row.commitment,
            "salt": bytes(row.salt).hex(),
            "content": plain.decode(),
        }


def _closed(name: str, content: bytes, meant: set[str]) -> Finding | None:
    """Say what is wrong with an opening: it does not open its commitment, or no statement here means it."""
    try:
        opening = json.loads(content)
        fits = opens(opening["commitment"], bytes.fromhex(opening["salt"]), opening["content"].encode())
        known = opening["commitment"] in meant
    except (ValueError, KeyError, TypeError, AttributeError, StatementError):
        fits = known = False
    if fits and known:
        return None
    words = "is not what was committed to" if not fits else "belongs to no statement in this folder"
    return Finding(None, Damage.CHANGED, name, f"The content in {name} {words}.")


def _commitments(leaf: bytes) -> set[str]:
    try:
        return set(read_statement(leaf).get("reports", ()))
    except StatementError:
        return set()


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size < _LIMIT
    }
