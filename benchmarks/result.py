"""One measured row, the table people read, and the file programs read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

OUT = Path(__file__).parent / "out" / "latest.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with the bar it must reach; a row without a bar is only shown."""

    name: str
    value: float | None
    unit: str
    bar: str = ""
    met: bool | None = None
    words: str = ""


def at_least(name: str, values: list[float], bar: float, unit: str = "x", words: str = "") -> Measured:
    """Judge the median of ratios that must be at least `bar`."""
    value = round(median(values), 3)
    spread = f"{min(values):.2f} to {max(values):.2f}"
    return Measured(name, value, unit, f">= {bar:g}", value >= bar, f"{spread} {words}".strip())


def at_most(name: str, value: float, bar: float, unit: str, words: str = "") -> Measured:
    """Judge a figure that must be at most `bar`."""
    return Measured(name, round(value, 3), unit, f"<= {bar:g}", value <= bar, words)


def not_run(name: str, why: str, bar: str = "") -> Measured:
    """Say that a row could not be measured; it never counts as met."""
    return Measured(name, None, "", bar, False, f"not run: {why}")  # noqa: FBT003 - a field, not a flag


def write(rows: list[Measured], out: Path = OUT) -> None:
    """Write the rows as JSON."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def show(rows: list[Measured], console: Console) -> None:
    """Print the rows as a table that fits 80 columns."""
    table = Table(title="aphub, measured", expand=False)
    for name, justify in (("measure", "left"), ("value", "right"), ("must", "left"), ("met", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        value = "" if row.value is None else f"{row.value:g} {row.unit}"
        met = "" if row.met is None else ("yes" if row.met else "NO")
        table.add_row(f"{row.name}\n  {row.words}" if row.words else row.name, value, row.bar, met)
    console.print(table)
