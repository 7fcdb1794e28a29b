"""Papers that people read, print and keep, in the form they want: page, text, workbook, CSV or accessible PDF."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from aphub.domain.errors import AphubError
from aphub.domain.papers import Paper
from aphub.services.papers.page import as_mail_body, as_page
from aphub.services.papers.pdf import CannotPrintError, as_pdf
from aphub.services.papers.sheets import XLSX, as_csv, as_workbook
from aphub.services.papers.text import as_text

__all__ = [
    "FORMS", "CannotPrintError", "Printed", "as_mail_body", "as_text", "keep", "printable", "printed", "safe_name",
]  # fmt: skip

FORMS = ("pdf", "html", "txt", "xlsx", "csv")
"""The forms in which a paper comes, by their files' ending."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One file of a paper."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


def printable() -> tuple[str, ...]:
    """Give the form for print that can be made here: PDF, or none where typst is not installed."""
    return ("pdf",) if find_spec("typst") else ()


def printed(paper: Paper, form: str) -> Iterator[Printed]:
    """Give a paper in a form: one file, except that CSV has one for each table.

    Raises:
        AphubError: There is no such form.
        CannotPrintError: The PDF cannot be made here.
    """
    base = safe_name(paper)
    if form == "pdf":
        yield Printed(f"{base}.pdf", "application/pdf", as_pdf(paper))
    elif form == "html":
        yield Printed(f"{base}.html", "text/html; charset=utf-8", as_page(paper))
    elif form == "txt":
        yield Printed(f"{base}.txt", "text/plain; charset=utf-8", as_text(paper))
    elif form == "xlsx":
        yield Printed(f"{base}.xlsx", XLSX, as_workbook(paper))
    elif form == "csv":
        tables = paper.tables()
        for number, table in enumerate(tables, 1):
            name = base if len(tables) == 1 else f"{base}-{number}"
            yield Printed(f"{name}.csv", "text/csv; charset=utf-8", as_csv(table))
    else:
        raise AphubError(
            f"There is no form '{form}'.", "Nothing was written.", f"Choose of: {', '.join(FORMS)}."
        )


def keep(paper: Paper, folder: Path, forms: Sequence[str] = ("pdf",)) -> list[Path]:
    """Write a paper into a folder, readable by its owner alone, and give the files' paths; none is ever overwritten.

    Raises:
        AphubError: A file of that name is there already, or the folder cannot be written.
    """
    made = [file for form in dict.fromkeys(forms) for file in printed(paper, form)]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in made:
        if (folder / file.name).exists():
            raise AphubError(
                f"There is a file {file.name} already.",
                "Nothing was written.",
                "Move it away, or name another folder.",
            )
    written = []
    for file in made:
        path = folder / file.name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(file.content)
        written.append(path)
    return written


def safe_name(paper: Paper) -> str:
    """Give a file name without a pupil, a space or a letter that some system refuses."""
    parts = [paper.file_name, paper.reference]
    return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-.") for part in parts if part) or "paper"
