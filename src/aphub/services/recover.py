"""Settle deliveries whose process died: each may have arrived, so each takes the way of a doubt."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from aphub.api.errors import UncertainDeliveryError
from aphub.logs import get_logger
from aphub.services.deliver import MakeAdapter, look_up
from aphub.services.desk import Desk
from aphub.services.edge import at_the_edge
from aphub.services.fallback import Onward, send_onward
from aphub.services.outcomes import Tried, settle
from aphub.store import carrying, delivering
from aphub.store.engine import lock_ledger

log = get_logger("recover")


def recover(desk: Desk, make: MakeAdapter, *, sole: bool) -> int:
    """Settle what was started and never answered; give how many messages that were.

    A restarted sole daemon voids its predecessor's leases at once; elsewhere only leases that ran out count.
    """
    now = desk.now
    with desk.store.reading() as connection:
        ended = None if sole else desk.lease_now(connection)
        rows = delivering.started_before(connection, desk.provider_id, ended)
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
    if not rows:
        return 0
    words = "We stopped while this was being sent."
    lost = [
        Tried(row, carried.get(row.dispatch_id, []), row.attempts, UncertainDeliveryError(words))
        for row in rows
    ]
    _ask_after(desk, make, lost)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        still = delivering.still_started(connection, desk.provider_id, rows)
        for one in lost:
            if one.row.dispatch_id not in still:
                continue
            route = desk.routes.one(one.row.organisation, one.row.channel)
            if route is not None:
                settle(desk, connection, route, [one], now)
                continue
            # The way itself is gone from the configuration: nobody there can be asked any more.
            change = {"key": one.row.dispatch_id, "state": "uncertain", "because": words, "lease_by": None}
            delivering.change_dispatches(connection, desk.provider_id, [change])
            send_onward(desk, connection, Onward(one.row, one.carried, words, may_have_it=True), now)
    return len(still)


def _ask_after(desk: Desk, make: MakeAdapter, lost: Sequence[Tried]) -> None:
    """Ask those far sides that can say whether they have it; what cannot be asked stays a doubt."""
    by_lane: dict[str, list[Tried]] = defaultdict(list)
    for one in lost:
        route = desk.routes.one(one.row.organisation, one.row.channel)
        if route is not None and route.adapter.looks_up:
            by_lane[route.lane].append(one)
    for lane, some in by_lane.items():
        with desk.store.reading() as connection:
            deliveries, _ = at_the_edge(desk, connection, some)
        try:
            adapter = make(desk, desk.routes.lanes()[lane])
            adapter.open()
        except Exception as exc:  # noqa: BLE001 - a far side that cannot be asked leaves the doubt
            log.warning("recover.cannot_ask", lane=lane, error=type(exc).__name__)
            continue
        try:
            for one in some:
                if one.row.reference in deliveries:
                    look_up(adapter, one, deliveries[one.row.reference])
        finally:
            with suppress(Exception):
                adapter.close()
