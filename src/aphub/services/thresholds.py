"""Who fell under an attendance that a provider watches for: over its window, of at least so many lessons."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aphub.domain.calendar import ONE_DAY
from aphub.domain.ladders import Ladder, Trigger, ladders_for
from aphub.domain.outcomes import Mode
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
    found: list[Crossing] = []
    for ladder in ladders_for(desk.config.provider.every_ladder(), Trigger.ATTENDANCE_RATE):
        if ladder.window is None:
            continue
        first, until = ladder.window.starts(day), day + ONE_DAY
        counting = figures.counting_of(
            desk, connection, first, until, organisation=organisation, placement_ids=placement_ids
        )
        by_pupil: dict[int, tuple[int, int]] = {}
        for (pupil, mode), one in figures.counted(desk, connection, counting, ("pupil", "mode")).items():
            counts = one.figures.lessons
            # A lesson online is attended online; work at home in place of a lesson in person is not attendance.
            online = counts.online if mode == Mode.ONLINE else 0
            attended, offered = by_pupil.get(pupil, (0, 0))
            attended += counts.in_person + counts.left_site + counts.taught_at_home + online
            by_pupil[pupil] = (attended, offered + counts.offered)
        found += [
            Crossing(ladder, pupil, Share(*both), first, until)
            for pupil, both in by_pupil.items()
            if ladder.reached(*both)
        ]
    return found
