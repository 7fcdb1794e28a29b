"""Answer a request for access (UK GDPR article 15): everything held about one pupil, for people and for machines.

First a draft for the office and a file of texts to read; then, with a person's mark on each text, what may be handed
over. No program knows every third party in a sentence, so nothing is handed over that nobody read.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, Row, Table

from aphub.domain import papers as paper
from aphub.domain.errors import AphubError
from aphub.domain.wording import day_words, moment_words
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.papers import keep
from aphub.services.redaction import OTHER, Redaction, check_review, others_of, read_review, review_file
from aphub.services.whose import pupil_of
from aphub.store import about_pupil, erasing
from aphub.store.pupils import every_pupil

REVIEW = "review.csv"
_SHARED = frozenset({"dispatches", "intakes", "receipts"})
"""Their content is about several pupils: what it says of this one stands in reports and marks."""
_PRIVILEGED = frozenset({"legal_holds"})
_NOT_SHOWN = re.compile(
    r".*(_id|_index|digest|salt|lane|commitment)$|^(provider_id|slot|word|current|version)$"
)

_Records = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was written, how many records are in it, and how many texts a person must read before it is given."""

    files: tuple[Path, ...]
    records: int
    to_read: int


def draft(
    desk: Desk, what: str, folder: Path, by: str, because: str, forms: Sequence[str] = ("html",)
) -> Answer:
    """Write everything held about a pupil as a draft for the office, and the texts that a person must read.

    Raises:
        UnknownPupilError: There is no such pupil.
        AphubError: Nobody is named, or files are there already.
    """
    ref, records, redaction = _held(desk, what, folder / REVIEW, by, because, None)
    written = keep(_paper(desk, ref, records, draft=True), folder, forms)
    _write(folder / REVIEW, review_file(redaction.texts.values()))
    return Answer((*written, folder / REVIEW), sum(map(len, records.values())), len(redaction.texts))


def hand_over(
    desk: Desk,
    what: str,
    folder: Path,
    by: str,
    because: str,
    review: tuple[str, bytes],
    forms: Sequence[str] = ("html",),
) -> Answer:
    """Write what may be handed over: a paper in the `forms` wanted and `everything.json`, each as the texts were marked.

    `review` is the name and the content of the marked file; `by` is who read the texts.

    Raises:
        ReviewError: A text was not read, or a mark is none of ours.
        UnknownPupilError: There is no such pupil.
        AphubError: Nobody is named, or files are there already.
    """
    marks = read_review(*review)
    target = folder / "everything.json"
    ref, records, redaction = _held(desk, what, target, by, because, marks)
    check_review(redaction.texts, marks)
    written = keep(_paper(desk, ref, records, draft=False), folder, forms)
    said = {
        "provider": desk.config.provider.name,
        "pupil": ref,
        "as_at": desk.now.isoformat(),
        "records": records,
    }
    _write(target, (json.dumps(said, ensure_ascii=False, indent=1, default=str) + "\n").encode())
    return Answer((*written, target), sum(map(len, records.values())), 0)


def _held(
    desk: Desk, what: str, target: Path, by: str, because: str, marks: Any
) -> tuple[str, _Records, Redaction]:
    """Read everything about a pupil, with other people taken out; who reads it is noted first."""
    if target.exists():
        raise AphubError(f"There is a file {target} already.", "Nothing was written.", "Name a new folder.")
    with desk.store.reading() as connection:
        pupil = pupil_of(desk, connection, what)
        found = list(about_pupil.rows_about(connection, desk.provider_id, pupil.pupil_id))
        everybody = every_pupil(connection, desk.provider_id)
    note(desk, What.ACCESS_REQUEST, pupil.ref, by, [pupil.pupil_id], because)
    redaction = Redaction(
        others_of(desk, everybody, pupil.pupil_id),
        lambda text: desk.vault.digest(text.encode()).hex()[:16],
        marks,
    )
    records = {
        table.name: [_record(desk, table, row, redaction) for row in rows]
        for table, rows in found
        if table.name not in _PRIVILEGED
    }
    return pupil.ref, records, redaction


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


def _record(desk: Desk, table: Table, row: Row[Any], redaction: Redaction) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column in table.columns:
        value = getattr(row, column.name)
        if _NOT_SHOWN.match(column.name) or isinstance(column.type, LargeBinary) or value in {None, ""}:
            continue
        record[column.name] = redaction.of(value, table.name, column.name)
    if table.name in _SHARED:
        return record
    for name in erasing.sealed_columns(table):
        sealed = getattr(row, name)
        if sealed:
            record["content"] = redaction.of(_opened(desk, table, row, sealed), table.name)
    return record


def _opened(desk: Desk, table: Table, row: Row[Any], sealed: bytes) -> Any:
    number = getattr(row, list(table.primary_key.columns)[1].name)
    place = place_of(table.name, desk.provider_id, number)
    [content] = desk.vault.try_open_many([(row.key_id, place, sealed)])
    if content is None:
        return "no longer kept"
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _paper(desk: Desk, ref: str, records: _Records, *, draft: bool) -> paper.Paper:
    return paper.Paper(
        title="DRAFT for the office, not to be given" if draft else "Everything we hold about one pupil",
        file_name="draft-for-the-office" if draft else "everything-held",
        reference=ref,
        provider=desk.config.provider.name,
        as_at=desk.now,
        parts=tuple(_parts(desk, records)),
    )


def _parts(desk: Desk, records: _Records) -> Iterator[Any]:
    kept = desk.config.provider.retention
    yield paper.Text(
        "This is all that our attendance hub holds about you or your child, word for word. Other people's names are "
        f"replaced by {OTHER}. Staff are named by their role."
    )
    yield paper.Heading("Why, and how long")
    yield paper.Facts(
        (
            ("Why we hold it", "To tell the school or council that arranged the place how each session went."),
            ("Who is told", "The schools and councils listed under recipients, and nobody else."),
            ("How long", f"Messages {kept.message_days} days; attendance {kept.entry_years} years; names {kept.pupil_years} years after leaving."),
            ("If it is wrong", "Tell us. Your words are kept with the record and go wherever the record goes."),
            ("If you are not content", "You can complain to the Information Commissioner: ico.org.uk"),
        )
    )  # fmt: skip
    for name, some in records.items():
        rows = tuple((str(number), _lines(record)) for number, record in enumerate(some, start=1))
        yield paper.Table(name.replace("_", " ").capitalize(), ("No.", "What is kept"), rows, widths=(1, 12))


def _lines(record: Mapping[str, Any]) -> str:
    return "; ".join(f"{key.replace('_', ' ')}: {_plain(value)}" for key, value in record.items())


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return moment_words(value)
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key} {_plain(one)}" for key, one in value.items() if one not in (None, "", [], ())
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(_plain, value))
    return str(value)
