"""Registers and files of people for tests, written as an office would, and a source that hands them in."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aphub.api import Source, SourceBatch, SourceRefusedError, SourceRow, SourceSettings
from aphub.demo.invented import COLUMNS
from aphub.services import people
from aphub.testing import invented_upn
from tests.world import World

DAY = "03/03/2026"


class Handed(Source[SourceSettings]):
    """A source whose originals are given by a test; it remembers how they were settled."""

    name: ClassVar[str] = "handed"
    settings_class: ClassVar[type[SourceSettings]] = SourceSettings

    def __init__(self) -> None:
        super().__init__(SourceSettings())
        self.put_away: list[tuple[str, bool, str, bytes]] = []
        self.breaks_when_settling = False

    def waiting(self) -> Iterator[SourceBatch]:
        """Nothing waits: tests hand originals in themselves."""
        return iter(())

    def rows(self, batch: SourceBatch) -> Iterator[SourceRow]:
        """Read the CSV that `register` wrote."""
        if batch.content == b"unreadable":
            raise SourceRefusedError("This file is damaged.", "Nothing of it was taken.", "Export it again.")
        names, *rows = csv.reader(io.StringIO(batch.content.decode(), newline=""))
        return (SourceRow(number, **dict(zip(names, row, strict=True))) for number, row in enumerate(rows, 2))

    def settled(self, batch: SourceBatch, *, taken: bool, report: str, sealed: bytes) -> None:
        """Remember it."""
        if self.breaks_when_settling:
            raise OSError("the folder is gone")
        self.put_away.append((batch.name, taken, report, sealed))


def register(*rows: dict[str, str] | Sequence[str], name: str = "register.csv") -> SourceBatch:
    """Write a register: each row is a dictionary, or (pupil reference, mark, minutes, reason) at 9am today."""
    names = [name for name in SourceRow.__dataclass_fields__ if name != "number"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    for row in rows:
        if not isinstance(row, dict):
            ref, mark, minutes, reason = (*row, "", "")[:4]
            row = {"pupil_ref": ref, "mark": mark, "minutes": minutes, "reason": reason}  # noqa: PLW2901 - two ways to write a row
        writer.writerow({"day": DAY, "starts": "09:00", **row})
    return SourceBatch(name, "text/csv", out.getvalue().encode())


@dataclass
class Person:
    """One row of a file of people; every column can be set to anything."""

    ref: str
    changes: dict[str, str] = field(default_factory=dict)

    def row(self) -> dict[str, str]:
        """Give the row with what a usual pupil has where nothing else is said."""
        number = sum(map(ord, self.ref)) if not self.ref.isdigit() else int(self.ref)
        usual = {
            "pupil_ref": self.ref,
            "given_name": "Sam",
            "family_name": f"Example{self.ref}",
            "upn": invented_upn(number),
            "school_pupil_ref": f"S{self.ref}",
            "starts": "2026-01-05",
            "arranged_by": "school",
            "registration": "home",
            "commissioner": "hill-school",
            "timetable": "Mon-Fri 09:00-12:00 in person @ Riverside",
            "recipient": "hill-school",
            "agreement": "daily",
        }
        return {**usual, **self.changes}


def person(ref: str, **changes: str) -> Person:
    """Write one row about a pupil."""
    return Person(ref, changes)


def people_file(*rows: Person, extra: Iterable[str] = ()) -> bytes:
    """Write the documented CSV."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*COLUMNS, *extra], restval="")
    writer.writeheader()
    writer.writerows(row.row() for row in rows)
    return out.getvalue().encode()


def place(world: World, *rows: Person) -> Any:
    """Import people, and work out what is owed."""
    preview = people.read_people(world.desk, "people.csv", people_file(*rows))
    assert preview.problems == ()
    return people.take_people(world.desk, preview, "Jo, office")
