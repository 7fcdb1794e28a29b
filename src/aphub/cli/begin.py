"""`aphub init` and `aphub apply`: a new hub, and its configuration."""

from datetime import time
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import NEEDS_A_PERSON, USED_WRONGLY, Ground, by_option
from aphub.cli.shown import as_list, new_table, say_json, show_list
from aphub.clock import SystemClock
from aphub.domain.calendar import LONDON
from aphub.hub import NOT_USABLE, create_hub, upgrade_hub
from aphub.sealing import MasterKey, RecoveryTextError
from aphub.services import owe

if TYPE_CHECKING:
    from rich.table import Table

_TRIES = 5


@click.command()
@click.option(
    "--recovery-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the recovery key to this new file (mode 0600) instead of having it typed back.",
)
@click.option("--upgrade", is_flag=True, help="Bring the database of an older aphub to this version.")
@click.pass_context
def init(ctx: click.Context, recovery_key_file: Path | None, *, upgrade: bool) -> None:
    """Make a new hub: keys, database, and a starter configuration.

    Shows a recovery key and has it typed back. Without that key, a lost disk is lost data.
    """
    ground: Ground = ctx.obj
    home = ground.home
    if upgrade:
        _upgrade(home)
        return
    if (home / "keys").exists() or (home / "hub.db").exists():
        click.echo(f"There is a hub in {home} already.", err=True)
        click.echo("Nothing was changed.", err=True)
        ctx.exit(USED_WRONGLY)
    master = MasterKey.generate()
    if recovery_key_file is not None:
        master.write_new_file(recovery_key_file)
    else:
        _have_it_typed_back(master)
    create_hub(home, master)
    written = _write_starter(home)
    click.echo(f"The hub is in {home}. Written for you to change:")
    for path in written:
        click.echo(f"  {path}")
    if recovery_key_file is not None:
        click.echo(f"The recovery key is in {recovery_key_file}. Keep it away from this machine.")
    click.echo(f"Next: aphub --home {home} apply")


def _upgrade(home: Path) -> None:

    from aphub.daemon import nobody_else  # noqa: PLC0415 - making a hub does not wait for the modules of the daemon

    with nobody_else(home / "daemon.lock"):
        done = upgrade_hub(home)
    if done.before == done.after:
        click.echo("The database is as this version wants it. Nothing was changed.")
        return
    click.echo(f"The database has gone from version {done.before} to {done.after}. Nothing else was changed.")
    if done.copy is not None:
        click.echo(
            f"As it was before, it is in {done.copy}. Delete that when all is well: it holds what the hub holds."
        )
    click.echo("Look at it first: aphub today")


def _have_it_typed_back(master: MasterKey) -> None:
    click.echo("This is the recovery key. Write it on paper, and keep it away from this machine.")
    click.echo("Without it, a lost disk is lost data. It is shown only now.")
    click.echo()
    click.echo(f"  {master.to_recovery_text()}")
    click.echo()
    for _ in range(_TRIES):
        try:
            if MasterKey.from_recovery_text(click.prompt("Type it back")) == master:
                return
            click.echo("This is another recovery key. Type the one above.")
        except RecoveryTextError as slip:
            click.echo(str(slip))
    raise click.ClickException("The recovery key was not typed back. Nothing was made.")


def _write_starter(home: Path) -> list[Path]:
    """Write a configuration and files to try it with; what is there already stays as it is."""
    written = []
    now = SystemClock().now().astimezone(LONDON)
    # At 9am, or before: whoever tries this at six takes the register of a lesson that has begun.
    starts = time(min(now.hour, 9))
    values = {
        "home": home.absolute().as_posix(),
        "today": now.date().isoformat(),
        "starts": f"{starts:%H:%M}",
    }
    (home / "inbox").mkdir(exist_ok=True)
    with as_file(files("aphub.cli") / "starter") as folder:
        for source in sorted(path for path in folder.rglob("*") if path.suffix in {".csv", ".toml"}):
            target = home / source.relative_to(folder)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(
                    Template(source.read_text(encoding="utf-8")).substitute(values), encoding="utf-8"
                )
                written.append(target)
    return written


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option()
@as_list
@click.pass_context
def apply(ctx: click.Context, by: str, form: str, *, yes: bool) -> None:
    """Show what the configuration changes, for whom; then publish it.

    Every mistake is named by file, key and mend; then nothing is changed. A way whose address changes is closed until
    it is approved again. Exit status 1 when a way cannot be used as things are, such as for want of a secret.
    """
    ground: Ground = ctx.obj
    with ground.hub() as hub:
        _, changes = hub.plan()

        def table() -> "Table":
            table = new_table("Provider", "About", "What changes")
            for one in changes:
                table.add_row(one.provider, one.about, one.words)
            return table

        if form == "json":
            say_json({"changes": changes})
        else:
            show_list(form, changes, table, nothing="Nothing changes.")
        if changes and not yes:
            click.confirm("Publish this?", abort=True, err=True)
        published = hub.apply(by)
        for desk in hub.desks():
            # What is owed follows from the terms and timetables that hold now.
            owe.regenerate(desk, desk.today, desk.today + owe.AHEAD)
    if form == "table" and changes:
        for slug, number in published.items():
            click.echo(f"{slug}: configuration {number} is in force.")
        click.echo("See which ways wait for approval: aphub channels")
    if any(one.words.startswith(NOT_USABLE) for one in changes):
        ctx.exit(NEEDS_A_PERSON)
