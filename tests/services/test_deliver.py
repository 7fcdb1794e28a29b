"""What becomes of one try: retry with the same bytes, next channel, a person; and what never leaves."""

from datetime import timedelta

import pytest

from aphub.api.adapters import Answer, Rung
from aphub.domain.retries import LONGEST_WAIT
from aphub.services.desk import place_of
from aphub.store import tables as t
from tests.services.trying import BUSY, LOST, NO_MAILBOX, two_ways, with_report
from tests.told import accepted, each, facts_of, taken
from tests.world import School


def test_handed_over_meets_the_debt_with_receipt_and_proof(world):
    sam = with_report(world)
    world.go()
    [row] = world.dispatches()
    assert (row.state, row.rung, row.far_reference) == ("handed_over", "handed_over", "queue-1")
    assert (world.owed(sam).state, world.owed(sam).handed_over_at) == ("met", world.clock.now())
    [receipt] = world.rows(t.receipts)
    assert (receipt.rung, receipt.hops) == ("handed_over", "TLS 1.3")
    evidence = world.desk.vault.open_json(
        receipt.key_id, place_of("receipts", receipt.provider_id, receipt.receipt_id), receipt.sealed
    )
    assert evidence == {"answer": "250 taken"}
    assert world.said()[-2:] == ["report.prepared", "dispatch.handed_over"]
    assert world.verify().ok


def test_accepted_has_both_rungs_as_receipts(world):
    with_report(world)
    world.sides.says("far", accepted)
    world.go()
    assert [row.rung for row in world.rows(t.receipts)] == ["handed_over", "accepted"]
    assert world.dispatches()[0].rung == "accepted"


def test_each_receipt_is_sealed_under_its_own_message(make_world):
    schools = [School("hill-school"), School("vale-school")]  # one far side: one lane
    world = make_world(schools=schools)
    here, there = world.pupil("hill-school"), world.pupil("vale-school")
    world.owe()
    world.at("09:05")
    world.enter([here, there])
    world.go()
    desk = world.desk
    numbers = [row.dispatch_id for row in world.dispatches()]
    keys = desk.vault.data_keys(numbers, "message", desk.year())
    assert len(numbers) == 2
    assert len({key.key_id for key in keys}) == 2
    sealed = {row.dispatch_id: row.key_id for row in world.rows(t.receipts)}
    assert sealed == {number: key.key_id for number, key in zip(numbers, keys, strict=True)}


def test_retry_is_the_same_bytes_under_the_same_identity(world):
    with_report(world)
    world.sides.says("far", BUSY, BUSY)
    world.go()
    assert world.states() == [("routine", "email", "waiting")]
    world.wait(timedelta(minutes=2)).wait(timedelta(minutes=4))
    first, second, third = world.sides.to("far")
    assert first.key == second.key == third.key
    assert first.documents == second.documents == third.documents
    assert first.rows == third.rows
    assert [one.attempt for one in (first, second, third)] == [1, 2, 3]
    assert [row.outcome for row in world.rows(t.attempts)] == ["transient", "transient", "taken"]


def test_transient_trouble_takes_the_next_channel_in_time_for_the_promise(make_world):
    world = two_ways(make_world)
    with_report(world)
    world.sides.always["one"] = BUSY
    for _ in range(12):
        world.wait(timedelta(minutes=4))
        if world.sides.to("two"):
            break
    first, other = world.dispatches()
    # A next try that would break the promise is not waited for; as long as there is time, the first way has it.
    assert first.due_by - LONGEST_WAIT * 1.25 <= other.prepared_at <= first.due_by
    assert [row.state for row in world.dispatches()] == ["replaced", "handed_over"]
    [fallback] = world.sides.to("two")
    assert facts_of(fallback)["notes"] == []
    assert fallback.reports == world.sides.to("one")[0].reports


def test_refused_takes_the_next_channel_at_once_and_asks_a_person(make_world):
    world = two_ways(make_world)
    sam = with_report(world)
    world.sides.says("one", NO_MAILBOX)
    world.go()
    assert world.states() == [("routine", "first", "refused"), ("routine", "second", "handed_over")]
    assert world.owed(sam).state == "met"
    assert [task.subject for task in world.tasks("fix_channel")] == [world.dispatches()[0].reference]
    assert "dispatch.refused" in world.said()


def test_refused_with_no_other_way_is_a_phone_task_and_a_named_reason(world):
    sam = with_report(world)
    world.sides.says("far", NO_MAILBOX)
    world.go()
    assert [task.kind for task in world.tasks("phone_school")] == ["phone_school"]
    assert world.owed(sam).state == "held"
    assert "no such mailbox" in world.owed(sam).because
    world.at("10:00")
    assert "report.missed" in world.said()


def test_recognisable_doubt_repeats_once_and_then_says_you_may_already_have_it(make_world):
    world = two_ways(make_world)
    with_report(world)
    world.sides.says("one", LOST, LOST, LOST)
    world.go()
    world.wait(timedelta(minutes=2)).wait(timedelta(minutes=5)).wait(timedelta(minutes=5))
    first, second = world.sides.to("one")
    assert (first.key, first.documents) == (second.key, second.documents)
    [other] = world.sides.to("two")
    assert facts_of(other)["notes"] == [f"You may already have {first.key}."]
    assert [row.state for row in world.dispatches()] == ["uncertain", "handed_over"]
    assert [task.subject for task in world.tasks("settle")] == [first.key]
    assert world.said().count("dispatch.uncertain") == 2


def test_harmful_doubt_is_never_repeated(make_world):
    world = two_ways(make_world, first="told-harmful")
    with_report(world)
    world.sides.says("one", LOST)
    world.go()
    world.at("09:50")
    assert len(world.sides.to("one")) == 1
    assert len(world.sides.to("two")) == 1


def test_harmless_doubt_is_repeated_as_often_as_it_takes(make_world):
    world = two_ways(make_world, first="told-harmless")
    with_report(world)
    world.sides.says("one", LOST, LOST, LOST)
    for _ in range(5):
        world.wait(timedelta(minutes=5))
    assert len(world.sides.to("one")) == 4
    assert world.sides.to("two") == []


@pytest.mark.parametrize("later", [BUSY, NO_MAILBOX])
def test_doubt_is_not_forgotten_when_a_later_try_fails_plainly(make_world, later):
    world = two_ways(make_world)
    with_report(world)
    world.sides.says("one", LOST)
    world.sides.always["one"] = later
    for _ in range(14):
        world.wait(timedelta(minutes=5))
    key = world.sides.to("one")[0].key
    assert facts_of(world.sides.to("two")[0])["notes"] == [f"You may already have {key}."]
    assert world.dispatches()[0].state == "uncertain"
    assert world.tasks("settle")


def test_doubt_is_looked_up_where_the_far_side_can_say(make_world):
    world = two_ways(make_world, first="told-looks-up")
    sam = with_report(world)
    world.sides.says("one", LOST)
    world.sides.found["one"].append(taken)
    world.go()
    assert world.owed(sam).state == "met"
    assert len(world.sides.to("one")) == 1
    assert world.sides.asked == [("look_up", world.dispatches()[0].reference)]


def test_doubt_that_turns_out_not_to_be_there_is_tried_again(make_world):
    world = two_ways(make_world, first="told-looks-up")
    sam = with_report(world)
    world.sides.says("one", LOST)
    world.go()
    world.wait(timedelta(minutes=2))
    assert len(world.sides.to("one")) == 2
    assert world.owed(sam).state == "met"


def test_fault_of_an_adapter_is_a_doubt_and_rests_its_lane(make_world):
    world = two_ways(make_world)
    with_report(world)
    world.sides.says("one", ZeroDivisionError("Sam Example001"))
    world.go()
    assert [row.state for row in world.dispatches()] == ["uncertain", "handed_over"]
    [attempt, _] = world.rows(t.attempts)
    assert attempt.outcome == "fault"
    assert "ZeroDivisionError" in attempt.words
    assert "Example" not in attempt.words
    assert world.rows(t.lanes)[0].open_until > world.clock.now()


def test_answer_that_leaves_a_report_out_is_the_adapters_fault(make_world):
    world = two_ways(make_world)
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter([sam, alex])
    world.sides.says("one", lambda delivery: each(Answer.TAKEN)(delivery).__class__(Rung.HANDED_OVER, ()))
    world.go()
    assert world.dispatches()[0].state == "uncertain"


def test_partial_answer_sends_only_the_rest_another_way(make_world):
    world = two_ways(make_world)
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter([sam, alex])
    world.sides.says("one", each(Answer.TAKEN, Answer.NOT_EXPRESSIBLE))
    world.go()
    [first], [second] = world.sides.to("one"), world.sides.to("two")
    assert len(first.reports) == 2
    assert second.reports == first.reports[1:]
    assert {world.owed(sam).state, world.owed(alex).state} == {"met"}
    assert world.states() == [("routine", "first", "handed_over"), ("routine", "second", "handed_over")]


def test_mark_that_differs_is_never_overwritten_and_a_person_is_asked(make_world):
    world = two_ways(make_world)
    with_report(world)
    world.sides.says("one", each(Answer.DIFFERS))
    world.go()
    world.at("09:50")
    assert len(world.sides.to("one")) == 1
    assert [task.kind for task in world.tasks("register_differs")] == ["register_differs"]
    assert "Your register has another mark here" in str(facts_of(world.sides.to("two")[0])["notes"])


def test_already_there_counts_as_arrived(world):
    sam = with_report(world)
    world.sides.says("far", each(Answer.ALREADY_THERE))
    world.go()
    assert world.owed(sam).state == "met"
    assert world.rows(t.dispatch_reports)[0].answer == "already_there"


def test_nothing_taken_at_all_is_refused_and_the_ledger_says_so(world):
    sam = with_report(world)
    world.sides.says("far", each(Answer.REFUSED))
    world.go()
    assert world.dispatches()[0].state == "refused"
    assert world.owed(sam).state == "held"
    assert "dispatch.refused" in world.said()
    assert "dispatch.handed_over" not in world.said()


def test_channel_that_is_not_live_does_not_count_as_another_way(make_world):
    world = two_ways(make_world)
    sam = with_report(world)
    world.change(t.channels, {"state": "draft"}, name="second")
    world.sides.always["one"] = BUSY
    for _ in range(15):
        world.wait(timedelta(minutes=5))
    assert world.dispatches()[0].state == "waiting"
    world.sides.always.clear()
    world.wait(timedelta(minutes=7))  # the longest wait is five minutes and a quarter of it
    assert world.owed(sam).state == "met"


def test_agreement_that_turns_the_order_of_channels_round_still_has_its_fallback(make_world):
    agreement = {"daily": 'cadence = "daily"\ndue = "09:45"\nchannels = ["second", "first"]'}
    world = two_ways(make_world, agreements=agreement)
    with_report(world)
    world.sides.always["two"] = BUSY
    for _ in range(14):
        world.wait(timedelta(minutes=5))
    assert len(world.sides.to("one")) == 1
