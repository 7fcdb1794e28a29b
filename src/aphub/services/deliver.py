"""Deliver what waits in one lane: claim, start, talk with no transaction open, write down.

A start is committed only for the burst in flight. A process that dies leaves those few started; they count as
uncertain, never as sent and never as unsent.
"""

import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import getpid

from sqlalchemy import Connection

from aphub.api.adapters import AnyAdapter, Delivery, DeliveryResult
from aphub.api.errors import DeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.errors import AphubError
from aphub.domain.retries import breaker_wait
from aphub.logs import get_logger
from aphub.services import pace
from aphub.services.desk import Desk
from aphub.services.edge import at_the_edge, hold
from aphub.services.outcomes import Tried, record_outcomes, settle
from aphub.services.routes import Route
from aphub.services.write_down import write_down
from aphub.store import carrying, delivering, lanes
from aphub.store.engine import allocate, lock_ledger

LEASE = timedelta(seconds=120)
HARD_END = timedelta(seconds=100)
"""How long one burst may go on: its answers must be written down while we hold its lease."""
IN_GOOD_TIME = timedelta(seconds=10)
"""How long a burst should take: what it came to is not written down before, and would be uncertain if we died."""
SLOW = timedelta(seconds=20)
"""A lane one of whose bursts takes longer is in trouble."""
FIRST_BURST = 8
_AFTER_FAULT = timedelta(minutes=5)
_FAILED_TOGETHER = 500
log = get_logger("deliver")

MakeAdapter = Callable[[Desk, Route], AnyAdapter]


@dataclass(frozen=True, slots=True)
class LaneResult:
    """What one visit to a lane did."""

    tried: int = 0
    handed_over: int = 0
    failed: int = 0
    held: int = 0
    settled: int = 0

    def __add__(self, other: "LaneResult") -> "LaneResult":
        """Add two results."""
        return LaneResult(
            self.tried + other.tried,
            self.handed_over + other.handed_over,
            self.failed + other.failed,
            self.held + other.held,
            self.settled + other.settled,
        )


def deliver_lane(
    desk: Desk,
    lane: str,
    make: MakeAdapter,
    *,
    most: int = 10_000,
    stopping: Callable[[], bool] = bool,
) -> LaneResult:
    """Deliver what waits in a lane until nothing is left, the far side fails, `most` were tried, or we are stopping."""
    route = desk.routes.lanes().get(lane)
    if route is None:
        return _orphaned(desk, lane)
    adapter = _opened(desk, route, make)
    if isinstance(adapter, LaneResult):
        return adapter
    by = f"{socket.gethostname()[:20]}-{getpid()}"
    total = LaneResult()
    burst: _Burst | None = None
    size = min(FIRST_BURST, route.adapter.burst)
    slow = False
    slowed: TransientDeliveryError | None = None
    try:
        while True:
            go_on = total.tried < most and not stopping() and not slowed and not (burst and burst.all_failed)
            last, burst = burst, _turn(desk, route, burst, by, size=size if go_on else 0)
            if last is not None:
                total += last.result
            if burst is None:
                break
            if burst.going:
                took = _talk(desk, route, adapter, burst)
                desk.boundary("deliver.talked")
                slow = slow or took > SLOW
                slowed = slowed or burst.slowed
                size = _next_size(route.adapter.burst, len(burst.going), took)
    finally:
        with suppress(Exception):
            adapter.close()
    if slow:
        _rest(desk, route, "Their system answers slowly.", timedelta())
    elif total.handed_over:
        with desk.store.transaction() as connection:
            lanes.lane_works(connection, desk.provider_id, lane)
    pace.rest_for_pace(desk, route, slowed)
    return total


def _opened(desk: Desk, route: Route, make: MakeAdapter) -> AnyAdapter | LaneResult:
    """Give the adapter with its connection open, or what became of the lane where it does not open."""
    closed = pace.closed_by_pace(desk, route)
    if isinstance(closed, DeliveryError):
        return _far_side_failed(desk, route, closed)
    if closed:
        pace.rest_for_pace(desk, route, None)
        return LaneResult()
    try:
        adapter = make(desk, route)
        adapter.open()
    except AphubError as exc:
        # Such as a secret that is not there: this way rests, every other goes on.
        log.warning("deliver.cannot_open", lane=route.lane, error=type(exc).__name__)
        return _far_side_failed(desk, route, TransientDeliveryError(exc.what))
    except DeliveryError as exc:
        return _far_side_failed(desk, route, exc)
    except Exception as exc:
        log.exception("deliver.adapter_failed", lane=route.lane, adapter=route.adapter.name)
        words = f"The adapter failed ({type(exc).__name__})."
        return _far_side_failed(desk, route, TransientDeliveryError(words))
    return adapter


@dataclass(slots=True)
class _Burst:
    """What was taken together: what goes, as the adapter is given it, and how much had to be held instead."""

    going: list[Tried]
    deliveries: dict[str, Delivery]
    held: int

    @property
    def result(self) -> LaneResult:
        """What came of it."""
        done = sum(isinstance(one.answer, DeliveryResult) for one in self.going)
        return LaneResult(len(self.going), done, len(self.going) - done, self.held)

    @property
    def all_failed(self) -> bool:
        """Whether the far side took nothing of it."""
        return bool(self.going) and not any(isinstance(one.answer, DeliveryResult) for one in self.going)

    @property
    def slowed(self) -> TransientDeliveryError | None:
        """What the far side said if it asked us to send less quickly."""
        answers = (one.answer for one in self.going)
        return next(
            (one for one in answers if isinstance(one, TransientDeliveryError) and one.slow_down), None
        )


def _next_size(largest: int, count: int, took: timedelta) -> int:
    """Size a burst so that it is over in good time, at the pace at which the last one went."""
    return max(1, min(largest, int(count * IN_GOOD_TIME / took))) if took else largest


def _turn(desk: Desk, route: Route, last: _Burst | None, by: str, *, size: int) -> _Burst | None:
    """Write the last burst down and take the next of at most `size`, in one transaction: one wait for the disk."""
    if last is None and not size:
        return None
    tried = last.going if last is not None else []
    try:
        with desk.store.transaction() as connection:
            record_outcomes(desk, connection, route, tried, by)
            burst = _take(desk, connection, route, by, size) if size else None
    except Exception:
        if not tried:
            raise
        # What is wrong with the next must not make doubtful what has been sent.
        write_down(desk, route, tried, by)
        raise
    if tried:
        desk.boundary("deliver.recorded")
    if burst is not None:
        desk.boundary("deliver.started")
    return burst


def _take(desk: Desk, connection: Connection, route: Route, by: str, size: int) -> _Burst | None:
    """Claim a burst, check it at the edge and say that it starts; None when nothing waits."""
    now = desk.now
    size = pace.most_now(desk, connection, route, size)
    if not size:
        return None
    until = desk.lease_now(connection) + LEASE
    rows = delivering.claim(connection, desk.provider_id, route.lane, now, size, until, by)
    if not rows:
        return None
    carried = carrying.bound_for(connection, desk.provider_id, [row.dispatch_id for row in rows])
    tried = [Tried(row, carried.get(row.dispatch_id, []), row.attempts) for row in rows]
    deliveries, stopped = at_the_edge(desk, connection, tried)
    held = hold(desk, connection, stopped, now) if stopped else 0
    going = [one for one in tried if one.row.reference in deliveries]
    _start(desk, connection, going, now)
    pace.note_sent(desk, connection, route, len(going))
    return _Burst(going, deliveries, held)


def _talk(desk: Desk, route: Route, adapter: AnyAdapter, burst: _Burst) -> timedelta:
    """Hand the burst to the adapter and keep each answer; what it leaves unanswered may have arrived.

    Gives how long it took.
    """
    began = desk.now
    tried = burst.going
    by_key = {one.row.reference: one for one in tried}
    deliveries = [burst.deliveries[key] for key in by_key]
    try:
        answers = adapter.deliver_many(deliveries)
        for key, answer in answers:
            by_key[key].answer = _checked(by_key[key], answer)
            desk.boundary("deliver.answered")
            if desk.now >= began + HARD_END and any(one.answer is None for one in tried):
                _give_up(answers, tried)
                break
    except Exception as exc:
        log.exception("deliver.adapter_failed", lane=route.lane, adapter=route.adapter.name)
        for one in tried:
            if one.answer is None:
                one.fault = type(exc).__name__
        _rest(desk, route, f"The adapter {route.adapter.name} failed ({type(exc).__name__}).", _AFTER_FAULT)
        return desk.now - began
    for one in tried:
        if isinstance(one.answer, UncertainDeliveryError) and route.adapter.looks_up:
            look_up(adapter, one, burst.deliveries[one.row.reference])
    return desk.now - began


def _give_up(answers: Iterator[tuple[str, DeliveryResult | DeliveryError]], tried: Sequence[Tried]) -> None:
    """End a burst that would outlive its lease; what has no answer yet may have arrived."""
    if isinstance(answers, Generator):
        answers.close()
    for one in tried:
        if one.answer is None and not one.fault:
            one.answer = UncertainDeliveryError("Their system answers too slowly. It may have arrived.")


def _checked(one: Tried, answer: DeliveryResult | DeliveryError) -> DeliveryResult | DeliveryError | None:
    """Take an answer only if it speaks of every report exactly once; anything else is the adapter's fault."""
    if isinstance(answer, DeliveryResult):
        told = [result.report for result in answer.results]
        carried = [report.ref for report in one.carried]
        if told != carried and sorted(told) != sorted(carried):
            one.fault = "did not answer for every report"
            return None
    return answer


def look_up(adapter: AnyAdapter, one: Tried, delivery: Delivery) -> None:
    """Settle a doubt by asking the far side; when it cannot say, the doubt stays."""
    try:
        found = adapter.look_up(delivery)
    except DeliveryError:
        return
    except Exception:
        log.exception("deliver.look_up_failed", adapter=adapter.name)
        return
    one.answer = _checked(one, found) if found else TransientDeliveryError("Their system does not have it.")


def _start(desk: Desk, connection: Connection, going: Sequence[Tried], now: datetime) -> None:
    if not going:
        return
    numbers = allocate(connection, "attempts", len(going))
    delivering.start_attempts(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "attempt_id": number,
                "dispatch_id": one.row.dispatch_id,
                "number": one.number,
                "started_at": now,
            }
            for one, number in zip(going, numbers, strict=True)
        ],
    )


def _far_side_failed(desk: Desk, route: Route, error: DeliveryError) -> LaneResult:
    """Let every dispatch that would have been tried before the lane's rest is over take its next step; rest the lane."""
    now = desk.now
    known = _failures(desk, route.lane)
    rests = breaker_wait(known)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        rows = delivering.waiting_in(connection, desk.provider_id, route.lane, now + rests, _FAILED_TOGETHER)
        carried = carrying.bound_for(connection, desk.provider_id, [row.dispatch_id for row in rows])
        tried = [Tried(row, carried.get(row.dispatch_id, []), row.attempts + 1, error) for row in rows]
        if tried:
            _start(desk, connection, tried, now)
            delivering.count_tries(connection, desk.provider_id, [row.dispatch_id for row in rows])
            settle(desk, connection, route, tried, now, now + rests)
    log.warning(
        "lane.failed", lane=route.lane, adapter=route.adapter.name, code=error.code, failures=known + 1
    )
    _rest(desk, route, error.words, rests)
    return LaneResult(len(rows), 0, len(rows))


def _failures(desk: Desk, lane: str) -> int:
    with desk.store.reading() as connection:
        row = lanes.lane_row(connection, desk.provider_id, lane)
    return row.failures if row is not None else 0


def _rest(desk: Desk, route: Route, words: str, wait: timedelta) -> None:
    failures = _failures(desk, route.lane) + 1
    now = desk.now
    with desk.store.transaction() as connection:
        lanes.lane_failed(connection, desk.provider_id, route.lane, failures, now + wait, now, words)


def _orphaned(desk: Desk, lane: str) -> LaneResult:
    """Hold what waits in a lane that the configuration no longer has."""
    now = desk.now
    with desk.store.transaction() as connection:
        rows = delivering.waiting_in(connection, desk.provider_id, lane, now, _FAILED_TOGETHER)
        if rows:
            hold(
                desk,
                connection,
                [(Tried(row, [], row.attempts), "channel_not_approved") for row in rows],
                now,
            )
    return LaneResult(held=len(rows))
