"""Renderers make documents of a message; the machine copy is made here, once for all."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from aphub.domain.reports import COLUMNS, Kind, Message, Row

_KIND_WORDS = {
    Kind.ALERT: "action needed now",
    Kind.UPDATE: "update",
    Kind.CORRECTION: "correction",
    Kind.CATCH_UP: "late report",
    Kind.SUMMARY: "summary",
    Kind.NOTICE: "this way to you is changing",
    Kind.TASKS: "something waits for a person",
    Kind.FIGURES: "figures",
}


class Renderer(Protocol):
    """Makes one document of a message; pure, so a preview is what is sent."""

    name: str
    media_type: str

    def render(self, message: Message, *, named: bool) -> bytes:
        """Give the document's bytes; with `named` false, pupils stand as initials."""
        ...


@dataclass(frozen=True, slots=True)
class Rendering:
    """The renderers at hand, by name."""

    by_name: dict[str, Renderer]

    def render(self, name: str, message: Message, *, named: bool) -> bytes:
        """Render with the renderer called `name`."""
        return self.by_name[name].render(message, named=named)


def subject_of(message: Message) -> str:
    """Give a subject that names day and action, and never a pupil."""
    action = _KIND_WORDS.get(message.kind, "")
    if not action:
        action = "action needed" if message.needs_action else "for your register"
    test = "TEST: " if message.is_test else ""
    return f"{test}AP attendance, {message.period_words}: {action}"


def aphub_csv(rows: list[Row]) -> bytes:
    """Write rows as the machine file `aphub-1`: UTF-8, CRLF, header first (RFC 4180).

    Cells are exact, never altered. Raises ValueError for a cell that a spreadsheet could take for a formula, so
    that nothing dangerous leaves in a file people open by hand.
    """
    cells = [_cells(row) for row in rows]
    # Most cells say the same in every row, so each text is looked at once.
    texts: set[str] = set().union(*cells)
    if not _RISKY.isdisjoint(map(_first, texts)):
        for values in cells:
            _refuse_formulas(values)
    said = "".join(texts)
    if any(sign in said for sign in _QUOTED):
        return _quoted(cells)
    lines = [",".join(values) for values in (COLUMNS, *cells)]
    return "\r\n".join((*lines, "")).encode()


def _quoted(cells: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(cells)
    return text.getvalue().encode()


_cells = itemgetter(*COLUMNS)
_first = itemgetter(slice(1))
_QUOTED = ('"', ",", "\r", "\n")
_RISKY = frozenset({"=", "+", "-", "@", "\t", "\r", "\0"})


def _refuse_formulas(values: Iterable[str]) -> None:
    for column, value in zip(COLUMNS, values, strict=True):
        if value[:1] in _RISKY and value != "-":
            message = f"the column {column} begins with a character that a spreadsheet takes for a formula"
            raise ValueError(message)
