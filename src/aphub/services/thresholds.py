"""Who fell under an attendance that a provider watches for: over its window, of at least so many lessons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from aphub.domain.calendar import ONE_DAY
from aphub.domain.ladders import Ladder, Trigger, ladders_for
from aphub.domain.outcomes import Mode
from aphub.domain.papers import Share
from aphub.services import figures
from aphub.services.desk import Desk
from aphub.services.people_kept import open_items
from aphub.store import pupils


@dataclass(frozen=True, slots=True)
class Crossing:
    """A pupil whose attendance over a ladder's window reached its limit."""

    ladder: Ladder
    pupil_id: int
    attended: Share
    first_day: date
    until_day: date
    placement_id: int = 0


def crossings(
    desk: Desk,
    connection: Connection,
    day: date,
    *,
    organisation: str = "",
    placement_ids: tuple[int, ...] | None = None,
) -> list[Crossing]:
    """Judge every ladder about attendance at the end of a day: one count a ladder, however many pupils.

    Under the least number of lessons nothing is said: one cold raises no alarm (trap 20 of docs/policies.md).
    """
    return [
        one
        for ladder in ladders_for(desk.config.provider.every_ladder(), Trigger.ATTENDANCE_RATE)
        for one in crossings_of(
            desk, connection, ladder, day, organisation=organisation, placement_ids=placement_ids
        )
    ]


def crossings_of(
    desk: Desk,
    connection: Connection,
    ladder: Ladder,
    day: date,
    *,
    organisation: str = "",
    placement_ids: tuple[int, ...] | None = None,
) -> list[Crossing]:
    """Judge one ladder about attendance at the end of a day: what papers print is what cases are raised by."""
    if ladder.window is None:
        return []
    first, until = ladder.window.starts(day), day + ONE_DAY
    counting = figures.counting_of(
        desk, connection, first, until, organisation=organisation, placement_ids=placement_ids
    )
    shares: dict[int, Share] = {}
    placements: dict[int, int] = {}
    by = ("pupil", "placement", "mode")
    for (pupil, placement, mode), one in figures.counted(desk, connection, counting, by).items():
        counts = one.figures.lessons
        # A lesson online is attended online; work at home in place of a lesson in person is not attendance.
        online = counts.online if mode == Mode.ONLINE else 0
        attended = counts.in_person + counts.left_site + counts.taught_at_home + online
        known = shares.get(pupil, Share(0, 0))
        # One who could not join for a technical fault neither attended nor stayed away.
        shares[pupil] = Share(known.part + attended, known.whole + counts.offered - counts.could_not_join)
        placements[pupil] = min(placement, placements.get(pupil, placement))
    targets = _targets(desk, connection, list(shares)) if ladder.own_target else {}
    return [
        Crossing(ladder, pupil, share, first, until, placements[pupil])
        for pupil, share in shares.items()
        if ladder.reached(share.part, share.whole, targets.get(pupil))
    ]


def _targets(desk: Desk, connection: Connection, pupil_ids: Sequence[int]) -> dict[int, int]:
    """Give the targets agreed for pupils, in per cent; of two placements with a target each, the higher."""
    rows = [
        row for some in pupils.placements_of(connection, desk.provider_id, pupil_ids).values() for row in some
    ]
    items = open_items(desk, rows)
    found: dict[int, int] = {}
    for row in rows:
        if agreed := items[row.placement_id].get("attendance_target", ""):
            found[row.pupil_id] = max(int(agreed), found.get(row.pupil_id, 0))
    return found
