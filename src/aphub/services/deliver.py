"""Deliver what waits in one lane: claim, start, talk with no transaction open, write down.

A start is committed only for the burst in flight. A process that dies leaves those few started; they count as
uncertain, never as sent and never as unsent.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import getpid

from sqlalchemy import Connection, update

from aphub.api.adapters import AnyAdapter, Delivery, DeliveryResult
from aphub.api.errors import DeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.retries import breaker_wait
from aphub.logs import get_logger
from aphub.services.desk import Desk, place_of
from aphub.services.outcomes import Tried, settle, write_outcomes
from aphub.services.routes import Route
from aphub.store import delivering, lanes, telling
from aphub.store.engine import allocate
from aphub.store.frozen import unpack
from aphub.store.tables import dispatches, holds

LEASE = timedelta(seconds=120)
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


def deliver_lane(desk: Desk, lane: str, make: MakeAdapter, *, most: int = 10_000) -> LaneResult:
    """Deliver what waits in a lane until nothing is left, the far side fails, or `most` were tried."""
    route = desk.routes.lanes().get(lane)
    if route is None:
        return _orphaned(desk, lane)
    by = f"{socket.gethostname()[:20]}-{getpid()}"
    adapter = make(desk, route)
    try:
        adapter.open()
    except DeliveryError as exc:
        return _far_side_failed(desk, route, exc)
    except Exception as exc:
        log.exception("deliver.adapter_failed", lane=lane, adapter=route.adapter.name)
        return _far_side_failed(
            desk, route, TransientDeliveryError(f"The adapter failed ({type(exc).__name__}).")
        )
    total = LaneResult()
    try:
        while total.tried < most:
            one = _burst(desk, route, adapter, by)
            if one is None:
                break
            total = LaneResult(
                total.tried + one.tried,
                total.handed_over + one.handed_over,
                total.failed + one.failed,
                total.held + one.held,
            )
            if one.tried and one.failed == one.tried:
                break
    finally:
        with suppress(Exception):
            adapter.close()
    if total.handed_over:
        with desk.store.transaction() as connection:
            lanes.lane_works(connection, desk.provider_id, lane)
    return total


def _burst(desk: Desk, route: Route, adapter: AnyAdapter, by: str) -> LaneResult | None:
    """Claim, check at the edge, deliver and write down one burst; None when nothing waits."""
    now = desk.now
    with desk.store.transaction() as connection:
        rows = delivering.claim(
            connection, desk.provider_id, route.lane, now, route.adapter.burst, now + LEASE, by
        )
        if not rows:
            return None
        carried = delivering.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
        tried = [Tried(row, carried.get(row.dispatch_id, []), row.attempts + 1) for row in rows]
        deliveries, stopped = _at_the_edge(desk, connection, tried)
        held = _hold(desk, connection, stopped, now) if stopped else 0
        going = [one for one in tried if one.row.reference in deliveries]
        _start(desk, connection, going, now)
    desk.boundary("deliver.started")
    if going:
        _talk(desk, route, adapter, [deliveries[one.row.reference] for one in going], going)
        desk.boundary("deliver.talked")
        write_outcomes(desk, route, going, by)
    done = sum(isinstance(one.answer, DeliveryResult) for one in going)
    return LaneResult(len(going), done, len(going) - done, held)


def _talk(
    desk: Desk, route: Route, adapter: AnyAdapter, deliveries: Sequence[Delivery], tried: Sequence[Tried]
) -> None:
    """Hand the burst to the adapter and keep each answer; what it leaves unanswered may have arrived."""
    by_key = {one.row.reference: one for one in tried}
    try:
        for key, answer in adapter.deliver_many(deliveries):
            by_key[key].answer = _checked(by_key[key], answer)
            desk.boundary("deliver.answered")
    except Exception as exc:
        log.exception("deliver.adapter_failed", lane=route.lane, adapter=route.adapter.name)
        for one in tried:
            if one.answer is None:
                one.fault = type(exc).__name__
        _rest(desk, route, f"The adapter {route.adapter.name} failed ({type(exc).__name__}).", _AFTER_FAULT)
        return
    for one in tried:
        if isinstance(one.answer, UncertainDeliveryError) and route.adapter.looks_up:
            _look_up(adapter, one, deliveries)


def _checked(one: Tried, answer: DeliveryResult | DeliveryError) -> DeliveryResult | DeliveryError | None:
    """Take an answer only if it speaks of every report exactly once; anything else is the adapter's fault."""
    if isinstance(answer, DeliveryResult):
        told = sorted(result.report for result in answer.results)
        if told != sorted(report.ref for report in one.carried):
            one.fault = "did not answer for every report"
            return None
    return answer


def _look_up(adapter: AnyAdapter, one: Tried, deliveries: Sequence[Delivery]) -> None:
    """Settle a doubt by asking the far side; when it cannot say, the doubt stays."""
    delivery = next(delivery for delivery in deliveries if delivery.key == one.row.reference)
    with suppress(DeliveryError):
        found = adapter.look_up(delivery)
        one.answer = found or TransientDeliveryError("Their system does not have it.")


def _at_the_edge(
    desk: Desk, connection: Connection, tried: Sequence[Tried]
) -> tuple[dict[str, Delivery], list[tuple[Tried, str]]]:
    """Open the frozen documents, and check a second time that only this organisation's pupils are in them."""
    live = telling.live_channels(connection, desk.provider_id)
    packed = desk.vault.open_many(
        [
            (one.row.key_id, place_of("dispatches", desk.provider_id, one.row.dispatch_id), one.row.sealed)
            for one in tried
        ]
    )
    deliveries: dict[str, Delivery] = {}
    stopped: list[tuple[Tried, str]] = []
    for one, content in zip(tried, packed, strict=True):
        way = desk.routes.one(one.row.organisation, one.row.channel)
        channel = live.get((one.row.organisation, one.row.channel))
        if way is None or channel is None or channel.approved_destination != way.destination:
            stopped.append((one, "channel_not_approved"))
            continue
        documents, rows, row_reports = unpack(content)
        if why := wrong_pupils(desk, one, rows, row_reports):
            stopped.append((one, why))
            continue
        first = one.carried[0]
        agreement = desk.config.agreement_on(first.agreement, first.organisation, first.first_day)
        deliveries[one.row.reference] = Delivery(
            key=one.row.reference,
            thread_ref=one.row.reference.rpartition("-")[0],
            deadline=one.row.useful_until,
            route=way.settings,
            documents=documents,
            rows=rows,
            reports=tuple(report.ref for report in one.carried),
            row_reports=row_reports,
            may_write=agreement.may_write if agreement else frozenset(),
            attempt=one.number,
        )
    return deliveries, stopped


def wrong_pupils(desk: Desk, one: Tried, rows: Iterable[dict[str, str]], row_reports: Sequence[str]) -> str:
    """Say why a dispatch must not leave: a pupil of another organisation, a row of no report, or do-not-share."""
    by_ref = {report.ref: report for report in one.carried}
    if not by_ref or set(row_reports) != set(by_ref):
        return "wrong_school"
    for report in one.carried:
        if report.organisation != one.row.organisation:
            return "wrong_school"
        if report.suppressed:
            return "do_not_share"
    for row, ref in zip(rows, row_reports, strict=True):
        upn = row["upn"]
        if upn and desk.vault.index("upn", upn) != by_ref[ref].upn_index:
            return "wrong_school"
    return ""


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


_HOLD_WORDS = {
    "wrong_school": "We stopped a message: it contained a pupil who is not placed by that school. Nothing was sent.",
    "do_not_share": "We stopped a message: a pupil in it must not be shared. Nothing was sent.",
    "channel_not_approved": "The way to this school is not approved as it is now. Nothing was sent.",
}


def _hold(desk: Desk, connection: Connection, stopped: Sequence[tuple[Tried, str]], now: datetime) -> int:
    """Hold what must not leave; no other channel takes over, since the message itself is what is wrong."""
    ids = [one.row.dispatch_id for one, _ in stopped]
    connection.execute(
        update(dispatches)
        .where(dispatches.c.provider_id == desk.provider_id, dispatches.c.dispatch_id.in_(ids))
        .values(state="held", lease_by=None, attempts=dispatches.c.attempts - 1)
    )
    numbers = allocate(connection, "holds", len(stopped))
    connection.execute(
        holds.insert(),
        [
            {
                "provider_id": desk.provider_id,
                "hold_id": number,
                "ref": ref,
                "kind": why,
                "dispatch_id": one.row.dispatch_id,
                "words": _HOLD_WORDS[why],
                "raised_at": now,
            }
            for (one, why), number, ref in zip(stopped, numbers, desk.references(len(stopped)), strict=True)
        ],
    )
    return len(stopped)


def _far_side_failed(desk: Desk, route: Route, error: DeliveryError) -> LaneResult:
    """Let every dispatch that waits in the lane take its next step, and rest the lane."""
    now = desk.now
    with desk.store.transaction() as connection:
        rows = delivering.waiting_in(connection, desk.provider_id, route.lane, now, _FAILED_TOGETHER)
        carried = delivering.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
        tried = [Tried(row, carried.get(row.dispatch_id, []), row.attempts + 1, error) for row in rows]
        if tried:
            _start(desk, connection, tried, now)
            delivering.count_tries(connection, desk.provider_id, [row.dispatch_id for row in rows])
            settle(desk, connection, route, tried, now)
    known = _failures(desk, route.lane)
    log.warning(
        "lane.failed", lane=route.lane, adapter=route.adapter.name, code=error.code, failures=known + 1
    )
    _rest(desk, route, error.words, breaker_wait(known))
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
            _hold(
                desk,
                connection,
                [(Tried(row, [], row.attempts), "channel_not_approved") for row in rows],
                now,
            )
    return LaneResult(held=len(rows))


def recover(desk: Desk, *, sole: bool) -> int:
    """Settle deliveries whose process died: each may have arrived, so each takes the way of a doubt.

    A restarted sole daemon voids its predecessor's leases at once; elsewhere only leases that ran out.
    """
    now = desk.now
    with desk.store.transaction() as connection:
        rows = delivering.started_before(connection, desk.provider_id, None if sole else now)
        carried = delivering.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
        for row in rows:
            route = desk.routes.one(row.organisation, row.channel)
            error = UncertainDeliveryError("We stopped while this was being sent.")
            if route is not None:
                one = Tried(row, carried.get(row.dispatch_id, []), row.attempts, error)
                settle(desk, connection, route, [one], now)
    return len(rows)
