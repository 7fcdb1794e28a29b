"""`aphub run`: take in, tell and deliver."""

import click

from aphub.cli.ground import NEEDS_A_PERSON, Ground
from aphub.domain.wording import moment_words


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, wait for it to end, and stop.")
@click.pass_context
def run(ctx: click.Context, *, once: bool) -> None:
    """Take registers in, tell what is owed, deliver, and watch, until stopped (Ctrl-C or SIGTERM)."""
    from aphub import daemon  # noqa: PLC0415 - scheduling and systemd: only for who runs it

    ground: Ground = ctx.obj
    with ground.hub(says_all=True) as hub:
        if not hub.serving():
            click.echo("Nothing is published yet, or whoever was served has left. Run: aphub apply", err=True)
            ctx.exit(NEEDS_A_PERSON)
        if not once:
            click.echo(f"Running for the hub in {ground.home.absolute()}. Stop with Ctrl-C.", err=True)
        result = daemon.run(hub, once=once)
    if once:
        click.echo(f"Registers: {_count(result.taken_in, 'row')} taken in.")
        click.echo(f"Messages: {result.messages} made, {result.handed_over} sent, {result.failed} not sent.")
        if result.next_at is not None:
            click.echo(f"Next: something is due at {moment_words(result.next_at)}.")
        ctx.exit(NEEDS_A_PERSON if result.failed else 0)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
