"""What stands in a spreadsheet and not in its rows: other sheets, and cells that show an error instead of a value."""

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape

from aphub.api.sheets import SHEET_ENDINGS
from aphub.services.people_rows import Problem

_SHEET = re.compile(r"<sheet\b[^>]*>")
_RELATION = re.compile(r"<Relationship\b[^>]*>")
_ERROR = re.compile(r'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"')
_ROWS = re.compile(r"<c\b")


def unread(name: str, content: bytes) -> Iterator[tuple[bool, Problem]]:
    """Give what was not read of a workbook that could be read: whether it is a mistake, and where it stands.

    An error such as #N/A comes out as an empty cell, and an empty cell means something: that is a mistake.
    """
    if not name.lower().endswith(SHEET_ENDINGS):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        filled = [(title, text) for title, text in _visible(archive) if _ROWS.search(text)]
    for place, (title, text) in enumerate(filled):
        if place:
            words = f"The sheet '{title[:40]}' is not read: only the first one that is not empty."
            yield False, Problem(1, "other sheet", words, "If its rows belong here, put them on one sheet.")
            continue
        for column, row in _ERROR.findall(text):
            words = "This cell shows an error of the spreadsheet, and no value."
            yield True, Problem(int(row), f"cell {column}{row}", words, "Type in what belongs there.")


def _visible(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Give the title and the text of each visible worksheet, in their order."""
    targets = {
        _attribute(one, "Id"): _attribute(one, "Target").lstrip("/").removeprefix("xl/")
        for one in _RELATION.findall(_part(archive, "xl/_rels/workbook.xml.rels"))
    }
    for one in _SHEET.findall(_part(archive, "xl/workbook.xml")):
        if _attribute(one, "state") in {"", "visible"}:
            yield _attribute(one, "name"), _part(archive, f"xl/{targets.get(_attribute(one, 'r:id'), '')}")


def _part(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode("utf-8", "replace") if name in archive.namelist() else ""


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found.group(1)) if found else ""
