"""What is held for a person: it is read before it is decided, told once for all that goes with it, and never just 'done'."""

from datetime import timedelta

import pytest

from aphub.api.errors import RefusedDeliveryError
from aphub.domain.calls import CallResult
from aphub.domain.outcomes import Outcome
from aphub.services import actions, restore, waits
from aphub.services.actions import CannotDoError, finish_task, release
from aphub.services.calling import Call
from aphub.services.draft import NoWayError, drafts, meant
from aphub.services.telling_by_phone import call_about_message, call_about_messages
from aphub.store import tables as t
from tests.world import TUESDAY, School

JO = "Jo Weaver, office"
DAILY = {"daily": 'cadence = "daily"\ndue = "09:45"\nuseful_minutes = 60'}
TOLD = Call(CallResult.ANSWERED, JO, answered_by="Kim Archer")


@pytest.fixture
def late(make_world):
    """Play a day on which the hub was off, and two pupils of one school are told of to nobody."""
    world = make_world(agreements=DAILY)
    world.two = [world.pupil(), world.pupil()]
    world.owe()
    world.clock.advance(timedelta(hours=7))
    world.enter(world.two)
    world.go()
    [world.task] = world.tasks("release")
    return world


def states(world):
    return [world.owed(one).state for one in world.two]


def test_what_is_late_is_read_before_somebody_lets_it_leave(late):
    [line] = waits.waiting(late.desk)
    assert line.mend.startswith(f"What it says: aphub preview {late.task.ref}.")
    assert meant(late.desk, late.task.ref) == ("hill-school", [TUESDAY])
    [draft] = drafts(late.desk, "hill-school", TUESDAY)
    assert "ATTENDED: 2 pupils" in draft.documents[1].content.decode()
    assert states(late) == ["held", "held"]

    assert release(late.desk, late.task.ref, JO) == "2 reports leave now."

    late.go()
    assert states(late) == ["met", "met"]
    assert waits.waiting(late.desk) == []


def test_one_call_about_what_is_late_tells_of_all_that_is_shown(late):
    call_about_message(late.desk, late.task.ref, TOLD)

    assert states(late) == ["met", "met"]
    assert len(late.rows(t.calls)) == 2
    assert late.tasks("release") == []
    late.go()
    assert late.sides.heard == []


def test_nothing_owed_is_ended_by_saying_that_its_task_is_done(late):
    with pytest.raises(CannotDoError, match="Nobody there has been told") as refused:
        finish_task(late.desk, late.task.ref, JO)
    assert f"aphub call {late.task.ref}" in refused.value.mend
    assert states(late) == ["held", "held"]
    assert late.tasks("release")

    finish_task(late.desk, late.task.ref, JO, actions.WITHDRAWN)

    assert states(late) == ["withdrawn", "withdrawn"]
    assert waits.waiting(late.desk) == []


def test_a_message_that_never_arrived_is_not_done_before_they_are_told(world):
    sam = world.pupil()
    world.owe()
    world.at("09:10")
    world.sides.says("far", RefusedDeliveryError("They block us.", code="550"))
    world.enter(sam)
    world.go()
    [task] = world.tasks("phone_school")
    with pytest.raises(CannotDoError, match="Nobody there has been told"):
        finish_task(world.desk, task.ref, JO)

    finish_task(world.desk, task.ref, JO, actions.WITHDRAWN)

    assert world.owed(sam).state == "withdrawn"


def test_what_is_unknown_since_a_restore_is_one_question_to_each_school(make_world_anew):
    world = make_world_anew()
    two = [world.pupil(), world.pupil()]
    world.owe()
    world.at("09:05")
    taken_at = world.clock.now()
    world.enter(two)
    world.clock.advance(timedelta(hours=2))
    restore.begin_again(world.desk, taken_at, JO, trust_ways=True)

    [line] = [one for one in waits.waiting(world.desk) if one.kind == "release"]

    assert "ask them whether they have these 2 reports. If they do not, release them." in line.words
    [draft] = drafts(world.desk, "hill-school", TUESDAY)
    assert "ATTENDED: 2 pupils" in draft.documents[1].content.decode()
    said = call_about_messages(world.desk, line.refs, TOLD)
    assert len(said) == 2
    assert {world.owed(one).state for one in two} == {"met"}


def test_a_draft_that_no_way_can_carry_says_so(make_world):
    world = make_world(schools=[School(channels=(("register", "told-register", "mis"),))])
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.LEFT_SITE)

    with pytest.raises(NoWayError, match="No way to Hill School can carry"):
        drafts(world.desk, "hill-school", TUESDAY)
