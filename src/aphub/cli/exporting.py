"""`aphub export`: what a commissioner returns in its own census."""

from datetime import datetime
from pathlib import Path

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.summing import to_folder


@click.command()
@click.argument("what", type=click.Choice(["placements"]))
@click.option(
    "--organisation", required=True, metavar="NAME", help="The school or council that commissioned them."
)
@click.option("--from", "first", type=DAY, metavar="DAY", help="Default: the school year's first day.")
@click.option("--until", "last", type=DAY, metavar="DAY", help="Default: today.")
@click.option(
    "--as",
    "forms",
    type=click.Choice(["csv", "xlsx"]),
    multiple=True,
    default=("csv",),
    show_default="csv",
    help="In which form; may be repeated.",
)
@click.option("--because", default="", metavar="WHY", help="Such as: spring census. No names.")
@to_folder("exports")
@by_option()
@click.pass_context
def export(
    ctx: click.Context,
    what: str,  # noqa: ARG001 - there is one kind today, and it is named so that a second finds its place
    organisation: str,
    first: datetime | None,
    last: datetime | None,
    forms: tuple[str, ...],
    because: str,
    folder: Path,
    by: str,
) -> None:
    """Write the placements that a school or council commissioned, for its census. Who did so is noted.

    Exit status 1 when something that the census asks is missing.
    """
    from aphub.services.census import placements_of  # noqa: PLC0415 - papers are slow to load
    from aphub.services.papers import keep  # noqa: PLC0415 - likewise

    ground: Ground = ctx.obj
    with ground.desk() as desk:
        made = placements_of(
            desk,
            organisation,
            by,
            because,
            first.date() if first else None,
            last.date() if last else None,
        )
        written = keep(made.paper, folder, forms)
    click.echo(f"{made.placements} {'placement' if made.placements == 1 else 'placements'}. Written:")
    for path in written:
        click.echo(f"  {path}")
    if made.left_out:
        click.echo(f"{made.left_out} left out: do not share. Ask the safeguarding lead.")
    if made.lacking:
        click.echo(f"{made.lacking} lack something: it is named in the last column. Add it and import again.")
    click.echo("It holds personal data. Give it only to whom it concerns.")
    ctx.exit(NEEDS_A_PERSON if made.lacking or made.left_out else 0)
