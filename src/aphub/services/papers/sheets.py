"""A paper's tables for spreadsheets: a workbook with a sheet each, or a CSV file each; no cell runs as a formula."""

import csv
import io
import re
from datetime import UTC

import xlsxwriter

from aphub.domain.papers import Cell, Hours, Paper, Share, Table, head_lines

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 60
_LONGEST_NAME = 31  # of a sheet: Excel's limit
_MINUTES = 60


def as_workbook(paper: Paper) -> bytes:
    """Write the tables as XLSX: words as text, so that no zero is eaten, and counts as numbers to reckon with."""
    out = io.BytesIO()
    # in_memory: without it the library writes pupils' data to temporary files.
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    workbook.set_properties(
        {"title": paper.title, "created": paper.as_at.astimezone(UTC).replace(tzinfo=None)}
    )
    forms = {
        "text": workbook.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
        "head": workbook.add_format({"num_format": "@", "bold": True, "text_wrap": True}),
        "share": workbook.add_format({"num_format": "0.0%"}),
        "hours": workbook.add_format({"num_format": "0.00"}),
    }
    about = workbook.add_worksheet("About")
    about.set_column(0, 0, _WIDEST)
    for line, words in enumerate([paper.title, *head_lines(paper)]):
        about.write_string(line, 0, words, forms["text"])
    used = {"about"}
    for table in paper.tables():
        sheet = workbook.add_worksheet(_sheet_name(table.title or "Facts", used))
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, column, forms["head"])
            widest = max((len(str(row[at])) for row in table.rows), default=0)
            sheet.set_column(at, at, min(max(widest, len(column)) + 2, _WIDEST))
        for line, row in enumerate(table.rows, 1):
            for at, cell in enumerate(row):
                _write(sheet, line, at, cell, forms)
        if table.note:
            sheet.write_string(len(table.rows) + 2, 0, table.note, forms["text"])
    workbook.close()
    return out.getvalue()


def as_csv(table: Table) -> bytes:
    """Write one table as UTF-8 with a mark for Excel; what could run as a formula begins with a quote (OWASP)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig")


def _write(
    sheet: "xlsxwriter.worksheet.Worksheet", line: int, at: int, cell: Cell, forms: dict[str, object]
) -> None:
    if isinstance(cell, Share):
        if cell.rate is None:
            sheet.write_string(line, at, str(cell), forms["text"])
        else:
            sheet.write_number(line, at, float(cell.rate), forms["share"])
    elif isinstance(cell, Hours):
        sheet.write_number(line, at, cell.minutes / _MINUTES, forms["hours"])
    elif isinstance(cell, int):
        sheet.write_number(line, at, cell)
    else:
        sheet.write_string(line, at, cell, forms["text"])


def _plain(cell: Cell) -> str | int:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return cell if isinstance(cell, int) else str(cell)


def _sheet_name(title: str, used: set[str]) -> str:
    """Give a sheet name that Excel takes, and that no other sheet has."""
    base = re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:_LONGEST_NAME].strip() or "Table"
    name, number = base, 1
    while name.lower() in used:
        number += 1
        name = f"{base[: _LONGEST_NAME - len(str(number)) - 1]} {number}"
    used.add(name.lower())
    return name
