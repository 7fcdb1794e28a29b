"""Patterns: by weekday, lesson and group of pupils, drawn where people would rather look."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from aphub.domain.calendar import WEEKDAYS
from aphub.domain.figures import LEAST, Figures, hidden_cells, hidden_groups
from aphub.domain.papers import Bars, Cell, Figure, HeatMap, Part, Share, Table
from aphub.domain.wording import day_words
from aphub.services import figures
from aphub.services.desk import Desk
from aphub.services.summaries.parts import in_person
from aphub.store import records
from aphub.store.figures import Counted, Counting, Key

HIDDEN = f"fewer than {LEAST}"
_HIDDEN_NOTE = f"Groups of fewer than {LEAST} pupils are hidden, and another group with them where they could be worked out."
GROUPS = {
    "kind": "Kind of provision",
    "arranged_by": "Arranged by",
    "registration": "Roll",
    "place": "Place",
    "mode": "How it is given",
}
"""By which groups of pupils attendance is shown, as people read them."""
_WORDS = {
    "home": "home school",
    "dual": "dual registered",
    "own": "our own roll",
    "no_roll": "not on any school's roll",
    "in_person": "in person",
    "at_home": "at home",
    "": "not said",
}


def by_weekday(desk: Desk, connection: Connection, counting: Counting, *, nameless: bool = False) -> Table:
    """Give attendance by weekday; small groups are hidden in a `nameless` paper, which lists no pupils."""
    found = figures.counted(desk, connection, counting, ("weekday",))
    rows = _rows([(WEEKDAYS[key[0] - 1], one) for key, one in sorted(found.items())], nameless=nameless)
    return _table("By weekday", "Day", rows)


def by_lesson(desk: Desk, connection: Connection, counting: Counting, *, nameless: bool = False) -> Table:
    """Give attendance by the time at which lessons begin, and what they are; small groups hidden likewise."""
    found = figures.counted(desk, connection, counting, ("starts", "subject"))
    named = [(f"{starts} {subject}".strip(), one) for (starts, subject), one in sorted(found.items())]
    return _table("By lesson", "Lesson", _rows(named, nameless=nameless))


def _table(title: str, first: str, rows: tuple[tuple[Cell, ...], ...]) -> Table:
    note = _HIDDEN_NOTE if any("hidden" in row for row in rows) else ""
    return Table(title, (first, *_COLUMNS), rows, note, nothing="No lesson was due.")


def _rows(found: Sequence[tuple[str, Counted]], *, nameless: bool) -> tuple[tuple[Cell, ...], ...]:
    hidden = hidden_groups({name: one.pupils for name, one in found}) if nameless else frozenset()
    return tuple(
        (name, *("hidden" for _ in _COLUMNS)) if name in hidden else (name, *_numbers(one.figures))
        for name, one in found
    )


def by_group(desk: Desk, connection: Connection, counting: Counting) -> list[Table]:
    """Give attendance by groups of pupils; small groups are hidden, whoever reads."""
    tables = []
    for name, title in GROUPS.items():
        found = figures.counted(desk, connection, counting, (name,))
        if len(found) > 1:
            tables.append(_hidden(title, found))
    return tables


def _hidden(title: str, found: dict[Key, Counted]) -> Table:
    sizes = {str(key[0]): one.pupils for key, one in found.items()}
    hidden = hidden_groups(sizes)
    rows: list[tuple[Cell, ...]] = []
    for key, one in sorted(found.items()):
        words = _WORDS.get(str(key[0]), str(key[0]))
        if str(key[0]) in hidden:
            rows.append((words, "hidden", *("hidden" for _ in _COLUMNS)))
        else:
            rows.append((words, one.pupils, *_numbers(one.figures)))
    return Table(title, (title, "Pupils", *_COLUMNS), tuple(rows), _HIDDEN_NOTE if hidden else "")


_COLUMNS = ("Lessons attended", "Offered", "Late", "Absent", "Cancelled by us", "Register missing")


def _numbers(found: Figures) -> tuple[Cell, ...]:
    counts = found.lessons
    return (
        in_person(counts), counts.offered, found.late, counts.absent, counts.cancelled_by_us, counts.register_missing,
    )  # fmt: skip


def heat_map(
    desk: Desk, connection: Connection, counting: Counting, *, nameless: bool = False
) -> Figure | None:
    """Draw attendance by weekday: by the lessons' beginnings within a week, by the weeks of a longer stretch.

    In a `nameless` paper cells of few pupils are left empty, and others where they could be worked out.
    """
    long = counting.until_day - counting.first_day > timedelta(days=7)
    found = figures.counted(desk, connection, counting, ("day",) if long else ("weekday", "starts"))
    cells = {
        ((_monday(key[0]), key[0].isoweekday()) if long else (key[1], key[0])): one
        for key, one in found.items()
    }
    sizes = {(str(row), str(column)): one.pupils for (row, column), one in cells.items()}
    hidden = hidden_cells(sizes) if nameless else frozenset()
    shares: dict[Any, dict[int, Share | None]] = {}
    for (row, column), one in cells.items():
        shown = (str(row), str(column)) not in hidden
        shares.setdefault(row, {})[column] = in_person(one.figures.lessons) if shown else None
    if not shares:
        return None
    days = [number for number in range(1, 8) if any(number in row for row in shares.values())]
    rows = tuple(
        (f"Week of {row:%-d %b}" if long else str(row), tuple(shares[row].get(day) for day in days))
        for row in sorted(shares)
    )
    chart = HeatMap("Week" if long else "Lesson begins", tuple(WEEKDAYS[day - 1][:3] for day in days), rows)
    return Figure(
        "Attendance by session" if not long else "Attendance by week and day",
        chart,
        _lowest(chart),
        "Lessons attended in person, of those offered. Darker is more."
        + (f" {_HIDDEN_NOTE}" if hidden else ""),
    )


def _lowest(chart: HeatMap) -> str:
    every = [
        (one.rate, f"{column}, {name}: {one}")
        for name, shares in chart.rows
        for column, one in zip(chart.columns, shares, strict=True)
        if one is not None and one.rate is not None
    ]
    if not every:
        return "No lesson was offered and registered, or all are of few pupils."
    low, high = min(every), max(every)
    return (
        f"Least attended: {low[1]}. Most attended: {high[1]}."
        if low[0] != high[0]
        else f"All alike: {low[1]}."
    )


def timeliness(desk: Desk, connection: Connection, counting: Counting) -> Figure | None:
    """Draw how reports left, day by day: in time, late, or not sent though due."""
    rows = records.timeliness(
        connection,
        desk.provider_id,
        counting.first_day,
        counting.until_day,
        desk.now,
        organisation=counting.organisation,
        placement_ids=counting.placement_ids,
    )
    if not rows:
        return None
    bars = tuple((_short(row.key), (row.in_time, row.late, row.not_sent)) for row in rows)
    total = [sum(counts[at] for _, counts in bars) for at in range(3)]
    many = "1 report" if sum(total) == 1 else f"{sum(total)} reports"
    words = f"Of {many}, {total[0]} left in time, {total[1]} late, {total[2]} were not sent."
    return Figure("Reports, by when they left", Bars("Day", ("In time", "Late", "Not sent"), bars), words)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _short(day: date) -> str:
    return " ".join(day_words(day).split()[:3])


def patterns(
    desk: Desk, connection: Connection, counting: Counting, *, nameless: bool = False
) -> Sequence[Part]:
    """Give all patterns of a stretch of days; `nameless` where the paper lists no pupils, so that none is pointed at."""
    drawn = [
        heat_map(desk, connection, counting, nameless=nameless),
        timeliness(desk, connection, counting),
    ]
    return [
        *(one for one in drawn if one is not None),
        by_weekday(desk, connection, counting, nameless=nameless),
        by_lesson(desk, connection, counting, nameless=nameless),
        *by_group(desk, connection, counting),
    ]
