"""`aphub backup` and `aphub restore`: the database in one place, its keys in another."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import as_list, new_table, show_list
from aphub.domain.wording import moment_words

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--keys-to",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder on another disk for a copy of the keys, with a short life of its own.",
)
@click.pass_context
def backup(ctx: click.Context, folder: Path, keys_to: Path | None) -> None:
    """Copy the database and the configuration into FOLDER while the hub works, and the keys apart from them."""
    from aphub.services import backup as backing  # noqa: PLC0415 - likewise

    ground: Ground = ctx.obj
    with ground.hub() as hub:
        days = hub.settings.store.key_copy_days
        taken = backing.take(hub.home, hub.store, hub.keys, folder, keys_to, hub.clock.now(), days)
        last = hub.keys.newest_copy(hub.clock.now())
    click.echo(f"Written to {taken.folder}: {taken.size // 1024} KiB.")
    if taken.keys is not None and taken.keys_until is not None:
        click.echo(
            f"The keys are in {taken.keys}, until {moment_words(taken.keys_until)}. Then they are deleted."
        )
    elif last is None:
        click.echo(
            "There is no copy of the keys. If this disk is lost, nobody can read this backup.", err=True
        )
        click.echo("Take one to another disk: aphub backup FOLDER --keys-to OTHER-FOLDER", err=True)
        ctx.exit(NEEDS_A_PERSON)
    click.echo("The master key is in neither. Keep the recovery key on paper.")


@click.command("key-copies")
@click.option("--gone", "name", default="", metavar="FILE", help="Nobody can read this copy any more.")
@click.option("--because", default="", metavar="WHY", help="With --gone, such as: the disk was destroyed.")
@by_option()
@as_list
@click.pass_obj
def key_copies(ground: Ground, form: str, name: str, because: str, by: str) -> None:
    """List the copies of the keys that may still be read, or say that one is gone.

    What is erased is gone for good once the last of them has expired. A copy that somebody else may have is not gone:
    the master key protects it, so change that, and tell your data protection officer.
    """
    from aphub.services import saved_keys  # noqa: PLC0415 - likewise

    with ground.hub() as hub:
        now = hub.clock.now()
        if name:
            gone = saved_keys.given_up(hub.desks(), hub.keys, name, by, because, now)
            click.echo(f"{gone.name} counts as gone. Your name stands beside it.")
            return
        found = saved_keys.copies(hub.keys, now)

    def table() -> "Table":
        table = new_table("Copy", "Where", "Until")
        for one in found:
            until = moment_words(one.expires_at)
            table.add_row(one.name, one.place, f"{until}; delete it" if one.expired else until)
        return table

    show_list(form, found, table, nothing="There is no copy of the keys.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--keys",
    "copy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest copy of the keys, where the hub's own are lost.",
)
@click.option(
    "--recovery-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The recovery key, where the master key is lost. Without it, it is asked for.",
)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest checkpoint that anybody kept, such as a mail with its header.",
)
@click.option("--even-if-expired", is_flag=True, help="Use an expired copy of the keys: there is no other.")
@click.option("--trust-ways", is_flag=True, help="Leave the ways live as they were approved at the backup.")
@by_option(needed=True)
@click.pass_context
def restore(
    ctx: click.Context,
    folder: Path,
    copy: Path | None,
    recovery_key_file: Path | None,
    checkpoint: Path | None,
    by: str,
    *,
    even_if_expired: bool,
    trust_ways: bool,
) -> None:
    """Put a backup back into an empty place, and list what may have been sent since. Nothing is sent blindly.

    The hub's folder (--home) is where it goes. What was due since the backup waits for a person: aphub waiting
    """
    from aphub.cli.proving import read_checkpoint  # noqa: PLC0415 - likewise
    from aphub.sealing import MasterKey  # noqa: PLC0415 - likewise
    from aphub.services import restore as restoring  # noqa: PLC0415 - likewise

    ground: Ground = ctx.obj
    given = recovery_key_file.read_text(encoding="ascii") if recovery_key_file else ""
    manifest = restoring.put_back(
        ground.home,
        folder,
        copy,
        lambda: MasterKey.from_recovery_text(given or click.prompt("Recovery key", hide_input=True)),
        even_if_expired=even_if_expired,
    )
    seen = read_checkpoint(checkpoint.read_text(encoding="utf-8", errors="replace")) if checkpoint else ""
    with ground.hub() as hub:
        for desk in hub.desks():
            found = restoring.begin_again(desk, manifest.taken_at, by, seen=seen, trust_ways=trust_ways)
            for line in restoring.words_of(desk.slug, found, manifest.taken_at):
                click.echo(line)
        lost = hub.clock.now() - manifest.taken_at
    if copy is not None:
        click.echo(
            "Whoever was erased after that copy of the keys was taken must be erased again: aphub erase"
        )
    click.echo(
        f"What came in during the last {_hours(lost)} is lost here. Give those registers in again: aphub ingest. "
        "See that the folders are there from which registers are taken."
    )
    click.echo("What waits for you: aphub waiting. Then start the hub: aphub run")
    ctx.exit(NEEDS_A_PERSON)


def _hours(lost: timedelta) -> str:
    hours = -int(-lost.total_seconds() // 3600)
    return f"{hours} hours" if hours > 1 else "hour"
