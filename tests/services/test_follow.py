"""A queue's answer is not the register's: accepted only after reading back."""

from datetime import timedelta

import pytest

from aphub.api.adapters import Answer, DeliveryResult, Rung
from aphub.api.errors import TransientDeliveryError
from aphub.services import follow
from aphub.store import tables as t
from tests.told import each, facts_of
from tests.world import School

WAYS = (("mis", "told-register", "mis"), ("email", "told", "far"))
PENDING = each(Answer.PENDING)
READ_BACK = each(Answer.TAKEN, rung=Rung.ACCEPTED)


@pytest.fixture
def mis(make_world):
    """Give a school whose register is written first, with one report that its system has queued."""
    world = make_world(schools=[School(channels=WAYS)])
    world.sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(world.sam)
    world.sides.says("mis", PENDING)
    return world


def test_accepted_only_after_the_far_side_was_read_back(mis):
    mis.go()
    [row] = mis.dispatches()
    assert (row.state, row.rung) == ("handed_over", "handed_over")
    assert "dispatch.accepted" not in mis.said()
    mis.wait(timedelta(seconds=5))
    assert mis.dispatches()[0].rung == "handed_over"
    mis.sides.later["mis"].append(READ_BACK)
    mis.wait(timedelta(minutes=1))
    assert (mis.dispatches()[0].state, mis.dispatches()[0].rung) == ("accepted", "accepted")
    assert [row.rung for row in mis.rows(t.receipts)] == ["handed_over", "accepted"]
    assert "dispatch.accepted" in mis.said()
    assert mis.verify().ok


def test_later_rejection_takes_the_debt_back_and_goes_another_way(mis):
    mis.go()
    assert mis.owed(mis.sam).state == "met"
    mis.sides.later["mis"].append(each(Answer.REFUSED))
    mis.sides.says("far", TransientDeliveryError("Busy."))
    mis.wait(timedelta(seconds=5))
    assert mis.dispatches()[0].state == "refused"
    assert (mis.owed(mis.sam).state, mis.owed(mis.sam).handed_over_at) == ("prepared", None)
    mis.wait(timedelta(minutes=2))
    assert mis.owed(mis.sam).state == "met"
    assert "dispatch.refused" in mis.said()


def test_later_rejection_without_another_way_leaves_the_debt_open(mis):
    mis.go()
    mis.change(t.channels, {"state": "paused"}, name="email")
    mis.sides.later["mis"].append(each(Answer.REFUSED))
    mis.wait(timedelta(seconds=5))
    assert mis.owed(mis.sam).state == "held"
    mis.at("09:50")
    assert "report.missed" in mis.said()


def test_difference_found_later_is_told_and_never_overwritten(mis):
    mis.go()
    mis.sides.later["mis"].append(each(Answer.DIFFERS))
    mis.wait(timedelta(seconds=5))
    assert len(mis.sides.to("mis")) == 1
    assert mis.tasks("register_differs")
    assert "another mark" in str(facts_of(mis.sides.to("far")[0])["notes"])


def test_far_side_that_never_says_becomes_a_task(mis):
    mis.go()
    for _ in range(20):
        mis.wait(timedelta(minutes=3))
    assert [task.kind for task in mis.tasks("not_confirmed")] == ["not_confirmed"]
    for _ in range(10):
        mis.wait(timedelta(minutes=15))
    asked = len(mis.sides.asked)
    mis.wait(timedelta(hours=1))
    assert len(mis.sides.asked) == asked


def test_rejection_that_comes_after_the_agreed_time_is_still_heard(mis):
    mis.go()
    for _ in range(12):
        mis.wait(timedelta(minutes=3))
    assert mis.tasks("not_confirmed")
    mis.sides.later["mis"].append(each(Answer.REFUSED))
    for _ in range(12):
        mis.wait(timedelta(minutes=3))
    assert mis.dispatches()[0].state == "refused"


@pytest.mark.parametrize("failure", [TransientDeliveryError("Busy."), ZeroDivisionError("a bug")])
def test_failing_to_ask_leaves_it_open(mis, failure):
    mis.go()
    mis.sides.later["mis"].append(failure)
    mis.wait(timedelta(seconds=5))
    assert mis.dispatches()[0].state == "handed_over"
    mis.sides.later["mis"].append(READ_BACK)
    mis.wait(timedelta(minutes=1))
    assert mis.dispatches()[0].rung == "accepted"


def test_answer_that_leaves_a_report_out_leaves_it_open(mis):
    mis.go()
    mis.sides.later["mis"].append(lambda _delivery: DeliveryResult(Rung.ACCEPTED, ()))
    mis.wait(timedelta(seconds=5))
    assert mis.dispatches()[0].state == "handed_over"


def test_far_side_that_cannot_be_opened_harms_no_pass(mis):
    mis.go()
    mis.sides.closed_for_good["mis"] = ZeroDivisionError("a bug")
    mis.wait(timedelta(seconds=5))
    assert follow.follow_up(mis.desk, mis.hub.adapter) == 0
