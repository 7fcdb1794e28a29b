"""Mistakes that no single row shows: rows of a file that contradict each other, or the people we already have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aphub.domain.placements import ArrangedBy, Purpose, Registration
from aphub.services.people_rows import Pairs, PersonRow, Problem

_PUPIL = ("given_name", "family_name", "upn", "school_pupil_ref", "suppressed")
_PLACEMENT = (
    *("ends", "arranged_by", "power", "registration", "timetable", "risk", "attends_on_school_closure"),
    "standing",
)


@dataclass(slots=True)
class Found:
    """What checking a whole file found."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check_rows(rows: Sequence[PersonRow]) -> Found:
    """Check the rows of one file against each other."""
    found = Found()
    first_of_pupil: dict[str, PersonRow] = {}
    first_of_placement: dict[object, PersonRow] = {}
    first_with_upn: dict[str, PersonRow] = {}
    told: dict[object, PersonRow] = {}
    extra: dict[object, tuple[int, str]] = {}
    for row in rows:
        _same(found, row, first_of_pupil.setdefault(row.pupil_ref.casefold(), row), _PUPIL, "pupil")
        placement = (row.pupil_ref.casefold(), *row.placement_key[1:])
        _same(found, row, first_of_placement.setdefault(placement, row), _PLACEMENT, "placement")
        _agree(found, row, extra, ("pupil", row.pupil_ref.casefold()), row.home)
        _agree(found, row, extra, ("placement", *placement), row.items)
        if row.upn:
            other = first_with_upn.setdefault(row.upn, row)
            if other.pupil_ref.casefold() != row.pupil_ref.casefold():
                words = f"Row {other.number} gives another pupil this UPN."
                found.problems.append(Problem(row.number, "upn", words, "Check which of the two has it."))
        line = (*placement, row.recipient, row.purpose)
        twice = told.setdefault(line, row)
        if twice is not row:
            words = f"Row {twice.number} says the same: this placement and recipient stand here twice."
            found.problems.append(Problem(row.number, "recipient", words, "Remove one of the two rows."))
    _check_told(found, rows)
    return found


def check_references(rows: Sequence[PersonRow], lookalikes: Mapping[str, str]) -> list[Problem]:
    """Name pupils whose reference differs from a known one by zeros at its beginning only."""
    words = "We have a pupil whose reference is this one with another number of zeros before it."
    mend = "A spreadsheet may have dropped them: write the reference as before."
    seen = {row.pupil_ref: row.number for row in reversed(rows)}
    return [Problem(number, "pupil_ref", words, mend) for ref, number in seen.items() if ref in lookalikes]


def _same(found: Found, row: PersonRow, first: PersonRow, names: Sequence[str], what: str) -> None:
    for name in names:
        if getattr(row, name) != getattr(first, name):
            words = f"This differs from row {first.number}, which is about the same {what}."
            found.problems.append(Problem(row.number, name, words, "Make both the same."))


def _agree(
    found: Found,
    row: PersonRow,
    extra: dict[object, tuple[int, str]],
    whose: tuple[object, ...],
    pairs: Pairs,
) -> None:
    """Let any of several rows about one pupil or placement say more, and name those that contradict."""
    for name, text in pairs:
        if text:
            number, said = extra.setdefault((*whose, name), (row.number, text))
            if said != text:
                words = f"This differs from row {number}, which is about the same {whose[0]}."
                found.problems.append(Problem(row.number, name, words, "Make both the same."))


def _check_told(found: Found, rows: Sequence[PersonRow]) -> None:
    """Warn of placements of which somebody who should know is not told."""
    by_placement: dict[object, list[PersonRow]] = {}
    for row in rows:
        by_placement.setdefault((row.pupil_ref.casefold(), *row.placement_key[1:]), []).append(row)
    for some in by_placement.values():
        first = some[0]
        purposes = {row.purpose for row in some}
        if (
            first.registration in {Registration.HOME, Registration.DUAL}
            and Purpose.HOME_SCHOOL not in purposes
        ):
            words = "This pupil's own school is not told."
            found.warnings.append(
                Problem(first.number, "recipient", words, "Add a row for it if it should be.")
            )
        if first.arranged_by is ArrangedBy.COUNCIL and Purpose.COUNCIL not in purposes:
            words = "The council arranged this and is not told."
            found.warnings.append(
                Problem(first.number, "recipient", words, "Add a row for it if it should be.")
            )
