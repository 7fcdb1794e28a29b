"""A paper as plain text of at most 78 columns, complete on its own."""

import textwrap
from collections.abc import Sequence

from aphub.domain.papers import (
    Cell,
    Facts,
    Figure,
    Heading,
    NewPage,
    Paper,
    Part,
    Signature,
    Table,
    head_lines,
)

COLUMNS = 78


def as_text(paper: Paper) -> bytes:
    """Lay a paper out for any mail program; a table that is too wide is told row by row."""
    out = [*_wrapped(paper.title), "=" * min(len(paper.title), COLUMNS), ""]
    for line in head_lines(paper):
        out += _wrapped(line)
    for part in paper.parts:
        out += _part(part)
    return ("\r\n".join(out) + "\r\n").encode()


def _part(part: Part) -> list[str]:
    match part:
        case Heading(words, level):
            return ["", *_wrapped(words.upper() if level == 1 else words)]
        case Facts(pairs):
            return ["", *(line for name, value in pairs for line in _wrapped(f"{name}: {value}"))]
        case Table():
            return ["", *_table(part)]
        case Figure():
            return ["", *_wrapped(part.words), *_table(part.table)]
        case Signature(labels):
            return ["", *(line for label in labels for line in ("", f"{label}: {'_' * 40}"))]
        case NewPage():
            return []
        case _:
            return ["", *_wrapped(part.words)]


def _table(table: Table) -> list[str]:
    out = _wrapped(table.title) if table.title else []
    if not table.rows:
        return [*out, f"  {table.nothing}"]
    lines = [[str(cell) for cell in row] for row in table.rows]
    widths = [
        max(len(line[at]) for line in [*lines, list(table.columns)]) for at in range(len(table.columns))
    ]
    if sum(widths) + 2 * len(widths) <= COLUMNS:
        out += [
            _aligned(table.columns, widths, table.rows[0]),
            _aligned(["-" * width for width in widths], widths, ()),
        ]
        out += [_aligned(line, widths, row) for line, row in zip(lines, table.rows, strict=True)]
    else:
        for line in lines:
            out += _wrapped(line[0])
            told = zip(table.columns[1:], line[1:], strict=True)
            out += [more for name, value in told if value for more in _wrapped(f"  {name}: {value}")]
    return [*out, *_wrapped(table.note)] if table.note else out


def _aligned(line: Sequence[str], widths: Sequence[int], row: Sequence[Cell]) -> str:
    """Set numbers to the right, words to the left."""
    cells = [
        text.ljust(width) if at >= len(row) or isinstance(row[at], str) else text.rjust(width)
        for at, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return f"  {'  '.join(cells)}".rstrip()


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, COLUMNS, subsequent_indent=f"{indent}  ", break_long_words=False) or [""]
