"""A telephone call as a delivery: a task with what to say, and what came of it is the receipt."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aphub.api.errors import RefusedDeliveryError
from aphub.domain.calls import CallResult
from aphub.domain.errors import AphubError
from aphub.domain.ledger.statements import KINDS
from aphub.domain.outcomes import Outcome
from aphub.services import waits
from aphub.services.calling import Call, open_calls
from aphub.services.case_acts import CannotFollowError
from aphub.services.erase import erase
from aphub.services.evidence import evidence
from aphub.services.evidence_pages import SAID
from aphub.services.explain import explain
from aphub.services.overview import today
from aphub.services.telling_by_phone import call_about_message, call_about_messages, is_message
from aphub.store import tables as t
from aphub.store.about_pupil import rows_about
from tests.world import School

JO = "Jo Weaver, office"
BY_PHONE = School(channels=(("telephone", "told-person", "voice"),))


def call(world, ref, result="answered", **more: Any):
    if result == "answered":
        more.setdefault("answered_by", "Ms Example, attendance")
    told = call_about_message(world.desk, ref, Call(CallResult(result), JO, **more))
    world.go()
    return told


def phoned(make_world, *, extra=()):
    world = make_world(schools=[School(channels=(*BY_PHONE.channels, *extra))])
    sam = world.pupil()
    world.owe()
    world.at("09:10")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.go()
    return world, sam, world.dispatches()[0]


def test_delivery_by_telephone_waits_as_a_task_until_somebody_answered(make_world):
    world, sam, row = phoned(make_world)
    assert (row.state, row.next_at, row.attempts) == ("waiting", None, 0)
    [task] = world.tasks("phone_school")
    assert task.subject == row.reference
    assert task.words == "Phone Hill School by 9:45am."
    assert is_message(world.desk, task.ref)
    world.at("09:14")
    assert "That does not count as told" in call(world, task.ref, "voicemail")
    assert "never names a pupil" in call(world, row.reference, "voicemail")
    assert world.owed(sam).state == "prepared"
    assert world.tasks("phone_school")
    told = call(world, row.reference, repeated=True, at=datetime(2026, 3, 3, 9, 13, tzinfo=UTC))
    assert told.endswith("counts as confirmed.")
    [row] = world.dispatches()
    assert (row.state, row.rung) == ("confirmed", "confirmed")
    assert row.handed_over_at == datetime(2026, 3, 3, 9, 13, tzinfo=UTC)  # the call, not the typing
    assert world.owed(sam).state == "met"
    assert world.tasks() == []
    assert [one.outcome for one in world.rows(t.attempts)] == ["transient", "transient", "taken"]
    assert world.said().count("call.made") == 3
    assert {"dispatch.handed_over", "dispatch.confirmed"} <= set(world.said())
    assert world.verify().ok
    with pytest.raises(AphubError, match="sent already"):
        call(world, row.reference)


def test_answer_that_was_not_repeated_is_sent_and_not_confirmed(make_world):
    world, sam, row = phoned(make_world)
    assert call(world, row.reference).endswith("counts as sent.")
    assert world.dispatches()[0].state == "handed_over"
    assert world.owed(sam).state == "met"


def test_call_that_nobody_makes_is_given_up_in_time_and_stays_a_task(make_world):
    world, _, row = phoned(make_world)
    world.at("09:46")
    assert "report.missed" in world.said()
    world.clock.advance_to(row.useful_until)
    world.wait(row.useful_until - row.prepared_at)
    assert world.dispatches()[0].state == "expired"
    assert [task.subject for task in world.tasks("phone_school")].count(row.reference) == 1


def test_telephone_is_the_last_way_after_others_and_the_task_is_not_doubled(make_world):
    ways = (("email", "told", "far"), ("telephone", "told-person", "voice"))
    world = make_world(schools=[School(channels=ways)])
    sam = world.pupil()
    world.owe()
    world.at("09:10")
    world.sides.says("far", RefusedDeliveryError("They block us.", code="550"))
    world.enter(sam)
    world.go()
    first, second = world.dispatches()
    assert (first.state, second.channel) == ("refused", "telephone")
    assert len(world.tasks("phone_school")) == 1
    call(world, second.reference)
    assert world.owed(sam).state == "met"


def test_school_without_any_way_left_is_phoned_and_the_answer_counts(world):
    """The last rung of every ladder of channels is a person with a telephone."""
    sam = world.pupil()
    world.owe()
    world.at("09:10")
    world.sides.says("far", RefusedDeliveryError("They block us.", code="550"))
    world.enter(sam)
    world.go()
    [task] = world.tasks("phone_school")
    [row] = world.dispatches()
    call(world, task.ref, "engaged")
    assert world.owed(sam).state == "held"
    assert call(world, task.ref, repeated=True).endswith("Ms Example, attendance was told.")
    assert world.dispatches()[0].state == "confirmed"
    assert world.owed(sam).state == "met"
    assert world.tasks("phone_school") == []
    receipt = world.rows(t.receipts)[-1]
    assert (receipt.dispatch_id, receipt.hops) == (row.dispatch_id, "told by telephone")
    assert b"Ms Example" not in receipt.sealed
    assert world.verify().ok


def test_call_to_a_school_is_held_about_its_pupil_and_goes_when_the_pupil_is_erased(make_world):
    world, sam, row = phoned(make_world)
    call(world, row.reference, said="Sam is in hospital")
    with world.hub.store.reading() as connection:
        held = dict(rows_about(connection, world.desk.provider_id, sam.pupil_id))
    assert [one.subject for one in held[t.calls]] == [row.reference]
    assert open_calls(world.desk, held[t.calls])[0]["said"] == "Sam is in hospital"
    world.change(t.placements, {"ends_day": world.day})
    erase(world.desk, world.rows(t.pupils)[0].ref, JO, "asked for")
    [left] = world.rows(t.calls)
    assert left.sealed == b""
    assert world.hub.keys.by_id([left.key_id]) == {}


def test_one_call_to_a_school_is_one_thing_that_waits_whoever_it_is_about(make_world):
    world = make_world(schools=[School(), School("mill-school")], live=False)
    here, there = [world.pupil("hill-school") for _ in range(3)], world.pupil("mill-school")
    world.owe()
    world.at("09:05")
    for pupil in (*here, there):
        world.enter(pupil)
    world.at("09:46").go()

    calls = [one for one in waits.waiting(world.desk) if one.kind == "phone_school"]

    [hill] = [one for one in calls if one.organisation == "hill-school"]
    assert len(calls) == 2
    assert len(hill.refs) == 3
    assert "3 reports could not be sent" in hill.words
    assert hill.mend.endswith(f"Then: aphub call {' '.join(hill.refs)}")
    call = Call(CallResult.ANSWERED, JO, answered_by="Kim Archer")
    mill = next(one.ref for one in calls if one is not hill)
    with pytest.raises(CannotFollowError, match="Hill School, Mill School"):
        call_about_messages(world.desk, [*hill.refs, mill], call)
    assert len(world.tasks("phone_school")) == 4

    said = call_about_messages(world.desk, hill.refs, call)

    assert [one.endswith("counts as sent: Kim Archer was told.") for one in said] == [True, True, True]
    assert {world.owed(one).state for one in here} == {"met"}
    assert [one.ref for one in waits.waiting(world.desk) if one.kind == "phone_school"] == [mill]


def test_evidence_says_in_words_what_each_record_is_and_that_somebody_telephoned(make_world, tmp_path):
    world = make_world(schools=[School()], live=False)
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:46").go()
    [task] = world.tasks("phone_school")
    call(world, task.ref)

    [day] = today(world.desk)
    assert (day.sent, day.ways) == (1, (("phone", "handed_over", 1),))
    [(*_, rule)] = [one.rules for one in explain(world.desk, str(world.rows(t.placements)[0].ref), world.day)]
    assert rule.answer.startswith("Yes, at 9:46am on Tuesday 3 March 2026, told by telephone.")
    evidence(world.desk, world.day.isoformat(), tmp_path / "proof")

    page = (tmp_path / "proof" / "index.html").read_text()
    assert f"<td>{world.owed(sam).ref}</td><td>a person telephoned</td>" in page
    assert {kind for kind, _ in KINDS} == set(SAID)
