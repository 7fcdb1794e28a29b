"""A large day: prepared and sent, looked at, counted, and the next school day worked out, each in its own process."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import time as wall
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from aphub.daemon import settle_process
from aphub.domain.placements import TimetableSlot
from aphub.hub import open_hub
from aphub.services import explain, figures, overview, owe
from aphub.services.desk import Desk
from aphub.store import tables as t
from benchmarks.apart import (
    ChildError,
    a_store,
    lacks_postgresql,
    one_after_another,
    peak_megabytes,
    run_module,
)
from benchmarks.mail import ROUTE, Mailing, connection_to
from benchmarks.mail_sink import Sink, mail_sink
from benchmarks.result import Measured, at_most, not_run
from benchmarks.world import (
    DAY,
    NEXT_DAY,
    PER_ORGANISATION,
    RunningClock,
    at,
    correct,
    fill,
    make_hub,
    new_home,
    write_config,
)

SMALL_BAR_MB, BAR_MB = 200.0, 300.0
"""The lesser one is for a day on SQLite prepared and sent."""
OWED_BAR, WEEK_BAR, LOOK_BAR = 30.0, 60.0, 0.3
ONE_CORRECTED_OF = 20
SLOTS = [
    TimetableSlot(day.weekday(), starts, ends)
    for day in (DAY, NEXT_DAY)
    for starts, ends in ((wall(9), wall(12)), (wall(13), wall(15)))
]
DUE = wall(15, 30)
GROUPS: Sequence[tuple[str, ...]] = (
    (),
    ("placement",),
    ("organisation",),
    ("weekday",),
    ("starts", "subject"),
    ("kind",),
)


def measure(placements: int, *, postgresql: bool = False) -> list[Measured]:
    """Play a day with two lessons for every placement, one register in twenty corrected.

    On PostgreSQL the database's own memory is not counted.
    """
    where = f"{placements} on PostgreSQL" if postgresql else f"{placements} on SQLite"
    if postgresql and (lacking := lacks_postgresql()):
        return [not_run(f"a large day, {where}", f"{lacking} must be installed")]
    try:
        lines = run_module("benchmarks.large", str(placements), *(["postgresql"] if postgresql else []))
    except ChildError as exc:
        return [not_run(f"a large day, {where}", str(exc))]
    return [at_most(f"{name}, {where}", float(value), float(bar), unit) for name, value, unit, bar in lines]


def _say(name: str, value: float, unit: str, bar: float) -> None:
    print(name, value, unit, bar, sep="\t", flush=True)


def _child(placements: int, *, postgresql: bool) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        mail_sink(Path(folder)) as sink,
        a_store(postgresql=postgresql) as url,
    ):
        one_after_another(_fill, _send, _look, _owe, given=(Path(folder), sink, placements, url))


def _fill(folder: Path, sink: Sink, placements: int, store_url: str) -> None:
    home, clock = new_home(folder, store_url)
    write_config(home, placements // PER_ORGANISATION, connection_to(sink), ROUTE, due=f"{DUE:%H:%M}")
    hub = make_hub(home, clock)
    desk = fill(hub, placements, SLOTS)
    correct(desk, ONE_CORRECTED_OF)
    if store_url:
        with hub.store.transaction() as connection:
            connection.exec_driver_sql("ANALYZE")  # as the database does by itself within minutes
    hub.close()


def _send(folder: Path, _sink: Sink, placements: int, store_url: str) -> None:
    one = _reopened(folder, placements, wall(15, 28))
    one.whole()
    _say("peak memory, prepared and sent", peak_megabytes(), "MB", BAR_MB if store_url else SMALL_BAR_MB)
    one.hub.close()


def _look(folder: Path, _sink: Sink, placements: int, _store_url: str) -> None:
    one = _reopened(folder, placements, wall(16))
    desk = one.desk
    with desk.store.reading() as connection:
        refs = (
            connection.execute(select(t.placements.c.ref).order_by(t.placements.c.placement_id))
            .scalars()
            .all()
        )
        assert connection.execute(select(func.count()).select_from(t.entries)).scalar_one() > 2 * placements
    looks: dict[str, Callable[[str], object]] = {
        "today": lambda _ref: overview.today(desk),
        "log": lambda _ref: overview.log(desk),
        "explain": lambda ref: explain.explain(desk, ref, DAY),
    }
    for name, look in looks.items():
        look(refs[0])
        worst = max(_timed(partial(look, ref)) for ref in refs[1 :: len(refs) // 5])
        _say(f"{name}, warm", worst, "s", LOOK_BAR)
    _say("week's figures, all groups", _timed(lambda: _count(desk, placements)), "s", WEEK_BAR)
    one.hub.close()


def _owe(folder: Path, _sink: Sink, placements: int, _store_url: str) -> None:
    one = _reopened(folder, placements, wall(16))
    made = owe.OweResult()

    def work() -> None:
        nonlocal made
        made = owe.regenerate(one.desk, NEXT_DAY, NEXT_DAY.replace(day=NEXT_DAY.day + 1))

    _say("owed rows of the next school day", _timed(work), "s", OWED_BAR)
    _say("their peak memory", peak_megabytes(), "MB", BAR_MB)
    assert (made.lessons_added, made.reports_added) == (2 * placements, placements)
    one.hub.close()


def _reopened(folder: Path, placements: int, now: wall) -> Mailing:
    [home] = folder.glob("hub-*")
    clock = RunningClock(at(now))
    hub = open_hub(home, clock=clock)
    settle_process()  # as the daemon does
    return Mailing(hub, hub.desk(), placements // PER_ORGANISATION, clock)


def _count(desk: Desk, placements: int) -> None:
    with desk.store.reading() as connection:
        counting = figures.counting_of(desk, connection, *figures.week_of(DAY))
        found = [figures.counted(desk, connection, counting, by) for by in GROUPS]
    assert found[0][()].figures.lessons.in_person == 2 * placements
    assert len(found[1]) == placements


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    _child(int(sys.argv[1]), postgresql="postgresql" in sys.argv)
