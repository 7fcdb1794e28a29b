"""When what is told: routine, alert, update, correction; never twice, never out of order."""

from datetime import UTC, datetime, time, timedelta

import pytest

from aphub.api.adapters import Answer
from aphub.domain.entries import Action
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.placements import TimetableSlot
from aphub.services import tell
from aphub.store import tables as t
from tests.told import each, facts_of, outcomes_of, text_of
from tests.world import TWO_A_DAY, School


def test_routine_leaves_at_its_time_with_register_not_yet_taken_for_the_rest(world):
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:12")
    assert world.states() == []
    world.at("09:13")
    world.at("09:43").at("09:44")
    [routine] = [one for one in world.sides.to("far") if facts_of(one)["kind"] == "routine"]
    assert outcomes_of(routine) == {(sam.upn, "AM"): "present", (alex.upn, "AM"): "not_yet_taken"}
    assert "register not yet taken" in text_of(routine)


def test_complete_thread_leaves_early_and_an_incomplete_one_waits(world):
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:01")
    world.enter(sam)
    world.at("09:02")
    assert world.sides.heard == []
    world.enter(alex)
    world.at("09:03")
    [early] = world.sides.to("far")
    assert facts_of(early)["kind"] == "routine"
    assert len(facts_of(early)["rows"]) == 2
    world.at("09:43").at("10:00")
    assert len(world.sides.heard) == 1


def test_one_complete_school_does_not_wait_for_another(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    here, there = world.pupil("hill-school"), world.pupil("vale-school")
    world.owe()
    world.at("09:01")
    world.enter(here)
    world.at("09:02")
    assert [far for far, _ in world.sides.heard] == ["far"]
    assert world.owed(there).state == "owed"


def test_at_time_waits_though_complete(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "09:45"\nsend = "at time"'})
    sam = world.pupil()
    world.owe()
    world.at("09:01")
    world.enter(sam)
    world.at("09:42")
    assert world.sides.heard == []
    world.at("09:43")
    assert len(world.sides.heard) == 1


def test_nothing_leaves_before_its_own_day_even_when_complete(world):
    sam = world.pupil()
    world.owe()
    tomorrow = world.day + timedelta(days=1)
    world.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.MEDICAL, day=tomorrow)
    world.at("08:00")
    assert world.sides.heard == []


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.ABSENT, ReasonKind.UNKNOWN),
        (Outcome.ABSENT, ReasonKind.UNAUTHORISED),
        (Outcome.LEFT_SITE, ReasonKind.NOT_APPLICABLE),
        (Outcome.CANCELLED, ReasonKind.NOT_APPLICABLE),
    ],
)
def test_news_of_safety_leaves_at_once_and_alone(world, outcome, reason):
    sam, _ = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=outcome, reason=reason)
    world.go()
    [alert] = world.sides.to("far")
    assert facts_of(alert)["kind"] == "alert"
    assert outcomes_of(alert) == {(sam.upn, "AM"): outcome.value}
    assert world.dispatches()[0].urgent
    assert world.dispatches()[0].due_by <= world.clock.now() + timedelta(minutes=15)


def test_explained_absence_is_no_alert(world):
    sam, _ = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.ILL)
    world.go()
    assert world.sides.heard == []


def test_missing_register_is_told_within_fifteen_minutes_of_the_start(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "15:00"'})
    sam = world.pupil()
    world.owe()
    world.at("09:12")
    assert world.sides.heard == []
    world.at("09:13")
    [alert] = world.sides.to("far")
    assert facts_of(alert)["kind"] == "alert"
    assert outcomes_of(alert) == {(sam.upn, "AM"): "not_yet_taken"}
    assert world.dispatches()[0].handed_over_at <= datetime(2026, 3, 3, 9, 15, tzinfo=UTC)
    world.at("09:20")
    assert len(world.sides.heard) == 1


def test_afternoon_register_missing_after_the_routine_report_is_told_in_time(world):
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:43")
    world.at("13:12")
    assert len(world.sides.heard) == 1
    world.at("13:13")
    assert outcomes_of(world.sides.to("far")[-1])[sam.upn, "PM"] == "not_yet_taken"


def test_more_done_is_an_update_and_a_changed_fact_is_a_correction(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.at("09:06").at("09:43")
    phoned = Action(world.clock.now(), "phoned home", "no answer")
    world.enter(sam, outcome=Outcome.ABSENT, actions=[phoned])
    world.at("09:50")
    assert facts_of(world.sides.to("far")[-1])["kind"] == "update"
    assert "phoned home, no answer" in text_of(world.sides.to("far")[-1])
    world.enter(sam, outcome=Outcome.LATE, minutes=50, actions=[phoned])
    world.at("09:51")
    last = world.sides.to("far")[-1]
    assert facts_of(last)["kind"] == "correction"
    assert "was 'did not attend, reason not known', now 'arrived late (50 minutes)'" in text_of(last)


def test_corrections_gather_for_a_minute_and_urgent_ones_do_not(world):
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter([sam, alex])
    world.go()
    world.enter(sam, outcome=Outcome.LATE, minutes=5)
    world.wait(timedelta(seconds=30))
    assert len(world.sides.heard) == 1
    world.enter(alex, outcome=Outcome.LATE, minutes=5)
    world.wait(timedelta(seconds=29))
    assert len(world.sides.heard) == 1
    world.wait(timedelta(seconds=1))
    world.wait(timedelta(seconds=60))
    told = [outcomes_of(one) for one in world.sides.to("far")[1:]]
    assert {upn for one in told for upn, _ in one} == {sam.upn, alex.upn}
    before = len(world.sides.heard)
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.go()
    assert len(world.sides.heard) == before + 1


def test_nothing_is_told_twice(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.go()
    for _ in range(3):
        world.enter(sam, outcome=Outcome.ABSENT)
        world.wait(timedelta(minutes=2))
    assert [kind for kind, _, _ in world.states()] == ["routine"]


def test_alert_and_routine_of_one_absence_are_two_messages_in_order(world):
    sam, _ = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.at("09:06").at("09:43").at("11:00")
    kinds = [facts_of(one)["kind"] for one in world.sides.to("far")]
    assert kinds[0] == "alert"
    assert kinds[-1] == "routine"
    numbers = [int(one.key.rpartition("-")[2]) for one in world.sides.to("far")]
    assert numbers == sorted(numbers) == list(range(1, len(numbers) + 1))


def test_suppressed_pupil_never_leaves_and_is_named_as_held(world):
    sam, alex = world.pupil(), world.pupil(suppressed=True)
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.enter(alex, outcome=Outcome.LEFT_SITE)
    world.at("09:06").at("09:43").at("12:30")
    assert alex.upn not in str([one.rows for one in world.sides.to("far")])
    assert (world.owed(alex).state, world.owed(alex).because) == ("held", "do not share this pupil")
    assert world.owed(sam).state == "met"


def test_wrong_school_is_stopped_when_built_and_keeps_nobody_else_waiting(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    sam, alex, kim = world.pupil(), world.pupil(), world.pupil("vale-school")
    world.owe()
    world.change(t.recipients, {"organisation": "vale-school"}, recipient_id=alex.recipient_ids[0])
    world.at("09:05")
    world.enter([sam, alex, kim])
    world.at("09:06").at("09:43")
    assert {upn for one in world.sides.to("far") for upn, _ in outcomes_of(one)} == {sam.upn}
    assert {upn for one in world.sides.to("vale") for upn, _ in outcomes_of(one)} <= {kim.upn, alex.upn}
    assert kim.upn in str([one.rows for one in world.sides.to("vale")])
    assert world.owed(alex).state == "held"
    assert world.tasks()


def test_message_that_cannot_be_made_keeps_no_other_from_leaving(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    sam, kim = world.pupil(given="=cmd"), world.pupil("vale-school")
    world.owe()
    world.at("09:05")
    world.change(t.channels, {"state": "paused"}, organisation="hill-school")
    world.enter([sam, kim])
    world.at("09:06")
    assert len(world.sides.to("vale")) == 1
    assert world.owed(sam).state == "held"
    assert world.owed(sam).because.startswith("no way to send")
    assert len(world.tasks("phone_school")) == 1


def test_not_approved_or_changed_destination_lets_nothing_leave(make_world):
    world = make_world(live=False)
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.at("09:06").at("09:43").at("10:00")
    assert world.sides.opened == []
    assert world.owed(sam).state == "held"
    assert world.said().count("report.missed") == 1


def test_held_report_is_told_again_when_there_is_news_and_a_way(make_world):
    world = make_world(live=False)
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:06")
    assert world.owed(sam).state == "held"
    world.go_live()
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.at("10:00")
    assert [outcomes_of(one)[sam.upn, "AM"] for one in world.sides.to("far")] == ["left_site"]


def test_what_is_late_says_so_and_stale_routine_asks_a_person(world):
    sam = world.pupil()
    world.owe()
    world.at("08:59")
    world.clock.advance(timedelta(minutes=66))
    world.enter(sam)
    world.go()
    assert facts_of(world.sides.to("far")[0])["late"] is True
    assert "This message is late. It was due by 9:45am" in text_of(world.sides.to("far")[0])


def test_stale_news_of_safety_leaves_however_late(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "09:45"\nuseful_minutes = 60'})
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.clock.advance(timedelta(hours=7))
    world.enter(sam)
    world.enter(alex, outcome=Outcome.ABSENT)
    world.go()
    assert {upn for one in world.sides.to("far") for upn, _ in outcomes_of(one)} == {alex.upn}
    assert world.owed(sam).because == "more than two hours late"
    assert [task.kind for task in world.tasks("release")] == ["release"]


def test_school_closure_is_a_note_and_never_makes_a_lesson_not_due(make_world):
    closed = 'closures = [{starts = 2026-03-03, ends = 2026-03-03, name = "training day"}]'
    world = make_world(schools=[School(extra=closed)])
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.go()
    assert "Your calendar says closed" in text_of(world.sides.to("far")[0])


def test_report_that_one_channel_cannot_express_goes_by_the_next(make_world):
    ways = (("mis", "told-register", "mis"), ("email", "told", "far"))
    world = make_world(schools=[School(channels=ways)])
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.enter(alex, outcome=Outcome.CANCELLED)
    world.at("09:43")
    by_far = {
        far: {upn for one in world.sides.to(far) for upn, _ in outcomes_of(one)} for far in ("mis", "far")
    }
    assert by_far == {"mis": {sam.upn}, "far": {alex.upn}}


def test_report_goes_by_the_next_way_where_one_has_ended_or_has_no_place_for_a_fact(make_world):
    ways = (("drop", "told", "ended"), ("files", "told", "grid"), ("email", "told", "far"))
    world = make_world(schools=[School(channels=ways)])
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.enter(alex, outcome=Outcome.LATE)
    world.at("09:43")
    by_far = {
        far: {upn for one in world.sides.to(far) for upn, _ in outcomes_of(one)}
        for far in ("ended", "grid", "far")
    }
    assert by_far == {"ended": set(), "grid": {sam.upn}, "far": {alex.upn}}


def test_urgent_news_never_goes_into_a_register_alone(make_world):
    ways = (("mis", "told-register", "mis"), ("email", "told", "far"))
    world = make_world(schools=[School(channels=ways)])
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.enter(sam, "13:00", Outcome.ABSENT)
    world.at("09:06").at("09:43")
    assert outcomes_of(world.sides.to("far")[0])[sam.upn, "AM"] == "absent"


def test_urgent_update_never_goes_into_a_register_alone(make_world):
    ways = (("mis", "told-register", "mis"), ("email", "told", "far"))
    world = make_world(schools=[School(channels=ways)])
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:43")
    world.sides.says("mis", each(Answer.TAKEN))
    assert [far for far, _ in world.sides.heard] == ["mis"]
    world.at("13:05")
    world.enter(sam, "13:00", Outcome.ABSENT)
    world.go()
    assert "absent" in {outcome for one in world.sides.to("far") for outcome in outcomes_of(one).values()}


def test_weekly_agreement_still_alerts_at_once(make_world):
    world = make_world(agreements={"daily": 'cadence = "weekly"\ndue = "Friday 15:30"'})
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.go()
    assert [kind for kind, _, _ in world.states()] == ["alert"]


@pytest.mark.parametrize(
    ("now", "utc_hour"),
    [
        (datetime(2026, 3, 27, 7, tzinfo=UTC), 9),  # the Friday before the clocks go forward
        (datetime(2026, 3, 30, 6, tzinfo=UTC), 8),  # the Monday after
        (datetime(2026, 10, 23, 6, tzinfo=UTC), 8),
        (datetime(2026, 10, 26, 7, tzinfo=UTC), 9),
    ],
)
def test_agreed_times_are_london_times_on_either_side_of_a_clock_change(make_world, now, utc_hour):
    world = make_world(now=now)
    sam = world.pupil()
    world.owe()
    row = world.owed(sam)
    assert row.due_by == now.replace(hour=utc_hour, minute=45)
    assert row.send_at == row.due_by - timedelta(minutes=2)


def test_lessons_of_one_session_are_told_in_one_line(make_world):
    slots = [TimetableSlot(1, time(9), time(10)), TimetableSlot(1, time(10), time(11))]
    world = make_world()
    sam = world.pupil(slots=slots)
    world.owe()
    world.at("09:05")
    world.enter(sam, "09:00")
    world.enter(sam, "10:00")
    world.at("09:43")
    [one] = world.sides.to("far")
    assert len(facts_of(one)["rows"]) == 1


def test_thread_that_cannot_be_looked_at_does_not_turn_in_circles(world):
    sam = world.pupil()
    world.owe()
    world.change(
        t.owed_reports, {"state": "withdrawn", "look_at": world.clock.now()}, placement_id=sam.placement_id
    )
    world.go()
    assert world.sides.heard == []
    assert tell.tell_now(world.desk).looked == 0
