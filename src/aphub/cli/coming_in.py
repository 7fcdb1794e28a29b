"""What comes in: people, registers, and what people say about marks."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aphub.api.sheets import media_type
from aphub.api.sources import SourceBatch
from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import as_list, new_table, show_list, wrapped
from aphub.domain.absences import Teller
from aphub.services import actions, intake, people
from aphub.services.normalise import normalise as read_original

if TYPE_CHECKING:
    from rich.table import Table

    from aphub.services.desk import Desk
    from aphub.services.people import Preview

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHOWN = 50
file_argument = click.argument("file", type=_FILE)
feed_option = click.option(
    "--feed", default="", metavar="NAME", help="As which feed; the only one, by default."
)


@click.command("import")
@file_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option()
@click.pass_context
def import_people(ctx: click.Context, file: Path, by: str, *, yes: bool) -> None:
    """Take pupils, placements and who is told from a CSV or XLSX FILE.

    Shows first what would change, and each mistake by row, column and mend. All of a file is taken, or nothing.
    """
    ground: Ground = ctx.obj
    with ground.desk() as desk:
        preview = people.read_people(desk, file.name, file.read_bytes())
        _say_preview(preview)
        if preview.problems:
            click.echo("Nothing was taken. Mend the file, then import it again.", err=True)
            ctx.exit(NEEDS_A_PERSON)
        if not preview.counts.changes:
            click.echo("Nothing changes.")
            return
        if not yes:
            click.confirm("Take it?", abort=True)
        taken = people.take_people(desk, preview, by)
    click.echo(
        f"Taken. {_count(taken.owed.reports_added, 'report')} more to be made in the coming fortnight."
    )


def _say_preview(preview: "Preview") -> None:
    counts = preview.counts
    click.echo(f"{_count(counts.rows, 'row')} read.")
    for what, new, changed, ended in (
        ("pupils", counts.pupils_new, counts.pupils_changed, 0),
        ("placements", counts.placements_new, counts.placements_changed, 0),
        ("who is told", counts.recipients_new, counts.recipients_changed, counts.recipients_ended),
    ):
        parts = [
            f"{count} {word}"
            for count, word in ((new, "new"), (changed, "changed"), (ended, "ended"))
            if count
        ]
        click.echo(f"  {what}: {', '.join(parts) or 'nothing changes'}")
    for title, some in (("Mistake", preview.problems), ("Look at", preview.warnings)):
        for problem in some[:_SHOWN]:
            click.echo(wrapped(str(problem), f"  {title}: "))
        if len(some) > _SHOWN:
            click.echo(f"  and {len(some) - _SHOWN} more like these.")


@click.command()
@file_argument
@feed_option
@click.pass_context
def ingest(ctx: click.Context, file: Path, feed: str) -> None:
    """Take one register in now, as if its feed had brought it. The file stays where it is.

    Exit status 1 when it was refused, or holds marks that we could not read.
    """
    ground: Ground = ctx.obj
    with ground.desk() as desk:
        feed = _feed(desk, feed)
        result = intake.take_in(desk, feed, intake.source_of(desk, feed), _batch(file))
    click.echo((result.report or result.words).rstrip())
    if result.questioned:
        click.echo("See what waits for you: aphub waiting")
    ctx.exit(NEEDS_A_PERSON if result.state != "taken" or result.questioned else 0)


@click.command()
@file_argument
@feed_option
@as_list
@click.pass_context
def normalise(ctx: click.Context, file: Path, feed: str, form: str) -> None:
    """Show for each row of a register what happened, the suggested code, and why. Nothing is changed."""
    ground: Ground = ctx.obj
    with ground.desk() as desk:
        source = intake.source_of(desk, _feed(desk, feed))
        rows = list(read_original(desk, source, _batch(file)))

    def table() -> "Table":
        table = new_table("Row", "What happened", "Code", "Why, or what we ask", right=("Row",))
        for row in rows:
            table.add_row(str(row.number), row.outcome.replace("_", " "), row.code, row.question or row.why)
        return table

    show_list(form, rows, table, nothing="There is no row in this file.")
    ctx.exit(NEEDS_A_PERSON if any(row.question for row in rows) else 0)


@click.command()
@click.argument("question")
@click.argument("choice", default="")
@click.option("--pupil", default="", metavar="REF", help="Whom it is about, by your own reference.")
@click.option(
    "--day",
    type=DAY,
    metavar="DAY",
    help="The day, where the row's could not be read.",
)
@click.option(
    "--starts", default="", metavar="HH:MM", help="The lesson's start, where several could be meant."
)
@by_option()
@click.pass_obj
def answer(
    ground: Ground, question: str, choice: str, pupil: str, day: datetime | None, starts: str, by: str
) -> None:
    """Settle a QUESTION of `aphub waiting`: by one of its choices, a word of yours, or "set aside"."""
    on = day.date() if day else None
    with ground.desk_of(question) as desk:
        actions.answer_question(
            desk, question.strip().upper(), by, choice=choice, pupil=pupil, day=on, starts=starts
        )
    click.echo("Settled. Whoever is told of it is told at the next look.")


@click.command()
@click.argument("placement", metavar="WHO")
@click.argument("day", type=DAY)
@click.argument("starts")
@click.argument("outcome")
@click.option("--minutes", default="", metavar="N", help="How many minutes late, or left early.")
@click.option("--reason", default="", help="Why absent, in one of your words for it.")
@click.option("--because", required=True, metavar="WHY", help="Why it is corrected. No names of pupils.")
@click.option(
    "--told-by",
    type=click.Choice([one.name.casefold() for one in Teller]),
    default="staff",
    show_default=True,
    help="Who told us.",
)
@by_option()
@click.pass_obj
def correct(
    ground: Ground,
    placement: str,
    day: datetime,
    starts: str,
    outcome: str,
    minutes: str,
    reason: str,
    because: str,
    told_by: str,
    by: str,
) -> None:
    """Say what really happened at a lesson: OUTCOME is a word as your registers have it.

    WHO is your own pupil reference, or a placement's; STARTS the lesson's start, such as 09:30. Schools that were told
    otherwise are told.
    """
    from aphub.services.answering import fact_of  # noqa: PLC0415 - only this verb needs it

    with ground.desk_of(placement) as desk:
        fact = fact_of(desk, outcome, minutes, reason, day.date())
        said = actions.correct_entry(
            desk, placement, day.date(), starts, fact, by, because, Teller[told_by.upper()]
        )
    click.echo(said)


def _feed(desk: "Desk", feed: str) -> str:
    feeds = list(desk.config.provider.feeds)
    if feed or len(feeds) == 1:
        return feed or feeds[0]
    raise click.UsageError(
        f"Say which feed: --feed {' or --feed '.join(feeds) or 'NAME (there is none yet)'}"
    )


def _batch(file: Path) -> SourceBatch:
    return SourceBatch(file.name, media_type(file.name), file.read_bytes())


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
