"""What people look at every day: today, waiting, log."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground
from aphub.cli.shown import Group, as_list, console, new_table, show_groups
from aphub.domain.calendar import to_utc
from aphub.domain.how_far import RUNG_WORDS, of_a_way, way_words
from aphub.domain.wording import day_words
from aphub.services import office, overview, waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aphub.services.desk import Desk
    from aphub.services.overview import LogLine, Today
    from aphub.services.summaries_due import SummaryLine
    from aphub.services.waits import Open

MOST = 100


@click.command()
@click.option("--day", type=DAY, metavar="DAY", help="Another day, as 2026-03-03.")
@as_list
@click.pass_obj
def today(ground: Ground, day: datetime | None, form: str) -> None:
    """Say how the day stands for each school and council: owed, sent, how, and whether in time."""
    with ground.desks() as desks:
        at = day.date() if day else desks[0].today if desks else date.today()  # noqa: DTZ011 - nothing is published
        now = desks[0].now if desks else None
        found = [_group(desk, overview.today(desk, at)) for desk in desks]
        open_things = sum(len(waits.waiting(desk)) for desk in desks) if form == "table" else 0
    if form == "table":
        click.echo(day_words(at))
        click.echo()
    reports, summed = found, []
    if form == "table":
        reports = [replace(one, rows=[row for row in one.rows if row.owed or row.ways]) for one in found]
        summed = [replace(one, rows=[line for row in one.rows for line in row.summaries]) for one in found]
    show_groups(
        form, reports, lambda rows: _day_table(rows, now, at), nothing="No report is owed on this day."
    )
    if any(group.rows for group in summed):
        click.echo()
        click.echo("Summaries")
        show_groups(form, summed, lambda rows: _summaries_table(rows, at))
    if open_things:
        click.echo()
        click.echo(
            f"{open_things} {'thing waits' if open_things == 1 else 'things wait'} for you: aphub waiting"
        )


def _group(desk: "Desk", rows: "Sequence[Any]") -> Group:
    return Group(desk.slug, desk.config.provider.name, rows)


def _day_table(found: "list[Today]", now: datetime | None, day: date) -> "Table":
    table = new_table(
        "School or council",
        "Owed",
        "Sent",
        "In time",
        "How",
        "Still to come",
        right=("Owed", "Sent", "In time"),
    )
    for one in found:
        how = ", ".join(
            f"{way_words(adapter, count)}: {of_a_way(rung, adapter)}" for adapter, rung, count in one.ways
        )
        table.add_row(one.name, str(one.owed), str(one.sent), str(one.on_time), how, _to_come(one, now, day))
    return table


def _summaries_table(found: "list[SummaryLine]", day: date) -> "Table":
    table = new_table("School or council", "Of", "Pupils", "State", "By", right=("Pupils",))
    for one in found:
        late = " (late)" if one.late else ""
        due = overview.when_words(one.due, day)
        table.add_row(one.name, one.of, str(one.pupils), f"{one.state}{late}", due)
    return table


def _to_come(one: "Today", now: datetime | None, day: date) -> str:
    parts = []
    if one.held:
        parts.append(f"{one.held} waiting for you")
    if one.missing > one.held:
        parts.append(f"{one.missing - one.held} overdue")
    if one.next_due is not None and (now is None or one.next_due >= now):
        parts.append(f"by {overview.when_words(one.next_due, day)}")
    return ", ".join(parts)


@click.command()
@click.option("--mail", is_flag=True, help="Mail it to your own office too, whatever was mailed before.")
@as_list
@click.pass_context
def waiting(ctx: click.Context, form: str, *, mail: bool) -> None:
    """List what waits for a person, and what to do about each. Exit status 1 when there is something."""
    ground: Ground = ctx.obj
    with ground.hub() as hub:
        # Where nothing is published there is no office, and that is said.
        desks = [hub.desk(ground.provider)] if ground.provider or (mail and not hub.desks()) else hub.desks()
        mailed = [office.mail_all_of_it(hub, desk) for desk in desks] if mail else []
        found = [_group(desk, waits.waiting(desk)) for desk in desks]
        day = desks[0].today if desks else None
    if len(found) > 1:
        found = [
            replace(group, rows=[_copyable(one, group.provider) for one in group.rows]) for group in found
        ]

    show_groups(form, found, lambda rows: _open_table(rows, day), nothing="Nothing waits for a person.")
    for reference in mailed:
        click.echo(f"Mailed to your office as {reference}.", err=True)
    ctx.exit(NEEDS_A_PERSON if any(group.rows for group in found) else 0)


def _copyable(one: "Open", provider: str) -> "Open":
    """Name the provider in the commands that are given, so that they can be typed as they stand."""
    whose = f"aphub --provider {provider} "
    return replace(one, words=one.words.replace("aphub ", whose), mend=one.mend.replace("aphub ", whose))


def _open_table(found: "list[Open]", day: date | None) -> "Table":
    table = new_table("Reference", "What it is, and what to do", "Until", fixed=("Reference", "Until"))
    for one in found:
        lines = [one.words, one.mend, f"Choices: {', '.join(one.choices)}" if one.choices else ""]
        # The day below the time: what to do needs the room.
        until = overview.when_words(one.due, day).replace(", ", "\n")
        table.add_row(one.ref, "\n".join(line for line in lines if line), until)
    return table


@click.command()
@click.option("--organisation", default="", metavar="NAME", help="Of one school or council.")
@click.option("--from", "since", type=DAY, metavar="DAY", help="From this day on, as 2026-03-03.")
@click.option("--until", type=DAY, metavar="DAY", help="Up to and with this day.")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    help="Such as waiting, refused, uncertain; again for more.",
)
@click.option("--channel", default="", metavar="NAME", help="By one way.")
@click.option("--late", is_flag=True, help="Only what was sent after the agreed time.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=MOST, show_default=True, help="How many at most."
)
@as_list
@click.pass_obj
def log(
    ground: Ground,
    organisation: str,
    since: datetime | None,
    until: datetime | None,
    states: tuple[str, ...],
    channel: str,
    limit: int,
    form: str,
    *,
    late: bool,
) -> None:
    """List messages, newest first."""
    wrong = [state for state in states if state not in overview.STATE_WORDS and state not in RUNG_WORDS]
    if wrong:
        raise click.UsageError(
            f"There is no state '{wrong[0]}'. Choose of: {', '.join(overview.STATE_WORDS)}."
        )
    wanted = overview.LogFilter(
        organisation,
        to_utc(since.date(), time()) if since else None,
        to_utc(until.date() + timedelta(days=1), time()) if until else None,
        states,
        channel,
        late,
        limit,
    )
    with ground.desks() as desks:
        found = [_group(desk, overview.log(desk, wanted)) for desk in desks]
        day = desks[0].today if desks else None
    show_groups(form, found, lambda rows: _log_table(rows, day), nothing="No messages.")
    if form == "table" and any(len(group.rows) >= limit for group in found):
        console().print(f"The newest {limit} are shown. More: --limit", style="dim")


def _log_table(found: "list[LogLine]", day: date | None) -> "Table":
    table = new_table("Reference", "To", "What", "State", "Due", "Sent", fixed=("Reference", "To"))
    for one in found:
        late = " (late)" if one.late else ""
        sent = f"{overview.when_words(one.sent, day)}{late}"
        what = f"{one.kind} by {one.channel}"
        table.add_row(
            one.reference, one.organisation, what, one.words, overview.when_words(one.due, day), sent
        )
    return table
