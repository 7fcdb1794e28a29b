"""Papers for all parents at once: one for each pupil, and by name of their own reference those for whom none is made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from aphub.domain.errors import AphubError
from aphub.domain.papers import Paper
from aphub.domain.stretches import Every, stretch_around
from aphub.services.desk import Desk
from aphub.services.summaries import Asked, summary
from aphub.services.way import named
from aphub.store import records


@dataclass(frozen=True, slots=True)
class ForParent:
    """A pupil's paper for a parent, or why there is none; `pupil` is a reference and never a name."""

    pupil: str
    paper: Paper | None
    why_not: str = ""


def for_parents(desk: Desk, every: Every, day: date, by: str, handed_to: str) -> Iterator[ForParent]:
    """Make the paper of every pupil with a placement in the stretch that holds a day.

    Where contact with a home is restricted, or a pupil must not be shared, there is none: a person decides on each of
    these, with `summary`.

    Raises:
        AphubError: Nobody is named, or it is not said who is given the papers.
    """
    named(by)
    stretch = stretch_around(every, day, desk.config.provider.calendar().terms)
    with desk.store.reading() as connection:
        rows = records.placements_between(connection, desk.provider_id, stretch.first_day, stretch.until_day)
    for ref in dict.fromkeys(row.pupil_ref for row in rows):
        try:
            yield ForParent(ref, summary(desk, Asked(every, day, by, pupil=ref, handed_to=handed_to)))
        except AphubError as exc:
            if not handed_to.strip():
                raise
            yield ForParent(ref, None, exc.what)
