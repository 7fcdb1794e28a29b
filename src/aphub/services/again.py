"""Send what was stopped: when a way becomes live (again), what waited for it goes on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk
from aphub.services.fallback import carry, raise_task
from aphub.services.routes import Route
from aphub.store import carrying, channels, delivering

LOOKS_BACK = timedelta(days=7)
HELPS_STILL = timedelta(minutes=15)


def let_go(desk: Desk, connection: Connection, route: Route, now: datetime, by: str, *, moved: bool) -> int:
    """Set free what waited for this channel; give how many reports and messages that was.

    A message that was frozen for another destination is not sent there: the same reports are told in a new message.
    """
    held = channels.held_for_channel(connection, desk.provider_id, route.organisation, route.channel)
    if held:
        numbers = [row.dispatch_id for row in held]
        if moved:
            carried = carrying.carried(connection, desk.provider_id, numbers)
            for row in held:
                tell_again(desk, connection, row, carried.get(row.dispatch_id, []), route, now)
            change: dict[str, Any] = {
                "state": "cancelled",
                "because": "made anew for the new address",
                "next_at": None,
            }
        else:
            change = {"state": "waiting", "because": None, "next_at": now}
        delivering.change_dispatches(
            connection, desk.provider_id, [{"key": number, **change} for number in numbers]
        )
        channels.settle_holds(connection, desk.provider_id, numbers, now, by, "the way was approved")
    owed = channels.release_owed(connection, desk.provider_id, route.organisation, now, now - LOOKS_BACK)
    return owed + len(held)


def tell_again(
    desk: Desk,
    connection: Connection,
    row: Row[Any],
    carried: Sequence[Row[Any]],
    route: Route,
    now: datetime,
    notes: tuple[str, ...] = (),
) -> str:
    """Tell the reports of a message again in a new one by this route; give its reference, empty if there is none.

    Reports of which a newer version exists are left out: that one has been told, or will be.
    """
    current = [report for report in carried if report.version == report.newest_version]
    if not current:
        return ""
    useful_until = max(row.useful_until, now + HELPS_STILL)
    try:
        return carry(desk, connection, row, current, route, now, notes=notes, useful_until=useful_until)
    except (AphubError, ValueError):
        words = f"Phone {desk.name_of(row.organisation, phone=True)} about {row.reference}: it could not be made again."
        raise_task(desk, connection, row, "phone_school", words, now)
        return ""
