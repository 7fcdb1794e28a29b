"""What becomes of people's data: erase, legal hold, purge, who viewed what."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, show_groups
from aphub.domain.calendar import LONDON, to_utc
from aphub.domain.wording import count_words, moment_words
from aphub.services import accesses, legal_holds
from aphub.services import erase as erasing
from aphub.services import erased as lines
from aphub.services import purge as purging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aphub.services.accesses import AccessLine
    from aphub.services.erased import ErasedLine
    from aphub.services.purge import Part

_A_YEAR = timedelta(days=366)
pupil = click.argument("pupil")
yes = click.option("--yes", is_flag=True, help="Do it. Without this, only what would go is shown.")


@click.command()
@pupil
@by_option(needed=True)
@click.option("--because", default="", metavar="WHY", help="Such as: asked for by the parent. No names.")
@yes
@click.pass_context
def erase(ctx: click.Context, pupil: str, by: str, because: str, *, yes: bool) -> None:
    """Erase PUPIL for good: your own pupil reference, or a placement's. First it shows what would go."""
    ground: Ground = ctx.obj
    with ground.desk() as desk:
        if not yes:
            would = erasing.preview(desk, pupil)
            click.echo(
                f"This would destroy {count_words(would.keys, 'key')}, and the content of "
                f"{count_words(would.messages, 'message')} and {count_words(would.registers, 'register')}. "
                "Other pupils' reports stay."
            )
            if would.left:
                click.echo(f"{would.left} more would wait for another pupil's legal hold.")
            click.echo("Nothing was erased. To do it, add: --yes")
            return
        done = erasing.erase(desk, pupil, by, because)
    click.echo(f"{done.words} Reference {done.ref}.")
    if done.complete_at is None:
        ctx.exit(NEEDS_A_PERSON)
    click.echo(f"It is complete at {moment_words(done.complete_at)}, when the last copy of the keys expires.")
    click.echo("What schools were told is theirs. Ask them, and look in your own mailboxes and on paper.")


@click.command()
@click.option("--from", "since", type=DAY, metavar="DAY", help="From this day on; a year back by default.")
@as_list
@click.pass_obj
def erased(ground: Ground, form: str, since: datetime | None) -> None:
    """List what was erased, newest first: who asked for it and why, or by whose rule it went."""
    with ground.desks() as desks:
        groups = [
            Group(
                desk.slug,
                desk.config.provider.name,
                lines.erased(desk, to_utc(since.date(), time()) if since else desk.now - _A_YEAR),
            )
            for desk in desks
        ]

    def table(rows: "Sequence[ErasedLine]") -> "Table":
        table = new_table("When", "What", "How many", "Who", "Why", "Complete")
        for one in rows:
            what = f"{one.what} ({one.ref})" if one.ref else one.what
            table.add_row(moment_words(one.at), what, str(one.records), one.by, one.because, one.complete)
        return table

    show_groups(form, groups, table, nothing="Nothing was erased.")


@click.command("legal-hold")
@click.argument("pupil", required=False, default="")
@click.option("--because", default="", metavar="WHY", help="Such as a court's reference. No names.")
@click.option("--end", "ends", is_flag=True, help="End the hold: erasing and ageing go on.")
@by_option()
@as_list
@click.pass_obj
def legal_hold(ground: Ground, form: str, pupil: str, because: str, by: str, *, ends: bool) -> None:
    """Keep everything of PUPIL, whatever its age and whoever asks, until ended; without PUPIL, list them."""
    if not pupil:
        _say_holds(ground, form)
        return
    with ground.desk() as desk:
        if ends:
            finished = legal_holds.end(desk, pupil, by)
            waited = f" {count_words(finished, 'erasure')} that waited for it {'is' if finished == 1 else 'are'} done."
            click.echo(f"The hold is ended.{waited if finished else ''}")
            return
        ref = legal_holds.place(desk, pupil, by, because)
    click.echo(f"Held: nothing of this pupil goes until the hold is ended. Reference {ref}.")


def _say_holds(ground: Ground, form: str) -> None:
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, legal_holds.holds(desk)) for desk in desks]

    def table(rows: "Sequence[legal_holds.HoldLine]") -> "Table":
        table = new_table("Pupil", "Since", "By", "Why")
        for one in rows:
            table.add_row(one.pupil, moment_words(one.placed_at), one.placed_by, one.because)
        return table

    show_groups(form, found, table, nothing="There is no legal hold.")


@click.command()
@yes
@by_option()
@as_list
@click.pass_obj
def purge(ground: Ground, form: str, by: str, *, yes: bool) -> None:
    """Let go of what has been kept long enough. It runs by itself each night; without --yes it only shows."""
    with ground.desks() as desks:
        groups = [
            Group(
                desk.slug,
                desk.config.provider.name,
                purging.purge(desk, by) if yes else purging.preview(desk),
            )
            for desk in desks
        ]

    def table(rows: "Sequence[Part]") -> "Table":
        table = new_table("What goes", "Older than", "How many")
        for one in rows:
            table.add_row(one.words, moment_words(one.until), str(one.records))
        return table

    show_groups(form, groups, table, nothing="Nothing has been kept too long.")
    if form == "table" and not yes and any(group.rows for group in groups):
        click.echo("Nothing was changed. It goes tonight by itself, or now with: aphub purge --yes")


@click.command()
@click.argument("pupil", required=False, default="")
@as_list
@click.pass_obj
def viewed(ground: Ground, form: str, pupil: str) -> None:
    """List who viewed or exported what, newest first; of one PUPIL, where a reference is given."""
    with ground.desks() as desks:
        groups = [Group(desk.slug, desk.config.provider.name, accesses.viewed(desk, pupil)) for desk in desks]

    def table(rows: "Sequence[AccessLine]") -> "Table":
        table = new_table("When", "Who", "What", "About", "Pupils", "Why")
        for one in rows:
            table.add_row(moment_words(one.at), one.by, one.what, one.subject, str(one.pupils), one.because)
        return table

    show_groups(form, groups, table, nothing="Nobody has viewed or exported anything yet.")


@click.command("wrong-school")
@click.argument("reference")
@click.option(
    "--noticed", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="When, if not now: 2026-03-03T14:05."
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the drafts into a new folder.",
)
@click.option("--deleted", "who", metavar="WHO", help="Who there said that it is deleted.")
@click.option("--reported", is_flag=True, help="The ICO was told.")
@click.option("--not-reported", "because", metavar="WHY", help="The ICO was not told, because.")
@by_option(needed=True)
@click.pass_context
def wrong_school(
    ctx: click.Context,
    reference: str,
    noticed: datetime | None,
    folder: Path | None,
    who: str | None,
    because: str | None,
    by: str,
    *,
    reported: bool,
) -> None:
    """Deal with a message that went to a wrong school: stop the way, start the clock, then what is due, in order."""
    from aphub.services import wrong_school as helping  # noqa: PLC0415 - only this verb needs it

    ground: Ground = ctx.obj
    with ground.desk_of(reference) as desk:
        if who is not None:
            click.echo(helping.deleted(desk, reference, by, who))
            return
        if reported or because is not None:
            click.echo(helping.decided(desk, reference, by, reported=reported, because=because or ""))
            return
        at = noticed.replace(tzinfo=LONDON).astimezone(UTC) if noticed else None
        found = helping.went_wrong(desk, reference, by, at)
    click.echo(
        f"Recorded as {found.ref}: {count_words(found.reports, 'report')} about {count_words(found.pupils, 'pupil')}."
    )
    if found.paused:
        click.echo(f"Stopped: {', '.join(found.paused)}. Nothing more goes there until you resume it.")
    for name, text in found.drafts.items():
        if folder is not None:
            _write_new(folder / name, text)
            click.echo(f"  {folder / name}")
        elif name.startswith("1-"):
            click.echo("")
            click.echo(text)
    click.echo(f"The 72 hours end at {moment_words(found.report_by)}.")
    if folder is None:
        click.echo("All four drafts: add --to FOLDER")
    ctx.exit(NEEDS_A_PERSON)


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


@click.command()
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for the ledger.",
)
@by_option(needed=True)
@click.pass_obj
def offboard(ground: Ground, folder: Path, by: str) -> None:
    """Close the provider named with --provider: write out its ledger, destroy all else. Its short name is typed to agree."""
    from aphub.services import offboard as leaving  # noqa: PLC0415 - only this verb needs it

    with ground.desk() as desk:
        if not ground.provider:
            raise click.UsageError("Name the provider: aphub --provider NAME offboard")

        def agreed(would: leaving.Leaving) -> bool:
            click.echo(
                f"This destroys {count_words(would.keys, 'key')}: {count_words(would.pupils, 'pupil')}, "
                f"{count_words(would.messages, 'message')}. "
                f"The ledger's {would.statements} statements stay, and can be verified.\n"
                "What schools, councils or parents still need of it is written first: aphub evidence, aphub export, "
                "aphub access-request."
            )
            return bool(click.prompt("Type the provider's short name to do it") == desk.slug)

        done = leaving.leave(desk, by, folder, agreed)
    if done is None:
        raise click.UsageError("That is another name. Nothing was changed.")
    click.echo(f"It is closed. The ledger is in {folder}. Remove its file from config/providers.")
    click.echo(
        "Papers, evidence and sheets that you wrote lie where you put them: delete them. What is sealed stays shut."
    )
    click.echo(f"It is complete at {moment_words(done.complete_at)}, when the last copy of the keys expires.")
