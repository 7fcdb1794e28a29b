"""Write a message's lines in a layout: exactly, or not at all."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Literal
from xml.sax.saxutils import escape

from aphub.api import Message
from aphub_drop.cells import Line, dangerous, formatted, guarded
from aphub_drop.layout import DELIMITERS, ENCODINGS, GRID, LINE_ENDS, PUPIL, Column, Layout

_QUOTING: dict[str, Literal[0, 1, 3]] = {
    "minimal": csv.QUOTE_MINIMAL,
    "all": csv.QUOTE_ALL,
    "none": csv.QUOTE_NONE,
}


class NotExpressibleError(ValueError):
    """A cell cannot be written as this layout wants it."""


def written(
    layout: Layout, message: Message, lines: Iterable[Line], *, for_people: bool
) -> tuple[bytes, int]:
    """Give a file's bytes and how many rows it has.

    Raises:
        NotExpressibleError: Something cannot be written exactly; nothing is altered or cut instead.
    """
    records = [line.cells for line in lines]
    if message.is_test and not layout.fields & {"comment", "reason_text"}:
        # Whoever reads only this file must see that it is a test, and find the code in it.
        mark = f"TEST-{message.test_code}" if message.test_code else "TEST"
        records = [{**cells, **dict.fromkeys(PUPIL, f"{mark}-{n}")} for n, cells in enumerate(records, 1)]
    if layout.rows == "week":
        records = _weeks(records)
    rows = [[cell(column, cells, for_people=for_people) for column in layout.columns] for cells in records]
    text = _xml(layout, rows) if layout.form == "xml" else _csv(layout, rows)
    try:
        return text.encode(ENCODINGS[layout.encoding]), len(rows)
    except UnicodeEncodeError:
        # Without the error itself, which would quote the text.
        raise NotExpressibleError(f"a letter cannot be written in {layout.encoding}") from None


def cell(column: Column, cells: dict[str, str], *, for_people: bool = False) -> str:
    """Give what stands in one column of one row.

    Raises:
        NotExpressibleError: It would have to be altered.
    """
    value = cells.get(column.field, "") if column.field else column.value
    if column.needed and not value:
        raise NotExpressibleError(f"there is nothing to put into the column {column.name}")
    if column.words and value:
        if value not in column.words:
            raise NotExpressibleError(f"the column {column.name} has no word for '{value}'")
        value = column.words[value]
    value = formatted(value, column.format)
    if for_people:
        value = guarded(value)
    elif dangerous(value):
        raise NotExpressibleError(
            f"the column {column.name} begins with a sign that a spreadsheet takes for a formula"
        )
    if column.longest and len(value) > column.longest:
        raise NotExpressibleError(
            f"the column {column.name} takes {column.longest} characters, and we never cut"
        )
    return value


def grid_cell(cells: dict[str, str]) -> str:
    """Name the half day of a line in a week, or "" where a week of school days has none."""
    day = date.fromisoformat(cells["date"])
    name = f"{day:%a}_{cells['session']}".lower()
    return name if name in GRID else ""


def _weeks(records: list[dict[str, str]]) -> list[dict[str, str]]:
    """Fold sessions into one row for each pupil and week; what was not said stays empty."""
    weeks: dict[tuple[str, str, str], dict[str, str]] = {}
    for cells in records:
        key = (cells["upn"], cells["school_pupil_ref"], cells["week_starts"])
        week = weeks.setdefault(key, {**cells, **dict.fromkeys(GRID, "")})
        name = grid_cell(cells)
        if not name or not cells["suggested_code"]:
            raise NotExpressibleError("a week has room for codes of its ten half days only")
        if week[name] not in {"", cells["suggested_code"]}:
            raise NotExpressibleError("two codes were said for one half day")
        week[name] = cells["suggested_code"]
    return list(weeks.values())


def _csv(layout: Layout, rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=DELIMITERS[layout.delimiter],
        quoting=_QUOTING[layout.quoting],
        lineterminator=LINE_ENDS[layout.line_end],
        quotechar=None if layout.quoting == "none" else '"',
    )
    try:
        if layout.header:
            writer.writerow([column.name for column in layout.columns])
        writer.writerows(rows)
    except csv.Error:
        raise NotExpressibleError(
            "a cell holds the sign that parts cells, and this layout has no quotes"
        ) from None
    return text.getvalue()


def _xml(layout: Layout, rows: list[list[str]]) -> str:
    """Write elements and nothing else: their reader wants it "exactly in the format given"."""
    out = [f"<{layout.root}>"]
    for row in rows:
        out.append(f"<{layout.row}>")
        for column, value in zip(layout.columns, row, strict=True):
            if value or not column.omit_empty:
                out.append(f"<{column.name}>{escape(value)}</{column.name}>")
        out.append(f"</{layout.row}>")
    out.append(f"</{layout.root}>")
    return "".join(out)
