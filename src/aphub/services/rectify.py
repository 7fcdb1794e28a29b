"""A note on the record (UK GDPR articles 16 and 19): what a pupil or parent says is wrong, kept with it wherever it goes.

Facts are corrected with `aphub correct`, which tells the school. A note is for what stays disputed, or cannot be put
right: the record is never rewritten.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk, place_of
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.services.whose import pupil_of
from aphub.store import dispatching, noting
from aphub.store.engine import allocate

_TELL_WITHIN = timedelta(days=3)
LONGEST = 2000


class CannotNoteError(AphubError):
    """This note cannot be kept."""


@dataclass(frozen=True, slots=True)
class RecordNote:
    """A note that travels with a pupil's record."""

    ref: str
    pupil_id: int
    about: str
    made_at: datetime
    made_by: str
    says: str = field(repr=False)
    answer: str = field(repr=False)

    def as_json(self) -> bytes:
        """Write it for a folder of evidence."""
        said = {
            "note": self.ref,
            "about": self.about,
            "made_at": self.made_at.isoformat(),
            "says": self.says,
            "answer": self.answer,
        }
        return (json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def add_note(
    desk: Desk, what: str, by: str, says: str, about: str = "", answer: str = ""
) -> tuple[str, list[str]]:
    """Keep a note on a pupil's record; give its reference, and the schools and councils that must be told of it.

    Raises:
        CannotNoteError: It says nothing.
        NeedsCorrectionError: It says too much.
        UnknownPupilError: There is no such pupil.
    """
    name, says, answer = named(by), typed("The note", says, LONGEST), typed("The answer", answer, LONGEST)
    if not says:
        raise CannotNoteError("The note is empty.", "Nothing was kept.", "Write down what is disputed.")
    with desk.store.transaction() as connection:
        pupil = pupil_of(desk, connection, what)
        if pupil.erased_at is not None:
            raise CannotNoteError("This pupil has been erased.", "Nothing was kept.")
        ref = _keep(desk, connection, pupil.pupil_id, name, {"says": says, "answer": answer}, about)
        told = noting.told_about(connection, desk.provider_id, pupil.pupil_id)
        dispatching.open_tasks(connection, list(_tasks(desk, connection, ref, pupil.pupil_id, told)))
    return ref, told


def notes_of(desk: Desk, connection: Connection, pupil_ids: Iterable[int]) -> list[RecordNote]:
    """Give the notes on the records of these pupils, oldest first; what was erased is left out."""
    rows = noting.of_pupils(connection, desk.provider_id, sorted(set(pupil_ids)))
    opened = desk.vault.try_open_json_many(
        [(row.key_id, _place(desk, row.record_note_id), row.sealed) for row in rows]
    )
    return [
        RecordNote(
            row.ref, row.pupil_id, row.about, row.made_at, row.made_by, content["says"], content["answer"]
        )
        for row, content in zip(rows, opened, strict=True)
        if content
    ]


def _place(desk: Desk, number: int) -> str:
    return place_of("record_notes", desk.provider_id, number)


def _keep(
    desk: Desk, connection: Connection, pupil_id: int, by: str, content: dict[str, str], about: str
) -> str:
    [number] = allocate(connection, "record_notes")
    [key] = desk.vault.data_keys([pupil_id], "entry", desk.year())
    ref = desk.references(1)[0]
    noting.add(
        connection,
        {
            "provider_id": desk.provider_id,
            "record_note_id": number,
            "ref": ref,
            "pupil_id": pupil_id,
            "about": typed("What it is about", about, 60),
            "key_id": key.key_id,
            "sealed": desk.vault.seal_json(key, _place(desk, number), content),
            "made_at": desk.now,
            "made_by": by,
        },
    )
    digest = desk.vault.digest(json.dumps(content, sort_keys=True).encode())
    fields: dict[str, Any] = {"note": ref, "content": digest.hex(), "by": signed(desk, by)}
    record(connection, desk, [Statement("record.noted", ref, fields)])
    return ref


def _tasks(
    desk: Desk, connection: Connection, ref: str, pupil_id: int, told: list[str]
) -> Iterable[dict[str, Any]]:
    numbers = allocate(connection, "tasks", len(told)) if told else ()
    for organisation, number, fresh in zip(told, numbers, desk.references(len(told)), strict=True):
        yield {
            "provider_id": desk.provider_id,
            "task_id": number,
            "ref": fresh,
            "kind": "tell_note",
            "subject": f"{ref}/{organisation}"[:120],
            "pupil_id": pupil_id,
            "organisation": organisation,
            "words": f"Tell them that a note ({ref}) stands on a record that they were told, and what it says.",
            "due_at": desk.now + _TELL_WITHIN,
            "state": "open",
            "raised_at": desk.now,
        }
