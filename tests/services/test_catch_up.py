"""After downtime: urgent first, routine presence of several periods in one message, and a person asked once."""

from datetime import date, time, timedelta

import pytest

from aphub.api.errors import TransientDeliveryError
from aphub.domain.calendar import to_utc
from aphub.domain.outcomes import Outcome
from aphub.services import actions
from tests.told import facts_of, text_of
from tests.world import TUESDAY, TWO_A_DAY, World

SESSIONS = {"daily": 'cadence = "per session"\ndue = "12:10"\npm_due = "13:20"'}
JO = "Jo Example, office"


def kinds(world: World) -> list[str]:
    return [facts_of(one)["kind"] for one in world.sides.to("far")]


def off_until(world: World, wall: str, day: date = TUESDAY) -> None:
    """Let the hub be off until a London time; registers are typed in meanwhile."""
    world.clock.advance_to(to_utc(day, time.fromisoformat(wall)))


@pytest.fixture
def half_days(make_world_anew) -> World:
    return make_world_anew(agreements=SESSIONS)


def test_two_late_sessions_are_one_catch_up_message_and_missing_children_come_first(half_days):
    world = half_days
    sam, alex, kim = (world.pupil(slots=TWO_A_DAY, given=name) for name in ("Sam", "Alex", "Kim"))
    world.owe()
    off_until(world, "13:40")
    for starts in ("09:00", "13:00"):
        world.enter([sam, alex], starts=starts)
    world.enter(kim, starts="09:00", outcome=Outcome.ABSENT)
    world.enter(kim, starts="13:00")
    world.go()
    # Kim was missing in the morning: that message goes first, in its own thread, whatever else is late.
    assert kinds(world) == ["routine", "catch_up"]
    urgent, folded = world.sides.to("far")
    assert [row["upn"] for row in facts_of(urgent)["rows"]] == [kim.upn]
    rows = facts_of(folded)["rows"]
    assert {(row["upn"], row["session"]) for row in rows} == {
        *((sam.upn, "AM"), (sam.upn, "PM"), (alex.upn, "AM"), (alex.upn, "PM"), (kim.upn, "PM")),
    }
    words = " ".join(text_of(folded).split())
    assert "This message is late" in words
    assert facts_of(folded)["late"]
    world.wait(timedelta(minutes=10))
    assert kinds(world) == ["routine", "catch_up"]
    assert {world.owed(sam).state, world.owed(alex).state} == {"met"}
    assert world.verify().ok

    # A correction of the morning, whose own thread is empty, names the message that it adds to.
    catch_up = rows[0]["reference"]
    world.enter(sam, starts="09:00", outcome=Outcome.LEFT_EARLY)
    world.wait(timedelta(minutes=2))
    told = facts_of(world.sides.to("far")[-1])
    assert told["kind"] == "correction"
    assert [(row["session"], row["supersedes"]) for row in told["rows"]] == [("AM", catch_up)]


def test_a_correction_waits_for_the_catch_up_message_before_it(half_days):
    world = half_days
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    off_until(world, "13:40")
    for starts in ("09:00", "13:00"):
        world.enter(sam, starts=starts)
    world.sides.says("far", TransientDeliveryError("busy"), TransientDeliveryError("busy"))
    world.go()
    world.enter(sam, starts="09:00", outcome=Outcome.LEFT_EARLY)
    for _ in range(8):
        world.wait(timedelta(minutes=1))
    heard = [facts_of(one)["kind"] for one in world.sides.to("far")]
    assert heard[-1] == "correction"
    assert heard.index("correction") > max(place for place, kind in enumerate(heard) if kind == "catch_up")


def test_older_than_two_hours_asks_once_a_school_and_one_word_releases_all_in_one_message(make_world):
    world = make_world()
    some = [world.pupil(given=name) for name in ("Sam", "Alex", "Kim")]
    world.owe()
    wednesday = date(2026, 3, 4)
    for day in (TUESDAY, wednesday):
        off_until(world, "09:05", day)
        world.enter(some, day=day)
    off_until(world, "14:00", wednesday)
    world.go()
    assert world.sides.heard == []
    # Six reports of two days, three pupils: one question.
    [task] = world.tasks("release")
    assert "more than two hours late" in task.words
    said = actions.release(world.desk, task.subject, JO)
    assert said == "6 reports leave now."
    world.go()
    assert kinds(world) == ["catch_up"]
    told = world.sides.to("far")[0]
    assert len(facts_of(told)["rows"]) == 6
    # Each line says its day, since the message stands for two.
    assert "Wednesday 4 March, morning" in " ".join(text_of(told).split())
    assert "Tuesday 3 March, morning" in " ".join(text_of(told).split())
    assert world.tasks("release") == []
