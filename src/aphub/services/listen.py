"""Listen for what far sides say later: one connection at a time, in a thread of its own, never in a lane's way."""

from collections.abc import Collection
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aphub.api.answers import Collected
from aphub.api.errors import DeliveryError
from aphub.domain.errors import AphubError
from aphub.logs import get_logger
from aphub.services.deliver import MakeAdapter
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.hearing import MACHINE, take_news
from aphub.services.routes import Route
from aphub.store import listening
from aphub.store.engine import lock_ledger

TOLD_AFTER = timedelta(minutes=15)
"""For so long a mailbox may be out of reach before a person is told to look into it by hand."""
_LONGEST_REST = timedelta(minutes=10)
_MOST_TURNS = 50
log = get_logger("listen")


def ears(desk: Desk) -> dict[str, Route]:
    """Give the connections whose answers are fetched, each with a route by which it is reached."""
    return {
        route.connection: route
        for route in desk.routes.lanes().values()
        if route.adapter.collects and route.connection_settings.listens_every() is not None
    }


def due(desk: Desk) -> dict[str, Route]:
    """Give the connections that must be listened to now."""
    found = ears(desk)
    if not found:
        return {}
    with desk.store.reading() as connection:
        rows = listening.heard(connection, desk.provider_id)
    return {name: way for name, way in found.items() if name not in rows or rows[name].next_at <= desk.now}


def next_hearings(desk: Desk, connection: Connection, under_way: Collection[str]) -> list[datetime]:
    """Give when each connection is to be listened to next, except those in lanes under way."""
    found = ears(desk)
    rows = listening.heard(connection, desk.provider_id) if found else {}
    quiet = [name for name in found if lane_of(name) not in under_way]
    return [rows[name].next_at if name in rows else desk.now for name in quiet]


def lane_of(name: str) -> str:
    """Name the lane in which a connection's answers are fetched: not the one in which its messages leave."""
    return f"answers to {name}"


def listen_all(desk: Desk, make: MakeAdapter) -> int:
    """Listen to every connection that is due, one after the other; give how much was new."""
    return sum(listen(desk, way, make) for way in due(desk).values())


def listen(desk: Desk, route: Route, make: MakeAdapter) -> int:
    """Fetch what was said since the last time and take it in; give how much was new.

    A mark is kept with the news before it, in one transaction: what was fetched and not kept is fetched again.
    """
    every = route.connection_settings.listens_every() or _LONGEST_REST
    with desk.store.reading() as connection:
        row = listening.heard(connection, desk.provider_id).get(route.connection)
    mark, taken = row.mark if row is not None else "", 0
    try:
        with closing(make(desk, route)) as adapter:
            for _ in range(_MOST_TURNS):
                collected = adapter.collect(mark)
                desk.boundary("listen.collected")
                taken += _keep(desk, route.connection, collected, every)
                mark = collected.mark
                if not collected.more:
                    break
    except DeliveryError as exc:
        _deaf(desk, route, exc.words, every)
    except AphubError as exc:
        _deaf(desk, route, exc.what, every)
    except Exception as exc:
        log.exception("listen.adapter_failed", adapter=route.adapter.name)
        _deaf(desk, route, f"The adapter failed ({type(exc).__name__}).", every)
    if taken:
        desk.announce("answers")
    return taken


def _keep(desk: Desk, name: str, collected: Collected, every: timedelta) -> int:
    now = desk.now
    with desk.store.transaction() as connection:
        taken = 0
        if collected.news:
            lock_ledger(connection, desk.provider_id)
            taken = take_news(desk, connection, name, collected.news)
        values = {"mark": collected.mark[:200], "next_at": now + every, "heard_at": now, "failures": 0}
        listening.keep(connection, desk.provider_id, name, **values)
        listening.hears_again(connection, desk.provider_id, name, now, MACHINE)
    return taken


def _deaf(desk: Desk, route: Route, words: str, every: timedelta) -> None:
    """Rest, longer each time; when it lasts, a person must read the answers by hand."""
    now, name = desk.now, route.connection
    with desk.store.transaction() as connection:
        row = listening.heard(connection, desk.provider_id).get(name)
        failures = (row.failures if row is not None else 0) + 1
        rest = min(every * 2 ** min(failures, 8), _LONGEST_REST)
        values = {"next_at": now + rest, "failures": failures}
        listening.keep(connection, desk.provider_id, name, **values)
        since = row.heard_at if row is not None else None
        silent = now - since >= TOLD_AFTER if since is not None else failures > 1
        if silent:
            what = f"We cannot read the answers that come to '{name}': {words} Look into the mailbox by hand."
            # One a day: a task that somebody ended is not raised again.
            open_task(desk, connection, listening.DEAF, f"{name}/{desk.today}", None, what, now, lasting=True)
    log.warning("listen.failed", connection=name, adapter=route.adapter.name, failures=failures)
