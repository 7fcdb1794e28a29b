"""`aphub contact`: who is reached at home, and who must not be."""

import click

from aphub.cli.ground import Ground, by_option
from aphub.domain.contacts import Restriction


@click.command()
@click.argument("pupil")
@click.option(
    "--restrict",
    "restriction",
    type=click.Choice([one.value.replace("_", "-") for one in Restriction]),
    help="From now on; a letter, a call or a parent's paper is refused accordingly.",
)
@click.option("--lift", is_flag=True, help="Contact is free again; only the safeguarding lead says so.")
@click.option(
    "--note", "words", default="", metavar="WORDS", help="Such as a court's order. It stays sealed here."
)
@by_option()
@click.pass_obj
def contact(ground: Ground, pupil: str, restriction: str | None, words: str, by: str, *, lift: bool) -> None:
    """Show who is reached at home about PUPIL, or restrict that. Looking is noted."""
    from aphub.services import contacts  # noqa: PLC0415 - only this verb needs it

    if lift and restriction:
        raise click.UsageError("Choose one of --restrict and --lift.")
    if words and not restriction:
        raise click.UsageError("A note stands beside a restriction: add --restrict.")
    with ground.desk() as desk:
        if lift or restriction:
            click.echo(
                contacts.restrict(desk, pupil, Restriction(restriction) if restriction else None, by, words)
            )
            return
        found = contacts.show(desk, pupil, by)
    click.echo(found.words or "Contact with home is not restricted.")
    for place, text in found.people:
        click.echo(f"  {place}: {text}")
    if not found.people:
        click.echo("  The numbers are in your own file: none was imported.")
