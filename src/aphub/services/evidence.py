"""Evidence: a folder of statements with their proofs that anybody can check, also without us."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.domain.ledger import make_bundle
from aphub.services import papers
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.evidence_about import About, Span, about
from aphub.services.evidence_check import (
    DOCUMENTS,
    KEYS,
    OPENINGS,
    Checked,
    NothingToShowError,
    verify_folder,
)
from aphub.services.evidence_pages import Sent, pages
from aphub.services.record import attendance_record
from aphub.services.rectify import notes_of
from aphub.store import carrying
from aphub.store import ledger as kept
from aphub.store.frozen import unpack
from aphub.store.vault import KeyErasedError

__all__ = ["Checked", "NothingToShowError", "Span", "evidence", "verify_folder"]

NOTES = "notes"
"""Notes on the records of pupils in it: what is disputed travels with what it is about."""
RECORD = "record"
"""The attendance record of a pupil, a school or a term, as a signed paper and as tables."""
_MOST_DOCUMENTS = 64 * 1024 * 1024


def evidence(
    desk: Desk,
    what: str,
    folder: Path,
    *,
    contents: bool = True,
    by: str = "",
    span: Span | None = None,
    documents: bool | None = None,
) -> Path:
    """Write the evidence about something into a folder, with a page that people can read.

    `what` is a message's reference, a placement's, a day such as 2026-03-03, or, with the whole attendance record in
    `span`, a pupil's reference or UPN, a case's (its day alone), a school or council by name or URN, or "term". With `contents`, the reports' contents are there too,
    each with the salt that shows that the ledger meant it: personal data then, and `by` is noted as whoever exported
    it. So are the documents that were sent, where `documents` says so; by default with a school's or a term's record,
    and of one pupil's only those that tell of nobody else.

    Raises:
        NothingToShowError: We know nothing of it, or nothing has been said yet.
        AphubError: The folder holds something already.
    """
    _check_empty(folder)
    with desk.store.reading() as connection:
        part = about(desk, connection, what, span or Span())
        statements, files = _proofs(desk, connection, part)
        every = carrying.carried(connection, desk.provider_id, [row.dispatch_id for row in part.dispatches])
        carried = _of_it(part, every)
        pupils = {row.pupil_id for rows in carried.values() for row in rows}
        notes_on_it = notes_of(desk, connection, pupils) if contents else []
        record = attendance_record(desk, connection, part, by) if contents and part.whole_record else None
    if contents and (by or record is not None):
        note(desk, What.EVIDENCE, part.name, by, pupils)
    openings = list(_openings(desk, carried)) if contents else []
    sent = Sent()
    for opening in openings:
        files[f"{OPENINGS}/{opening['report']}.json"] = _as_json(opening)
    for one in notes_on_it:
        files[f"{NOTES}/{one.ref}.json"] = one.as_json()
    if contents and (part.whole_record if documents is None else documents):
        sent = _documents(desk, part, every)
        files |= sent.files
    if record is not None:
        for form in ("html", "csv", *papers.printable()):
            files |= {f"{RECORD}/{one.name}": one.content for one in papers.printed(record, form)}
    files |= pages(
        desk, part.title, part.dispatches, part.owed_rows, statements, len(openings), sent, record is not None
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)
    return folder


def _proofs(desk: Desk, connection: Connection, part: About) -> tuple[dict[int, bytes], dict[str, bytes]]:
    found = kept.statements_about(connection, desk.provider_id, part.subjects())
    statements = {row.number: bytes(row.body) for row in found}
    if not statements:
        raise NothingToShowError(f"Nothing has been said about {part.title} yet.", "Nothing was written.")
    notes = [
        kept.covering_checkpoint(connection, desk.provider_id, max(statements) + 1),
        getattr(kept.newest_checkpoint(connection, desk.provider_id), "note", None),
    ]
    files = make_bundle(
        statements,
        [note for note in dict.fromkeys(notes) if note],
        lambda keys: kept.nodes(connection, desk.provider_id, keys),
    )
    vkeys = kept.vkeys(connection, desk.provider_id)
    files[KEYS] = "".join(f"{vkey}\n" for vkey in vkeys).encode()
    return statements, files


def _of_it(part: About, carried: Mapping[int, list[Row[Any]]]) -> dict[int, list[Row[Any]]]:
    """Leave out what messages told of others: one pupil's evidence opens nobody else's report."""
    owed = set(part.owed)
    return {number: [row for row in rows if row.owed_id in owed] for number, rows in carried.items()}


def _documents(desk: Desk, part: About, carried: Mapping[int, list[Row[Any]]]) -> Sent:
    """Give the documents that were sent, byte for byte; of one pupil's only those that tell of nobody else."""
    sent = Sent()
    left = _MOST_DOCUMENTS
    for row in part.dispatches:
        told = {one.pupil_id for one in carried.get(row.dispatch_id, ())}
        if part.pupil_id and told != {part.pupil_id}:
            sent.tell_of_others += 1
            continue
        [packed] = desk.vault.try_open_many(
            [(row.key_id, place_of("dispatches", desk.provider_id, row.dispatch_id), row.sealed)]
        )
        if packed is None:
            sent.gone += 1
            continue
        some = unpack(packed)[0]
        left -= sum(len(one.content) for one in some)
        if left < 0:
            sent.too_many += 1
            continue
        sent.messages += 1
        for number, one in enumerate(some, 1):
            sent.files[f"{DOCUMENTS}/{row.reference}/{number:02d}-{one.name}"] = one.content
    return sent


def _as_json(value: Mapping[str, str]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AphubError(
            f"The folder {folder} holds something already.", "Nothing was written.", "Name a new one."
        )


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
