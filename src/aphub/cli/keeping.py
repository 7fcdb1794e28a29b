"""`aphub secret`: what is kept for the hub."""

import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from aphub.cli.ground import DAY, Ground
from aphub.cli.shown import as_list, new_table, show_list
from aphub.domain.wording import day_words

if TYPE_CHECKING:
    from rich.table import Table

SOON = timedelta(days=30)


@click.group()
def secret() -> None:
    """Keep passwords and tokens out of files: a file says `password = "secret:NAME"` instead."""


@secret.command("set")
@click.argument("name")
@click.option(
    "--from-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take it from a file, such as a private key; else it is typed, or read from a pipe.",
)
@click.option(
    "--expires",
    type=DAY,
    metavar="DAY",
    help="The day on which it ends, as 2026-12-31.",
)
@click.pass_obj
def set_secret(ground: Ground, name: str, from_file: Path | None, expires: datetime | None) -> None:
    """Keep a secret under NAME, in place of the older one. It is never shown again."""
    if from_file is not None:
        value = from_file.read_text(encoding="utf-8")
        value = value if "\n" in value.strip() else value.strip()
    elif sys.stdin.isatty():
        value = click.prompt(
            f"The secret '{name}' (it is not shown)", hide_input=True, confirmation_prompt=True
        )
    else:
        value = sys.stdin.read().strip()
    if not value.strip():
        raise click.UsageError("There is no secret to keep: it is empty. Nothing was changed.")
    with ground.hub() as hub:
        hub.keys.set_secret(name, SecretStr(value), hub.clock.now(), expires.date() if expires else None)
    click.echo(f'It is kept. Write "secret:{name}" where it is needed, then: aphub apply')
    if from_file is not None:
        click.echo(f"Remove the file, if it is of no more use: {from_file}")


@secret.command("list")
@as_list
@click.pass_obj
def list_secrets(ground: Ground, form: str) -> None:
    """List the names of secrets and when they expire; never a value."""
    with ground.hub() as hub:
        today = hub.clock.now().date()
        found = [
            {"name": name, "expires_on": ends, "state": _state(ends, today)}
            for name, ends in hub.keys.secret_names()
        ]

    def table() -> "Table":
        table = new_table("Name", "Expires", "")
        for one in found:
            ends = one["expires_on"]
            table.add_row(
                str(one["name"]), day_words(ends) if isinstance(ends, date) else "", str(one["state"])
            )
        return table

    show_list(form, found, table, nothing="No secrets are kept. Add one with: aphub secret set NAME")


def _state(ends: date | None, today: date) -> str:
    if ends is None or ends - today > SOON:
        return ""
    return "expired" if ends < today else "expires soon"
