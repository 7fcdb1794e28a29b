"""How a day, week, month or term went, for our own office by mail: figures, and no pupil."""

from aphub.domain.calendar import ONE_DAY
from aphub.domain.figures import Figures
from aphub.domain.papers import Heading, Paper, Part, Table, Text
from aphub.domain.stretches import Every, Stretch
from aphub.services import figures
from aphub.services.desk import Desk
from aphub.services.overview import today
from aphub.services.summaries.parts import NOT_SCHOOL, whole
from aphub.services.summaries.patterns import patterns
from aphub.store.figures import Counted


def figures_for_office(desk: Desk, stretch: Stretch) -> Paper:
    """Describe a stretch in figures; a day's with what each school and council was owed and sent."""
    with desk.store.reading() as connection:
        counting = figures.counting_of(desk, connection, stretch.first_day, stretch.until_day)
        everybody = figures.counted(desk, connection, counting).get((), Counted((), Figures(), 0))
        parts: list[Part] = [Text(NOT_SCHOOL), *whole(everybody.figures, everybody.pupils)]
        if stretch.every is not Every.DAY:
            parts += [Heading("Patterns"), *patterns(desk, connection, counting, nameless=True)]
    if stretch.every is Every.DAY:
        parts += [Heading("Reports"), _reports(desk, stretch)]
    last = stretch.until_day - ONE_DAY
    parts += [Text(f"With the pupils' names: aphub summary {stretch.every.value} --day {last.isoformat()}")]
    return Paper(
        title=f"Attendance here, {stretch.words}",
        file_name=f"attendance-{stretch.key}",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference="",
        parts=tuple(parts),
    )


def _reports(desk: Desk, stretch: Stretch) -> Table:
    rows = tuple(
        (one.name, one.owed, one.sent, one.on_time, one.missing)
        for one in today(desk, stretch.first_day)
        if one.owed
    )
    columns = ("School or council", "Owed", "Sent", "In time", "Not sent")
    return Table("What schools and councils were told", columns, rows, nothing="No report was owed.")
