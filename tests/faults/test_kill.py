"""Kill the hub at any moment: after a restart nothing is lost, nothing is doubled in secret, the ledger verifies."""

import random
import shutil
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from aphub.clock import PlayedClock
from aphub.hub import open_hub
from aphub.store import tables as t
from tests.faults.conftest import Case, on_each
from tests.faults.far_sides import Manifest
from tests.faults.prepared import CORRECTION, MORNING, NOW
from tests.told import FarSides as NoFarSides
from tests.world import World

pytestmark = pytest.mark.slow

NAMED = [
    (boundary, nth)
    for boundary, times in {
        "intake.stored": 2,
        "intake.batch": 2,
        "intake.taken": 2,
        "intake.settled": 1,
        "tell.composed": 3,
        "tell.kept": 3,
        "deliver.started": 3,
        "deliver.answered": 4,
        "deliver.talked": 3,
        "deliver.recorded": 2,
    }.items()
    for nth in range(1, times + 1)
]
SENT = frozenset({"handed_over", "accepted"})
TODAY = date(2026, 3, 3)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the random moments: 25 on each store, N with --faults-many N; --faults-seed gives others."""
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize("moment", range(metafunc.config.getoption("--faults-many")))


@pytest.fixture(scope="session")
def a_day_takes(stages, tmp_path_factory):
    """Say how many seconds an undisturbed day takes on this machine."""
    stage = stages[0]
    stage.sides.anew()
    copy = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(stage.home, copy)
    result = stage.runner.run(copy)
    assert result["status"] == 0
    return result["seconds"]


def test_undisturbed_day_tells_everything_once(cases):
    def day(case: Case) -> None:
        assert case.run()["status"] == 0
        world = opened(case.home)
        try:
            manifest = case.sides.manifest()
            check(world, manifest)
            assert set(manifest.copies().values()) == {1}
            assert {row.state for row in today(world)} == {"met"}
            kinds = Counter((row.organisation, row.kind) for row in world.dispatches())
            assert kinds["hill-school", "alert"] >= 1
            assert kinds["hill-school", "correction"] == 1
            assert kinds["northshire", "routine"] == 1
        finally:
            world.hub.close()

    on_each(cases, day)


@pytest.mark.parametrize(("boundary", "nth"), NAMED)
def test_killed_at_a_boundary_nothing_is_lost_or_doubled_in_secret(cases, boundary, nth):
    def day(case: Case) -> None:
        died = case.run(boundary=boundary, nth=nth)
        assert died["killed"]
        assert case.run()["status"] == 0
        survived(case)

    on_each(cases, day)


def test_killed_at_any_moment_nothing_is_lost_or_doubled_in_secret(cases, a_day_takes, moment, pytestconfig):
    seed = pytestconfig.getoption("--faults-seed")

    def day(case: Case) -> None:
        chance = random.Random(f"{seed} {case.stage.store} {moment}")
        case.run(after=chance.uniform(0.02, a_day_takes))
        if moment % 3 == 0:
            case.run(after=chance.uniform(0.02, a_day_takes))  # and once more, while it recovers
        assert case.run()["status"] == 0
        survived(case)

    on_each(cases, day)


def opened(home: Path) -> World:
    """Open the hub to look at it."""
    clock = PlayedClock(NOW)
    return World(home, open_hub(home, clock=clock, environment={}), clock, NoFarSides())


def today(world: World) -> list:
    """Give today's owed reports."""
    return world.rows(t.owed_reports, first_day=TODAY)


def survived(case: Case) -> None:
    """Check all that must hold after a restart."""
    world = opened(case.home)
    try:
        check(world, case.sides.manifest())
    finally:
        world.hub.close()


def check(world: World, manifest: Manifest) -> None:
    """Hold the hub's books against what the far sides received."""
    dispatches = {row.reference: row for row in world.dispatches()}
    outcomes = defaultdict(list)
    for row in world.rows(t.attempts):
        outcomes[row.dispatch_id].append(row.outcome)

    # Nothing arrived that the hub does not know, and nothing it calls sent did not arrive.
    assert manifest.references <= dispatches.keys()
    assert {ref for ref, row in dispatches.items() if row.state in SENT} <= manifest.references

    # What arrived twice was a doubt, and is the same message byte for byte.
    for reference, copies in manifest.mails.items():
        assert len(set(copies)) == 1
        if len(copies) > 1:
            assert "uncertain" in outcomes[dispatches[reference].dispatch_id]
    for reference in manifest.references:
        row = dispatches[reference]
        assert row.state in SENT or "uncertain" in outcomes[row.dispatch_id], (reference, row.state)

    # Nothing is left under way, and no report went out by two messages unless the first one is a doubt.
    assert not [row for row in dispatches.values() if row.state in {"started", "waiting"}]
    assert all(outcome is not None for some in outcomes.values() for outcome in some)
    by_id = {row.dispatch_id: row for row in dispatches.values()}
    carried = defaultdict(list)
    for link in world.rows(t.dispatch_reports):
        carried[link.report_id].append(by_id[link.dispatch_id])
    for some in carried.values():
        assert sum(row.state in SENT for row in some) <= 1

    # Every owed report is current at a far side, or in a named state with its reason.
    newest = {(row.owed_id, row.version): row.report_id for row in world.rows(t.reports)}
    assert len(today(world)) == 7
    for owed in today(world):
        if owed.state == "met":
            sent = [row for row in carried[newest[owed.owed_id, owed.version]] if row.state in SENT]
            assert sent, (owed.ref, [row.state for row in carried[newest[owed.owed_id, owed.version]]])
            assert sent[0].reference in manifest.references
        else:
            assert owed.state == "held", owed.state
            assert owed.because
            assert world.tasks()

    # Every mark is counted once; every register is entered once, a correction once more.
    intakes = world.rows(t.intakes)
    assert sorted(row.rows_read for row in intakes) == sorted([len(MORNING), len(CORRECTION)])
    assert all(
        row.rows_entered + row.rows_unchanged + row.rows_questioned == row.rows_read for row in intakes
    )
    versions = Counter(row.lesson_id for row in world.rows(t.entries))
    assert sorted(versions.values()) == [1, 1, 1, 1, 1, 1, 2]

    # The ledger has no gaps and verifies.
    numbers = [row.number for row in world.rows(t.statements)]
    assert numbers == list(range(len(numbers)))
    assert world.verify().ok
