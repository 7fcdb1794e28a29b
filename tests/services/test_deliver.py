"""What becomes of one try: retry with the same bytes, next channel, a person; and what never leaves."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from aphub.api.adapters import Answer, AnyAdapter, Rung
from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.outcomes import Outcome
from aphub.services import deliver, tell
from aphub.services.desk import Desk, no_boundary, place_of
from aphub.services.recover import recover
from aphub.services.routes import Route
from aphub.store import tables as t
from tests.services.conftest import MakeWorld
from tests.told import accepted, each, facts_of, outcomes_of, taken
from tests.world import Placed, School, World

BUSY = TransientDeliveryError("Their system is busy.", code="451")
NO_MAILBOX = RefusedDeliveryError("There is no such mailbox.", code="550 5.1.1")
LOST = UncertainDeliveryError("The answer was lost.")


def two_ways(make_world: MakeWorld, first: str = "told", second: str = "told", **options: Any) -> World:
    ways = (("first", first, "one"), ("second", second, "two"))
    return make_world(schools=[School(channels=ways)], **options)


def with_report(world: World) -> Placed:
    """Have one routine report ready to leave at 9:05."""
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    return sam


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


def test_each_receipt_is_sealed_under_its_own_organisation(make_world):
    schools = [School("hill-school"), School("vale-school")]  # one far side: one lane
    world = make_world(schools=schools)
    here, there = world.pupil("hill-school"), world.pupil("vale-school")
    world.owe()
    world.at("09:05")
    world.enter([here, there])
    world.go()
    desk = world.desk
    keys = desk.vault.data_keys(["hill-school", "vale-school"], "message", desk.year())
    by_school = {row.dispatch_id: row.organisation for row in world.dispatches()}
    sealed = {by_school[row.dispatch_id]: row.key_id for row in world.rows(t.receipts)}
    assert sealed == {"hill-school": keys[0].key_id, "vale-school": keys[1].key_id}


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


def test_transient_trouble_waits_for_the_grace_and_then_takes_the_next_channel(make_world):
    world = two_ways(make_world)
    with_report(world)
    world.sides.always["one"] = BUSY
    for _ in range(12):
        world.wait(timedelta(minutes=4))
        if world.sides.to("two"):
            break
    # A next try that would lie after the grace is not waited for.
    assert world.clock.now() >= world.dispatches()[0].due_by - timedelta(minutes=2)
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
    world.wait(timedelta(minutes=6))
    assert world.owed(sam).state == "met"


def test_agreement_that_turns_the_order_of_channels_round_still_has_its_fallback(make_world):
    agreement = {"daily": 'cadence = "daily"\ndue = "09:45"\nchannels = ["second", "first"]'}
    world = two_ways(make_world, agreements=agreement)
    with_report(world)
    world.sides.always["two"] = BUSY
    for _ in range(14):
        world.wait(timedelta(minutes=5))
    assert len(world.sides.to("one")) == 1


# What never leaves


def test_recipient_changed_between_freeze_and_delivery_holds_the_message(make_world):
    world = two_ways(make_world)
    sam = with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.recipients, {"organisation": "elsewhere"}, recipient_id=sam.recipient_ids[0])
        if name == "tell.kept"
        else None
    )
    world.go()
    world.hub.boundary = no_boundary
    world.at("09:50").at("11:00")
    assert world.sides.heard == []
    assert [row.state for row in world.dispatches()] == ["held"]
    assert [row.kind for row in world.rows(t.holds)] == ["wrong_school"]
    assert world.rows(t.attempts) == []


def test_pupil_of_another_school_in_the_rows_holds_the_message(world):
    sam = with_report(world)
    other = world.pupil()
    index = world.desk.vault.index("upn", other.upn)
    world.hub.boundary = lambda name: (
        world.change(t.pupils, {"upn_index": index}, pupil_id=sam.pupil_id) if name == "tell.kept" else None
    )
    world.go()
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["wrong_school"]


def test_pupil_suppressed_after_freeze_holds_the_message(world):
    sam = with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.pupils, {"suppressed": True}, pupil_id=sam.pupil_id) if name == "tell.kept" else None
    )
    world.go()
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["do_not_share"]


@pytest.mark.parametrize(
    "values", [{"state": "changed"}, {"approved_destination": "0" * 64}, {"state": "paused"}]
)
def test_channel_that_is_no_longer_approved_holds_the_message_and_is_not_even_connected_for_it(world, values):
    with_report(world)
    world.hub.boundary = lambda name: world.change(t.channels, values) if name == "tell.kept" else None
    world.go()
    world.hub.boundary = no_boundary
    world.at("09:50")
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["channel_not_approved"]


def test_lane_that_the_configuration_no_longer_has_is_held_and_leaves_the_hub_at_rest(world):
    with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.dispatches, {"lane": "gone"}) if name == "tell.kept" else None
    )
    world.go()
    [row] = world.dispatches()
    assert (row.state, row.next_at) == ("held", None)
    assert row.attempts == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_sent_row_holds_a_pupil_of_another_organisation(make_world_anew, data):
    names = [f"school-{number}" for number in range(4)]
    world = make_world_anew(schools=[School(name, (("email", "told", name),)) for name in names])
    mine: dict[str, set[str]] = {name: set() for name in names}
    for _ in range(data.draw(st.integers(1, 8), label="pupils")):
        told = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        placed = world.pupil(*told)
        for name in told:
            mine[name].add(placed.upn)
    world.owe()
    world.at("09:05")
    rows = world.rows(t.lessons, day=world.day)
    for lesson in rows:
        moved = data.draw(st.sampled_from(["", "", *names]), label="moved before freeze")
        if moved:
            clash = world.rows(t.recipients, placement_id=lesson.placement_id, organisation=moved)
            if not clash:
                [first, *_] = world.rows(t.recipients, placement_id=lesson.placement_id)
                world.change(t.recipients, {"organisation": moved}, recipient_id=first.recipient_id)
    late = data.draw(st.booleans(), label="moved between freeze and delivery")

    def boundary(name: str) -> None:
        if name == "tell.kept" and late:
            with world.hub.store.transaction() as connection:
                [first, *_] = connection.execute(select(t.recipients)).all()
                connection.execute(
                    update(t.recipients)
                    .where(t.recipients.c.recipient_id == first.recipient_id)
                    .values(organisation="elsewhere")
                )

    world.hub.boundary = boundary
    world.at("09:43").at("10:00")
    upns = {row.pupil_id: row.upn_index for row in world.rows(t.pupils)}
    for far, delivery in world.sides.heard:
        placed_by = {
            upns[owed.pupil_id]
            for owed in world.rows(t.owed_reports)
            for recipient in world.rows(t.recipients, recipient_id=owed.recipient_id)
            if recipient.organisation in {far, "elsewhere"}
        }
        assert {world.desk.vault.index("upn", upn) for upn, _ in outcomes_of(delivery)} <= placed_by


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
