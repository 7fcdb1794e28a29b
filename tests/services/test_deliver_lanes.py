"""Order in a thread, lanes in trouble, and processes that died."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aphub.api.adapters import AnyAdapter, Delivery, DeliveryResult
from aphub.api.errors import TransientDeliveryError
from aphub.domain.outcomes import Outcome
from aphub.services import deliver, tell
from aphub.services.desk import Desk, no_boundary
from aphub.services.recover import recover
from aphub.services.routes import Route
from aphub.store import tables as t
from tests.services.trying import BUSY, two_ways, with_report
from tests.told import facts_of, outcomes_of, taken
from tests.world import School, World

# Order


def test_messages_of_a_thread_arrive_in_their_order_though_the_first_had_to_wait(world):
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter([sam, alex])
    world.sides.says("far", BUSY)
    world.go()
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.go()
    assert [kind for kind, _, state in world.states() if state == "waiting"] == ["routine", "correction"]
    world.wait(timedelta(minutes=5))
    numbers = [int(one.key.rpartition("-")[2]) for one in world.sides.to("far")]
    assert numbers == [1, 1, 2]


def test_newer_message_about_the_same_pupils_cancels_what_has_not_started(world):
    sam = with_report(world)
    world.sides.says("far", BUSY)
    world.go()
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.go()
    assert [state for _, _, state in world.states()] == ["cancelled", "handed_over"]
    assert world.owed(sam).state == "met"


def test_alert_about_one_pupil_does_not_wait_for_a_retry_about_another(world):
    sam, alex, _ = world.pupil(), world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.sides.says("far", BUSY)
    world.go()
    world.enter(alex, outcome=Outcome.LEFT_SITE)
    world.go()
    assert outcomes_of(world.sides.to("far")[-1]) == {(alex.upn, "AM"): "left_site"}


# Lanes


def test_forty_nine_dead_lanes_never_delay_the_fiftieth(make_world):
    schools = [School(f"school-{n}", (("email", "told", f"far-{n}"),)) for n in range(50)]
    world = make_world(schools=schools)
    for school in schools:
        world.pupil(school.slug)
    world.owe()
    world.at("09:05")
    for n in range(49):
        world.sides.closed_for_good[f"far-{n}"] = TransientDeliveryError("Nobody answers.")
    world.at("09:43")
    assert len(world.sides.to("far-49")) >= 1
    before = len(world.sides.opened)
    world.go()
    assert len(world.sides.opened) == before  # an open breaker is not tried again at once
    assert {row.failures for row in world.rows(t.lanes)} >= {1}


def test_breaker_waits_longer_each_time_and_closes_with_the_first_success(world):
    sam = with_report(world)
    world.sides.opens["far"].extend([TransientDeliveryError("Nobody answers.")] * 3)
    rests = []
    for _ in range(40):
        world.wait(timedelta(seconds=15))
        if world.owed(sam).state == "met":
            break
        rests.append(world.rows(t.lanes)[0].failures)
    assert max(rests) == 3
    assert world.rows(t.lanes)[0].failures == 0
    assert world.rows(t.lanes)[0].open_until is None


def test_missing_secret_rests_one_lane_and_harms_no_other(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    sam, kim = world.pupil(), world.pupil("vale-school")
    world.owe()
    world.at("09:05")
    world.enter([sam, kim])
    make = world.hub.adapter

    def without_secret(desk: Desk, route: Route) -> AnyAdapter:
        if route.organisation == "hill-school":
            desk.vault.secret("nobody-set-this")
        return make(desk, route)

    world.go_with(without_secret)
    assert world.owed(kim).state == "met"
    assert world.states()[0][2] == "waiting"
    assert "nobody-set-this" in world.rows(t.attempts)[0].words


def test_lane_stops_between_bursts_when_told_to(make_world):
    schools = [School(f"school-{number}") for number in range(12)]  # one far side, bursts of 8
    world = make_world(schools=schools)
    world.owe()
    placed = [world.pupil(school.slug) for school in schools]
    world.owe()
    world.at("09:05")
    world.enter(placed)
    tell.tell_now(world.desk)
    [lane] = {row.lane for row in world.dispatches()}
    done = deliver.deliver_lane(world.desk, lane, world.hub.adapter, stopping=lambda: bool(world.sides.heard))
    assert done.tried == 8
    assert sorted(state for _, _, state in world.states()) == ["handed_over"] * 8 + ["waiting"] * 4


def prepared_for(world, count):
    schools = [School(f"school-{number}") for number in range(count)]  # one far side, bursts of 8
    world = world(schools=schools)
    placed = [world.pupil(school.slug) for school in schools]
    world.owe()
    world.at("09:05")
    world.enter(placed)
    tell.tell_now(world.desk)
    [lane] = {row.lane for row in world.dispatches()}
    return world, lane


def answers_after(world, seconds):
    def say(delivery: Delivery) -> DeliveryResult:
        world.clock.advance(timedelta(seconds=seconds))
        return taken(delivery)

    return say


def test_slow_far_side_gets_smaller_bursts_and_its_lane_counts_as_in_trouble(make_world):
    world, lane = prepared_for(make_world, 20)
    world.sides.always["far"] = answers_after(world, 5)
    starts = []

    def count(boundary: str) -> None:
        if boundary == "deliver.started":
            starts.append(len([row for row in world.dispatches() if row.state == "started"]))

    desk = replace(world.desk, boundary=count)
    done = deliver.deliver_lane(desk, lane, world.hub.adapter)
    assert done.handed_over == 20
    assert starts == [8, *[2] * 6]
    [row] = world.rows(t.lanes)
    assert (row.words, row.since is not None) == ("Their system answers slowly.", True)


def test_burst_ends_before_its_lease_and_what_has_no_answer_is_in_doubt(make_world):
    world, lane = prepared_for(make_world, 8)
    world.sides.always["far"] = answers_after(world, 30)
    deliver.deliver_lane(world.desk, lane, world.hub.adapter)
    assert sorted(row.rung for row in world.dispatches()) == ["handed_over"] * 4 + ["uncertain"] * 4
    assert {row.lease_by for row in world.dispatches()} == {None}


# A process that died


def dies_at(world: World, boundary: str) -> None:
    """Let the process die at a boundary: everything after it simply does not happen."""

    class Died(BaseException):
        pass

    def die(name: str) -> None:
        if name == boundary:
            raise Died

    world.hub.boundary = die
    with pytest.raises(Died):
        world.go()
    world.hub.boundary = no_boundary
    world.reopen()


@pytest.mark.parametrize("boundary", ["deliver.started", "deliver.answered", "deliver.talked"])
def test_restart_after_dying_in_the_middle_repeats_once_under_the_same_identity(world, boundary):
    sam = with_report(world)
    dies_at(world, boundary)
    assert world.states() == [("routine", "email", "started")]
    assert recover(world.desk, world.hub.adapter, sole=True) == 1
    world.wait(timedelta(minutes=2))
    assert world.owed(sam).state == "met"
    heard = world.sides.to("far")
    assert len({(one.key, one.documents) for one in heard}) == 1
    assert len(heard) <= 2
    assert "dispatch.uncertain" in world.said()
    assert world.verify().ok


def test_restart_after_dying_with_a_harmful_far_side_says_you_may_already_have_it(make_world):
    world = two_ways(make_world, first="told-harmful")
    with_report(world)
    dies_at(world, "deliver.talked")
    recover(world.desk, world.hub.adapter, sole=True)
    world.wait(timedelta(minutes=2))
    assert len(world.sides.to("one")) == 1
    assert "You may already have" in str(facts_of(world.sides.to("two")[0])["notes"])


def test_restart_asks_the_far_side_that_can_say(make_world):
    world = two_ways(make_world, first="told-looks-up")
    sam = with_report(world)
    dies_at(world, "deliver.talked")
    world.sides.found["one"].append(taken)
    recover(world.desk, world.hub.adapter, sole=True)
    assert world.owed(sam).state == "met"
    assert len(world.sides.to("one")) == 1


def test_restart_settles_what_was_under_way_on_a_channel_that_is_gone(world):
    sam = with_report(world)
    dies_at(world, "deliver.started")
    world.change(t.dispatches, {"channel": "gone"})
    recover(world.desk, world.hub.adapter, sole=True)
    assert world.dispatches()[0].state == "uncertain"
    assert world.tasks("settle")
    assert world.owed(sam).state == "prepared" or world.owed(sam).state == "held"


def test_lease_of_another_process_is_left_alone_until_it_runs_out(world):
    with_report(world)
    dies_at(world, "deliver.started")
    assert recover(world.desk, world.hub.adapter, sole=False) == 0
    world.clock.advance(deliver.LEASE + timedelta(seconds=1))
    assert recover(world.desk, world.hub.adapter, sole=False) == 1


def test_outcome_of_a_lost_lease_is_not_written(world):
    with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.dispatches, {"lease_by": "somebody-else"}) if name == "deliver.talked" else None
    )
    tell.tell_now(world.desk)
    world.deliver()
    assert world.states() == [("routine", "email", "started")]
    assert world.rows(t.receipts) == []
