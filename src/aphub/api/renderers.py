"""Renderers make documents of a message; the machine copy is made here, once for all."""

import csv
import io
from dataclasses import dataclass
from typing import Protocol

from aphub.domain.reports import COLUMNS, Kind, Message, Row

_KIND_WORDS = {
    Kind.ALERT: "action needed now",
    Kind.UPDATE: "update",
    Kind.CORRECTION: "correction",
    Kind.CATCH_UP: "late report",
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
    """Give a subject that names day and action, and never a pupil (users.md 1.4)."""
    action = _KIND_WORDS.get(message.kind, "")
    if not action:
        action = "action needed" if any(r.needs_action for r in message.reports) else "for your register"
    test = "TEST: " if message.is_test else ""
    return f"{test}AP attendance, {message.period_words}: {action}"


def aphub_csv(rows: list[Row]) -> bytes:
    """Write rows as the machine file `aphub-1`: UTF-8, CRLF, header first (RFC 4180).

    Cells are exact, never altered. Raises ValueError for a cell that a spreadsheet could take for a formula, so
    that nothing dangerous leaves in a file people open by hand.
    """
    for row in rows:
        for column, value in row.items():
            if value[:1] in {"=", "+", "@", "\t", "\r", "\0"} or (value[:1] == "-" and len(value) > 1):
                message = (
                    f"the column {column} begins with a character that a spreadsheet takes for a formula"
                )
                raise ValueError(message)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
