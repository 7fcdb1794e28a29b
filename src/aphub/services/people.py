"""Take pupils, placements and recipients in from a file: first a preview, then all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aphub.api.sheets import read_cells
from aphub.domain.errors import NeedsCorrectionError
from aphub.services import owe
from aphub.services.desk import Desk
from aphub.services.matching import other_spellings
from aphub.services.people_changes import Changes, plan
from aphub.services.people_checks import check_references, check_rows
from aphub.services.people_days import never_due
from aphub.services.people_reading import RowReader
from aphub.services.people_rows import PersonRow, Problem, cells_by_column
from aphub.services.people_unread import unread
from aphub.store import pupils as kept

__all__ = ["Counts", "PeopleNotTakenError", "Preview", "Problem", "Taken", "read_people", "take_people"]


class PeopleNotTakenError(NeedsCorrectionError):
    """There are mistakes in the file, so nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a file holds, and what taking it would change."""

    rows: int = 0
    pupils_new: int = 0
    pupils_changed: int = 0
    placements_new: int = 0
    placements_changed: int = 0
    recipients_new: int = 0
    recipients_changed: int = 0
    recipients_ended: int = 0

    @property
    def changes(self) -> int:
        """How many things would change."""
        return (
            self.pupils_new + self.pupils_changed + self.placements_new + self.placements_changed
            + self.recipients_new + self.recipients_changed + self.recipients_ended
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as read: its rows, every mistake, what to look at, and what would change. Nothing is taken yet."""

    name: str = field(repr=False)
    rows: tuple[PersonRow, ...] = field(repr=False)
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking a file changed, and what is owed now."""

    counts: Counts
    owed: owe.OweResult


def read_people(desk: Desk, name: str, content: bytes) -> Preview:
    """Read a CSV or XLSX file of pupils, placements and recipients; nothing is changed.

    Raises:
        SourceRefusedError: It cannot be read at all, or headings are missing.
    """
    reader = RowReader(desk.config)
    rows: list[PersonRow] = []
    total = 0
    for number, cells in cells_by_column(read_cells(name, content), reader.warnings, reader.problems):
        total += 1
        row = reader.read(number, cells)
        if row is not None:
            rows.append(row)
    for wrong, one in unread(name, content):
        (reader.problems if wrong else reader.warnings).append(one)
    found = check_rows(rows)
    with desk.store.reading() as connection:
        changes = plan(desk, connection, rows)
    problems = [*reader.problems, *found.problems, *check_references(rows, _lookalikes(desk, rows))]
    problems += changes.problems
    warnings = [
        *reader.warnings,
        *found.warnings,
        *never_due(rows, desk.config.provider.calendar(), desk.today),
    ]
    return Preview(
        name=name,
        rows=tuple(rows),
        problems=tuple(sorted(problems, key=lambda one: (one.row, one.column))),
        warnings=tuple(sorted(warnings, key=lambda one: (one.row, one.column))),
        counts=_counts(total, changes),
    )


def take_people(desk: Desk, preview: Preview, by: str) -> Taken:
    """Take all of a file that was previewed without mistakes; the same file again changes nothing.

    What differs from what we have becomes a new version. Placements and pupils that the file does not name stay as they
    are; of a placement that it does name, recipients that it does not are told no more from today on.

    Raises:
        PeopleNotTakenError: There are mistakes in it.
    """
    if preview.problems:
        count = len(preview.problems)
        raise PeopleNotTakenError(
            f"There {'is a mistake' if count == 1 else f'are {count} mistakes'} in the file.",
            "Nothing of it was taken.",
            " ".join(str(problem) for problem in preview.problems[:3]),
        )
    with desk.store.transaction() as connection:
        # Planned again: somebody may have taken another file since the preview.
        changes = plan(desk, connection, preview.rows)
        if changes.problems:
            raise PeopleNotTakenError(
                "What we know has changed since the preview.", "Nothing was taken.", "Preview the file again."
            )
        changes.apply(desk, connection, by)
    # From today on: a school is not told on Thursday that Tuesday's register, of which nobody knew, was not taken.
    owed = owe.regenerate(desk, desk.today, desk.today + owe.AHEAD)
    return Taken(_counts(preview.counts.rows, changes), owed)


def _counts(rows: int, changes: Changes) -> Counts:
    return Counts(
        rows=rows,
        pupils_new=len(changes.new_pupils),
        pupils_changed=len(changes.changed_pupils),
        placements_new=sum(one.version == 1 for one in changes.placements),
        placements_changed=sum(one.version > 1 for one in changes.placements),
        recipients_new=len(changes.new_recipients),
        recipients_changed=sum(one.ends is None for one in changes.changed_recipients),
        recipients_ended=sum(one.ends is not None for one in changes.changed_recipients),
    )


def _lookalikes(desk: Desk, rows: Sequence[PersonRow]) -> Mapping[str, str]:
    """Give references that are new to us, yet known with another number of zeros before them."""
    index = desk.vault.index
    refs = list(dict.fromkeys(row.pupil_ref for row in rows))
    spellings: dict[str, list[str]] = {ref: other_spellings(ref) for ref in refs}
    wanted = {*refs, *(other for some in spellings.values() for other in some)}
    with desk.store.reading() as connection:
        known: Mapping[bytes, Any] = kept.by_index(
            connection, desk.provider_id, "reference", [index("reference", ref) for ref in wanted]
        )
    inside = set(refs)
    return {
        ref: other
        for ref in refs
        if index("reference", ref) not in known
        for other in spellings[ref]
        if index("reference", other) in known or other in inside
    }
