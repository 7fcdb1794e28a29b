"""`aphub verify` and `aphub evidence`: proof that what was said was said, and by when."""

import base64
import binascii
from datetime import date, datetime, timedelta
from email import message_from_string
from pathlib import Path

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import say_json
from aphub.services import receipts
from aphub.services.evidence_about import Span
from aphub.store import leaving


@click.command()
@click.option(
    "--bundle",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check a folder of evidence instead; no hub is needed.",
)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept elsewhere, such as a mail's X-Aphub-Checkpoint header.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="With --bundle: a verifying key that you got elsewhere. Without one, the folder's own are used.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_context
def verify(
    ctx: click.Context, bundle: Path | None, checkpoint: Path | None, keys: tuple[str, ...], *, as_json: bool
) -> None:
    """Check the whole ledger: every statement, every hash, every signed checkpoint.

    Says which is the first record that no signed checkpoint covers, if any was changed, removed or added.
    """
    if bundle is not None:
        ctx.exit(_verify_bundle(bundle, keys, as_json=as_json))
    ground: Ground = ctx.obj
    seen = [read_checkpoint(checkpoint.read_text(encoding="utf-8", errors="replace"))] if checkpoint else []
    with ground.hub() as hub:
        with hub.store.reading() as connection:
            gone = leaving.closed(connection)
        if ground.provider in gone:
            gone, desks = {ground.provider: gone[ground.provider]}, []
        elif ground.provider:
            gone, desks = {}, [hub.desk(ground.provider)]
        else:
            desks = hub.desks()
        if not desks and not gone:
            click.echo("Nothing is published yet, so there is no ledger. Run: aphub apply", err=True)
            ctx.exit(NEEDS_A_PERSON)
        found = {desk.slug: receipts.verify(desk, seen) for desk in desks}
        found |= {slug: receipts.verify_of(hub.store, number, seen) for slug, number in gone.items()}
    if as_json:
        say_json(found)
    else:
        for slug, verdict in found.items():
            click.echo(f"{slug}: {verdict.words}")
    ctx.exit(0 if all(verdict.ok for verdict in found.values()) else NEEDS_A_PERSON)


def _verify_bundle(folder: Path, keys: tuple[str, ...], *, as_json: bool) -> int:
    checked = receipts.verify_folder(folder, keys)
    if as_json:
        say_json({"ok": checked.ok, "statements": checked.statements, "findings": checked.findings})
    elif checked.ok:
        click.echo(
            f"All is as it was signed: {checked.statements} statements, {checked.openings} contents, "
            f"{checked.documents} messages as they were sent."
        )
        if not keys:
            click.echo(
                "The folder's own keys were used: this shows that nothing was changed, not who signed."
            )
            click.echo("Ask the provider for its verifying key, and give it with --key.")
    else:
        for finding in checked.findings:
            click.echo(finding.words)
        if not checked.statements:
            click.echo("There is no statement in this folder.")
    return 0 if checked.ok else NEEDS_A_PERSON


def read_checkpoint(text: str) -> str:
    """Read a checkpoint as people keep it: the note itself, a whole mail, or the header of one."""
    packed = message_from_string(text).get("X-Aphub-Checkpoint") or ("" if "\n\n" in text else text)
    if not packed:
        return text
    try:
        return base64.b64decode("".join(packed.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return text


@click.command()
@click.argument("what", required=False, default="")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder to write it into.",
)
@click.option("--contents/--no-contents", default=True, help="With or without the reports themselves.")
@click.option(
    "--documents/--no-documents",
    default=None,
    help="With or without the messages as they were sent. Default: with a pupil, a school or a term.",
)
@click.option("--from", "first", type=DAY, metavar="DAY", help="Of a pupil or school: from this day on.")
@click.option(
    "--until", "last", type=DAY, metavar="DAY", help="Of a pupil or school: up to and with this day."
)
@by_option()
@click.pass_obj
def evidence(
    ground: Ground,
    what: str,
    folder: Path,
    first: datetime | None,
    last: datetime | None,
    by: str,
    *,
    contents: bool,
    documents: bool | None,
) -> None:
    """Write proof about WHAT: a message, a placement, a pupil, a school or council, a day, or "term".

    Of a pupil, a school or a term the whole attendance record is there too, with a line to sign on.
    Default: today.
    """
    span = Span(first.date() if first else date.min, last.date() + timedelta(days=1) if last else date.max)
    with ground.desk_of(what) as desk:
        about = what or desk.today.isoformat()
        written = receipts.evidence(
            desk, about, folder, contents=contents, by=by, span=span, documents=documents
        )
    click.echo(f"Written to {written}. Open index.html, or check it with: aphub verify --bundle {written}")
    if contents:
        click.echo("It holds personal data. Give it only to whom it concerns.")
