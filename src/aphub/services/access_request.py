"""Answer a request for access (UK GDPR article 15): everything held about one pupil, for people and for machines.

Other people in it are taken out where we can know them, and every free text is listed for a person to read before it is
given: no program knows every third party in a sentence.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, Row, Table

from aphub.domain import papers as paper
from aphub.domain.errors import AphubError
from aphub.domain.placements import Pupil
from aphub.domain.wording import day_words, moment_words
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.papers import keep
from aphub.services.whose import pupil_of
from aphub.store import about_pupil, erasing
from aphub.store.pupils import every_pupil

OTHER, STAFF = "[another person]", "a member of staff"
_SHARED = frozenset({"dispatches", "intakes", "receipts"})
"""Their content is about several pupils: what it says of this one stands in reports and marks."""
_PRIVILEGED = frozenset({"legal_holds"})
_LONGEST_CATEGORY = 40
_NOT_SHOWN = re.compile(
    r".*(_id|_index|digest|salt|lane|commitment)$|^(provider_id|slot|word|current|version)$"
)
_STAFF = re.compile(r".*(_by|_to)$|^(by|made_by)$")
_MACHINES = re.compile(r"^(register|the hub|unknown|system|import)\b", re.IGNORECASE)
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What was written, and how many free texts a person must read before it is given."""

    files: tuple[Path, ...]
    records: int
    to_read: int


@dataclass(slots=True)
class _Redaction:
    """Takes other people out of texts, and notes which texts a person must read."""

    others: re.Pattern[str] | None
    texts: list[tuple[str, str]] = field(default_factory=list)

    def of(self, value: Any, where: str) -> Any:
        """Give a value without the names of other pupils."""
        if isinstance(value, str):
            cut = self.others.sub(OTHER, value) if self.others is not None else value
            if (" " in cut.strip() and len(cut) > _LONGEST_CATEGORY) or cut != value:
                self.texts.append((where, cut))
            return cut
        if isinstance(value, Mapping):
            return {key: self.of(one, f"{where}, {key}") for key, one in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, str)):
            return [self.of(one, where) for one in value]
        return value


def answer(
    desk: Desk, what: str, folder: Path, by: str, because: str, forms: Sequence[str] = ("html",)
) -> Answer:
    """Write everything held about a pupil into a folder: a paper in the `forms` wanted, and `everything.json`.

    Raises:
        UnknownPupilError: There is no such pupil.
        AphubError: Nobody is named, or files are there already.
    """
    target = folder / "everything.json"
    if target.exists():
        raise AphubError(f"There is a file {target} already.", "Nothing was written.", "Name a new folder.")
    with desk.store.reading() as connection:
        pupil = pupil_of(desk, connection, what)
        found = list(about_pupil.rows_about(connection, desk.provider_id, pupil.pupil_id))
        everybody = every_pupil(connection, desk.provider_id)
    note(desk, What.ACCESS_REQUEST, pupil.ref, by, [pupil.pupil_id], because)
    redaction = _Redaction(_others(desk, everybody, pupil.pupil_id))
    records = {
        table.name: [_record(desk, table, row, redaction) for row in rows]
        for table, rows in found
        if table.name not in _PRIVILEGED
    }
    written = keep(_paper(desk, pupil.ref, records, redaction.texts), folder, forms)
    said = {
        "provider": desk.config.provider.name,
        "pupil": pupil.ref,
        "as_at": desk.now.isoformat(),
        "records": records,
    }
    target.touch(mode=0o600, exist_ok=False)
    target.write_text(json.dumps(said, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    return Answer((*written, target), sum(map(len, records.values())), len(redaction.texts))


def _others(desk: Desk, rows: Iterable[Row[Any]], pupil_id: int) -> re.Pattern[str] | None:
    """Find other pupils' names in texts: whole names and family names, except those that this pupil bears too."""
    listed = list(rows)
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.sealed) for row in listed]
    )
    names: set[str] = set()
    own: set[str] = set()
    for row, data in zip(listed, opened, strict=True):
        if data is None:
            continue
        pupil = Pupil(ref=str(row.pupil_id), **data)
        mine = own if row.pupil_id == pupil_id else names
        mine |= {pupil.name.casefold(), data["family_name"].casefold(), pupil.upn.casefold()}
    wanted = sorted((name for name in names - own if len(name) >= _SHORTEST), key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted))})\b", re.IGNORECASE)


def _record(desk: Desk, table: Table, row: Row[Any], redaction: _Redaction) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column in table.columns:
        value = getattr(row, column.name)
        if _NOT_SHOWN.match(column.name) or isinstance(column.type, LargeBinary) or value in {None, ""}:
            continue
        record[column.name] = _staff(value) if _STAFF.match(column.name) else redaction.of(value, table.name)
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


def _staff(value: Any) -> Any:
    """Keep a role and leave out the name: whoever asks is told what was done, not whose desk it was on."""
    if not isinstance(value, str) or _MACHINES.match(value):
        return value
    _, _, role = value.partition(",")
    return role.strip() or STAFF


def _paper(
    desk: Desk, ref: str, records: Mapping[str, Sequence[Mapping[str, Any]]], texts: Sequence[tuple[str, str]]
) -> paper.Paper:
    return paper.Paper(
        title="Everything we hold about one pupil",
        file_name="everything-held",
        reference=ref,
        provider=desk.config.provider.name,
        as_at=desk.now,
        parts=tuple(_parts(desk, records, texts)),
    )


def _parts(
    desk: Desk, records: Mapping[str, Sequence[Mapping[str, Any]]], texts: Sequence[tuple[str, str]]
) -> Iterator[Any]:
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
    if texts:
        yield paper.Heading("For the office, before this is given")
        yield paper.Text(
            f"Read these {len(texts)} texts: no program finds every other person in a sentence. Take this page out.",
            strong=True,
        )
        lines = tuple((where.replace("_", " "), text) for where, text in texts)
        yield paper.Table("Texts to read", ("Where", "Text"), lines)


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
