"""What is held no more: of whom all was erased and who asked for it, what went by age and by whose rule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.ledger import read_statement
from aphub.domain.wording import moment_words
from aphub.services.desk import Desk
from aphub.services.publish import published_by
from aphub.services.purge import BY_RULE
from aphub.services.way import signed
from aphub.store import keeping
from aphub.store import ledger as ledger_rows

_WORDS = {
    "message": "messages as they were sent",
    "original": "registers as they came in",
    "access": "lines of who viewed what",
}
_BY_HAND = "a person, by hand"
_NOT_YET = "not yet: a legal hold, or it was cut short"


@dataclass(frozen=True, slots=True)
class ErasedLine:
    """One erasure: when, what and how much, by whom and why, and since when no copy of its keys is left."""

    at: datetime
    ref: str
    what: str
    records: int
    by: str
    because: str
    complete: str


def erased(desk: Desk, since: datetime) -> list[ErasedLine]:
    """List what was erased from an instant on, newest first.

    A pupil is named by nothing here, since nothing is known any more. Who purged by hand stands in the ledger as a digest.
    """
    with desk.store.reading() as connection:
        lines = [
            _of_pupil(row)
            for row in keeping.every_erasure(connection, desk.provider_id)
            if row.asked_at >= since
        ]
        lines += [
            _of_class(desk, connection, row)
            for row in ledger_rows.statements_of(connection, desk.provider_id, "class.purged", since)
            # Each pupil that went by age has a line of its own.
            if row.subject != "pupil"
        ]
    return sorted(lines, key=lambda one: one.at, reverse=True)


def _of_pupil(row: Row[Any]) -> ErasedLine:
    complete = f"from {moment_words(row.complete_at)}" if row.complete_at else _NOT_YET
    return ErasedLine(row.asked_at, row.ref, "all of one pupil", 1, row.asked_by, row.because, complete)


def _of_class(desk: Desk, connection: Connection, row: Row[Any]) -> ErasedLine:
    said = read_statement(row.body)
    name = str(said["class"])
    rule = f"kept long enough: from before {moment_words(datetime.fromisoformat(str(said['until'])))}"
    if "snapshot" in said:
        number = int(str(said["snapshot"]))
        who = published_by(connection, desk.provider_id, number)
        rule = f"{rule}, configuration {number} published by {who}"
    by = BY_RULE if said.get("by") in {None, signed(desk, BY_RULE)} else _BY_HAND
    return ErasedLine(
        row.at,
        "",
        _WORDS.get(name, f"{name} records"),
        int(str(said["records"])),
        by,
        rule,
        "at once, but for copies of the keys",
    )
