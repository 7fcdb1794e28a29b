"""What a person may do: the same message again, the same reports anew, a held report after all, a task done."""

from datetime import timedelta

import pytest

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.errors import AphubError
from aphub.services import actions, receipts, waits
from aphub.services.actions import CannotDoError
from aphub.store import tables as t
from tests.told import facts_of
from tests.world import DAILY, School, World, write_config

JO = "Jo Weaver, office"


def told(world: World, wall: str = "09:05"):
    sam = world.pupil()
    world.owe()
    world.at(wall)
    world.enter(sam)
    world.wait(timedelta(minutes=1))
    return sam


def reference(world: World, number: int = -1) -> str:
    return str(world.dispatches()[number].reference)


# Retry: the same bytes, the same identity


def test_retry_sends_the_same_bytes_at_once(world):
    world.sides.says("far", RefusedDeliveryError("Their mailbox was full."))
    sam = told(world)
    assert world.owed(sam).state == "held"
    actions.retry(world.desk, reference(world), JO)
    world.go()
    assert world.owed(sam).state == "met"
    first, second = (delivery for _, delivery in world.sides.heard)
    assert (first.key, first.documents) == (second.key, second.documents)
    assert receipts.verify(world.desk).ok


def test_retry_does_not_wait_for_a_resting_lane(world):
    world.sides.opens["far"].append(TransientDeliveryError("Their server does not answer."))
    sam = told(world)
    assert world.owed(sam).state == "prepared"
    actions.retry(world.desk, reference(world), JO)
    world.go()
    assert world.owed(sam).state == "met"


def test_what_was_sent_is_not_retried(world):
    told(world)
    with pytest.raises(CannotDoError, match="is sent"):
        actions.retry(world.desk, reference(world), JO)


def test_what_is_in_doubt_is_settled_and_not_retried(make_world):
    world = make_world(schools=[School(channels=(("email", "told-harmful", "far"),))])
    world.sides.says("far", UncertainDeliveryError("The answer was lost."))
    told(world)
    with pytest.raises(CannotDoError, match="--not-arrived"):
        actions.retry(world.desk, reference(world), JO)


def test_retry_needs_a_message_that_is_there(world):
    with pytest.raises(AphubError, match="know no message"):
        actions.retry(world.desk, "RB-ABCD2345-1", JO)


# Send again: the same reports in a new message


def test_send_again_goes_to_the_address_approved_now(world):
    world.sides.says("far", RefusedDeliveryError("No such mailbox."))
    sam = told(world)
    write_config(world.home, [School(channels=(("email", "told", "elsewhere"),))], DAILY)
    world.hub.apply("test")
    with pytest.raises(CannotDoError, match="not live"):
        actions.send_again(world.desk, reference(world), JO)
    world.go_live()
    fresh = actions.send_again(world.desk, reference(world), JO)
    world.go()
    assert fresh == reference(world) != reference(world, 0)
    [delivery] = world.sides.to("elsewhere")
    assert facts_of(delivery)["rows"][0]["upn"] == sam.upn
    assert [row.version for row in world.rows(t.reports)] == [1]
    assert world.owed(sam).state == "met"
    assert world.tasks() == []


def test_send_again_says_that_they_may_have_it(world):
    told(world)
    actions.send_again(world.desk, reference(world), JO)
    world.go()
    assert f"You may already have {reference(world, 0)}." in facts_of(world.sides.heard[-1][1])["notes"]


def test_overtaken_message_is_not_sent_again(world):
    sam = told(world)
    world.enter(sam, minutes=20)
    with world.hub.store.transaction() as connection:
        connection.execute(t.owed_reports.update().values(version=2))
    with pytest.raises(CannotDoError, match="newer"):
        actions.send_again(world.desk, reference(world), JO)


def test_waiting_message_is_retried_instead(world):
    world.sides.opens["far"].append(TransientDeliveryError("busy"))
    told(world)
    with pytest.raises(CannotDoError, match="aphub retry"):
        actions.send_again(world.desk, reference(world), JO)


# Release, and tasks


def test_late_report_leaves_when_a_person_releases_it(world):
    sam = world.pupil()
    world.owe()
    world.clock.advance(timedelta(hours=7))
    world.enter(sam)
    world.go()
    owed = world.owed(sam)
    assert owed.state == "held"
    [task] = world.tasks("release")
    actions.release(world.desk, owed.ref.lower(), JO)
    world.go()
    assert world.owed(sam).state == "met"
    assert task.ref not in {one.ref for one in world.tasks()}
    with pytest.raises(CannotDoError, match="not held"):
        actions.release(world.desk, owed.ref, JO)


def test_do_not_share_is_released_by_nobody_here(world):
    sam = world.pupil(suppressed=True)
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:44")
    with pytest.raises(CannotDoError, match="safeguarding lead"):
        actions.release(world.desk, world.owed(sam).ref, JO)
    assert world.sides.heard == []


def test_stopped_message_is_not_freed_by_a_word(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.sides.opens["far"].append(TransientDeliveryError("busy"))
    world.wait(timedelta(minutes=1))
    world.change(t.channels, {"state": "paused"}, name="email")
    world.wait(timedelta(minutes=5))
    [row] = world.dispatches()
    assert row.state == "held"
    with pytest.raises(CannotDoError, match="person's word alone"):
        actions.release(world.desk, row.reference, JO)


def test_task_is_done_once(make_world):
    world = make_world(live=False)
    told(world)
    [task] = world.tasks()
    assert actions.is_task(world.desk, task.ref)
    actions.finish_task(world.desk, task.ref.lower(), JO, actions.WITHDRAWN)
    assert world.tasks() == []
    assert [one.kind for one in waits.waiting(world.desk)] == ["channel"]
    with pytest.raises(CannotDoError):
        actions.finish_task(world.desk, task.ref, JO)


@pytest.mark.parametrize("by", ["", " , head", "  "])
def test_nobody_does_nothing(world, by):
    told(world)
    for act in (actions.retry, actions.send_again, actions.release, actions.finish_task):
        with pytest.raises(AphubError, match="name"):
            act(world.desk, reference(world), by)
