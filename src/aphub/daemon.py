"""The daemon: one pass after another, woken by the next due instant or by news, until it is told to stop."""

import fcntl
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import schedule
import sdnotify

from aphub.clock import PlayedClock
from aphub.domain.errors import AphubError
from aphub.hub import Hub, SimulatedStoreError
from aphub.logs import get_logger
from aphub.receiver import receiving
from aphub.services import (
    case_sweeps,
    deliver,
    follow,
    intake,
    listen,
    office,
    purge,
    rechecks,
    rounds,
    tell,
    watch,
)
from aphub.services.desk import Desk
from aphub.services.guard import Guard
from aphub.services.lanes import Lanes
from aphub.services.recover import recover
from aphub.store import delivering, following, watching
from aphub.store import lanes as lane_rows
from aphub.store import owed as owed_rows

LOOK_FOR_FILES = timedelta(seconds=5)
LONGEST_REST = timedelta(seconds=30)
"""The rows are the truth: even when nothing woke us, we look at them this often."""

T = TypeVar("T")
log = get_logger("daemon")


class AlreadyRunningError(AphubError):
    """Another process is delivering for this hub."""


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass did, and when there is something to do again."""

    taken_in: int = 0
    messages: int = 0
    handed_over: int = 0
    failed: int = 0
    settled: int = 0
    next_at: datetime | None = None

    @property
    def did_something(self) -> bool:
        """Whether another pass at the same instant may find more to do."""
        return bool(self.taken_in or self.messages or self.handed_over or self.failed or self.settled)


def pass_once(hub: Hub, *, pool: ThreadPoolExecutor | None = None, lanes: Lanes | None = None) -> PassResult:
    """Take in, tell, deliver, follow up and watch once for every provider.

    With `lanes`, deliveries go on by themselves and what has ended by now is counted; otherwise they are waited for.
    One provider's trouble then never holds another's messages up either.
    """
    hub.keys.forget_erased()
    desks = hub.serving()
    ask = Guard() if lanes is not None else _unguarded
    taken = messages = settled = 0
    for desk in desks:
        taken += ask(partial(_take_in, hub, desk), 0)
        messages += ask(partial(_tell, desk, lanes), 0)
    if lanes is None:
        done = sum(_deliver(hub, desks, pool), deliver.LaneResult())
        settled += sum(listen.listen_all(desk, hub.adapter) for desk in desks)
    else:
        lanes.visit(desks)
        done = lanes.gather()
        settled += done.settled
    for desk in desks:
        settled += ask(partial(_follow, hub, desk), 0)
        ask(partial(purge.purge_when_due, desk), False)  # noqa: FBT003 - what it gives otherwise
    result = PassResult(taken, messages, done.handed_over, done.failed, settled)
    if result.did_something and not done.failed:
        return result  # another pass follows at once
    next_at = next_instant(hub, desks, lanes)
    if isinstance(ask, Guard) and ask.failed and next_at is not None:
        # What is still due is tried again soon, but not over and over while nothing else has changed.
        next_at = max(next_at, hub.clock.now() + LOOK_FOR_FILES)
    return replace(result, next_at=next_at)


def _take_in(hub: Hub, desk: Desk) -> int:
    recover(desk, hub.adapter, sole=False)
    return sum(result.taken for result in intake.take_in_all(desk))


def _tell(desk: Desk, lanes: Lanes | None) -> int:
    rounds.look_after(desk)
    messages = tell.tell_all(desk, partial(lanes.visit, [desk]) if lanes is not None else int)
    # After what cannot wait: a summary is made only when every report of now is on its way.
    return messages + rounds.send_all_summaries(desk)


def _follow(hub: Hub, desk: Desk) -> int:
    settled = follow.follow_up(desk, hub.adapter)
    watch.watch(desk)
    return settled


def _deliver(hub: Hub, desks: list[Desk], pool: ThreadPoolExecutor | None) -> Iterator[deliver.LaneResult]:
    """Visit every lane that has work, side by side; a slow or failing one never delays another."""
    now = hub.clock.now()
    work: list[tuple[Desk, str]] = []
    for desk in desks:
        with hub.store.reading() as connection:
            work += [(desk, lane) for lane in lane_rows.lanes_with_work(connection, desk.provider_id, now)]
    if pool is None or len(work) == 1:
        for desk, lane in work:
            yield deliver.deliver_lane(desk, lane, hub.adapter)
        return
    futures = [pool.submit(deliver.deliver_lane, desk, lane, hub.adapter) for desk, lane in work]
    for future in futures:
        yield future.result()


def next_instant(hub: Hub, desks: list[Desk], lanes: Lanes | None = None) -> datetime | None:
    """Give the next instant at which a row asks for something: a report, a try, a promise, a register, a lease."""
    now = hub.clock.now()
    found: list[datetime] = []
    with hub.store.reading() as connection:
        for desk in desks:
            due = owed_rows.next_look(connection, desk.provider_id)
            night = purge.next_due(desk, connection)
            under_way = lanes.under_way(desk) if lanes is not None else set()
            again = lane_rows.next_try(connection, desk.provider_id, under_way)
            lease = delivering.next_lease(connection, desk.provider_id)
            found += [at for at in (due, again, lease, night) if at is not None]
            found += following.next_look(connection, desk.provider_id)
            found += listen.next_hearings(desk, connection, under_way)
            sweeps = (case_sweeps.next_judging(desk), case_sweeps.next_register(desk, connection))
            found += [at for at in sweeps if at is not None]
            found += watching.next_watch(
                connection,
                desk.provider_id,
                now,
                alerted_after=watch.ALERTED_AFTER,
                warned_before=watch.WARN_BEFORE,
                warned_after=watch.WARN_AFTER,
            )
    return min(found, default=None)


def settle_process() -> None:
    """Set the interpreter up for bursts of work.

    Garbage is looked for rarely: a burst makes a hundred thousand small things that all live equally briefly, and what
    start-up made stays for good. Measured: a sixth to a quarter less processor time for the minute in which reports are
    prepared. A lane that hears from its far side gets its turn within a millisecond, also while messages are composed.
    """
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)


def prepare_days(hub: Hub) -> None:
    """Keep what is owed worked out for a fortnight ahead."""
    for desk in hub.serving():
        rounds.prepare(desk)


def start(hub: Hub) -> int:
    """Settle what a predecessor left under way; give how many messages that concerned."""
    return sum(recover(desk, hub.adapter, sole=hub.store.is_sqlite) for desk in hub.serving())


@contextmanager
def only_one(hub: Hub) -> Iterator[None]:
    """Hold the lock that lets only one process deliver for a hub on SQLite.

    Raises:
        AlreadyRunningError: Another process holds it.
    """
    if not hub.store.is_sqlite:
        yield
        return
    with nobody_else(hub.file("daemon.lock")):
        yield


@contextmanager
def nobody_else(lock: Path) -> Iterator[None]:
    """Hold a hub's lock file.

    Raises:
        AlreadyRunningError: Another process holds it.
    """
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise AlreadyRunningError(
                "Another aphub is already running for this hub.",
                "This one was not started.",
                "Stop the other one first, or leave it to its work.",
            ) from exc
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def run(hub: Hub, *, once: bool = False, stop: threading.Event | None = None) -> PassResult:
    """Run until told to stop; with `once`, one pass and what follows from it at this instant.

    Raises:
        AlreadyRunningError: Another process delivers for this hub.
        SimulatedStoreError: The store belongs to a played day.
    """
    if isinstance(hub.clock, PlayedClock):
        raise SimulatedStoreError(
            "This hub belongs to a played day.", "Nothing was started.", "Run: aphub init"
        )
    stop = stop or threading.Event()
    with (
        only_one(hub),
        _stopping_on_signals(hub, stop),
        closing(lanes_of(hub)) as lanes,
        receiving(hub),
        rechecks.each_morning(hub, stop, wanted=hub.settings.recheck and not once),
        office.telling_offices(hub, stop, wanted=not once),
        _systemd() as notify,
    ):
        settle_process()
        recovered = start(hub)
        log.info("daemon.started", recovered=recovered)
        prepare_days(hub)
        notify("READY=1")
        if once:
            result = until_quiet(hub, lanes, stop, wait=True)
            office.tell_offices(hub)
            return result
        ticker = schedule.Scheduler()
        ticker.every(10).minutes.do(prepare_days, hub)
        result = PassResult()
        while not stop.is_set():
            hub.wake.clear()
            result = Guard()(lambda: until_quiet(hub, lanes, stop), PassResult())
            Guard()(ticker.run_pending, None)
            notify("WATCHDOG=1")
            if not stop.is_set():
                hub.clock.wait(_wake_at(hub, result.next_at), hub.wake)
        notify("STOPPING=1")
    log.info("daemon.stopped")
    return result


@contextmanager
def _systemd() -> Iterator[Callable[[str], None]]:
    """Give a way to tell systemd how we are; outside systemd it tells nobody."""
    if "NOTIFY_SOCKET" not in os.environ:
        # The notifier would open a socket, find nobody there, and leave it to the garbage collector.
        yield lambda _state: None
        return
    notifier = sdnotify.SystemdNotifier()
    try:
        yield notifier.notify
    finally:
        if notifier.socket is not None:
            notifier.socket.close()


def lanes_of(hub: Hub) -> Lanes:
    """Give the lanes of a hub, visited side by side."""
    return Lanes(hub.adapter, hub.settings.threads, hub.wake.set)


def until_quiet(hub: Hub, lanes: Lanes, stop: threading.Event, *, wait: bool = False) -> PassResult:
    """Pass until nothing more happens at this instant: what one stage made is the next one's work.

    With `wait`, deliveries under way are waited for too.
    """
    total = PassResult()
    while True:
        one = pass_once(hub, lanes=lanes)
        total = PassResult(
            total.taken_in + one.taken_in,
            total.messages + one.messages,
            total.handed_over + one.handed_over,
            total.failed + one.failed,
            total.settled + one.settled,
            one.next_at,
        )
        if wait and any(lanes.under_way(desk) for desk in hub.serving()):
            lanes.wait()
            continue
        if not one.did_something or one.failed or stop.is_set():
            return total


def _unguarded(work: Callable[[], T], _otherwise: T) -> T:
    return work()


def _wake_at(hub: Hub, next_at: datetime | None) -> datetime:
    now = hub.clock.now()
    rest = LOOK_FOR_FILES if any(desk.config.provider.feeds for desk in hub.serving()) else LONGEST_REST
    latest = now + rest
    # A moment of rest at least, so that an instant that stays in the past does not become a busy loop.
    return max(min(next_at or latest, latest), now + timedelta(milliseconds=200))


@contextmanager
def _stopping_on_signals(hub: Hub, stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the daemon after the work in flight."""

    def end(_number: int, _frame: object) -> None:
        stop.set()
        hub.wake.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
