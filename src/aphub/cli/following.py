"""What is done about pupils who are not where they should be: cases, calls, steps."""

from datetime import datetime
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import WIDTH, Group, as_list, new_table, say_json, show_groups
from aphub.domain.calendar import to_utc
from aphub.domain.calls import CallResult
from aphub.domain.typed import read_clock
from aphub.domain.wording import time_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from aphub.services.case_views import CaseLine, CaseView, StepLine
    from aphub.services.desk import Desk

reference = click.argument("reference")
at_option = click.option(
    "--at", default="", metavar="TIME", help="When it was, such as 9:12am. Default: now."
)
despite_option = click.option(
    "--despite", default="", metavar="WHO", help="Who decided so, where contact with home is restricted."
)
said_option = click.option(
    "--said", default="", metavar="WORDS", help="What to write down. It stays with you: no school sees it."
)


def when(desk: "Desk", text: str) -> datetime | None:
    """Read a time of today; raises UsageError where it is none."""
    if not text:
        return None
    wall = read_clock(text)
    if wall is None:
        raise click.UsageError(f"'{text}' is no time. Write it like 9:12am or 09:12.")
    return to_utc(desk.today, wall)


@click.command()
@click.option("--day", type=DAY, metavar="DAY", help="Of one day, as 2026-03-03.")
@click.option("--all", "over", is_flag=True, help="Those that are over too.")
@as_list
@click.pass_context
def cases(ctx: click.Context, day: datetime | None, form: str, *, over: bool) -> None:
    """List pupils about whom something is to be done. Exit status 1 when there are any."""
    from aphub.services import case_views  # noqa: PLC0415 - only what is looked at

    ground: Ground = ctx.obj
    with ground.desks() as desks:
        found = [
            Group(
                desk.slug,
                desk.config.provider.name,
                case_views.cases_on(desk, day.date() if day else None, over=over),
            )
            for desk in desks
        ]
    show_groups(form, found, _case_table, nothing="Nobody is waited for.")
    ctx.exit(NEEDS_A_PERSON if any(row.state != "cleared" for group in found for row in group.rows) else 0)


def _case_table(rows: "list[CaseLine]") -> "Table":
    table = new_table("Case", "Pupil", "What it is, and what is next", "Until", fixed=("Case", "Until"))
    for one in rows:
        lines = [one.about]
        if one.state == "cleared":
            lines.append(f"Over: {one.because}")
        elif one.next_step:
            lines.append(f"{one.next_step.rstrip('.')} ({one.owner})")
        if one.overdue:
            lines.append(f"Overdue{', also for ' + one.also if one.also else ''}")
        if one.taken_by:
            lines.append(f"Taken on by {one.taken_by}")
        table.add_row(one.ref, one.pupil_ref, "\n".join(lines), time_words(one.due) if one.due else "")
    return table


@click.command()
@reference
@by_option()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs; without names.")
@click.pass_obj
def case(ground: Ground, reference: str, by: str, *, as_json: bool) -> None:
    """Show one case: what to do, what to say on the telephone, what was done. It names the pupil; that is noted."""
    from aphub.services import case_views  # noqa: PLC0415 - likewise

    with ground.desk_of(reference) as desk:
        found = case_views.case_view(desk, reference, by)
    if as_json:
        say_json(found)
        return
    for line in _view_lines(found):
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        click.echo(
            fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        )


def _view_lines(view: "CaseView") -> "Iterable[str]":
    line = view.line
    yield f"{line.ref}  {view.pupil or 'a register'}{f' ({line.pupil_ref})' if line.pupil_ref else ''}"
    yield f"  {line.about}: {line.state}{', ' + line.because if line.because else ''}"
    if view.restricted:
        yield f"  CONTACT IS RESTRICTED: {view.restricted}"
    if view.found_at is not None:
        yield f"  Found safe at {time_words(view.found_at)}, says {view.found_by}"
    for step in view.steps:
        yield from _step_lines(step)


def _step_lines(step: "StepLine") -> "Iterable[str]":
    marks = {
        "open": "TO DO",
        "later": f"from {time_words(step.opens)}",
        "done": "done",
        "cleared": "not needed",
    }
    yield f"{step.ref}  {marks[step.state]}: {step.words}"
    if step.state in {"open", "later"}:
        late = "  OVERDUE" if step.overdue else ""
        yield f"    {step.owner}, by {time_words(step.due)}{late}"
        if step.next_call:
            yield f"    Try now: {step.next_call}{': ' + step.reach if step.reach else ''}"
        yield from (f"    {one}" for one in step.script)
        if step.record:
            yield f"    Write down: {step.record}"
    elif step.ended is not None:
        yield f"    {time_words(step.ended)} {step.by}: {step.result}".rstrip(": ")
    for call in step.calls:
        who = f", {call.answered_by}" if call.answered_by else ""
        yield f"    {time_words(call.at)} {call.by} phoned {call.whom}: {call.result}{who}"
        if call.said:
            yield f"      {call.said}"
    if step.said:
        yield f"    {step.said}"


@click.command()
@reference
@by_option()
@click.pass_obj
def acknowledge(ground: Ground, reference: str, by: str) -> None:
    """Take a case on: everybody sees that it is yours."""
    from aphub.services import case_acts  # noqa: PLC0415 - likewise

    with ground.desk_of(reference) as desk:
        click.echo(case_acts.acknowledge(desk, reference, by))


_RESULTS = tuple(one.value.replace("_", "-") for one in CallResult if one is not CallResult.ANSWERED)


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="REFERENCE...")
@click.option("--answered-by", default="", metavar="NAME", help='Who answered, such as "Ms Example, mother".')
@click.option("--result", default="", type=click.Choice(["", *_RESULTS]), help="Where nobody answered.")
@click.option("--whom", default="", metavar="WHOM", help="Whom you tried, where that is not who was next.")
@click.option("--reason", default="", metavar="REASON", help="The reason they gave, such as ill.")
@click.option("--safe", is_flag=True, help="They know that the pupil is safe.")
@click.option("--repeated", is_flag=True, help="At a school or council: they repeated the message.")
@despite_option
@said_option
@at_option
@by_option()
@click.pass_obj
def call(
    ground: Ground,
    /,
    references: tuple[str, ...],
    answered_by: str,
    result: str,
    reason: str,
    at: str,
    **more: Any,
) -> None:
    """Keep what came of a telephone call about a case, a step, or what one school or council is to be phoned about.

    Only an answer is an answer. A voicemail never names a pupil, and does not count as told.
    """
    from aphub.services import calling, telling_by_phone  # noqa: PLC0415 - likewise
    from aphub.services.reasons import home_reason  # noqa: PLC0415 - likewise

    if bool(answered_by) == bool(result):
        raise click.UsageError("Say who answered (--answered-by), or what came of it (--result).")
    first, *others = references
    with ground.desk_of(first) as desk:
        made = calling.Call(
            result=CallResult(result) if result else CallResult.ANSWERED,
            answered_by=answered_by,
            at=when(desk, at),
            reason=home_reason(reason) if reason else None,
            **more,
        )
        if others or telling_by_phone.is_message(desk, first):
            for line in dict.fromkeys(telling_by_phone.call_about_messages(desk, references, made)):
                click.echo(line)
        else:
            click.echo(calling.call_about_step(desk, first, made))


@click.command()
@reference
@click.option("--done", "done", is_flag=True, help="It is done.")
@click.option("--not-needed", "because", default="", metavar="WHY", help="It is not needed; say why.")
@despite_option
@said_option
@at_option
@by_option()
@click.pass_obj
def step(
    ground: Ground, reference: str, because: str, despite: str, said: str, at: str, by: str, *, done: bool
) -> None:
    """Say that a step of a case is done, or that it is not needed and why: your name stands beside it."""
    from aphub.services import case_acts  # noqa: PLC0415 - likewise

    if done == bool(because):
        raise click.UsageError("Say --done, or --not-needed with the reason.")
    with ground.desk_of(reference) as desk:
        if done:
            click.echo(case_acts.do_step(desk, reference, by, said, when(desk, at), despite))
        else:
            click.echo(case_acts.skip_step(desk, reference, by, because))


@click.command()
@reference
@said_option
@at_option
@by_option()
@click.pass_obj
def found(ground: Ground, reference: str, said: str, at: str, by: str) -> None:
    """Say that a pupil who left the site is found and safe: whoever was told that they left is told this too."""
    from aphub.services import case_acts  # noqa: PLC0415 - likewise

    with ground.desk_of(reference) as desk:
        click.echo(case_acts.found_safe(desk, reference, by, when(desk, at), said))


@click.command()
@reference
@click.option("--release", is_flag=True, help="You have read it and let it go; print it and post it.")
@by_option()
@click.pass_obj
def letter(ground: Ground, reference: str, by: str, *, release: bool) -> None:
    """Show the letter of a step as it would be printed; release it once you have read it.

    It cannot be released once the days away have a reason.
    """
    from aphub.services import letters_home  # noqa: PLC0415 - likewise

    with ground.desk_of(reference) as desk:
        found = letters_home.release(desk, reference, by) if release else letters_home.draft(desk, reference)
    click.echo(f"{found.subject}\n\n{found.body.strip()}\n")
    if found.mind:
        click.echo(f"Before it is posted: {found.mind}", err=True)
    if not release:
        click.echo(f"This is a draft. When you have read it: aphub letter {found.ref} --release", err=True)
