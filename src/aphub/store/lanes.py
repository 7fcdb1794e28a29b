"""Lanes: which have work, which rest after trouble, and when the next try is due."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from aphub.store.delivering import NOW, waits_for_earlier
from aphub.store.same import same
from aphub.store.tables import dispatches, lanes


def lane_row(connection: Connection, provider_id: int, lane: str, *, alone: bool = False) -> Row[Any] | None:
    """Give what is known of a lane's troubles; `alone` makes others who ask so wait for this transaction's end."""
    chosen = select(lanes).where(lanes.c.provider_id == provider_id, lanes.c.lane == lane)
    return connection.execute(chosen.with_for_update() if alone else chosen).one_or_none()


def lane_failed(
    connection: Connection,
    provider_id: int,
    lane: str,
    failures: int,
    open_until: datetime,
    now: datetime,
    words: str,
) -> None:
    """Rest a lane until an instant, and say since when it has been in trouble."""
    values = {"failures": failures, "open_until": open_until, "words": words[:200]}
    where = (lanes.c.provider_id == provider_id, lanes.c.lane == lane)
    changed = connection.execute(
        update(lanes)
        .where(*where)
        .values(since=func.coalesce(lanes.c.since, bindparam("now", now, lanes.c.since.type)), **values)
    )
    if not changed.rowcount:
        connection.execute(insert(lanes), {"provider_id": provider_id, "lane": lane, "since": now, **values})


def note_spent(connection: Connection, provider_id: int, lane: str, spent: str) -> None:
    """Keep what was sent through a lane lately."""
    _set(connection, provider_id, lane, {"spent": spent})


def rest_until(connection: Connection, provider_id: int, lane: str, until: datetime) -> None:
    """Rest a lane that is in no trouble, or longer one that is."""
    row = lane_row(connection, provider_id, lane)
    if row is None or row.open_until is None or row.open_until < until:
        _set(connection, provider_id, lane, {"open_until": until})


def move_waiting(
    connection: Connection, provider_id: int, organisation: str, channel: str, old: str, new: str
) -> None:
    """Take what is under way in one channel to its new lane, with what the old one has sent lately.

    For a connection whose settings changed and whose destination did not: the far side is the same.
    """
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.organisation == organisation,
            dispatches.c.channel == channel,
            dispatches.c.lane == old,
            or_(dispatches.c.state.in_(("waiting", "started")), dispatches.c.next_at.is_not(None)),
        )
        .values(lane=new)
    )
    before = lane_row(connection, provider_id, old)
    if before is not None and before.spent and lane_row(connection, provider_id, new) is None:
        note_spent(connection, provider_id, new, before.spent)


def _set(connection: Connection, provider_id: int, lane: str, values: dict[str, Any]) -> None:
    where = (lanes.c.provider_id == provider_id, lanes.c.lane == lane)
    if not connection.execute(update(lanes).where(*where).values(**values)).rowcount:
        row = {"provider_id": provider_id, "lane": lane, "failures": 0, **values}
        connection.execute(insert(lanes), row)


def lane_works(connection: Connection, provider_id: int, lane: str) -> None:
    """Close a lane's breaker."""
    connection.execute(
        update(lanes)
        .where(lanes.c.provider_id == provider_id, lanes.c.lane == lane)
        .values(failures=0, open_until=None, since=None, words=None)
    )


def lanes_with_work(connection: Connection, provider_id: int, now: datetime) -> list[str]:
    """Name a provider's lanes in which something can be tried, and whose breaker is closed.

    What waits behind an earlier message of its thread is no work yet: visiting its lane for it would knock at the far
    side over and over and take nothing there.
    """
    return list(connection.execute(_with_work(), {"provider": provider_id, "now": now}).scalars())


@cache
def _with_work() -> Select[Any]:
    """Put the statement together once: it is asked for with every look."""
    provider: BindParameter[int] = bindparam("provider")
    free = dispatches.alias("free")
    some = (
        select(dispatches.c.lane)
        .outerjoin(lanes, same(dispatches, lanes, "lane"))
        .where(
            dispatches.c.provider_id == provider,
            dispatches.c.state == "waiting",
            dispatches.c.next_at <= NOW,
            or_(lanes.c.open_until.is_(None), lanes.c.open_until <= NOW),
        )
        .distinct()
        .subquery()
    )
    can_go = (
        select(free.c.dispatch_id)
        .where(
            free.c.provider_id == provider,
            free.c.lane == some.c.lane,
            free.c.state == "waiting",
            free.c.next_at <= NOW,
            ~waits_for_earlier(free),
        )
        .exists()
    )
    return select(some.c.lane).where(can_go)


def resting(connection: Connection, provider_id: int, now: datetime) -> dict[str, datetime]:
    """Give the lanes that rest after a failure, and until when."""
    chosen = select(lanes.c.lane, lanes.c.open_until).where(
        lanes.c.provider_id == provider_id, lanes.c.open_until > now
    )
    return {row.lane: row.open_until for row in connection.execute(chosen)}


def in_trouble(connection: Connection, provider_id: int) -> set[str]:
    """Name a provider's lanes whose far side failed when it was last tried."""
    chosen = select(lanes.c.lane).where(lanes.c.provider_id == provider_id, lanes.c.failures > 0)
    return set(connection.execute(chosen).scalars())


def next_try(
    connection: Connection, provider_id: int, without: Collection[str] = frozenset()
) -> datetime | None:
    """Give the earliest instant at which something waits to be tried or asked after, except in lanes under way."""
    earliest = (
        select(func.min(func.coalesce(lanes.c.open_until, dispatches.c.next_at)))
        .select_from(dispatches)
        .outerjoin(
            lanes,
            and_(same(dispatches, lanes, "lane"), lanes.c.open_until > dispatches.c.next_at),
        )
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.next_at.is_not(None),
            dispatches.c.lane.not_in(without),
        )
    )
    return connection.execute(earliest).scalar_one_or_none()
