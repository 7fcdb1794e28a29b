"""`aphub demo` and `aphub sandbox`: what plays, with nothing real in it."""

from collections.abc import Callable

import click

from aphub.cli.ground import USED_WRONGLY

_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command()
@click.option("--to", default="", metavar="DIR", help="Where all that it makes lies (default: var/demo).")
@click.option("--again", is_flag=True, help="Remove a day played there, and play it anew.")
@click.pass_context
def demo(ctx: click.Context, to: str, *, again: bool) -> None:
    """Play one school day with invented pupils: Tuesday 3 March 2026, in under a minute.

    Real mail, SFTP and HTTPS servers are started on this machine; one of them is down for a while.
    """
    from aphub.demo import main  # noqa: PLC0415 - the stand-ins are an extra

    ctx.exit(_play(main, [*(["--to", to] if to else []), *(["--again"] if again else [])]))


@click.command(context_settings={**_PASS_ON, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def sandbox(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Start a stand-in on this machine: `aphub sandbox smtp --to DIR`, or sftp, or wonde.

    It is no vendor's system. `aphub sandbox --help` tells its options.
    """

    def main(arguments: list[str]) -> int:
        from aphub.sandbox import main  # noqa: PLC0415 - likewise

        return main(arguments)

    ctx.exit(_play(main, list(arguments)))


def _play(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    try:
        return main(arguments)
    except ImportError as exc:
        click.echo(f"This needs a part that is not installed: {exc.name}.", err=True)
        click.echo("Install it with: pip install 'aphub[demo]'", err=True)
        return USED_WRONGLY
