"""`aphub demo` and `aphub sandbox`: what plays, with nothing real in it."""

from collections.abc import Callable

import click

from aphub.cli.ground import USED_WRONGLY


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


@click.command()
@click.argument("kind", type=click.Choice(["arbor", "graph", "rest", "sftp", "smtp", "wonde", "xporter"]))
@click.option("--to", required=True, metavar="DIR", help="Where it keeps what it gets.")
@click.option("--port", type=int, default=0, help="Its port on 127.0.0.1; a free one by default.")
@click.option(
    "--mood",
    default="accepts",
    show_default=True,
    help="How it behaves, such as busy or refuses; one that it does not have lists those that it has.",
)
@click.option("--tls", is_flag=True, help="smtp: TLS from the first byte, not STARTTLS.")
@click.option("--authorized-key", multiple=True, metavar="FILE", help="sftp: a public key that may sign in.")
@click.option("--token", default="", help="The token or secret to ask for; one is made and kept.")
@click.pass_context
def sandbox(
    ctx: click.Context,
    kind: str,
    to: str,
    port: int,
    mood: str,
    authorized_key: tuple[str, ...],
    token: str,
    *,
    tls: bool,
) -> None:
    """Start a stand-in on this machine: a mail server, a secure drop, or an MIS. Stop it with Ctrl-C.

    It is no vendor's system, and sends nothing on.
    """
    arguments = [kind, "--to", to, "--port", str(port), "--mood", mood]
    arguments += ["--tls"] if tls else []
    arguments += [word for key in authorized_key for word in ("--authorized-key", key)]
    arguments += ["--token", token] if token else []

    def main(arguments: list[str]) -> int:
        from aphub.sandbox import main  # noqa: PLC0415 - an extra, like the demo

        return main(arguments)

    ctx.exit(_play(main, arguments))


def _play(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    try:
        return main(arguments)
    except ImportError as exc:
        click.echo(f"This needs a part that is not installed: {exc.name}.", err=True)
        click.echo("Install it with: pip install 'aphub[demo]'", err=True)
        return USED_WRONGLY
