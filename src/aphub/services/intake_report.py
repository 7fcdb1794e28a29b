"""The report beside a register that was taken or refused: row, column and mend, and nobody's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aphub.domain.calendar import LONDON
from aphub.domain.narrative import NUDGE
from aphub.domain.wording import moment_words

MOST_SHOWN = 500
"""How many questions a report names one by one."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of one original: `rows` is always entered, unchanged and questioned together."""

    ref: str
    feed: str
    state: str
    rows: int = 0
    entered: int = 0
    unchanged: int = 0
    questioned: int = 0
    words: str = ""
    report: str = ""
    name: str = field(default="", repr=False)

    @property
    def taken(self) -> int:
        """How many rows of it are accounted for; none when it was refused."""
        return self.rows


def report_words(
    result: IntakeResult,
    questions: Sequence[Mapping[str, Any]],
    received_at: datetime,
    telling: Sequence[int] = (),
) -> str:
    """Write the report for people: the counts, then each question by row and column with what to do.

    `telling` are the rows whose reason reads like a safeguarding matter: it is named by row, never repeated.
    """
    lines = [
        f"Register received at {moment_words(received_at.astimezone(LONDON))}. Reference {result.ref}.",
        "",
    ]
    if result.state != "taken":
        lines += ["Not taken.", result.words, ""]
        return "\n".join(lines)
    lines += [
        f"Rows in the file: {result.rows}",
        f"  entered: {result.entered}",
        f"  unchanged, or nothing said yet: {result.unchanged}",
        f"  marks we could not read, waiting for you: {result.questioned}",
        "",
    ]
    for one in questions[:MOST_SHOWN]:
        choices = f" Choose: {', '.join(one['choices'])}." if one["choices"] else ""
        lines.append(
            f"Row {one['row']}, {column_words(one['column'])}: {one['words']} {one['mend']}{choices}"
        )
    if result.questioned > MOST_SHOWN:
        lines.append(f"And {result.questioned - MOST_SHOWN} more.")
    lines += [f"Row {number}, reason: {NUDGE}" for number in telling[:MOST_SHOWN]]
    if questions or telling:
        lines.append("")
    return "\n".join(lines)


def column_words(column: str) -> str:
    """Name one of our columns as people say it."""
    return {
        "row": "the whole row",
        "pupil_ref": "pupil reference",
        "upn": "UPN",
        "starts": "start time",
        "recorded_at": "recorded at",
    }.get(column, column.replace("_", " "))
