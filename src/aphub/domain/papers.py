"""Papers: one description of what people read, print or keep; each form of it says the same.

A paper is a summary, a record or a sheet to fill in: never a message to a far side, whose documents are frozen.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from aphub.domain.statistics import percent_words, share
from aphub.domain.wording import moment_words

CONFIDENTIAL = "Confidential pupil information"
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many: shown as a percentage, or as a dash where there is nothing to share."""

    part: int
    whole: int

    @property
    def rate(self) -> Fraction | None:
        """The exact share."""
        return share(self.part, self.whole)

    def __str__(self) -> str:
        """Write it as people read it."""
        return percent_words(self.rate)


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of lesson time, counted in minutes."""

    minutes: int

    def __str__(self) -> str:
        """Write it as people read it: "12h 30m"."""
        hours, minutes = divmod(self.minutes, _MINUTES)
        return f"{hours}h {minutes:02d}m"


Cell = str | int | Share | Hours


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; the paper's title stands above those of level 1."""

    words: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    words: str = field(repr=False)
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Short facts under each other, each with its name."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows; `note` is what must be known to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    note: str = ""
    nothing: str = "None."
    widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a row that does not fit its columns."""
        if any(len(row) != len(self.columns) for row in self.rows) or (
            self.widths and len(self.widths) != len(self.columns)
        ):
            message = f"a row of the table '{self.title}' does not fit its columns"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Shares by row and column: darker is more, and each cell says its number."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Share | None, ...]], ...]

    def cells(self) -> tuple[tuple[Cell, ...], ...]:
        """Give the same as the rows of a table."""
        return tuple((name, *("" if one is None else one for one in shares)) for name, shares in self.rows)


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts under each other, each bar split into named parts."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    def cells(self) -> tuple[tuple[Cell, ...], ...]:
        """Give the same as the rows of a table."""
        return tuple((name, *counts) for name, counts in self.rows)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart that never comes without its table; `words` say what it shows to who cannot see it."""

    title: str
    chart: HeatMap | Bars
    words: str
    note: str = ""

    @property
    def table(self) -> Table:
        """The figure's numbers."""
        return Table(self.title, (self.chart.corner, *self.chart.columns), self.chart.cells(), self.note)


@dataclass(frozen=True, slots=True)
class Signature:
    """Lines to sign on."""

    labels: tuple[str, ...] = ("Signed", "Name", "Role", "Date")


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows begins a new page; only print knows."""


Part = Heading | Text | Facts | Table | Figure | Signature | NewPage


@dataclass(frozen=True, slots=True)
class Paper:
    """One description of a paper: who made it, how far it knows, and its parts.

    `file_name` names no pupil and no school: it stands in folders and mails. `reference` is what people quote.
    """

    title: str
    file_name: str
    provider: str
    as_at: datetime
    reference: str = ""
    parts: tuple[Part, ...] = field(default=(), repr=False)
    personal: bool = True
    wide: bool = False
    made_by: str = ""

    def tables(self) -> tuple[Table, ...]:
        """Give every table of it, the figures' too, in their order."""
        found: list[Table] = []
        for part in self.parts:
            if isinstance(part, Table):
                found.append(part)
            elif isinstance(part, Figure):
                found.append(part.table)
            elif isinstance(part, Facts):
                found.append(Table("", ("What", "Value"), part.pairs))
        return tuple(found)


def head_lines(paper: Paper) -> list[str]:
    """Say under the title who made it, how far it knows, and what its reader must know of it."""
    made = f", printed by {paper.made_by}" if paper.made_by else ""
    reference = f" Reference {paper.reference}." if paper.reference else ""
    lines = [f"{paper.provider}. As at {moment_words(paper.as_at)}{made}.{reference}"]
    if paper.personal:
        lines.append(CONFIDENTIAL)
    return lines
