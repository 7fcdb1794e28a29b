"""What an audit's paper is about, and what all of them read first."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import Connection

from aphub.domain.calendar import to_utc
from aphub.domain.errors import AphubError
from aphub.domain.papers import Paper, Part
from aphub.domain.stretches import Every, Stretch, stretch_around
from aphub.services import figures
from aphub.services.accesses import What, note
from aphub.services.desk import Desk
from aphub.services.summaries.people import Placed, placed_of
from aphub.services.whose import pupil_of
from aphub.store import records
from aphub.store.figures import Counting


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which days, by whom, and whose: an organisation's pupils, one pupil, or everybody."""

    every: Every
    day: date
    by: str
    organisation: str = ""
    pupil: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """The stretch of days, its instants in UTC, and who was placed in it."""

    stretch: Stretch
    after: datetime
    before: datetime
    people: list[Placed]
    counting: Counting
    pupil_id: int = 0
    """Set where one pupil is meant."""

    @property
    def names(self) -> dict[int, str]:
        """Pupils' names by number."""
        return {one.pupil_id: one.name for one in self.people}


def ground_of(desk: Desk, connection: Connection, wanted: Wanted) -> Ground:
    """Read what all audits begin with; raises AphubError for whom we do not know."""
    if wanted.organisation and wanted.organisation not in desk.config.organisations:
        known = ", ".join(sorted(desk.config.organisations)) or "none"
        raise AphubError(
            f"We know no school or council '{wanted.organisation}'.",
            "Nothing was written.",
            f"There are: {known}.",
        )
    stretch = stretch_around(wanted.every, wanted.day, desk.config.provider.calendar().terms)
    pupil = pupil_of(desk, connection, wanted.pupil).pupil_id if wanted.pupil else 0
    people = placed_of(
        desk,
        records.placements_between(
            connection, desk.provider_id, stretch.first_day, stretch.until_day,
            organisation=wanted.organisation, pupil_id=pupil,
        ),
    )  # fmt: skip
    counting = figures.counting_of(
        desk, connection, stretch.first_day, stretch.until_day, organisation=wanted.organisation,
        placement_ids=tuple(one.placement_id for one in people) if pupil else None,
    )  # fmt: skip
    after, before = to_utc(stretch.first_day, time()), to_utc(stretch.until_day, time())
    return Ground(stretch, after, before, people, counting, pupil)


def paper_of(
    desk: Desk, wanted: Wanted, ground: Ground, title: str, kind: str, parts: list[Part], *, wide: bool = True
) -> Paper:
    """Describe an audit's paper; who asked is noted before it is given."""
    note(desk, What.EVIDENCE, f"{kind} {ground.stretch.key}", wanted.by, ground.names, wanted.organisation)
    [reference] = desk.references(1)
    return Paper(
        title=f"{title}, {ground.stretch.words}",
        file_name=f"{kind}-{ground.stretch.key}",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference=f"{desk.config.provider.prefix}-{reference}",
        parts=tuple(parts),
        wide=wide,
        made_by=wanted.by,
    )
