"""The weekly audit of registers: accuracy, timeliness and codes; and the register of a day to sign."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.codes import code_set_on
from aphub.domain.papers import Bars, Cell, Figure, Heading, Paper, Part, Signature, Table
from aphub.domain.wording import day_words, moment_words
from aphub.services.audits.wanted import Ground, Wanted, ground_of, paper_of
from aphub.services.desk import Desk, place_of
from aphub.services.summaries.lessons import happened
from aphub.services.summaries.people import Placed
from aphub.store import records, trails, unexplained

_IN_TIME, _LATE, _MISSING, _CHANGED = range(4)


def audit_registers(desk: Desk, wanted: Wanted) -> Paper:
    """Describe how the registers of a stretch were kept: whether in time, what could not be read, which codes followed."""
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        of_some = bool(wanted.organisation or wanted.pupil)
        some = tuple(one.placement_id for one in ground.people) if of_some else None
        parts: list[Part] = [
            Heading("Timeliness"),
            _timely(desk, connection, ground, some),
            _missing(desk, connection, ground),
            Heading("Accuracy"),
            _questions(desk, connection, ground, of_some=of_some),
            _unexplained(desk, connection, ground),
            Heading("Codes"),
            _codes(desk, connection, ground, wanted),
            Signature(),
        ]
    return paper_of(desk, wanted, ground, "Audit of registers", "register-audit", parts)


def _timely(desk: Desk, connection: Connection, ground: Ground, some: tuple[int, ...] | None) -> Figure:
    rows = records.registers(
        connection, desk.provider_id, ground.stretch.first_day, ground.stretch.until_day, desk.now, some
    )
    days: dict[date, list[int]] = {}
    for row in rows:
        open_until = _open_until(desk, row)
        if row.came_at is None and desk.now < open_until:
            continue
        how = _MISSING if row.came_at is None else _LATE if row.came_at > open_until else _IN_TIME
        counts = days.setdefault(row.day, [0, 0, 0, 0])
        counts[how] += row.lessons
        counts[_CHANGED] += row.changes
    bars = tuple((day_words(day), tuple(counts)) for day, counts in days.items())
    total = [sum(counts[at] for _, counts in bars) for at in range(4)]
    words = (
        f"{total[0]} registers came in time, {total[1]} late, {total[2]} are missing. "
        f"{total[3]} facts were changed afterwards."
    )
    chart = Bars("Day", ("In time", "Late", "Missing", "Changed afterwards"), bars)
    return Figure(
        "Registers, by when they came",
        chart,
        words,
        "One pupil at one lesson counts as one register. It is in time until it closes, "
        f"{desk.config.provider.own_register_closes_minutes} minutes after the lesson's start, or until the agreed time where that is later.",
    )


def _missing(desk: Desk, connection: Connection, ground: Ground) -> Table:
    """List whose register never came, at which lesson, and who was to take it."""
    people = {one.placement_id: one for one in ground.people}
    rows = records.lessons_between(
        connection, desk.provider_id, people, ground.stretch.first_day, ground.stretch.until_day
    )
    found = tuple(
        (
            people[row.placement_id].name,
            day_words(row.day),
            f"{row.starts_wall} to {row.ends_wall}",
            row.place,
            row.staff,
        )
        for row in rows
        if row.version is None and row.state != "withdrawn" and desk.now >= _open_until(desk, row)
    )
    columns = ("Pupil", "Day", "Lesson", "Place", "Staff")
    return Table("Registers that are missing", columns, found, nothing="None is missing.")


def _open_until(desk: Desk, row: Row[Any]) -> datetime:
    """Give when a register is late: one that is due "at the start" is taken in the first minutes, so when it has closed."""
    closes = timedelta(minutes=desk.config.provider.own_register_closes_minutes)
    open_until: datetime = max(row.entry_due, row.starts_at + closes)
    return open_until


def _questions(desk: Desk, connection: Connection, ground: Ground, *, of_some: bool) -> Table:
    rows = trails.questions_between(connection, desk.provider_id, ground.after, ground.before)
    if of_some:
        rows = [row for row in rows if row.pupil_id in ground.names]
    asked = Counter(row.kind for row in rows)
    answered = Counter(row.kind for row in rows if row.answered_at is not None)
    found = tuple(
        (kind.replace("_", " "), asked[kind], answered[kind], asked[kind] - answered[kind])
        for kind in sorted(asked)
    )
    columns = ("What was wrong with the mark", "Marks", "Answered", "Open")
    return Table("Marks that could not be read", columns, found, nothing="Every mark could be read.")


def _unexplained(desk: Desk, connection: Connection, ground: Ground) -> Table:
    last = min(ground.stretch.until_day, desk.today)
    rows = unexplained.absences(connection, desk.provider_id, ground.stretch.first_day, last)
    names = ground.names
    found = tuple(
        (names[row.pupil_id], day_words(row.day), row.lessons, (desk.today - row.day).days)
        for row in rows
        if row.pupil_id in names and row.day < ground.stretch.until_day
    )
    columns = ("Pupil", "Day", "Lessons", "Days ago")
    return Table("Absences without a reason", columns, found, nothing="Each absence has its reason.")


def _codes(desk: Desk, connection: Connection, ground: Ground, wanted: Wanted) -> Table:
    """Count what was suggested, from the newest report of each; a report that was erased is in no count."""
    stretch = ground.stretch
    owed = trails.owed_within(
        connection, desk.provider_id, stretch.first_day, stretch.until_day,
        organisation=wanted.organisation, pupil_id=ground.pupil_id,
    )  # fmt: skip
    rows = trails.newest_reports(connection, desk.provider_id, owed)
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("reports", desk.provider_id, row.report_id), row.sealed) for row in rows]
    )
    lines = [line for content in opened if content for line in content["lines"]]
    suggested = Counter((line["code"], line["outcome"]) for line in lines)
    questions = sum(1 for line in lines if line["question"])
    found = [
        (code or "none", _meaning(code, stretch.first_day), outcome.replace("_", " "), count)
        for (code, outcome), count in sorted(suggested.items())
    ]
    if questions:
        found.append(("question", "lessons that disagree, or a code that must be asked", "", questions))
    columns = ("Suggested code", "Meaning", "For", "Half days told")
    note = "Suggestions only: the school decides. A half day told to two organisations counts twice."
    return Table("Codes that followed", columns, tuple(found), note, nothing="Nothing was told.")


def _meaning(code: str, day: date) -> str:
    known = code_set_on(day).codes.get(code)
    return known.meaning if known else ""


def signed_register(desk: Desk, wanted: Wanted) -> Paper:
    """Describe the register of some days as a sheet to sign, a page a day."""
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        people = {one.placement_id: one for one in ground.people}
        rows = records.lessons_between(
            connection, desk.provider_id, people, ground.stretch.first_day, ground.stretch.until_day
        )
    by_day: dict[date, list[tuple[Cell, ...]]] = {}
    for row in rows:
        if row.state != "withdrawn" and row.starts_at <= desk.now:
            by_day.setdefault(row.day, []).append(_line(row, people))
    parts = [
        part
        for day, lines in by_day.items()
        for part in (
            Table(
                day_words(day),
                ("Pupil", "Lesson", "Place", "Staff", "What happened", "Written down", "By"),
                tuple(sorted(lines, key=lambda line: (str(line[1]), str(line[0])))),
                widths=(4, 3, 3, 3, 5, 4, 3),
            ),
            Signature(("Signed", "Name and role", "Date")),
        )
    ]
    return paper_of(desk, wanted, ground, "Daily register", "daily-register", list(parts))


def _line(row: records.LessonRow, people: Mapping[int, Placed]) -> tuple[Cell, ...]:
    written = moment_words(row.made_at) if row.made_at else ""
    return (
        people[row.placement_id].name, f"{row.starts_wall} to {row.ends_wall} {row.subject}".strip(), row.place, row.staff,
        happened(row), written, row.made_by or "",
    )  # fmt: skip
