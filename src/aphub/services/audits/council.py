"""What a council asks of its providers: who is not reporting, who is not seen, who is away, what is charged for."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from aphub.domain.errors import AphubError
from aphub.domain.papers import Cell, Hours, Paper, Part, Table, Text
from aphub.domain.placements import Registration
from aphub.domain.wording import day_words, moment_words
from aphub.services import figures
from aphub.services.audits.wanted import Ground, Wanted, ground_of, paper_of
from aphub.services.desk import Desk
from aphub.services.summaries.parts import NOT_SCHOOL
from aphub.services.summaries.people import Placed, placed_of
from aphub.store import records, trails
from aphub.store.figures import Counted, Key

AWAY_DAYS = 2


def for_council(desk: Desk, wanted: Wanted) -> Paper:
    """Describe one provider's answers to a council's questions, of the pupils whom the council placed or is told of.

    Raises:
        AphubError: No council is named.
    """
    named = desk.config.organisations.get(wanted.organisation)
    if named is None or named.kind != "council":
        councils = ", ".join(slug for slug, one in desk.config.organisations.items() if one.kind == "council")
        raise AphubError(
            "We need the council's name."
            if councils
            else "This provider has no council in its configuration.",
            "Nothing was written.",
            f"Add --organisation, with one of: {councils}." if councils else "",
        )
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        by_day = figures.counted(desk, connection, ground.counting, ("placement", "day"))
        charged = figures.counting_of(
            desk,
            connection,
            ground.stretch.first_day,
            ground.stretch.until_day,
            commissioner=wanted.organisation,
        )
        hours = figures.counted(desk, connection, charged, ("placement",))
        people = placed_of(
            desk,
            records.placements_between(
                connection, desk.provider_id, ground.stretch.first_day, ground.stretch.until_day,
                commissioner=wanted.organisation,
            ),
        )  # fmt: skip
        parts: list[Part] = [
            Text(NOT_SCHOOL),
            _silent(desk, connection, ground, wanted),
            _unseen(desk, connection, ground),
            _away(ground, by_day),
            _hours(people, hours),
        ]
    return paper_of(desk, wanted, ground, f"For {named.name}", "council", parts)


def _silent(desk: Desk, connection: Connection, ground: Ground, wanted: Wanted) -> Table:
    rows = trails.not_reporting(
        connection, desk.provider_id, wanted.organisation, ground.stretch.first_day, desk.now
    )
    found = tuple((day_words(row.day), row.reports, moment_words(row.since)) for row in rows)
    columns = ("Day", "Reports not sent", "Owed since")
    return Table(
        "Not reported now", columns, found, nothing="This provider has reported everything that was due."
    )


def _unseen(desk: Desk, connection: Connection, ground: Ground) -> Table:
    """List pupils on no roll with when somebody last saw or reached them: nobody else looks for these."""
    people = [one for one in ground.people if one.row.registration == Registration.NO_ROLL]
    seen = trails.last_seen(connection, desk.provider_id, [one.placement_id for one in people], desk.now)
    reached = trails.last_answered(connection, desk.provider_id, [one.pupil_id for one in people])
    rows: list[tuple[Cell, ...]] = []
    for one in people:
        contacts = [at for at in (seen.get(one.placement_id), reached.get(one.pupil_id)) if at is not None]
        last = max(contacts, default=None)
        if last is None or (desk.now - last).days >= 1:
            since = moment_words(last) if last else f"never, placed on {day_words(one.row.starts_day)}"
            rows.append(
                (one.name, since, (desk.now - last).days if last else (desk.today - one.row.starts_day).days)
            )
    columns = ("Pupil", "Last seen here or reached", "Days ago")
    note = "Seen: attended, taught at home, or took part online. Reached: somebody answered a call that was written down."
    return Table(
        "On no roll, and no contact since",
        columns,
        tuple(rows),
        note,
        nothing="All were seen or reached today.",
    )


def _away(ground: Ground, by_day: dict[Key, Counted]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in ground.people:
        days = {key[1]: found.figures.days for key, found in by_day.items() if key[0] == one.placement_id}
        due = [(day, some.missed > 0) for day, some in sorted(days.items()) if some.due]
        for run in _runs(due):
            going = "yes" if run[-1] == due[-1][0] else "no"
            rows.append((one.name, day_words(run[0]), day_words(run[-1]), len(run), going))
    columns = ("Pupil", "First day", "Last day", "Days due here", "Still away")
    title = f"Absent for {AWAY_DAYS} days or more in a row"
    return Table(title, columns, tuple(rows), "Days in a row are days due here.", nothing="Nobody.")


def _runs(days: list[tuple[date, bool]]) -> list[list[date]]:
    runs: list[list[date]] = [[]]
    for day, missed in days:
        if missed:
            runs[-1].append(day)
        else:
            runs.append([])
    return [run for run in runs if len(run) >= AWAY_DAYS]


def _hours(people: Sequence[Placed], counted: dict[Key, Counted]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in people:
        found = counted.get((one.placement_id,))
        if found is not None:
            time = found.figures.minutes
            rows.append(
                (
                    one.name, Hours(time.planned), Hours(time.delivered), Hours(time.cancelled), Hours(time.absent),
                    Hours(time.away + time.at_home_school), Hours(time.not_known),
                )
            )  # fmt: skip
    columns = (
        "Pupil", "Commissioned", "Delivered", "Cancelled by us", "Absent, chargeable", "Online, at home or at school", "Register missing",
    )  # fmt: skip
    note = (
        "Lessons that began, of placements that this council commissioned. The parts add up to what was commissioned. "
        "Whether an absence is charged is for your contract: the lesson was held and the pupil did not come."
    )
    return Table(
        "Hours", columns, tuple(rows), note, nothing="This council commissioned no lesson in these days."
    )
