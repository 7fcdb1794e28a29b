"""Tomorrow's sheet on paper, and what stands on it typed in."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import click

from aphub.cli.ground import DAY, Ground, by_option
from aphub.cli.summing import as_forms, to_folder
from aphub.services import sheet as kept
from aphub.services.papers import keep

_MARK = re.compile(
    r"(?P<number>\d{1,4})[.:]? +(?P<word>[^,]+)(?:, *(?P<minutes>\d{1,3}))?(?:, *(?P<reason>.+))?"
)


@click.command()
@click.option("--day", type=DAY, metavar="DAY", help="Default: tomorrow.")
@as_forms
@to_folder("sheets")
@click.pass_obj
def sheet(ground: Ground, day: datetime | None, forms: tuple[str, ...], folder: Path) -> None:
    """Write a day's register to print and sign, with numbered lines by place and teaching group."""
    with ground.desk() as desk:
        made = kept.make_sheet(desk, day.date() if day else desk.today + timedelta(days=1))
        written = keep(made.paper, folder, forms)
    click.echo(f"Sheet {made.ref} with {made.lines} lines. Print it, then delete the file:")
    for path in written:
        click.echo(f"  {path}")


@click.command()
@click.argument("sheet")
@click.argument("marks", nargs=-1, required=True)
@click.option("--signed-by", default="", metavar="NAME", help="Who signed the paper, with their role.")
@by_option()
@click.pass_obj
def typed(ground: Ground, sheet: str, marks: tuple[str, ...], signed_by: str, by: str) -> None:
    """Type in what stands on a printed sheet, each as "NUMBER WORD, MINUTES, REASON": all of it, or nothing."""
    read = {}
    for mark in marks:
        found = _MARK.fullmatch(mark.strip())
        if found is None:
            raise click.UsageError(
                f"'{mark[:40]}' cannot be read. Write a number and a word, such as \"2 late, 10\"."
            )
        read[int(found["number"])] = (found["word"].strip(), found["minutes"] or "", found["reason"] or "")
    if len(read) != len(marks):
        raise click.UsageError("A number stands there twice.")
    with ground.desk_of(sheet) as desk:
        count = kept.type_in(desk, sheet, read, by, signed_by)
    click.echo(f"{count} {'line' if count == 1 else 'lines'} entered from sheet {sheet}.")
