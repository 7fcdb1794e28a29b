"""Plans for pupils who are known not to attend."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import DAY, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, show_groups
from aphub.domain.wording import day_words
from aphub.services import plans as kept

if TYPE_CHECKING:
    from rich.table import Table

    from aphub.services.plans import PlanLine


@click.command()
@click.argument("placement")
@click.option("--ladder", default="", metavar="NAME", help="A ladder with plan = true.")
@click.option("--until", type=DAY, metavar="DAY", help="Its last day.")
@click.option("--agreed-with", default="", metavar="NAME", help="Who at the school agreed.")
@click.option("--signed-by", default="", metavar="NAME", help="The safeguarding lead.")
@click.option("--end", is_flag=True, help="End the placement's plan now.")
@by_option()
@click.pass_obj
def plan(
    ground: Ground,
    placement: str,
    ladder: str,
    until: datetime | None,
    agreed_with: str,
    signed_by: str,
    by: str,
    *,
    end: bool,
) -> None:
    """Keep a plan for a pupil who is known not to attend: it thins the chase, never the first check."""
    if not end and (not ladder or until is None):
        raise click.UsageError("Give --ladder and --until, or --end.")
    with ground.desk_of(placement) as desk:
        if end or until is None:
            click.echo(kept.end_plan(desk, placement, by))
            return
        ref = kept.plan(
            desk, placement, ladder, until.date(), agreed_with=agreed_with, signed_by=signed_by, by=by
        )
    click.echo(f"Plan {ref} holds from today to {day_words(until.date())}.")


@click.command()
@as_list
@click.pass_obj
def plans(ground: Ground, form: str) -> None:
    """List the plans for pupils who are known not to attend."""
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, kept.plans(desk)) for desk in desks]
    show_groups(form, found, _table, nothing="There is no plan.")


def _table(rows: "list[PlanLine]") -> "Table":
    table = new_table("Plan", "Placement", "Ladder", "Until", "Agreed by", fixed=("Plan", "Placement"))
    for one in rows:
        until = "ended" if one.ended else day_words(one.ends)
        table.add_row(one.ref, one.placement, one.ladder, until, f"{one.agreed_with}; {one.signed_by}")
    return table
