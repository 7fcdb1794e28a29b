"""Who fell under an attendance that a provider watches for: over its window, of at least so many lessons."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aphub.domain.calendar import ONE_DAY
from aphub.domain.ladders import Ladder, Trigger, ladders_for
from aphub.domain.papers import Share
from aphub.services import figures
from aphub.services.desk import Desk


@dataclass(frozen=True, slots=True)
class Crossing:
    """A pupil whose attendance over a ladder's window reached its limit."""

    ladder: Ladder
    pupil_id: int
    attended: Share
    first_day: date
    until_day: date


def crossings(
    desk: Desk,
    connection: Connection,
    day: date,
    *,
    organisation: str = "",
    placement_ids: tuple[int, ...] = (),
) -> list[Crossing]:
    """Judge every ladder about attendance at the end of a day: one count a ladder, however many pupils.

    Under the least number of lessons nothing is said: one cold raises no alarm (policies.md, trap 20).
    """
    found = []
    for ladder in ladders_for(desk.config.provider.every_ladder(), Trigger.ATTENDANCE_RATE):
        if ladder.window is None:
            continue
        first, until = ladder.window.starts(day), day + ONE_DAY
        counting = figures.counting_of(
            desk, connection, first, until, organisation=organisation, placement_ids=placement_ids
        )
        for (pupil,), one in figures.counted(desk, connection, counting, ("pupil",)).items():
            counts = one.figures.lessons
            attended = counts.in_person + counts.left_site + counts.taught_at_home
            if ladder.reached(attended, counts.offered):
                found.append(Crossing(ladder, pupil, Share(attended, counts.offered), first, until))
    return found
