"""The daemon: passes on their own, lanes side by side, one process at a time, an end that loses nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aphub import daemon
from aphub.api.adapters import Delivery, DeliveryResult
from aphub.api.errors import TransientDeliveryError
from aphub.domain.outcomes import Outcome
from aphub.hub import SimulatedStoreError, create_hub, open_hub
from aphub.sealing import MasterKey
from aphub.services import office, owe
from aphub.services.lanes import Lanes
from aphub.store import tables as t
from tests.services.test_office import OURS, away
from tests.told import taken, text_of
from tests.world import School, World, build_world, write_config


@pytest.fixture
def make_world(tmp_path, store_url):
    made = []

    def make(**options: Any) -> World:
        made.append(build_world(tmp_path / "home", store_url, **options))
        return made[-1]

    yield make
    for world in made:
        world.hub.close()


def until(condition, seconds=60.0):
    """Wait for another thread to have done something."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_pass_gives_the_next_instant_and_comes_to_rest(make_world):
    world = make_world()
    sam = world.pupil()
    world.owe()
    seen = []
    for _ in range(60):
        result = daemon.pass_once(world.hub)
        if result.did_something:
            continue
        if result.next_at is None or result.next_at > datetime(2026, 3, 3, 12, tzinfo=UTC):
            break
        seen.append(result.next_at)
        world.clock.advance_to(max(result.next_at, world.clock.now() + timedelta(seconds=1)))
    assert datetime(2026, 3, 3, 9, 13, tzinfo=UTC) in seen
    assert datetime(2026, 3, 3, 9, 43, tzinfo=UTC) in seen
    assert [kind for kind, _, _ in world.states()] == ["alert", "routine"]
    assert world.owed(sam).state == "met"
    assert len(seen) < 12


def test_slow_far_sides_never_delay_another(make_world):
    schools = [School(f"school-{n}", (("email", "told", f"far-{n}"),)) for n in range(20)]
    world = make_world(schools=schools)
    placed = [world.pupil(school.slug) for school in schools]
    world.owe()
    world.clock.advance_to(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))
    world.enter(placed)
    answers = threading.Event()

    def waits(delivery: Delivery) -> DeliveryResult:
        answers.wait(60)
        return taken(delivery)

    for n in range(19):
        world.sides.always[f"far-{n}"] = waits
    lanes = Lanes(world.hub.adapter, 32, world.hub.wake.set)
    try:
        daemon.pass_once(world.hub, lanes=lanes)
        until(lambda: world.owed(placed[19]).state == "met")
        until(lambda: len([row for row in world.dispatches() if row.state == "started"]) == 19)
        until(lambda: len(world.sides.opened) == 20)
        # The passes go on too: news is taken up though nineteen schools keep us waiting.
        before = len(world.sides.opened)
        daemon.pass_once(world.hub, lanes=lanes)
        assert len(world.sides.opened) == before
    finally:
        answers.set()
        lanes.close()
    daemon.pass_once(world.hub, lanes=Lanes(world.hub.adapter, 2, world.hub.wake.set))
    assert {row.state for row in world.dispatches()} == {"handed_over"}


def test_lanes_in_trouble_leave_threads_for_the_others(make_world):
    schools = [School(f"school-{n}", (("email", "told", f"far-{n}"),)) for n in range(6)]
    world = make_world(schools=schools)
    placed = [world.pupil(school.slug) for school in schools]
    world.owe()
    world.clock.advance_to(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))
    world.enter(placed)
    for n in range(5):
        world.sides.opens[f"far-{n}"].append(TransientDeliveryError("Nobody answers."))
    world.sides.opens["far-5"].append(TransientDeliveryError("Nobody answers."))
    world.go()
    world.change(t.lanes, {"failures": 0}, lane=world.desk.routes.of("school-5")[0].lane)
    world.clock.advance(timedelta(minutes=5))
    answers = threading.Event()
    for n in range(5):
        world.sides.always[f"far-{n}"] = lambda delivery: (answers.wait(60), taken(delivery))[1]
    lanes = Lanes(world.hub.adapter, 2, world.hub.wake.set)
    try:
        lanes.visit([world.desk])
        until(lambda: world.owed(placed[5]).state == "met")
    finally:
        answers.set()
        lanes.close()


def test_failing_stage_of_one_provider_ends_no_pass(make_world):
    world = make_world()
    sam = world.pupil()
    world.owe()
    world.clock.advance_to(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))
    world.enter(sam)
    world.change(t.pupils, {"sealed": b"not sealed at all"})
    lanes = Lanes(world.hub.adapter, 2, world.hub.wake.set)
    try:
        assert daemon.pass_once(world.hub, lanes=lanes).messages == 0
    finally:
        lanes.close()


def test_office_is_mailed_what_waits_beside_the_passes(make_world):
    world = make_world(provider=OURS)
    away(world)
    with office.telling_offices(world.hub, threading.Event()):
        until(lambda: world.sides.to("desk"))
    [words] = [text_of(one) for one in world.sides.to("desk")]
    assert "not here, reason not known" in words


def test_restarted_sole_daemon_settles_at_once_what_its_predecessor_had_started(make_world):
    world = make_world()
    sam = world.pupil()
    world.owe()
    world.clock.advance_to(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))
    world.enter(sam)

    class Died(BaseException):
        """Ends everything, as a kill does."""

    def die(name: str) -> None:
        if name == "deliver.started":
            raise Died

    world.hub.boundary = die
    with pytest.raises(Died):
        daemon.pass_once(world.hub)
    world.reopen()
    # On PostgreSQL another worker may still be at it: there its lease must run out first.
    assert daemon.start(world.hub) == (1 if world.hub.store.is_sqlite else 0)
    world.clock.advance(timedelta(minutes=3))
    daemon.pass_once(world.hub)
    world.clock.advance(timedelta(minutes=3))
    daemon.pass_once(world.hub)
    assert world.owed(sam).state == "met"


def test_nobody_knocks_for_a_message_that_waits_behind_one_under_way_elsewhere(make_world):
    world = make_world()
    sam = world.pupil()
    world.owe()
    world.clock.advance_to(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))
    world.enter(sam, outcome=Outcome.ABSENT)
    daemon.pass_once(world.hub)
    # Another worker died while it sent the alert; its lease holds for two minutes more.
    later = world.clock.now() + timedelta(minutes=3)
    world.change(t.dispatches, {"state": "started", "lease_by": "elsewhere", "lease_until": later})
    world.enter(sam, outcome=Outcome.LATE, minutes=10)
    world.clock.advance(timedelta(seconds=61))
    opened = len(world.sides.opened)
    lanes = Lanes(world.hub.adapter, 2, world.hub.wake.set)
    try:
        for _ in range(5):
            daemon.pass_once(world.hub, lanes=lanes)
            lanes.wait()
        assert [row.state for row in world.dispatches()] == ["started", "waiting"]
        assert len(world.sides.opened) == opened
        for _ in range(6):
            world.clock.advance(timedelta(minutes=1))
            daemon.until_quiet(world.hub, lanes, threading.Event(), wait=True)
        assert [row.state for row in world.dispatches()] == ["handed_over", "handed_over"]
    finally:
        lanes.close()


def test_played_day_is_refused(make_world):
    world = make_world()
    with pytest.raises(SimulatedStoreError):
        daemon.run(world.hub, once=True)


def test_store_of_a_played_day_cannot_be_opened_for_real(make_world):
    world = make_world()
    with pytest.raises(SimulatedStoreError):
        open_hub(world.home, environment={})


@pytest.fixture
def real_home(tmp_path: Path) -> Path:
    """Give the home of a real hub on SQLite with nothing to do."""
    home = tmp_path / "home"
    create_hub(home, MasterKey.generate())
    write_config(home, [], {})
    with_hub = open_hub(home, environment={})
    with_hub.apply("test")
    with_hub.close()
    return home


RUN = """
import sys, pathlib
from aphub import daemon, hub
daemon.run(hub.open_hub(pathlib.Path(sys.argv[1]), environment={}), once="--once" in sys.argv)
"""


def test_daemon_ends_cleanly_on_sigterm_and_a_second_one_is_refused_meanwhile(real_home):
    first = subprocess.Popen([sys.executable, "-c", RUN, real_home], stderr=subprocess.PIPE)
    try:
        until(lambda: (real_home / "daemon.lock").exists() and (real_home / "daemon.lock").read_text())
        assert (real_home / "daemon.lock").read_text() == str(first.pid)
        hub = open_hub(real_home, environment={})
        try:
            with pytest.raises(daemon.AlreadyRunningError, match="already running"):
                daemon.run(hub, once=True)
        finally:
            hub.close()
        os.kill(first.pid, signal.SIGTERM)
        _, errors = first.communicate(timeout=15)
    finally:
        first.kill()
        first.wait()
    assert first.returncode == 0
    assert b"daemon.stopped" in errors
    assert b"Traceback" not in errors
    hub = open_hub(real_home, environment={})
    try:
        daemon.run(hub, once=True)  # the lock is free again
    finally:
        hub.close()


def test_daemon_works_out_what_is_owed_ahead(real_home):
    hub = open_hub(real_home, environment={})
    try:
        daemon.run(hub, once=True)
        assert owe.regenerate(hub.desk(), hub.desk().today, hub.desk().today) == owe.OweResult()
    finally:
        hub.close()
