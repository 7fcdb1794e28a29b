"""What people do about messages: try again, send again, settle, release, confirm."""

from typing import TYPE_CHECKING, cast

import click

from aphub.cli.ground import Ground, by_option
from aphub.services import actions

if TYPE_CHECKING:
    from aphub.services.receipts import How

reference = click.argument("reference")


@click.command()
@reference
@by_option()
@click.pass_obj
def retry(ground: Ground, reference: str, by: str) -> None:
    """Try a message again now: the same bytes under the same identity."""
    with ground.desk_of(reference) as desk:
        click.echo(actions.retry(desk, reference, by))


@click.command()
@reference
@click.option("--channel", default="", metavar="NAME", help="Another way to the same school or council.")
@by_option()
@click.pass_obj
def send_again(ground: Ground, reference: str, channel: str, by: str) -> None:
    """Send the same report in a new message, to the address that is approved now."""
    with ground.desk_of(reference) as desk:
        fresh = actions.send_again(desk, reference, by, channel)
    click.echo(f"{fresh} leaves now, with what was in {reference}.")


@click.command()
@reference
@click.option("--arrived", "how", flag_value="handed_over", type=str, help="They have it.")
@click.option(
    "--not-arrived", "how", flag_value="not_handed_over", type=str, help="They do not: it is sent again."
)
@click.option("--withdraw", "how", flag_value="withdrawn", type=str, help="Nothing more is sent of it.")
@click.option("--done", "how", flag_value="done", type=str, help="A task: it is done.")
@by_option()
@click.pass_obj
def settle(ground: Ground, reference: str, how: str | None, by: str) -> None:
    """Say what became of a message that may have arrived, or that a task of `aphub waiting` is done."""
    if how is None:
        raise click.UsageError(
            "Say what became of it: --arrived, --not-arrived, --withdraw, or --done for a task."
        )
    with ground.desk_of(reference) as desk:
        if actions.is_task(desk, reference):
            click.echo(actions.finish_task(desk, reference, by, _task_words(how)))
        elif how == "done":
            raise click.UsageError(
                "Only a task is done. Of a message say: --arrived, --not-arrived or --withdraw."
            )
        else:
            click.echo(actions.settle(desk, reference, cast("How", how), by))


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="REFERENCE...")
@by_option()
@click.pass_obj
def release(ground: Ground, references: tuple[str, ...], by: str) -> None:
    """Let held reports leave, however late they are: `aphub waiting` shows their references."""
    with ground.desk_of(references[0]) as desk:
        for reference in references:
            click.echo(actions.release(desk, reference, by))


@click.command()
@reference
@by_option()
@click.option("--words", default="", help="What they said. No names of pupils.")
@click.pass_obj
def confirm(ground: Ground, reference: str, by: str, words: str) -> None:
    """Keep that a named person at the school or council said that they have a message."""
    with ground.desk_of(reference) as desk:
        actions.confirm(desk, reference, by, words)
    click.echo(f"{reference} is confirmed. The ledger says so.")


def _task_words(how: str) -> str:
    return {"handed_over": "arrived", "not_handed_over": "did not arrive"}.get(how, how)
