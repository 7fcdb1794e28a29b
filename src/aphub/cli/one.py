"""One thing looked at closely: a message, its bytes, or why it was sent or not."""

import sys
from datetime import date, datetime
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, USED_WRONGLY, Ground, by_option
from aphub.cli.shown import say_json
from aphub.domain.errors import AphubError
from aphub.domain.wording import moment_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aphub.api.adapters import Document
    from aphub.services.explain import Explanation
    from aphub.services.life import Life, Step

_TEXT = ("text/", "application/json")
_HALVES = ("AM", "PM")


@click.command()
@click.argument("reference")
@click.option(
    "--names", "because", default="", metavar="WHY", help="Show pupils' names too; say why. It is noted."
)
@click.option("--by", default="", metavar="NAME", help="Your name, where names are shown.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_obj
def show(ground: Ground, reference: str, because: str, by: str, *, as_json: bool) -> None:
    """Show everything about one message: when, where to, each try, each receipt, what the ledger says."""
    from aphub.services import life  # noqa: PLC0415 - each of the three verbs has a service of its own

    with ground.desk_of(reference) as desk:
        found = life.show(desk, reference, names_because=because, by=by)
    if as_json:
        say_json(found)
        return
    for line in _life_lines(found):
        click.echo(line)


def _life_lines(life: "Life") -> "Iterable[str]":
    line = life.line
    yield f"{line.reference}  {line.kind} to {life.name} by {line.channel} ({life.adapter})"
    yield f"  State      {line.words}{': ' + line.because if line.because else ''}"
    yield f"  Made       {moment_words(line.made)}, configuration {life.snapshot}"
    yield f"  Due        {moment_words(line.due)}"
    if line.sent is not None:
        yield f"  Sent       {moment_words(line.sent)}{' (late)' if line.late else ''}"
    if life.next_try is not None:
        yield f"  Next try   {moment_words(life.next_try)}"
    if life.far_reference:
        yield f"  They say   {life.far_reference}"
    if life.replaces:
        yield f"  Replaces   {life.replaces}"
    if life.replaced_by:
        yield f"  Replaced   by {', '.join(life.replaced_by)}"
    yield f"  Content    SHA-256 {life.digest}"
    yield "Reports"
    for report in life.reports:
        newer = "" if report.newest else ", a newer one exists"
        answer = f", {report.answer}" if report.answer else ""
        whose = f"  {report.pupil}" if report.pupil else ""
        yield f"  {report.ref}  placement {report.placement}, {report.period}, version {report.version}{newer}{answer}{whose}"
    yield from _steps("Tries", life.attempts)
    yield from _steps("Receipts", life.receipts)
    yield from _answers(life)
    yield "Documents"
    for document in life.documents:
        yield f"  {document.name} ({document.media_type}, {document.size} bytes)"
    yield f"  See them: aphub preview {line.reference}"
    yield "In the ledger"
    for number, kind, at in life.statements:
        yield f"  {number}  {kind}, {moment_words(at)}"
    if not life.statements:
        yield "  nothing yet"


def _answers(life: "Life") -> "Iterable[str]":
    if life.answers:
        yield "In their words"
    for answer in life.answers:
        code = f" ({answer.code})" if answer.code else ""
        yield f"  {moment_words(answer.at)}  {answer.kind}{code}"
        yield from (f"    {words}" for words in answer.words.splitlines())


def _steps(title: str, steps: "tuple[Step, ...]") -> "Iterable[str]":
    yield title
    for step in steps:
        code = f" ({step.code})" if step.code else ""
        yield f"  {moment_words(step.at)}  {step.what.replace('_', ' ')}{code}{'. ' + step.words if step.words else ''}"
    if not steps:
        yield "  none"


@click.command()
@click.argument("what", metavar="REFERENCE|ORGANISATION")
@click.option("--document", "number", type=click.IntRange(min=1), help="Only this document, byte for byte.")
@click.option("--day", type=DAY, metavar="DAY", help="Of a draft: another day, as 2026-03-03.")
@by_option()
@click.pass_context
def preview(ctx: click.Context, what: str, number: int | None, day: datetime | None, by: str) -> None:
    """Show what is (or was) sent by a message's reference, byte for byte; or a school's draft for today."""
    from aphub.services import draft, life  # noqa: PLC0415 - likewise

    ground: Ground = ctx.obj
    with ground.desk_of(what) as desk:
        meant: tuple[str, list[date]] | str = (
            (what, [day.date() if day else desk.today])
            if what in desk.config.organisations
            else draft.meant(desk, what)
        )
        if isinstance(meant, str):
            documents = life.read_documents(desk, meant, by)
            if not documents:
                click.echo("The content of this message is no longer kept. What is known of it: aphub show")
            _say_documents(ctx, documents, number)
            return
        organisation, days = meant
        made = [one for each in days for one in draft.drafts(desk, organisation, each, by)]
    if not made:
        click.echo(
            "Nothing more is owed for that day, so there is no draft. What was sent stands in: aphub log"
        )
    for one in made:
        click.echo(f"DRAFT for {one.period}, by {one.channel}. It is kept nowhere; nothing was sent.")
        click.echo()
        _say_documents(ctx, one.documents, number)


def _say_documents(ctx: click.Context, documents: "tuple[Document, ...]", number: int | None) -> None:
    if number is not None:
        if number > len(documents):
            click.echo(f"There are only {len(documents)} documents.", err=True)
            ctx.exit(USED_WRONGLY)
        sys.stdout.buffer.write(documents[number - 1].content)
        return
    for place, document in enumerate(documents, start=1):
        click.echo(f"--- {place}: {document.name} ({document.media_type}, {len(document.content)} bytes)")
        click.echo(_readable(document))
        click.echo(f"--- Byte for byte: --document {place}")


def _readable(document: "Document") -> str:
    """Give what a person can read of a document: of a mail its heads, its text, and what is attached."""
    if document.media_type == "message/rfc822":
        mail = message_from_bytes(document.content, policy=policy.default)
        body = mail.get_body(("plain",))
        heads = [f"{name}: {mail[name]}" for name in ("From", "To", "Subject", "Date") if mail[name]]
        attached = [f"Attached: {part.get_filename()}" for part in mail.iter_attachments()]
        return "\n".join([*heads, *attached, "", body.get_content() if body is not None else ""])
    if document.media_type.startswith(_TEXT) and "html" not in document.media_type:
        return document.content.decode("utf-8-sig", errors="replace")
    return "This is no text."


@click.command()
@click.argument("placement", metavar="WHO")
@click.argument("day", type=DAY)
@click.argument("half", type=click.Choice(_HALVES, case_sensitive=False), required=False, default=None)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@click.pass_context
def explain(ctx: click.Context, placement: str, day: datetime, half: str | None, *, as_json: bool) -> None:
    """Say why a DAY (or one HALF of it) was told, or was not: every rule, and what would change it.

    WHO is your own pupil reference, or a placement's.
    """
    from aphub.services import explain as explaining  # noqa: PLC0415 - likewise

    ground: Ground = ctx.obj
    found: list[Explanation] = []
    with ground.desks() as desks:
        unknown: AphubError | None = None
        for desk in desks:
            try:
                found += explaining.explain(desk, placement, day.date(), half or "")
            except AphubError as exc:
                unknown = exc
        if unknown is not None and not found:
            raise unknown
    if as_json:
        say_json(found)
    else:
        for one in found:
            _say_explanation(one)
    ctx.exit(
        0
        if all(one.why in {explaining.Why.SENT, explaining.Why.NOT_YET} for one in found)
        else NEEDS_A_PERSON
    )


def _say_explanation(one: "Explanation") -> None:
    click.echo(f"{one.name}: {one.why.value}")
    for rule in one.rules:
        click.echo(f"  {'yes' if rule.good else 'NO ':<3} {rule.question} {rule.answer}")
        if rule.mend and not rule.good:
            click.echo(f"      {rule.mend}")
