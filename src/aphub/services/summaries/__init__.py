"""Summaries: how a day, a week, a month or a term went, for staff, a school or council, or a parent on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aphub.domain.calendar import ONE_DAY
from aphub.domain.contacts import RESTRICTION_WORDS, restriction_of
from aphub.domain.errors import AphubError
from aphub.domain.figures import Figures
from aphub.domain.papers import Cell, Heading, Paper, Part, Table, Text
from aphub.domain.stretches import Every, Stretch, stretch_around
from aphub.domain.wording import day_words
from aphub.services import figures, thresholds
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.summaries.lessons import happened
from aphub.services.summaries.parts import NOT_SCHOOL, each_pupil, whole
from aphub.services.summaries.patterns import patterns
from aphub.services.summaries.people import Placed, placed_of
from aphub.services.whose import pupil_of
from aphub.store import records
from aphub.store.figures import Counted, Counting

__all__ = ["Asked", "summary"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What summary is wanted: of the stretch that holds a day, for whom, by whom.

    Without an organisation or a pupil it is for the provider's own staff. A pupil's is for a parent, on paper:
    `handed_to` is who is given it, `despite` is who decided so where contact is restricted.
    """

    every: Every
    day: date
    by: str
    organisation: str = ""
    pupil: str = ""
    handed_to: str = ""
    despite: str = ""


def summary(desk: Desk, asked: Asked) -> Paper:
    """Describe a summary; who asked is noted before anything is shown.

    Raises:
        AphubError: There is no such school, council or pupil; or the pupil's paper must not be handed over.
    """
    stretch = stretch_around(asked.every, asked.day, desk.config.provider.calendar().terms)
    if asked.organisation and asked.organisation not in desk.config.organisations:
        known = ", ".join(sorted(desk.config.organisations)) or "none"
        raise AphubError(
            f"We know no school or council '{asked.organisation}'.",
            "Nothing was written.",
            f"There are: {known}.",
        )
    with desk.store.reading() as connection:
        number = _for_parent(desk, connection, asked) if asked.pupil else 0
        people = placed_of(
            desk,
            records.placements_between(
                connection, desk.provider_id, stretch.first_day, stretch.until_day,
                organisation=asked.organisation, pupil_id=number,
            ),
        )  # fmt: skip
        counting = figures.counting_of(
            desk, connection, stretch.first_day, stretch.until_day, organisation=asked.organisation,
            placement_ids=tuple(one.placement_id for one in people) if number else None,
        )  # fmt: skip
        parts = _parts(desk, connection, asked, stretch, counting, people)
    note(
        desk,
        What.SUMMARY,
        stretch.key,
        asked.by,
        {one.pupil_id for one in people},
        _because(asked),
    )
    [reference] = desk.references(1)
    return Paper(
        title=_title(desk, asked, stretch),
        file_name=f"attendance-{stretch.key}",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference=f"{desk.config.provider.prefix}-{reference}",
        parts=tuple(parts),
        wide=not asked.pupil,
        made_by=asked.by,
    )


def _because(asked: Asked) -> str:
    """Say to whom a paper goes, and who decided so where contact is restricted."""
    despite = f"; decided by {asked.despite.strip()}" if asked.despite.strip() else ""
    return f"{asked.handed_to or asked.organisation}{despite}"


def _for_parent(desk: Desk, connection: Connection, asked: Asked) -> int:
    """Find a parent's child; a paper that must not be handed over is not made."""
    row = pupil_of(desk, connection, asked.pupil)
    if row.suppressed:
        raise AphubError(
            "This pupil must not be shared.", "Nothing was written.", "Ask the safeguarding lead."
        )
    if not asked.handed_to.strip():
        raise AphubError(
            "We need to know who is given this paper.",
            "Nothing was written.",
            'Add: --handed-to "mother" (no name)',
        )
    [data] = desk.vault.try_open_json_many(
        [(row.key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.sealed)]
    )
    if data is None:
        raise AphubError("This pupil was erased.", "Nothing was written.")
    restriction = restriction_of(data.get("contact_restriction", ""))
    if restriction and not asked.despite.strip():
        raise AphubError(
            RESTRICTION_WORDS[restriction],
            "Nothing was written.",
            'Ask the safeguarding lead. If they agree, add: --despite "Their name, role"',
        )
    return int(row.pupil_id)


def _title(desk: Desk, asked: Asked, stretch: Stretch) -> str:
    if asked.organisation:
        return f"Attendance here of pupils of {desk.config.organisations[asked.organisation].name}, {stretch.words}"
    return f"Attendance here, {stretch.words}"


def _parts(
    desk: Desk,
    connection: Connection,
    asked: Asked,
    stretch: Stretch,
    counting: Counting,
    people: Sequence[Placed],
) -> list[Part]:
    by_placement = figures.counted(desk, connection, counting, ("placement",))
    whole_of = figures.counted(desk, connection, counting).get((), Counted((), Figures(), 0))
    parts: list[Part] = []
    if asked.pupil:
        parts += [Text(f"{people[0].name if people else 'No placement in these days'}.", strong=True)]
    parts += [Text(NOT_SCHOOL), *whole(whole_of.figures, None if asked.pupil else whole_of.pupils)]
    if asked.pupil or stretch.every is Every.DAY:
        parts += [Heading("Lessons"), _lessons(desk, connection, stretch, people, named=not asked.pupil)]
    if asked.pupil:
        return parts
    parts += [Heading("Pupils"), each_pupil(people, by_placement)]
    if not asked.organisation:
        parts += [_crossed(desk, connection, stretch, people)]
    if stretch.every is not Every.DAY:
        parts += [Heading("Patterns"), *patterns(desk, connection, counting)]
    return parts


def _crossed(desk: Desk, connection: Connection, stretch: Stretch, people: Sequence[Placed]) -> Table:
    """List who is under a limit of the provider's own; a notice to staff, never a message by itself."""
    names = {one.pupil_id: one.name for one in people}
    last = min(stretch.until_day - ONE_DAY, desk.today)
    rows: list[tuple[Cell, ...]] = [
        (
            names[one.pupil_id],
            one.ladder.title or one.ladder.name,
            one.attended,
            one.attended.whole,
            day_words(one.first_day),
        )
        for one in thresholds.crossings(desk, connection, last)
        if one.pupil_id in names
    ]
    return Table(
        "Under a limit of ours",
        ("Pupil", "Limit", "Attended", "Lessons offered", "Counted from"),
        tuple(rows),
        "Limits are this provider's own rules, with their window and least number of lessons; they are not law.",
        nothing="Nobody, or too few lessons to say.",
    )


def _lessons(
    desk: Desk, connection: Connection, stretch: Stretch, people: Sequence[Placed], *, named: bool
) -> Table:
    """List what became of each lesson that began."""
    names = {one.placement_id: one.name for one in people}
    rows: list[tuple[Cell, ...]] = []
    found = records.lessons_between(connection, desk.provider_id, names, stretch.first_day, stretch.until_day)
    for row in found:
        if row.state == "withdrawn" or row.starts_at > desk.now:
            continue
        first = names[row.placement_id] if named else day_words(row.day)
        rows.append((first, f"{row.starts_wall} to {row.ends_wall}", row.subject, happened(row)))
    columns = ("Pupil" if named else "Day", "Lesson", "Subject", "What happened")
    return Table("Each lesson", columns, tuple(rows), nothing="No lesson has begun.", widths=(3, 2, 2, 4))
