"""The rows of a file of pupils, placements and recipients, and the mistakes in them by row, column and mend."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import chain, islice

from aphub.api.sources import SourceRefusedError
from aphub.domain.placements import ArrangedBy, Nature, Power, Purpose, Registration, Standing, TimetableSlot

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pupil_ref": (
        "pupil ref",
        "ref",
        "reference",
        "pupil reference",
        "our ref",
        "learner id",
        "student id",
        "pupil id",
    ),
    "given_name": ("given name", "forename", "first name", "preferred name"),
    "family_name": ("family name", "surname", "last name"),
    "upn": ("upn", "unique pupil number"),
    "school_pupil_ref": (
        *("school pupil ref", "school pupil number", "school s number", "admission number", "admission no"),
        *("school ref", "school s ref"),
    ),
    "starts": ("starts", "start date", "start", "from", "first day", "placement start"),
    "ends": ("ends", "end date", "end", "until", "to", "last day", "placement end", "review date"),
    "arranged_by": ("arranged by", "commissioned by", "arranged"),
    "power": ("power", "legal power", "section", "power used"),
    "registration": ("registration", "roll", "on roll", "registered"),
    "nature": ("nature", "kind", "activity", "type", "kind of provision", "provision", "nature of activity"),
    "commissioner": ("commissioner", "commissioning school", "commissioning body", "school or council"),
    "timetable": ("timetable", "lessons", "times", "days and times"),
    "recipient": ("recipient", "tell", "told", "send to", "school to tell", "organisation"),
    "purpose": ("purpose", "why told", "told as"),
    "agreement": ("agreement", "reporting agreement", "how often"),
    "risk": ("risk", "risk flag", "at risk"),
    "suppressed": ("suppressed", "do not share", "do not send"),
    "attends_on_school_closure": (
        "attends on school closure",
        "attends on inset days",
        "attends when school is closed",
    ),
    "standing": ("standing", "placement status", "status", "referral", "referral status"),
    "setting_type": ("setting type", "type of setting", "census setting type"),
    "placement_reason": ("placement reason", "reason for placement", "primary reason", "why commissioned"),
    "hours_per_week": ("hours per week", "weekly hours", "commissioned hours"),
    "sessions_per_week": ("sessions per week", "weekly sessions", "commissioned sessions"),
    "attendance_pattern": ("attendance pattern", "full or part time", "full time or part time"),
    "associated_school": ("associated school", "association", "associated school urn"),
    "attendance_target": ("attendance target", "attendance target %", "agreed threshold"),
    "contact_restriction": ("contact restriction", "restriction", "restricted contact"),
    "contact_note": ("contact note", "court order", "note on contact"),
    "first_contact": ("first contact", "contact 1", "priority 1 contact"),
    "second_contact": ("second contact", "contact 2", "priority 2 contact"),
    "emergency_contacts": ("emergency contacts", "emergency contact", "other contacts"),
}
"""Our columns in the order of the documented layout, each with the headings that also mean it."""

REQUIRED = (
    *("pupil_ref", "given_name", "family_name", "starts", "arranged_by", "registration"),
    *("commissioner", "timetable", "recipient", "agreement"),
)
ITEMS = (
    *("setting_type", "placement_reason", "hours_per_week", "sessions_per_week", "attendance_pattern"),
    *("associated_school", "attendance_target"),
)
"""What a census asks of a placement, and the target agreed for it: kept sealed, the first for its commissioner alone."""
HOME = ("contact_restriction", "contact_note", "first_contact", "second_contact", "emergency_contacts")
"""Who is reached at home, and who must not be: kept sealed with the pupil, and told to no school."""
Pairs = tuple[tuple[str, str], ...]
_SEARCHED = 30
_ALIKE = 0.85
_SIGNS = re.compile(r"[^\w]+|_")
_BY_HEADING = {heading: column for column, headings in COLUMNS.items() for heading in headings}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, or one thing to look at: where it stands, what it is, what to do. Nobody's data is in it."""

    row: int
    column: str
    words: str
    mend: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"Row {self.row}, {self.column}: {self.words} {self.mend}".rstrip()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One row of the file as read: a pupil, a placement, and one organisation that is told."""

    number: int
    pupil_ref: str = field(repr=False)
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    upn: str = field(repr=False)
    school_pupil_ref: str = field(repr=False)
    suppressed: bool
    starts: date
    ends: date | None
    arranged_by: ArrangedBy
    power: Power
    registration: Registration
    nature: Nature
    commissioner: str
    timetable: tuple[TimetableSlot, ...]
    risk: bool
    attends_on_school_closure: bool
    recipient: str
    purpose: Purpose
    agreement: str
    standing: Standing = Standing.AGREED
    items: Pairs = field(repr=False, default=())
    home: Pairs = field(repr=False, default=())

    @property
    def pupil(self) -> tuple[str, ...]:
        """All that the row says about the pupil."""
        return (self.given_name, self.family_name, self.upn, self.school_pupil_ref, str(self.suppressed))

    @property
    def placement(self) -> tuple[object, ...]:
        """All that the row says about the placement."""
        return (
            *(self.starts, self.ends, self.arranged_by, self.power, self.registration, self.nature),
            *(self.commissioner, self.timetable, self.risk, self.attends_on_school_closure, self.standing),
        )

    @property
    def placement_key(self) -> tuple[str, date, Nature, str]:
        """What tells the placements of one file apart."""
        return self.pupil_ref, self.starts, self.nature, self.commissioner


def cells_by_column(
    rows: Iterable[Sequence[str]], warnings: list[Problem], problems: list[Problem]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row under the headings as text by our column, with its number as people count it.

    A column that we do not read is a warning, and text under no heading a mistake: nothing that was typed is lost unsaid.

    Raises:
        SourceRefusedError: The headings are not near the top, a needed one is missing, one stands twice or is one that we
            read with a slip of the hand; or there is no row under them.
    """
    iterator = iter(rows)
    top = list(islice(iterator, _SEARCHED))
    found = [_places(row) for row in top]
    number = max(range(len(found)), key=lambda line: len(found[line]), default=0)
    places = found[number] if found else {}
    missing = [column for column in REQUIRED if column not in places]
    if missing:
        raise SourceRefusedError(
            f"The file needs headings that are not there: {', '.join(missing)}.",
            "Nothing of it was taken.",
            f"{_near(missing, top[number] if top else ())}Add them: docs/import-people.md explains each, and "
            "examples/people.csv of a new hub has them all.",
        )
    headings = [" ".join(str(cell).split()) for cell in top[number]]
    _refuse_doubtful(headings)
    for heading in headings:
        if heading and _column_of(heading) is None:
            words = "We do not read this column: nothing of it is taken."
            warnings.append(
                Problem(number + 1, heading[:40], words, "See docs/import-people.md for those that we read.")
            )
    nameless = [place for place, heading in enumerate(headings) if not heading]
    read = 0
    for line, row in enumerate(chain(top[number + 1 :], iterator), number + 2):
        stray = [
            place
            for place in (*nameless, *range(len(headings), len(row)))
            if place < len(row) and row[place].strip()
        ]
        if stray:
            words = f"There is text in column {stray[0] + 1}, which has no heading."
            mend = "Look for a comma too many; or give the column a heading, or empty it."
            problems.append(Problem(line, f"column {stray[0] + 1}", words, mend))
        cells = {
            column: " ".join(_one_line(column, row[place]).split()) if place < len(row) else ""
            for column, place in places.items()
        }
        if any(cells.values()):
            read += 1
            yield line, cells
    if not read:
        raise SourceRefusedError(
            "There is no row under the headings of this file.", "Nothing of it was taken.", "Export it again."
        )


def _refuse_doubtful(headings: Sequence[str]) -> None:
    """Refuse headings of which we would have to guess what they mean."""
    columns = [_column_of(heading) for heading in headings]
    for column in dict.fromkeys(columns):
        twice = [heading for heading, one in zip(headings, columns, strict=True) if one == column]
        if column is not None and len(twice) > 1:
            raise SourceRefusedError(
                f"Several columns of the file say {column}: {', '.join(twice)}.",
                "Nothing of it was taken.",
                "Remove or rename those that are not meant.",
            )
    for heading, column in zip(headings, columns, strict=True):
        near = (
            get_close_matches(_folded(heading), _BY_HEADING, 1, _ALIKE) if heading and column is None else ()
        )
        if near:
            raise SourceRefusedError(
                f"We do not know the heading '{heading[:40]}', which is nearly {_BY_HEADING[near[0]]}.",
                "Nothing of it was taken.",
                f"Write {_BY_HEADING[near[0]]} if that is meant; or give it quite another name.",
            )


def _one_line(column: str, text: str) -> str:
    """Let lessons of a timetable stand on lines of their own in a cell."""
    return text.replace("\n", "; ") if column == "timetable" else text


def _near(missing: Sequence[str], headings: Iterable[object]) -> str:
    """Ask about headings that look like a slip of the hand for one that is missing."""
    written = [str(one).strip() for one in headings if str(one).strip()]
    pairs = ((close, column) for column in missing for close in get_close_matches(column, written, 1, 0.75))
    return " ".join(f"Did you mean {column} by '{close}'?" for close, column in pairs) + (
        " " if written else ""
    )


def _folded(heading: str) -> str:
    return " ".join(_SIGNS.sub(" ", heading.casefold()).split())


def _column_of(heading: str) -> str | None:
    return _BY_HEADING.get(_folded(heading))


def _places(row: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(row):
        column = _column_of(cell)
        if column is not None:
            places.setdefault(column, place)
    return places
