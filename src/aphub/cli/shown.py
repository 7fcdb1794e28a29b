"""Lists as people and programs want them: a table of 80 columns, JSON, or CSV."""

import csv
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from functools import wraps
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 80
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def wrapped(words: str, mark: str = "") -> str:
    """Fold words to the width of a page, after a mark; what is copied, such as a path, stays whole."""
    lines = wrap(
        words,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) or mark.rstrip()


def as_list(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb `--json` and `--csv`; the function is told its `form`: table, json or csv."""

    @click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
    @wraps(function)
    def with_form(*args: Any, as_json: bool, as_csv: bool, **options: Any) -> Any:
        if as_json and as_csv:
            raise click.UsageError("Choose one of --json and --csv.")
        return function(*args, form="json" if as_json else "csv" if as_csv else "table", **options)

    return with_form


def show_list(
    form: str, rows: Sequence[Any], table: Callable[[], "Table"], *, nothing: str = "Nothing to show."
) -> None:
    """Write a list of records in the wanted form."""
    if form == "json":
        say_json([plain(row) for row in rows])
    elif form == "csv":
        _write_csv([plain(row) for row in rows])
    elif rows:
        console().print(table())
    else:
        click.echo(nothing)


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """One provider's part of a list."""

    provider: str
    name: str
    rows: Sequence[Any]


def show_groups(
    form: str, groups: Sequence[Group], table: Callable[[Any], "Table"], *, nothing: str = "Nothing to show."
) -> None:
    """Write the lists of several providers: each under its name for people, with its short name for programs."""
    if form != "table":
        every = [{"provider": group.provider, **plain(row)} for group in groups for row in group.rows]
        if form == "json":
            say_json(every)
        else:
            _write_csv(every)
        return
    filled = [group for group in groups if group.rows]
    for place, group in enumerate(filled):
        if len(groups) > 1:
            click.echo(f"{chr(10) if place else ''}{group.name} (--provider {group.provider})")
        console().print(table(group.rows))
    if not filled:
        click.echo(nothing)


def say_json(value: Any) -> None:
    """Write a value as JSON."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    """Make records, times and names into what JSON knows; private fields and fields not to be shown stay out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr
        }
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def console() -> "Console":
    """Give a console of at most 80 columns, so that a screen looks alike everywhere."""
    from rich.console import Console  # noqa: PLC0415 - lists for programs do without it

    found = Console(highlight=False, file=sys.stdout)
    return (
        found
        if found.is_terminal and found.width <= WIDTH
        else Console(highlight=False, width=WIDTH, file=sys.stdout)
    )


def new_table(*headings: str, right: Sequence[str] = (), fixed: Sequence[str] = ()) -> "Table":
    """Begin a table; what is named in `right` is set to the right, what is in `fixed` is never broken."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - likewise
    from rich.table import Table  # noqa: PLC0415 - likewise

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in right else "left",
            no_wrap=heading in fixed or heading in right,
            overflow="fold",
        )
    return table


def _write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    out.writerow(rows[0])
    for row in rows:
        out.writerow([_cell(value) for value in row.values()])


def _cell(value: Any) -> Any:
    """Make a cell that a spreadsheet takes for text, never for a formula."""
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
