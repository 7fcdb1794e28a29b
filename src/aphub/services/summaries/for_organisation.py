"""What one school or council is told of a stretch of days: of its own pupils alone, from the newest versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.figures import Figures
from aphub.domain.papers import Cell, Heading, Paper, Part, Table, Text
from aphub.domain.placements import Pupil
from aphub.domain.stretches import Every, Stretch
from aphub.domain.wording import day_words
from aphub.services import figures
from aphub.services.ageing import LOOK_BACK, ages_of
from aphub.services.desk import Desk
from aphub.services.summaries.parts import NOT_SCHOOL, each_pupil, whole
from aphub.services.summaries.patterns import patterns
from aphub.services.summaries.people import Placed
from aphub.services.summaries.restating import (
    Changed,
    changed_since,
    changes_table,
    told_of,
)
from aphub.services.summaries.restating import (
    Told as PupilTold,
)
from aphub.store import unexplained
from aphub.store.figures import Counted, Key


@dataclass(frozen=True, slots=True)
class Told:
    """A summary to one organisation: about which owed rows, each one's figures, and its paper with names and without."""

    rows: tuple[Row[Any], ...] = field(repr=False)
    nothing: list[Row[Any]] = field(repr=False)
    figures: dict[int, PupilTold] = field(repr=False)
    changed: dict[int, list[Changed]] = field(repr=False)
    papers: tuple[Paper, ...] = field(repr=False)


def told_in(
    desk: Desk,
    connection: Connection,
    stretch: Stretch,
    rows: Sequence[Row[Any]],
    pupils: Mapping[int, Pupil],
) -> Told:
    """Count and put into words what these owed summaries tell; `nothing` are those of whom no lesson was due."""
    organisation = rows[0].organisation
    counting = figures.counting_of(
        desk, connection, stretch.first_day, stretch.until_day, organisation=organisation,
        placement_ids=tuple({row.placement_id for row in rows}),
    )  # fmt: skip
    by_placement = figures.counted(desk, connection, counting, ("placement",))
    about = tuple(row for row in rows if (row.placement_id,) in by_placement)
    nothing = [row for row in rows if (row.placement_id,) not in by_placement]
    if not about:
        return Told((), nothing, {}, {}, ())
    told = {row.owed_id: told_of(by_placement[row.placement_id,].figures) for row in about}
    changed = changed_since(desk, connection, about, stretch.every.value, stretch.first_day)
    all_of = figures.counted(desk, connection, counting).get((), Counted((), Figures(), 0))
    shown = patterns(desk, connection, counting) if stretch.every is not Every.DAY else ()
    without = _without_reason(desk, connection, about)
    papers = []
    for named in (True, False):
        people = _people(about, pupils, named=named)
        parts: list[Part] = [Text(NOT_SCHOOL), *whole(all_of.figures, all_of.pupils)]
        parts += _pupils_parts(desk, people, by_placement, changed, without)
        parts += [Heading("Patterns"), *shown] if shown else []
        papers.append(
            Paper(
                title=f"Attendance here of pupils of {desk.config.organisations[organisation].name}, {stretch.words}",
                file_name=f"attendance-{stretch.key}",
                provider=desk.config.provider.name,
                as_at=desk.now,
                parts=tuple(parts),
                wide=True,
            )
        )
    return Told(about, nothing, told, changed, tuple(papers))


def _people(
    rows: Sequence[Row[Any]], pupils: Mapping[int, Pupil], *, named: bool
) -> list[tuple[Row[Any], Placed]]:
    found = [
        (row, Placed(row.placement_id, row.pupil_id, row.placement_ref, row, pupils[row.pupil_id], named))
        for row in rows
    ]
    # In the order of names in both, so that line and line are the same pupil.
    return sorted(found, key=lambda one: (replace(one[1], named=True).name.casefold(), one[0].owed_id))


def _pupils_parts(
    desk: Desk,
    people: Sequence[tuple[Row[Any], Placed]],
    by_placement: Mapping[Key, Counted],
    changed: Mapping[int, Sequence[Changed]],
    without: Sequence[tuple[Row[Any], int]],
) -> list[Part]:
    parts: list[Part] = [Heading("Pupils"), each_pupil([one for _, one in people], by_placement)]
    again = [(one.name, change) for row, one in people for change in changed.get(row.recipient_id, ())]
    if again:
        parts.append(changes_table(again))
    names = {one.placement_id: one.name for _, one in people}
    lines: list[tuple[Cell, ...]] = [
        (names[row.placement_id], day_words(row.day), age)
        for row, age in without
        if row.placement_id in names
    ]
    limit = desk.config.provider.reason_limit_school_days
    parts.append(
        Table(
            "Absences still without a reason",
            ("Pupil", "Day", "School days old"),
            tuple(lines),
            f"We ask home and you for the reason. We name what is left at {limit} school days: a limit that we set; your "
            "school decides the code."
            if lines
            else "",
        )
    )
    return parts


def _without_reason(
    desk: Desk, connection: Connection, rows: Sequence[Row[Any]]
) -> list[tuple[Row[Any], int]]:
    """Give these placements' absences that nobody has explained, oldest first, each with its age in school days."""
    ours = {row.placement_id: row for row in rows}
    found = [
        one
        for one in unexplained.absences(connection, desk.provider_id, desk.today - LOOK_BACK, desk.today)
        if one.placement_id in ours and _is_theirs(ours[one.placement_id], one.day)
    ]
    return list(zip(found, ages_of(desk, connection, found), strict=True))


def _is_theirs(row: Row[Any], day: Any) -> bool:
    """Say whether a day is one of which this organisation is told: a pupil who moved has two."""
    return bool(row.told_from <= day and (row.told_until is None or day < row.told_until + ONE_DAY))
