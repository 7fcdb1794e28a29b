"""Take other people out of what is written about one pupil; what no program can judge, a person marks text by text."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from aphub.api.sheets import read_cells
from aphub.domain.absences import Teller
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.placements import ArrangedBy, Pupil
from aphub.services.desk import Desk, place_of

OTHER, STAFF, LEFT_OUT = "[another person]", "a member of staff", "[left out]"
COLUMNS = ("text", "where", "as it would be given", "taken out already", "decision", "cut also")
"""The headings of the file in which a person marks each text."""

_STAFF = re.compile(r".*(_by|_to|_with)$|^(by|staff)$")
_PEOPLE = frozenset({"teller", "first_contact", "second_contact", "emergency_contacts"})
"""Fields that name people at home: they are not the person who asks, or it is for a person to see that they are."""
_WITHHELD = frozenset({"contact_note"})
"""Fields that a person decides on before anything of them is given: a court's order may protect somebody from the asker."""
_OURS = frozenset({"reports, lines, why"})
"""Where only the hub's own words stand, so that nobody need read them: why a code was suggested names no person."""
_MACHINES = re.compile(r"^(register|the hub|unknown|system|import)\b", re.IGNORECASE)
_ROLES = frozenset({"the office", *(one.value for one in Teller), *(one.value for one in ArrangedBy)})
_TITLES = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Sir|Dame)\.?(?: [A-Z][\w'\N{RIGHT SINGLE QUOTATION MARK}-]+){1,2}"
)
_WORD = re.compile(r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}-]\w+)*")
_MOST_WORDS = 5
_LONGEST_CATEGORY = 40
_SHORTEST = 3


class ReviewError(NeedsCorrectionError):
    """The marks of a review do not fit what is held."""


class Mark(StrEnum):
    """What a person decided on one text."""

    GIVE = "give"
    WHOLE = "give whole"
    CUT = "cut"
    LEAVE_OUT = "leave out"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a person must read: its key, where it stands, how it would be given, and what was taken out."""

    key: str
    where: str
    given: str = field(repr=False)
    taken: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's mark on one text, with words to cut besides."""

    mark: Mark
    cut: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Others:
    """How other pupils are named; a given name that is also a word counts with a capital letter only."""

    names: frozenset[str] = field(repr=False)
    given: frozenset[str] = field(repr=False)

    def cut(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Take them out of a text, the longest name first; give what was taken out too."""
        words = list(_WORD.finditer(text))
        out: list[str] = []
        taken: list[str] = []
        at = place = 0
        while place < len(words):
            for last in range(min(place + _MOST_WORDS, len(words)), place, -1):
                begin, end = words[place].start(), words[last - 1].end()
                said = text[begin:end]
                if _folded(said) in self.names or (_folded(said) in self.given and said[:1].isupper()):
                    out += [text[at:begin], OTHER]
                    taken.append(said)
                    at, place = end, last
                    break
            else:
                place += 1
        return "".join([*out, text[at:]]), tuple(dict.fromkeys(taken))


@dataclass(slots=True)
class Redaction:
    """Takes other people out of values; remembers the texts to be read, or gives them as a person marked them."""

    others: Others
    key_of: Callable[[str], str]
    marks: Mapping[str, Decided] | None = None
    texts: dict[str, Text] = field(default_factory=dict)

    def of(self, value: Any, where: str, name: str = "") -> Any:
        """Give a value without other people; `name` is the field in which it stands."""
        if isinstance(value, str):
            return self._text(value, where, name)
        if isinstance(value, Mapping):
            return {key: self.of(one, f"{where}, {key}", key) for key, one in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, str)):
            return [self.of(one, where, name) for one in value]
        return value

    def _text(self, value: str, where: str, name: str) -> Any:
        if name == "timetable":
            return self.of(json.loads(value), where, "")
        if name in _WITHHELD:
            return self._judged(value, where, LEFT_OUT, (), read=True)
        if name in _PEOPLE:
            return self._judged(value, where, _role(value, OTHER), (value,), read=True)
        if _STAFF.match(name):
            return value if _MACHINES.match(value) or value in _ROLES else _role(value, STAFF)
        cut, taken = self.others.cut(value)
        titled = tuple(dict.fromkeys(_TITLES.findall(cut)))
        cut = _TITLES.sub(OTHER, cut)
        free = " " in cut.strip() and len(cut) > _LONGEST_CATEGORY and where not in _OURS
        read = bool(taken or titled) or free
        return self._judged(value, where, cut, (*taken, *titled), read=read)

    def _judged(self, value: str, where: str, given: str, taken: tuple[str, ...], *, read: bool) -> str:
        if not read:
            return given
        key = self.key_of(f"{where}\n{value}")
        self.texts.setdefault(key, Text(key, where, given, taken))
        decided = (self.marks or {}).get(key)
        if decided is None:
            return given
        if decided.mark is Mark.LEAVE_OUT:
            return LEFT_OUT
        said = value if decided.mark is Mark.WHOLE else given
        for word in decided.cut:
            said = re.sub(re.escape(word), OTHER, said, flags=re.IGNORECASE)
        return said


def others_of(desk: Desk, rows: Iterable[Row[Any]], pupil_id: int) -> Others:
    """Collect how other pupils are named: whole, given and family names and UPNs, except what this pupil bears too."""
    listed = list(rows)
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.sealed) for row in listed]
    )
    anyhow: set[str] = set()
    given: set[str] = set()
    own: set[str] = set()
    for row, data in zip(listed, opened, strict=True):
        if data is None:
            continue
        pupil = Pupil(ref=str(row.pupil_id), **data)
        named = {_folded(one) for one in (pupil.name, pupil.family_name, pupil.upn)}
        called = {_folded(one) for one in (pupil.given_name, *pupil.given_name.split())}
        if row.pupil_id == pupil_id:
            own |= named | called
        else:
            anyhow |= named
            given |= called
    return Others(_long(anyhow - own), _long(given - own - anyhow))


def _long(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if len(name) >= _SHORTEST)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _role(value: str, instead: str) -> str:
    """Keep who somebody is and leave out the name: "Ms Example, mother, 01632 960101" is "mother"."""
    roles = [part.strip() for part in value.split(",")[1:] if part.strip() and not re.search(r"\d{3}", part)]
    return f"{OTHER}, {roles[0]}" if roles and instead == OTHER else roles[0] if roles else instead


def review_file(texts: Iterable[Text]) -> bytes:
    """Write the texts that a person must read, one a row, with room for their marks; for a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in texts:
        cells = (one.key, one.where.replace("_", " "), one.given, "; ".join(one.taken), "", "")
        writer.writerow(
            f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell for cell in cells
        )
    return out.getvalue().encode("utf-8-sig")


def read_review(name: str, content: bytes) -> dict[str, Decided]:
    """Read a person's marks from the file, CSV or XLSX.

    Raises:
        SourceRefusedError: It cannot be read at all.
        ReviewError: It is not that file, or a mark is none of ours; the row is named.
    """
    rows = list(read_cells(name, content))
    top = [" ".join(cell.casefold().split()) for cell in rows[0]]
    if any(column not in top for column in COLUMNS):
        raise ReviewError(
            "This is not the file in which texts are marked.",
            "Nothing was written.",
            "It is review.csv, beside the draft.",
        )
    at = {column: top.index(column) for column in COLUMNS}
    found: dict[str, Decided] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = {column: row[place].strip() if place < len(row) else "" for column, place in at.items()}
        if not any(cells.values()):
            continue
        typed = " ".join(cells["decision"].casefold().split())
        cut = tuple(word for word in (part.strip() for part in cells["cut also"].split(";")) if word)
        if typed not in {one.value for one in Mark} or (typed == Mark.CUT) is not bool(cut):
            raise ReviewError(
                f"Row {number} of the review has no mark that we know, or nothing to cut.",
                "Nothing was written.",
                "Write give, give whole, leave out; or cut, with the words under cut also.",
            )
        found[cells["text"]] = Decided(Mark(typed), cut)
    return found


def check_review(texts: Mapping[str, Text], marks: Mapping[str, Decided]) -> None:
    """Refuse a review that leaves a text unread; raises ReviewError."""
    unread = len(texts.keys() - marks.keys())
    if unread:
        raise ReviewError(
            f"{unread} {'text was' if unread == 1 else 'texts were'} not read: the record has changed, or a row is missing.",
            "Nothing was written.",
            "Write the draft anew into a new folder, and mark that.",
        )
