"""What becomes of people's data: erase, legal hold, purge, who viewed what."""

from typing import TYPE_CHECKING

import click

from aphub.cli.ground import NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, show_groups, show_list
from aphub.domain.wording import moment_words
from aphub.services import accesses, legal_holds
from aphub.services import erase as erasing
from aphub.services import purge as purging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aphub.services.accesses import AccessLine
    from aphub.services.purge import Part

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
                f"This would destroy {would.keys} keys, and the content of {would.messages} messages and "
                f"{would.registers} registers. Other pupils' reports stay."
            )
            if would.left:
                click.echo(f"{would.left} more would wait for another pupil's legal hold.")
            click.echo("Nothing was erased. To do it, add: --yes")
            return
        done = erasing.erase(desk, pupil, by, because)
    click.echo(f"{done.words} Reference {done.ref}.")
    if done.complete_at is None:
        ctx.exit(NEEDS_A_PERSON)
    click.echo(f"It is complete on {moment_words(done.complete_at)}, when the last copy of the keys expires.")
    click.echo("What schools were told is theirs. Ask them, and look in your own mailboxes and on paper.")


@click.command("legal-hold")
@click.argument("pupil", required=False, default="")
@click.option("--because", default="", metavar="WHY", help="Such as a court's reference. No names.")
@click.option("--end", "ends", is_flag=True, help="End the hold: erasing and ageing go on.")
@by_option()
@as_list
@click.pass_obj
def legal_hold(ground: Ground, form: str, pupil: str, because: str, by: str, *, ends: bool) -> None:
    """Keep everything of PUPIL, whatever its age and whoever asks, until ended; without PUPIL, list them."""
    with ground.desk() as desk:
        if pupil and ends:
            finished = legal_holds.end(desk, pupil, by)
            click.echo(f"The hold is ended. {finished} erasures that waited for it are done.")
            return
        if pupil:
            ref = legal_holds.place(desk, pupil, by, because)
            click.echo(f"Held: nothing of this pupil goes until the hold is ended. Reference {ref}.")
            return
        found = legal_holds.holds(desk)

    def table() -> "Table":
        table = new_table("Pupil", "Since", "By", "Why")
        for one in found:
            table.add_row(one.pupil, moment_words(one.placed_at), one.placed_by, one.because)
        return table

    show_list(form, found, table, nothing="There is no legal hold.")


@click.command()
@yes
@as_list
@click.pass_obj
def purge(ground: Ground, form: str, *, yes: bool) -> None:
    """Let go of what has been kept long enough. It runs by itself each night; without --yes it only shows."""
    with ground.desks() as desks:
        groups = [
            Group(desk.slug, desk.config.provider.name, purging.purge(desk) if yes else purging.preview(desk))
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
