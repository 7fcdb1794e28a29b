"""Visit lanes side by side: a slow far side keeps one thread waiting, and nothing else."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial

from aphub.logs import get_logger
from aphub.services.deliver import LaneResult, MakeAdapter, deliver_lane
from aphub.services.desk import Desk
from aphub.services.guard import words_of
from aphub.services.listen import due, lane_of, listen
from aphub.services.routes import Route
from aphub.store import lanes as lane_rows

AFTER_FAILED = timedelta(seconds=15)
"""How long a lane rests whose visit failed by our own fault, such as a full disk: no far side is to bear that."""
log = get_logger("lanes")
_Key = tuple[int, str]


def _listened(desk: Desk, way: Route, make: MakeAdapter) -> LaneResult:
    return LaneResult(settled=listen(desk, way, make))


class Lanes:
    """The lanes under way, each in one thread of a bounded pool; no lane is visited twice at once.

    Lanes in trouble get half of the threads at most, so that the others always find one.
    """

    def __init__(self, make: MakeAdapter, threads: int, wake: Callable[[], None]) -> None:
        """Prepare the pool; `wake` is called when a visit ends."""
        self._make = make
        self._wake = wake
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lane")
        self._for_trouble = max(1, threads // 2)
        self._stop = threading.Event()
        self._under_way: dict[_Key, Future[LaneResult]] = {}
        self._in_trouble: set[_Key] = set()
        self._failed_at: dict[_Key, datetime] = {}
        self._ended = LaneResult()

    def visit(self, desks: Sequence[Desk]) -> None:
        """Begin a visit to every lane that has work and is not being visited."""
        self._settle()
        for desk in desks:
            with desk.store.reading() as connection:
                work = lane_rows.lanes_with_work(connection, desk.provider_id, desk.now)
                troubled = lane_rows.in_trouble(connection, desk.provider_id) if work else set()
            for lane in sorted(work, key=lambda lane: (lane in troubled, lane)):
                key = (desk.provider_id, lane)
                if key in self._under_way or self._rests(key, desk.now):
                    continue
                if lane in troubled:
                    if len(self._in_trouble & self._under_way.keys()) >= self._for_trouble:
                        continue
                    self._in_trouble.add(key)
                work_there = partial(deliver_lane, desk, lane, self._make, stopping=self._stop.is_set)
                self._begin(desk, key, work_there)
            for name, way in due(desk).items():
                key = (desk.provider_id, lane_of(name))
                if key not in self._under_way and not self._rests(key, desk.now):
                    self._begin(desk, key, partial(_listened, desk, way, self._make))

    def _rests(self, key: _Key, now: datetime) -> bool:
        """Whether its last visit failed a moment ago; a clock that was put back ends the rest."""
        failed_at = self._failed_at.get(key)
        return failed_at is not None and timedelta() <= now - failed_at < AFTER_FAILED

    def _begin(self, desk: Desk, key: _Key, work: Callable[[], LaneResult]) -> None:
        def ended(future: Future[LaneResult]) -> None:
            if future.exception() is not None:
                self._failed_at[key] = desk.now
            self._wake()

        self._under_way[key] = future = self._pool.submit(work)
        future.add_done_callback(ended)

    def gather(self) -> LaneResult:
        """Give what the visits that have ended since the last call did."""
        self._settle()
        total, self._ended = self._ended, LaneResult()
        return total

    def _settle(self) -> None:
        """Let the lanes whose visits have ended be visited again."""
        for key, future in list(self._under_way.items()):
            if not future.done():
                continue
            del self._under_way[key]
            self._in_trouble.discard(key)
            if (error := future.exception()) is not None:
                log.error("lane.visit_failed", lane=key[1], error=type(error).__name__, **words_of(error))
                self._ended += LaneResult(failed=1)
            else:
                self._ended += future.result()

    def under_way(self, desk: Desk) -> set[str]:
        """Name the lanes of a desk that are being visited."""
        return {lane for provider_id, lane in self._under_way if provider_id == desk.provider_id}

    def wait(self) -> None:
        """Wait until every visit has ended."""
        wait(self._under_way.values())

    def close(self) -> None:
        """Let every visit end after the burst it is at, and wait for that."""
        self._stop.set()
        self._pool.shutdown()
