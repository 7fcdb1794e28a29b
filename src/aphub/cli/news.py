"""News that comes by phone: a child is away, a school has decided, we cancel a morning, where a child is instead."""

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import click

from aphub.cli.ground import DAY, NEEDS_A_PERSON, Ground, by_option
from aphub.cli.shown import Group, as_list, new_table, show_groups, show_list
from aphub.domain.absences import Evidence, Stretch, Teller
from aphub.domain.entries import Half
from aphub.domain.typed import read_clock, read_weekday
from aphub.domain.wording import count_words
from aphub.services import absences as known
from aphub.services import cancel, decisions, news_list
from aphub.services.cancel import Because, Instead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

_INSTEAD = {
    "school": Instead.BACK_TO_SCHOOL,
    "home": Instead.STAYS_HOME,
    "elsewhere": Instead.ELSEWHERE,
    "no-answer": Instead.NOT_REACHED,
}
_BECAUSE = {one.value.replace(" ", "-"): one for one in Because}
_TELLERS = {one.name.casefold(): one for one in Teller}


def _days(function: "Callable[..., Any]") -> "Callable[..., Any]":
    for option in (
        click.option("--on", default="", metavar="DAYS", help="Only on these weekdays, as Mon,Wed."),
        click.option("--half", type=click.Choice(["AM", "PM"], case_sensitive=False), help="Only this half."),
        click.option("--to", "until", type=DAY, metavar="DAY", help="Last day; the first, by default."),
        click.option("--from", "since", type=DAY, metavar="DAY", help="First day; today, by default."),
    ):
        function = option(function)
    return function


@click.command()
@click.argument("pupil")
@click.argument("reason")
@_days
@click.option(
    "--told-by", type=click.Choice(sorted(_TELLERS)), default="parent", help="Who told us.", show_default=True
)
@click.option("--name", default="", metavar="NAME", help="Their name; it stays sealed.")
@click.option("--words", default="", help="What they said; it stays sealed and goes into no message.")
@click.option(
    "--evidence",
    type=click.Choice([one.value for one in Evidence]),
    default="none",
    help="Whether something in writing was asked for, or seen.",
)
@by_option()
@click.pass_obj
def absence(ground: Ground, /, pupil: str, reason: str, by: str, **told: Any) -> None:
    """Keep that a PUPIL is or was away, and why: before the register, or days after it.

    PUPIL is your own reference, REASON a word as your registers have it, or "at school".
    """
    with ground.desk() as desk:
        news = known.News(
            pupil,
            news_list.fact_told(desk, reason),
            _stretch(desk.today, told),
            _TELLERS[told["told_by"]],
            told["name"],
            told["words"],
            Evidence(told["evidence"]),
        )
        filled = known.know_absence(desk, news, by)
    _say_filled("Kept", filled)


@click.command()
@click.argument("pupil")
@click.argument("decided")
@click.option("--school", required=True, metavar="NAME", help="Whose decision it is, by its short name.")
@click.option("--decided-by", required=True, metavar="NAME", help='Who at the school: "Mrs Example, head".')
@click.option("--decided-on", type=DAY, metavar="DAY", help="When; today, by default.")
@_days
@click.option("--words", default="", help="What they said; it stays sealed.")
@click.option("--comes-anyway", is_flag=True, help="The pupil is still expected with you.")
@by_option()
@click.pass_obj
def decision(ground: Ground, /, pupil: str, decided: str, by: str, **told: Any) -> None:
    """Keep what a pupil's own school DECIDED: only then is its code suggested.

    DECIDED is one of: leave granted, licensed performance, part-time timetable, holiday, suspended, interview, study
    leave.
    """
    reason = news_list.decision_told(decided)
    with ground.desk() as desk:
        one = decisions.Decided(
            pupil,
            told["school"].strip().casefold(),
            reason,
            _stretch(desk.today, told),
            told["decided_by"],
            told["decided_on"].date() if told["decided_on"] else None,
            told["words"],
            comes_anyway=told["comes_anyway"],
        )
        filled = decisions.record_decision(desk, one, by)
    _say_filled("Kept as the school's decision", filled)


@click.command()
@click.argument("reference")
@click.option(
    "--last-day", type=DAY, metavar="DAY", help="The last day away; before the first if it never was so."
)
@click.option("--because", default="", metavar="WHY", help="Why; it stays sealed.")
@by_option()
@click.pass_obj
def end_absence(ground: Ground, reference: str, last_day: datetime | None, because: str, by: str) -> None:
    """End a known absence early, or take a school's decision back: REFERENCE as in `aphub absences`."""
    with ground.desk_of(reference) as desk:
        if news_list.is_decision(desk, reference):
            click.echo(decisions.withdraw_decision(desk, reference, by))
            return
        if last_day is None:
            raise click.UsageError("Say the last day away: --last-day 2026-03-03")
        ended = known.end_absence(desk, reference, last_day.date(), by, because)
    click.echo(
        f"Ended. {ended.ahead} registers are owed again; {ended.explained} absences have no reason again."
    )


@click.command()
@as_list
@click.pass_obj
def absences(ground: Ground, form: str) -> None:
    """List known absences and schools' decisions that are not over."""
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, news_list.running(desk)) for desk in desks]

    def table(rows: "Sequence[news_list.Known]") -> "Table":
        table = new_table(
            "Reference", "Pupil", "What", "From", "To", "Told by", "Evidence", fixed=("Reference",)
        )
        for one in rows:
            table.add_row(
                *(one.ref, one.pupil, one.what, one.starts.isoformat(), one.ends.isoformat()),
                *(one.told_by, "" if one.evidence == "none" else one.evidence),
            )
        return table

    show_groups(form, found, table, nothing="Nobody is known to be away.")


@click.command()
@click.option("--day", type=DAY, metavar="DAY", help="Today, by default.")
@click.option("--from", "since", default="00:00", metavar="HH:MM", help="Lessons that start from then on.")
@click.option("--until", default="23:59", metavar="HH:MM", help="Lessons that start before then.")
@click.option("--staff", default="", metavar="NAME", help="Only lessons of this member of staff.")
@click.option("--place", default="", metavar="PLACE", help="Only lessons at this place.")
@click.option("--placement", "placements", multiple=True, metavar="REF", help="Only these placements.")
@click.option("--because", type=click.Choice(sorted(_BECAUSE)), required=True, help="Why, in one word.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@by_option()
@click.pass_obj
def cancel_lessons(ground: Ground, /, because: str, by: str, *, yes: bool, **told: Any) -> None:
    """Cancel lessons in one step: schools are told at once, homes and transport become tasks."""
    with ground.desk() as desk:
        which = cancel.Which(
            told["day"].date() if told["day"] else desk.today,
            _clock(told["since"]),
            _clock(told["until"]),
            told["staff"],
            told["place"],
            tuple(ref.strip().upper() for ref in told["placements"]),
        )
        if not yes:
            seen = cancel.which_lessons(desk, which)
            lessons = f"{count_words(seen.lessons, 'lesson')} of {count_words(seen.pupils, 'pupil')}"
            click.confirm(
                f"Cancel {lessons}, and tell {', '.join(seen.organisations) or 'nobody'} now?", abort=True
            )
        done = cancel.cancel_lessons(desk, which, _BECAUSE[because], by)
    click.echo(
        f"{done.ref}: {count_words(done.lessons, 'lesson')} of {count_words(done.pupils, 'pupil')} "
        f"{'is' if done.lessons == 1 else 'are'} cancelled; schools are told now."
    )
    if done.left:
        click.echo(f"{done.left} were held or cancelled already, and stay as they are.")
    click.echo(f"Who, and where each is instead: aphub cancelled {done.ref}")


@click.command()
@click.argument("reference", default="")
@as_list
@click.pass_context
def cancelled(ctx: click.Context, reference: str, form: str) -> None:
    """List what was cancelled in one step, from today on; with a REFERENCE, its pupils and where each is instead.

    Exit status 1 while it is not known where somebody is.
    """
    ground: Ground = ctx.obj
    if not reference:
        _say_cancellations(ground, form)
        return
    with ground.desk_of(reference) as desk:
        rows = cancel.cancelled(desk, reference)

    def table() -> "Table":
        table = new_table("Pupil", "Lessons", "School or council", "Instead", "Told us")
        for one in rows:
            table.add_row(one.pupil.upper(), one.starts, one.commissioner, one.instead, one.by)
        return table

    show_list(form, rows, table)
    open_still = any(one.instead in {"not known yet", Instead.NOT_REACHED} for one in rows)
    ctx.exit(NEEDS_A_PERSON if open_still else 0)


def _say_cancellations(ground: Ground, form: str) -> None:
    with ground.desks() as desks:
        found = [Group(desk.slug, desk.config.provider.name, news_list.cancellations(desk)) for desk in desks]

    def table(rows: "Sequence[news_list.Cancellation]") -> "Table":
        table = new_table("Reference", "Day", "Why", "By", fixed=("Reference",))
        for one in rows:
            table.add_row(one.ref, one.day.isoformat(), one.because, one.by)
        return table

    show_groups(form, found, table, nothing="No lesson of today or later was cancelled in one step.")


@click.command()
@click.argument("reference")
@click.argument("pupil")
@click.argument("where", type=click.Choice(list(_INSTEAD)))
@by_option()
@click.pass_obj
def stays(ground: Ground, reference: str, pupil: str, where: str, by: str) -> None:
    """Keep WHERE a pupil is instead of a lesson that we cancelled: REFERENCE as in `aphub cancelled`."""
    with ground.desk_of(reference) as desk:
        click.echo(cancel.take_answer(desk, reference, pupil, _INSTEAD[where], by))


def _stretch(today: date, told: dict[str, Any]) -> Stretch:
    starts = told["since"].date() if told["since"] else today
    ends = told["until"].date() if told["until"] else starts
    weekdays = set()
    for name in filter(None, (part.strip() for part in told["on"].split(","))):
        number = read_weekday(name)
        if number is None:
            raise click.UsageError(f"'{name}' is no weekday. Write it like: --on Mon,Wed")
        weekdays.add(number)
    half = Half(told["half"].upper()) if told["half"] else None
    return Stretch(starts, ends, half, frozenset(weekdays))


def _clock(text: str) -> time:
    found = read_clock(text)
    if found is None:
        raise click.UsageError(f"'{text}' is no time. Write it like 09:30.")
    return found


def _say_filled(kept: str, filled: known.Filled) -> None:
    click.echo(
        f"{kept}: {filled.ref}. {count_words(filled.ahead, 'register')} filled in ahead, "
        f"{count_words(filled.explained, 'absence')} explained."
    )
    for note in filled.notes:
        click.echo(note)
