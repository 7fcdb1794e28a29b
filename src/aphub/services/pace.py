"""Keep to a lane's pace: how many may leave now, what has left, and until when the lane rests.

A lane that rests for its pace is in no trouble: its failures stay as they are, and every other lane goes on.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection

from aphub.api.adapters import CheckStep
from aphub.api.errors import DeliveryError, TransientDeliveryError
from aphub.domain.pacing import Spent, day_is_full, lasts, opens_at, room
from aphub.domain.wording import moment_words
from aphub.services.desk import Desk
from aphub.services.routes import Route
from aphub.store import lanes
from aphub.store.owed import owed_bursts

_FORTNIGHT = timedelta(days=14)
_UNTIL_THE_NEXT_HOUR = timedelta(hours=1)


def most_now(desk: Desk, connection: Connection, route: Route, wanted: int) -> int:
    """Say how many of the wanted messages may leave now."""
    pace = route.connection_settings.pace()
    if pace is None:
        return wanted
    # Two machines that share a lane count what both send.
    free = room(pace, _spent(desk, connection, route, alone=True), desk.now)
    return wanted if free is None else min(wanted, free)


def note_sent(desk: Desk, connection: Connection, route: Route, count: int) -> None:
    """Count messages that leave now, in the transaction that starts them."""
    if count and route.connection_settings.pace() is not None:
        spent = _spent(desk, connection, route).sent(count, desk.now)
        lanes.note_spent(connection, desk.provider_id, route.lane, spent.written())


def closed_by_pace(desk: Desk, route: Route) -> DeliveryError | bool:
    """Say whether a lane need not be opened now: true while its minute is full, an error when its day is."""
    pace = route.connection_settings.pace()
    if pace is None:
        return False
    with desk.store.reading() as connection:
        spent = _spent(desk, connection, route)
    if day_is_full(pace, spent, desk.now):
        return TransientDeliveryError(
            f"We have sent as much today as we may ({pace.words}).",
            code="daily limit",
            retry_after=_UNTIL_THE_NEXT_HOUR,
        )
    return room(pace, spent, desk.now) == 0


def rest_for_pace(desk: Desk, route: Route, slowed: TransientDeliveryError | None) -> None:
    """Rest a lane until its far side takes more; `slowed` is what it said if it asked us to slow down."""
    pace = route.connection_settings.pace()
    if pace is None and slowed is None:
        return
    now = desk.now
    with desk.store.transaction() as connection:
        spent = _spent(desk, connection, route)
        until: list[datetime] = []
        if slowed is not None:
            spent = spent.slowed(now)
            lanes.note_spent(connection, desk.provider_id, route.lane, spent.written())
            until.append(now + max(slowed.retry_after or timedelta(), spent.rest(now)))
        # A lane whose day is full is visited again, so that what waits there takes its next step.
        if pace is not None and room(pace, spent, now) == 0 and not day_is_full(pace, spent, now):
            until.append(opens_at(pace, spent, now))
        if until:
            lanes.rest_until(connection, desk.provider_id, route.lane, max(until))


def pace_kept(desk: Desk, route: Route) -> list[CheckStep]:
    """Say what a lane's pace means for the agreed time at which most messages leave through it, in the next fortnight.

    A warning and no failure: what comes late still comes, and is marked late.
    """
    pace = route.connection_settings.pace()
    if pace is None:
        return []
    step = "Agreed times can be kept at this pace"
    with desk.store.reading() as connection:
        bursts = owed_bursts(connection, desk.provider_id, desk.now, desk.now + _FORTNIGHT)
    together: dict[tuple[datetime, datetime], int] = defaultdict(int)
    for send_at, due_by, organisation in bursts:
        first = next(iter(desk.routes.of(organisation)), None)
        together[send_at, due_by] += first is not None and first.lane == route.lane
    if not any(together.values()):
        return [CheckStep(step, ok=True, found=f"{pace.words}; nothing is owed this way yet")]
    (send_at, due_by), count = max(together.items(), key=lambda one: (one[1], one[0]))
    took = lasts(pace, count)
    found = f"{_messages(count)} at {moment_words(send_at)}, at {pace.words}: all have left after {_minutes(took)}"
    late = took - (due_by - send_at)
    if late <= timedelta():
        return [CheckStep(step, ok=True, found=found)]
    minutes = ceil(took / timedelta(minutes=1))
    mend = f"The last is {_minutes(late)} late. Set lead_minutes to {minutes} in the agreement, or use a second mailbox."
    return [CheckStep(step, ok=True, found=found, mend=mend)]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _minutes(time: timedelta) -> str:
    minutes = ceil(time / timedelta(minutes=1))
    return "1 minute" if minutes == 1 else f"{minutes} minutes" if minutes else "less than a minute"


def _spent(desk: Desk, connection: Connection, route: Route, *, alone: bool = False) -> Spent:
    row = lanes.lane_row(connection, desk.provider_id, route.lane, alone=alone)
    return Spent.read(row.spent if row is not None else None)
