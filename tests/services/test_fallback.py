"""Sending on: the same report versions by the next way, a person where there is none, and never an old version."""

from datetime import timedelta

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError
from aphub.domain.outcomes import Outcome
from aphub.domain.retries import LONGEST_WAIT
from aphub.store import tables as t
from tests.told import facts_of, outcomes_of
from tests.world import School

NO_MAILBOX = RefusedDeliveryError("There is no such mailbox.", code="550 5.1.1")
BUSY = TransientDeliveryError("Their system is busy.")


def three_ways(make_world):
    ways = tuple((name, "told", name) for name in ("one", "two", "three"))
    return make_world(schools=[School(channels=ways)])


def with_report(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    return sam


def test_each_way_is_tried_in_order_and_no_report_is_made_twice(make_world):
    world = three_ways(make_world)
    sam = with_report(world)
    world.sides.says("one", NO_MAILBOX)
    world.sides.says("two", NO_MAILBOX)
    world.go()
    assert [far for far, _ in world.sides.heard] == ["one", "two", "three"]
    assert len(world.rows(t.reports)) == 1
    assert world.owed(sam).state == "met"
    numbers = [row.number for row in world.dispatches()]
    assert numbers == [1, 2, 3]
    assert [row.replaces_id for row in world.dispatches()[1:]] == [
        row.dispatch_id for row in world.dispatches()[:2]
    ]


def test_way_that_is_not_approved_is_passed_over(make_world):
    world = three_ways(make_world)
    with_report(world)
    world.change(t.channels, {"state": "draft"}, name="two")
    world.sides.says("one", NO_MAILBOX)
    world.go()
    assert [far for far, _ in world.sides.heard] == ["one", "three"]


def test_way_whose_destination_changed_is_passed_over(make_world):
    world = three_ways(make_world)
    with_report(world)
    world.change(t.channels, {"approved_destination": "0" * 64}, name="two")
    world.sides.says("one", NO_MAILBOX)
    world.go()
    assert [far for far, _ in world.sides.heard] == ["one", "three"]


def test_old_version_is_not_sent_on_when_a_newer_one_exists(make_world):
    world = three_ways(make_world)
    sam = with_report(world)
    world.sides.always["one"] = BUSY
    world.go()
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    for _ in range(14):
        world.wait(timedelta(minutes=5))
    told = [outcomes_of(one)[sam.upn, "AM"] for one in world.sides.to("two")]
    assert told == ["left_site"]


def test_fallback_says_that_it_is_late_when_it_is(make_world):
    world = three_ways(make_world)
    with_report(world)
    world.sides.always["one"] = BUSY
    for _ in range(14):
        world.wait(timedelta(minutes=5))
    _, other, *_ = world.dispatches()
    assert facts_of(world.sides.to("two")[0])["late"] is (other.prepared_at > other.due_by)
    # Whoever waits for a try that would break the promise hands over to the next way already now.
    assert other.prepared_at >= other.due_by - LONGEST_WAIT * 1.25


def test_way_that_cannot_carry_a_report_is_passed_over_for_the_one_after_it(make_world):
    ways = tuple((name, "told", name) for name in ("one", "grid", "ended", "four"))
    world = make_world(schools=[School(channels=ways)])
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.LATE)
    world.sides.says("one", NO_MAILBOX)
    world.go()
    assert [far for far, _ in world.sides.heard] == ["one", "four"]
    assert world.owed(sam).state == "met"


def test_register_is_never_the_fallback(make_world):
    ways = (("email", "told", "far"), ("mis", "told-register", "mis"))
    world = make_world(schools=[School(channels=ways)])
    sam = with_report(world)
    world.sides.says("far", NO_MAILBOX)
    world.go()
    assert world.sides.to("mis") == []
    assert world.tasks("phone_school")
    assert world.owed(sam).state == "held"


def test_same_task_is_raised_once(make_world):
    world = make_world()
    with_report(world)
    world.sides.always["far"] = NO_MAILBOX
    world.go()
    for _ in range(3):
        world.wait(timedelta(minutes=5))
    assert len(world.tasks("phone_school")) == 1
