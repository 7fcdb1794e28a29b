"""The ways to schools and councils: check, TEST message, code read back, approval, pause."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, say_json, show_groups, wrapped
from aphub.domain.wording import moment_words
from aphub.services import actions, overview
from aphub.services.it_page import it_page
from aphub.services.way import route_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aphub.api.adapters import CheckStep
    from aphub.hub import Hub
    from aphub.services.desk import Desk
    from aphub.services.overview import ChannelLine
    from aphub.services.routes import Route

FOLDER = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)
organisation = click.argument("organisation")
channel = click.argument("channel")


@click.command()
@as_list
@click.pass_obj
def channels(ground: Ground, form: str) -> None:
    """List the ways to schools and councils, how far each is, and what is next to be done."""
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, overview.channels(desk)) for desk in desks]

    def table(rows: "Sequence[ChannelLine]") -> "Table":
        table = new_table("School or council", "Way", "By", "How far", "Next", fixed=("By",))
        for one in rows:
            far = f"{one.words}. {one.trouble}" if one.trouble else one.words
            table.add_row(one.organisation, one.channel, one.adapter, far, one.next_step)
        return table

    nothing = "There are no ways yet. Add channels to a school's file, then: aphub apply"
    show_groups(form, found, table, nothing=nothing)


@click.command()
@organisation
@click.argument("channel", default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.option(
    "--page", type=FOLDER, metavar="FOLDER", help="Write a page for their IT team there, to forward."
)
@click.pass_context
def check(ctx: click.Context, organisation: str, channel: str, page: Path | None, *, as_json: bool) -> None:
    """Prove a way step by step; without CHANNEL, every way to that school or council. No pupil's data leaves."""
    ground: Ground = ctx.obj
    with ground.hub() as hub:
        desk = hub.desk(ground.provider)
        # A school that is not known is answered as one whose channel is not.
        names = [channel] if channel else [way.channel for way in desk.routes.of(organisation)] or [""]
        found = {name: actions.check(hub, desk, organisation, name) for name in names}
        written = [
            path
            for name, steps in found.items()
            if page
            for path in _write_page(hub, desk, route_to(desk, organisation, name), steps, page)
        ]
        live = {(one.organisation, one.channel) for one in overview.channels(desk) if one.state == "live"}
    good = all(_all_good(steps) for steps in found.values())
    if as_json:
        say_json(found[channel] if channel else found)
        ctx.exit(0 if good else NEEDS_A_PERSON)
    for name, steps in found.items():
        if not channel:
            click.echo(f"{organisation} {name}")
        for step in steps:
            seen = "" if step.found == step.step else step.found
            words = f"{step.step}{': ' + seen if seen else ''}"
            click.echo(wrapped(words, "ok  " if step.ok else "NO  "))
            if step.mend:
                click.echo(wrapped(step.mend, "    "))
        if (organisation, name) in live:
            click.echo("It is live.")
        elif _all_good(steps):
            click.echo(f"Next: aphub test-report {organisation} {name} --by NAME")
    for path in written:
        click.echo(f"Written for their IT team: {path}")
    ctx.exit(0 if good else NEEDS_A_PERSON)


def _all_good(steps: "Sequence[CheckStep]") -> bool:
    return bool(steps) and all(step.ok for step in steps)


def _write_page(
    hub: "Hub", desk: "Desk", route: "Route", steps: "Sequence[CheckStep]", folder: Path
) -> tuple[Path, Path]:
    made = it_page(desk, route, hub.adapter(desk, route).for_their_it(route.settings), steps)
    html, text = folder / f"{made.stem}.html", folder / f"{made.stem}.txt"
    html.write_text(made.html, encoding="utf-8")
    text.write_text(made.text, encoding="utf-8")
    return html, text


@click.command()
@organisation
@channel
@by_option(needed=True)
@click.option("--new-passphrase", is_flag=True, help="Give their files another one, as when staff leave.")
@click.pass_obj
def test_report(ground: Ground, organisation: str, channel: str, by: str, *, new_passphrase: bool) -> None:
    """Send a TEST message about invented pupils, with six figures for the school to read back by phone."""
    with ground.hub() as hub:
        desk = hub.desk(ground.provider)
        sent = actions.test_report(hub, desk, organisation, channel, by, new_passphrase=new_passphrase)
        known = desk.config.organisations[organisation]
    phone = f" on {known.phone}" if known.phone else ""
    if sent.by_code:
        if sent.script:
            click.echo(f"Phone {known.name} and read this out:\n\n{sent.script}")
        else:
            click.echo(f"TEST message {sent.reference} is sent to {known.name}.")
        if sent.passphrase:
            click.echo(f"Passphrase of their files, shown only now: {sent.passphrase}")
            click.echo("Give it to them by phone, never by mail.")
        asked = (
            "have them repeat the six figures" if sent.script else "ask for the six figures in the message"
        )
        click.echo(f"Phone them{phone} and {asked}.")
        click.echo(f"Next: aphub read-back {organisation} {channel} CODE --by NAME")
    else:
        click.echo(
            f"The register of {known.name} was checked again, as {sent.reference}. No marks were made."
        )
        click.echo(
            f"Phone them{phone} and have somebody confirm that this is their register and list of codes."
        )
        click.echo(f'Next: aphub read-back {organisation} {channel} "NAME AT THE SCHOOL" --by NAME')


@click.command()
@organisation
@channel
@click.argument("code")
@by_option(needed=True)
@click.pass_obj
def read_back(ground: Ground, organisation: str, channel: str, code: str, by: str) -> None:
    """Type in the CODE that somebody at the school read from the TEST message."""
    with ground.desk() as desk:
        actions.read_back(desk, organisation, channel, code, by)
    click.echo("That is right. Now a second person approves:")
    click.echo(f"Next: aphub approve {organisation} {channel} --by NAME")


@click.command()
@organisation
@channel
@by_option(needed=True)
@click.pass_obj
def approve(ground: Ground, organisation: str, channel: str, by: str) -> None:
    """Let pupils' data leave by a way. Whoever sent the test or typed its code cannot do this."""
    with ground.desk() as desk:
        freed = actions.approve(desk, organisation, channel, by)
        now = moment_words(desk.now)
    click.echo(f"{organisation} {channel} is live from {now}.")
    if freed:
        click.echo(f"{freed} {'thing' if freed == 1 else 'things'} that waited for it can leave now.")


@click.command()
@organisation
@channel
@by_option(needed=True)
@click.option("--why", default="", help="Why, for whoever looks later. No names of pupils.")
@click.pass_obj
def pause(ground: Ground, organisation: str, channel: str, by: str, why: str) -> None:
    """Let nothing leave by a way until it is resumed; reports take the next one meanwhile."""
    with ground.desk() as desk:
        actions.pause(desk, organisation, channel, by, why)
    click.echo(
        f"{organisation} {channel} is paused. Nothing leaves by it until: aphub resume {organisation} {channel}"
    )


@click.command()
@organisation
@channel
@by_option(needed=True)
@click.pass_obj
def resume(ground: Ground, organisation: str, channel: str, by: str) -> None:
    """Let a paused way be used again, if it still goes where it was approved for."""
    with ground.desk() as desk:
        freed = actions.resume(desk, organisation, channel, by)
    click.echo(f"{organisation} {channel} is live again.{f' {freed} waited for it.' if freed else ''}")
