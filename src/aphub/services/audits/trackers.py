"""Tables of pupils against days and weeks: the tracker, the weekly percentage, and the review of patterns."""

from collections.abc import Sequence
from datetime import date, timedelta

from aphub.domain.calendar import ONE_DAY, WEEKDAYS
from aphub.domain.figures import Figures
from aphub.domain.outcomes import ReasonKind
from aphub.domain.papers import Cell, Heading, Paper, Part, Signature, Table, Text
from aphub.domain.reports import REASON_WORDS
from aphub.domain.wording import day_words
from aphub.services import figures, thresholds
from aphub.services.audits.wanted import Ground, Wanted, ground_of, paper_of
from aphub.services.desk import Desk
from aphub.services.summaries.parts import NOT_SCHOOL, in_person
from aphub.services.summaries.patterns import patterns
from aphub.store import records
from aphub.store.figures import Counted, Key

MARKS = {
    "present": "P", "late": "L", "left_early": "E", "left_site": "X left", "taught_at_home": "H", "online": "O",
    "worked_at_home": "W", "could_not_join": "T", "absent": "A", "cancelled": "C", "at_home_school": "S",
    "not_expected": "-", "arrived_unexpected": "P",
}  # fmt: skip
"""The tracker's own short marks: none is a register code."""
_LEGEND = (
    "P present, L late, E left early, X left our site without leave, H taught at home, O took part online, W worked at "
    "home, T could not join, A absent, C cancelled by us, S at the home school, ? register missing. These are no "
    "register codes."
)
_OFTEN_LATE = 3


def tracker(desk: Desk, wanted: Wanted) -> Paper:
    """Describe who was here on which day: a table a week, each lesson a mark, days attended beside days due."""
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        ids = [one.placement_id for one in ground.people]
        rows = records.lessons_between(
            connection, desk.provider_id, ids, ground.stretch.first_day, ground.stretch.until_day
        )
        counted = figures.counted(desk, connection, ground.counting, ("placement", "day"))
    marks: dict[tuple[int, date], list[str]] = {}
    for row in rows:
        if row.state != "withdrawn" and row.starts_at <= desk.now:
            marks.setdefault((row.placement_id, row.day), []).append(MARKS.get(row.outcome or "", "?"))
    parts: list[Part] = [Text(_LEGEND), _to_days(ground, counted)]
    for monday in _mondays(ground):
        days = [monday + timedelta(days=number) for number in range(7)]
        days = [day for day in days if any(key[1] == day for key in marks)]
        lines = tuple(
            (one.name, *(" ".join(marks.get((one.placement_id, day), ())) for day in days))
            for one in ground.people
            if any((one.placement_id, day) in marks for day in days)
        )
        if lines:
            heads = tuple(f"{WEEKDAYS[day.weekday()][:3]} {day.day} {day:%b}" for day in days)
            parts.append(Table(f"Week of {day_words(monday)}", ("Pupil", *heads), lines))
    return paper_of(desk, wanted, ground, "Attendance tracker", "tracker", [*parts, Signature()])


def _to_days(ground: Ground, counted: dict[Key, Counted]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in ground.people:
        whole = sum(
            (found.figures for key, found in counted.items() if key[0] == one.placement_id), Figures()
        )
        if whole.days.due:
            attended = whole.days.due - whole.days.missed
            rows.append((one.name, whole.days.due, attended, whole.days.missed, in_person(whole.lessons)))
    columns = ("Pupil", "Days due here", "Days not missed", "Days missed", "Lessons attended")
    return Table("Attendance to days", columns, tuple(rows), NOT_SCHOOL, nothing="No lesson was due.")


def weekly_percentage(desk: Desk, wanted: Wanted) -> Paper:
    """Describe each pupil's percentage week by week, and who is under a limit of the provider's."""
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        counted = figures.counted(desk, connection, ground.counting, ("placement", "day"))
        last = min(ground.stretch.until_day - ONE_DAY, desk.today)
        crossed = thresholds.crossings(desk, connection, last, organisation=wanted.organisation)
    mondays = [monday for monday in _mondays(ground) if any(_monday(key[1]) == monday for key in counted)]
    rows: list[tuple[Cell, ...]] = []
    for one in ground.people:
        own = {key[1]: found.figures for key, found in counted.items() if key[0] == one.placement_id}
        if not own:
            continue
        weeks = [
            in_person(sum((some for day, some in own.items() if _monday(day) == monday), Figures()).lessons)
            for monday in mondays
        ]
        rows.append((one.name, *weeks, in_person(sum(own.values(), Figures()).lessons)))
    names = ground.names
    under = tuple(
        (names[one.pupil_id], one.ladder.title or one.ladder.name, one.attended, one.attended.whole)
        for one in crossed
        if one.pupil_id in names
    )
    heads = tuple(f"{monday.day} {monday:%b}" for monday in mondays)
    parts: list[Part] = [
        Text(NOT_SCHOOL),
        Table("Lessons attended, by week", ("Pupil", *heads, "In all"), tuple(rows), nothing="No lesson was due."),
        Table(
            "Under a limit of ours", ("Pupil", "Limit", "Attended", "Lessons offered"), under,
            nothing="Nobody, or too few lessons to say.",
        ),
    ]  # fmt: skip
    return paper_of(desk, wanted, ground, "Weekly percentage", "weekly-percentage", parts)


def pattern_review(desk: Desk, wanted: Wanted) -> Paper:
    """Describe patterns: of the whole, of each pupil by weekday, of repeated lateness, and of reasons."""
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        whole = patterns(desk, connection, ground.counting)
        weekdays = figures.counted(desk, connection, ground.counting, ("placement", "weekday"))
        pupils = figures.counted(desk, connection, ground.counting, ("placement",))
        reasons = figures.counted(desk, connection, ground.counting, ("reason",))
    late = tuple(
        (one.name, found.figures.late, found.figures.late_minutes)
        for one in ground.people
        if (found := pupils.get((one.placement_id,))) and found.figures.late >= _OFTEN_LATE
    )
    why = tuple(
        (REASON_WORDS[ReasonKind(key[0])] or "no reason", found.figures.lessons.absent)
        for key, found in sorted(reasons.items())
        if key[0] and found.figures.lessons.absent
    )
    parts: list[Part] = [
        Text(NOT_SCHOOL),
        Heading("Pupils"),
        _by_pupil(ground, weekdays),
        Table(
            f"Late {_OFTEN_LATE} times or more", ("Pupil", "Times", "Minutes in all"), late, nothing="Nobody."
        ),
        Table("Reasons for absence", ("Reason", "Lessons"), why, nothing="There was no absence."),
        Heading("All pupils"),
        *whole,
    ]
    return paper_of(desk, wanted, ground, "Review of patterns", "pattern-review", parts)


def _by_pupil(ground: Ground, counted: dict[Key, Counted]) -> Table:
    days = sorted({key[1] for key in counted})
    rows: list[tuple[Cell, ...]] = []
    for one in ground.people:
        cells = [_missed(counted.get((one.placement_id, day))) for day in days]
        if any(cells):
            rows.append((one.name, *cells))
    heads = tuple(WEEKDAYS[day - 1] for day in days)
    return Table(
        "Lessons missed, of those offered", ("Pupil", *heads), tuple(rows), nothing="Nobody was absent."
    )


def _missed(found: Counted | None) -> str:
    if found is None or not found.figures.lessons.absent:
        return ""
    return f"{found.figures.lessons.absent} of {found.figures.lessons.offered}"


def _mondays(ground: Ground) -> Sequence[date]:
    monday, found = _monday(ground.stretch.first_day), []
    while monday < ground.stretch.until_day:
        found.append(monday)
        monday += timedelta(days=7)
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
