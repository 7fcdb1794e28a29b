"""What is looked through the day before and after: absences without a reason, who is not due, closed schools."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, show_groups
from aphub.services import ageing
from aphub.services import not_due as checking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table


@click.command()
@as_list
@click.pass_context
def reasons(ctx: click.Context, form: str) -> None:
    """List absences that nobody has explained yet, with their age in the school's own days.

    Exit status 1 when one of them is near its limit.
    """
    ground: Ground = ctx.obj
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, ageing.without_reason(desk)) for desk in desks]

    def table(rows: "Sequence[ageing.OpenReason]") -> "Table":
        table = new_table("Pupil", "Placement", "Day", "School days", "Limit", right=("School days", "Limit"))
        for one in rows:
            table.add_row(one.pupil, one.placement, one.day.isoformat(), str(one.school_days), str(one.limit))
        return table

    show_groups(form, found, table, nothing="Every absence has its reason.")
    ctx.exit(NEEDS_A_PERSON if any(one.escalated for group in found for one in group.rows) else 0)


@click.command()
@click.option("--day", type=DAY, metavar="DAY", help="Tomorrow, by default.")
@as_list
@click.pass_obj
def not_due(ground: Ground, day: datetime | None, form: str) -> None:
    """List who is not due on a day, and why: look through it once, the day before."""
    with ground.desks() as desks:
        found = [
            Group(
                desk.slug,
                desk.config.provider.name,
                checking.not_due(desk, day.date() if day else desk.today + timedelta(days=1)),
            )
            for desk in desks
        ]

    def table(rows: "Sequence[checking.NotDue]") -> "Table":
        table = new_table("Pupil", "Placement", "Why not")
        for one in rows:
            table.add_row(one.pupil, one.placement, one.why)
        return table

    show_groups(form, found, table, nothing="Everybody is due.")


@click.command()
@click.argument("school")
@click.argument("day", type=DAY)
@click.option(
    "--stays-away", "away", multiple=True, metavar="PUPIL", help="Who does not come; again for more."
)
@by_option()
@click.pass_obj
def attends(ground: Ground, school: str, day: datetime, away: tuple[str, ...], by: str) -> None:
    """Keep who stays away on a DAY on which their own SCHOOL is closed; all others are due as always."""
    with ground.desk() as desk:
        checking.answer_closure(desk, school.strip().casefold(), day.date(), by, away=away)
    click.echo(
        f"Kept. {len(away)} {'stays' if len(away) == 1 else 'stay'} away; all others are due as always."
    )
