"""The rows of one register file: one pass, no dictionary a row, and whatever is odd is said beside the row."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import itemgetter

from aphub.api import SourceRefusedError, SourceRow
from aphub_inbox.headings import Headings, headings_in

_ORDER = (
    *("pupil_ref", "upn", "name", "day", "starts", "session", "mark", "minutes", "reason"),
    *("recorded_at", "recorded_by", "action"),
)
_SEARCHED = 30
"""How many rows from the top are searched for the headings: titles and empty rows may stand above them."""

_MONTH_FIRST = re.compile(r"\s*(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(.*)", re.DOTALL)
_TOO_MANY_CELLS = (
    "There are more cells in this row than headings: a comma may stand in a cell without quotation marks."
)
_TOO_FEW_CELLS = "This row ends before its mark: the file may be cut off here."
_BROKEN_CELL = "A cell in this row runs over several lines: a quotation mark may be missing."


def find_headings(cells: Iterator[list[str]], own: Mapping[str, str]) -> Headings:
    """Read on until the headings are found.

    Raises:
        SourceRefusedError: They are not near the top. What stands there is not repeated: it may be pupils.
    """
    for number, row in enumerate(cells, 1):
        found = headings_in(number, row, own)
        if found is not None:
            return found
        if number == _SEARCHED:
            break
    raise SourceRefusedError(
        "We could not find the row of headings: it needs one for the mark, one for the date and one for the pupil.",
        "Nothing of it was taken.",
        "Add the headings, or say what yours are called under 'columns' of this feed.",
    )


def rows_of(cells: Iterator[list[str]], headings: Headings, *, month_first: bool) -> Iterator[SourceRow]:
    """Give the rows under the headings; rows without anything in them are passed over.

    Raises:
        SourceRefusedError: There is none; raised before the first row.
    """
    rows = _rows(cells, headings, month_first=month_first)
    first = next(rows, None)
    if first is None:
        raise SourceRefusedError(
            "There are headings in this file, but no rows under them.",
            "Nothing of it was taken.",
            "Export it again.",
        )
    return chain((first,), rows)


def _rows(cells: Iterator[list[str]], headings: Headings, *, month_first: bool) -> Iterator[SourceRow]:
    places = headings.places
    width = headings.width
    given, family = places.get("given_name"), places.get("family_name")
    joined = family is not None and "name" not in places
    # A column that is not there is read from the empty cell that each row gets at its end.
    getter = itemgetter(*(places.get(field, -1) for field in _ORDER))
    mark_at = places["mark"]
    for number, row in enumerate(cells, headings.row + 1):
        if len(row) != width:
            if not any(row):
                continue
            problem = _fit(row, width, mark_at)
        else:
            problem = ""
        row.append("")
        one = SourceRow(number, *getter(row))
        if not (one.mark and one.day) and not any(cell.strip() for cell in row):
            continue
        if joined and family is not None:
            one.name = f"{row[given] if given is not None else ''} {row[family]}".strip()
        if month_first:
            one.day = _day_first(one.day)
        if "\n" in one.day or "\n" in one.mark or "\n" in one.pupil_ref or "\n" in one.name:
            problem = _BROKEN_CELL
        if problem:
            one.problem = problem
        yield one


def _fit(row: list[str], width: int, mark_at: int) -> str:
    """Bring a row to the width of the headings, and say what that cost."""
    problem = ""
    if len(row) > width:
        if any(cell.strip() for cell in row[width:]):
            problem = _TOO_MANY_CELLS
        del row[width:]
    elif len(row) <= mark_at:
        problem = _TOO_FEW_CELLS
    row.extend([""] * (width - len(row)))
    return problem


def _day_first(text: str) -> str:
    """Turn a day that was written month first into ISO form; anything else stays as it is."""
    match = _MONTH_FIRST.fullmatch(text)
    if match is None:
        return text
    return f"{match[4]}-{int(match[1]):02d}-{int(match[3]):02d}{match[5]}"
