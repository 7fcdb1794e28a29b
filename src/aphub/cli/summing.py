"""`aphub summary` and `aphub audit`: papers to read, print, sign or hand over."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from aphub.cli.ground import DAY, Ground, by_option
from aphub.domain.stretches import Every
from aphub.services.audits import AUDITS, Wanted, audit
from aphub.services.papers import FORMS, keep
from aphub.services.summaries import Asked, summary
from aphub.services.summaries.for_parents import ForParent, for_parents

FORM = click.Choice(FORMS)
F = TypeVar("F", bound=Callable[..., Any])


def to_folder(default: str) -> Callable[[F], F]:
    """Give a verb `--to`: the folder into which it writes."""
    return click.option(
        "--to",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(default),
        show_default=True,
        help="The folder to write into.",
    )


as_forms = click.option(
    "--as",
    "forms",
    type=FORM,
    multiple=True,
    default=("pdf",),
    show_default="pdf",
    help="In which form; may be repeated.",
)


@click.command("summary")
@click.argument("every", type=click.Choice([one.value for one in Every]))
@click.option("--day", type=DAY, metavar="DAY", help="A day in it, as 2026-03-03. Default: today.")
@click.option("--organisation", default="", metavar="NAME", help="For one school or council, of its pupils.")
@click.option("--pupil", default="", metavar="REF", help="For a parent, on paper: your own pupil reference.")
@click.option("--each-pupil", is_flag=True, help="For all parents: a paper for each pupil.")
@click.option(
    "--handed-to", default="", metavar="WHO", help="Of a pupil's: who is given it, such as mother. No name."
)
@click.option("--despite", default="", metavar="NAME", help="Who decided so, where contact is restricted.")
@as_forms
@to_folder("summaries")
@by_option()
@click.pass_obj
def summarise(
    ground: Ground,
    every: str,
    day: datetime | None,
    organisation: str,
    pupil: str,
    handed_to: str,
    despite: str,
    forms: tuple[str, ...],
    folder: Path,
    by: str,
    *,
    each_pupil: bool,
) -> None:
    """Write how a day, week, month or term went; for your own staff, unless you say for whom."""
    if bool(organisation) + bool(pupil) + each_pupil > 1:
        raise click.UsageError("Choose one of --organisation, --pupil and --each-pupil.")
    with ground.desk() as desk:
        at = day.date() if day else desk.today
        if each_pupil:
            _for_parents(for_parents(desk, Every(every), at, by, handed_to), folder, forms)
            return
        paper = summary(desk, Asked(Every(every), at, by, organisation, pupil, handed_to, despite))
        written = keep(paper, folder, forms)
    for path in written:
        click.echo(f"Written: {path}")
    click.echo("It holds personal data. Give it only to whom it concerns.")


def _for_parents(made: Iterable[ForParent], folder: Path, forms: tuple[str, ...]) -> None:
    """Write the papers one by one, and say at the end for whom there is none."""
    written, left_out = 0, []
    for one in made:
        if one.paper is None:
            left_out.append(one)
            continue
        paths = keep(one.paper, folder, forms)
        written += 1
        click.echo(f"Pupil {one.pupil}: {', '.join(map(str, paths))}")
    click.echo(
        f"{written} {'paper' if written == 1 else 'papers'} written. Each names its pupil: hand it to nobody else."
    )
    for one in left_out:
        click.echo(f"None for pupil {one.pupil}: {one.why_not}")
    if left_out:
        click.echo("A person decides on each of these: aphub summary --help")


@click.command("audit")
@click.argument("name", type=click.Choice(list(AUDITS)))
@click.option(
    "--every",
    type=click.Choice([one.value for one in Every]),
    default="week",
    show_default=True,
    help="How much of it.",
)
@click.option("--day", type=DAY, metavar="DAY", help="A day in it, as 2026-03-03. Default: today.")
@click.option("--organisation", default="", metavar="NAME", help="Of one school's or council's pupils.")
@click.option("--pupil", default="", metavar="REF", help="Of one pupil: your own pupil reference.")
@as_forms
@to_folder("audits")
@by_option()
@click.pass_obj
def audited(
    ground: Ground,
    name: str,
    every: str,
    day: datetime | None,
    organisation: str,
    pupil: str,
    forms: tuple[str, ...],
    folder: Path,
    by: str,
) -> None:
    """Write a paper for who audits: registers, correspondence, tracker, percentages, patterns, a council's questions."""
    with ground.desk() as desk:
        at = day.date() if day else desk.today
        written = keep(audit(desk, name, Wanted(Every(every), at, by, organisation, pupil)), folder, forms)
    for path in written:
        click.echo(f"Written: {path}")
    click.echo("It holds personal data. Give it only to whom it concerns.")
