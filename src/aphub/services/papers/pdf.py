"""A paper as an A4 PDF that screen readers can read (PDF/UA-1): Typst refuses to write one that is not tagged whole."""

import json
import re
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import Any

from aphub.domain.errors import AphubError
from aphub.domain.papers import CONFIDENTIAL, Figure, Paper, Part, Table, head_lines
from aphub.domain.wording import moment_words
from aphub.services.papers.charts import svg_of

_NO_GLYPH = re.compile(r'the text `"(.+)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_MOST_LETTERS = 200


class CannotPrintError(AphubError):
    """The PDF could not be made."""


def as_pdf(paper: Paper) -> bytes:
    """Set a paper on A4: 12 pt, tables' heads repeated, no row split, page x of y, tagged and named for screen readers.

    A letter that no font of this machine has is printed as its Unicode number: no name is changed in silence.

    Raises:
        CannotPrintError: Typst is not installed, or refuses.
    """
    try:
        import typst  # noqa: PLC0415 - optional, and 30 MB
    except ImportError as exc:
        raise CannotPrintError(
            "Making a PDF needs the package typst.",
            "Nothing was written.",
            "Install it with: pip install 'aphub[documents]', or print the HTML page instead.",
        ) from exc
    described = _described(paper)
    compiler = typst.Compiler()
    spelled: dict[int, str] = {}
    for _ in range(_MOST_LETTERS):
        words = json.dumps(_with_spelled(described, spelled), ensure_ascii=False)
        try:
            made = compiler.compile(
                _template(),
                format="pdf",
                pdf_standards="ua-1",
                timestamp=paper.as_at.astimezone(UTC).replace(microsecond=0),  # it takes whole seconds only
                sys_inputs={"paper": words},
            )
        except typst.TypstError as exc:
            missing = _NO_GLYPH.search(str(exc))
            if missing is None:
                break
            said = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), missing[1])
            spelled |= {ord(letter): f"[U+{ord(letter):04X}]" for letter in said}
        else:
            if isinstance(made, bytes):
                return made
            break
    raise CannotPrintError(
        "This paper could not be set as a PDF.", "Nothing was written.", "Use the HTML page instead."
    )


def _with_spelled(value: Any, spelled: dict[int, str]) -> Any:
    """Give the same with letters that cannot be shown spelled out."""
    if not spelled:
        return value
    if isinstance(value, str):
        return value.translate(spelled)
    if isinstance(value, dict):
        return {name: _with_spelled(one, spelled) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_spelled(one, spelled) for one in value]
    return value


def _described(paper: Paper) -> dict[str, Any]:
    return {
        "title": paper.title,
        "provider": paper.provider,
        "wide": paper.wide,
        "head": head_lines(paper)[:1],
        "confidential": CONFIDENTIAL if paper.personal else "",
        "foot": f"{paper.reference}. As at {moment_words(paper.as_at)}."
        if paper.reference
        else f"As at {moment_words(paper.as_at)}.",
        "parts": [_part(part) for part in paper.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    kind = type(part).__name__.lower()
    if isinstance(part, Figure):
        return {
            "kind": kind, "title": part.title, "words": part.words, "svg": svg_of(part.chart), "table": _table(part.table),
        }  # fmt: skip
    if isinstance(part, Table):
        return {"kind": kind, **_table(part)}
    return {"kind": kind, **{name: getattr(part, name) for name in part.__slots__}}


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": table.columns,
        "widths": table.widths,
        "rows": [[str(cell) for cell in row] for row in table.rows],
        "numbers": [
            all(not isinstance(row[at], str) for row in table.rows) for at in range(len(table.columns))
        ],
        "note": table.note,
        "nothing": table.nothing,
    }


@cache
def _template() -> bytes:
    return files("aphub.services").joinpath("templates/paper.typ").read_bytes()
