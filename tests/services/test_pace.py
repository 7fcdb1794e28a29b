"""A far side that takes so much a minute and a day: the lane waits, nothing is lost, and nobody else is delayed."""

from datetime import timedelta

from aphub.api.errors import TransientDeliveryError
from aphub.services import approve
from aphub.store import tables as t
from tests.world import School

PACED = (("email", "told-paced", "relay"),)
SLOWER = TransientDeliveryError("They ask us to send less quickly.", code="432 4.3.2", slow_down=True)


def paced(make_world, count):
    """Give a world with so many schools behind one relay, each with a report ready to leave at 9:05."""
    schools = [School(f"school-{number}", PACED) for number in range(count)]
    world = make_world(schools=[*schools, School("vale-school", (("email", "told", "vale"),))])
    placed = [world.pupil(school.slug) for school in world.schools]
    world.owe()
    return world, placed


def test_two_a_minute_leave_and_the_rest_wait_untried_while_other_lanes_go_on(make_world):
    world, placed = paced(make_world, 5)
    world.at("09:05")
    world.enter(placed)
    world.go()
    assert len(world.sides.to("relay")) == 2
    assert len(world.sides.to("vale")) == 1
    [lane] = [row for row in world.rows(t.lanes) if row.spent]
    assert (lane.failures, lane.words) == (0, None)
    assert lane.open_until == world.clock.now() + timedelta(seconds=61)
    assert sum(row.attempts for row in world.dispatches()) == 3  # what waits for its turn has not been tried
    opened = len(world.sides.opened)
    world.wait(timedelta(seconds=30))
    assert len(world.sides.opened) == opened  # nobody signs in to send nothing
    world.reopen()  # what was sent is known over a restart
    world.wait(timedelta(seconds=30))
    assert len(world.sides.to("relay")) == 2
    for sent in (4, 5):
        world.wait(timedelta(seconds=61))
        assert len(world.sides.to("relay")) == sent
    keys = [delivery.key for delivery in world.sides.to("relay")]
    assert len(set(keys)) == len(keys)
    assert {world.owed(one).state for one in placed} == {"met"}


def test_a_relay_that_asks_for_less_gets_half_the_pace_and_every_message_once(make_world_anew):
    world, placed = paced(make_world_anew, 3)
    world.at("09:05")
    world.sides.says("relay", SLOWER)
    world.enter(placed)
    world.go()
    assert len(world.sides.to("relay")) == 2
    world.wait(timedelta(seconds=61))
    assert len(world.sides.to("relay")) == 3
    for _ in range(2):
        world.wait(timedelta(seconds=61))
    assert {world.owed(one).state for one in placed} == {"met"}
    assert len(world.sides.to("relay")) == 4  # three messages, one of which was turned away once


def test_a_day_that_is_full_sends_by_the_next_way_instead_of_waiting_for_tomorrow(make_world_anew):
    ways = (("email", "told-paced", "relay"), ("other", "told", "other"))
    schools = [School(f"school-{number}", ways) for number in range(7)]
    world = make_world_anew(schools=schools)
    placed = [world.pupil(school.slug) for school in schools]
    world.owe()
    world.at("09:05")
    world.enter(placed)
    for _ in range(5):
        world.wait(timedelta(minutes=1))
    assert len(world.sides.to("relay")) == 5
    assert len(world.sides.to("other")) == 2
    assert {world.owed(one).state for one in placed} == {"met"}
    [lane] = [row for row in world.rows(t.lanes) if row.spent]
    assert "2 messages a minute and 5 a day" in lane.words


def test_check_says_what_the_pace_means_for_the_busiest_agreed_time(make_world_anew):
    world, _ = paced(make_world_anew, 7)
    step = approve.check(world.hub, world.desk, "school-0", "email")[-1]
    assert step.ok
    assert step.found.startswith("7 messages at ")
    assert step.found.endswith("at 2 messages a minute and 5 a day: all have left after 4 minutes")
    assert step.mend == (
        "The last is 2 minutes late. Set lead_minutes to 4 in the agreement, or use a second mailbox."
    )
    other = approve.check(world.hub, world.desk, "vale-school", "email")
    assert [one.step for one in other] == ["open"]


def test_check_finds_nothing_to_warn_of_where_all_leave_in_time(make_world_anew):
    world, _ = paced(make_world_anew, 2)
    step = approve.check(world.hub, world.desk, "school-0", "email")[-1]
    assert (step.ok, step.mend) == (True, "")
    assert step.found.startswith("2 messages at ")
    assert step.found.endswith("all have left after less than a minute")
