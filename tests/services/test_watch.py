"""What is not there by now is noticed, told, and provable."""

import json
from datetime import datetime, time, timedelta

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.calendar import to_utc
from aphub.domain.outcomes import Outcome
from aphub.services import watch
from aphub.services.actions import finish_task
from aphub.services.recover import recover
from aphub.store import tables as t
from aphub.store import watching
from tests.told import facts_of, outcomes_of, text_of
from tests.world import TWO_A_DAY, School, World

BUSY = TransientDeliveryError("Their system is busy.")


def test_promise_that_passes_is_a_ledger_statement_said_once(world):
    sam = world.pupil()
    world.owe()
    world.sides.always["far"] = BUSY
    world.at("09:43").at("09:45")
    assert "report.missed" not in world.said()
    world.wait(timedelta(seconds=1))
    world.at("09:50").at("10:30")
    missed = [row for row in world.rows(t.statements) if row.kind == "report.missed"]
    assert [row.subject for row in missed] == [world.owed(sam).ref]
    body = json.loads(missed[0].body)
    assert body["due"].startswith("2026-03-03T09:45:00")
    assert body["organisation"] == "hill-school"
    assert world.verify().ok


def test_promise_that_was_kept_is_not_missed(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:06").at("12:00")
    assert "report.missed" not in world.said()


def test_withdrawn_report_is_not_missed(world):
    sam = world.pupil()
    world.owe()
    world.change(t.owed_reports, {"state": "withdrawn", "look_at": None}, placement_id=sam.placement_id)
    world.at("10:00")
    assert "report.missed" not in world.said()


def test_person_is_warned_ten_minutes_before_a_register_is_due_and_once(make_world):
    terms = {"daily": 'cadence = "daily"\ndue = "11:00"\nentry_due = "start + 30 min"'}
    world = make_world(agreements=terms)
    sam = world.pupil()
    world.owe()
    world.at("09:19")
    assert world.tasks("take_register") == []
    world.at("09:20").at("09:25")
    [task] = world.tasks("take_register")
    assert task.due_at.minute == 30
    assert "9:30am for 1 pupil" in task.words
    world.enter(sam)
    world.at("09:26")
    assert world.tasks("take_register") == []
    # The mark is taken back before the register is due: that is asked again, unless a person has ended the asking.
    world.enter(sam, outcome=Outcome.NOT_YET_TAKEN)
    world.change(t.lessons, {"state": "owed"})
    world.at("09:27")
    [again] = world.tasks("take_register")
    finish_task(world.desk, again.ref, "Robin, office")
    world.at("09:28")
    assert world.tasks("take_register") == []


def test_nobody_is_warned_about_a_register_before_its_lesson_has_begun(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "15:30"\nentry_due = "start"'})
    sam = world.pupil()
    world.owe()
    for wall in ("08:50", "09:00", "09:04"):
        world.at(wall)
        assert world.rows(t.tasks) == []
    assert min(next_watched(world)) == to_utc(world.day, time(9, 5))
    world.at("09:05")
    assert len(world.tasks("take_register")) == 1
    world.enter(sam)
    world.at("09:06")
    assert world.tasks("take_register") == []


def next_watched(world: World) -> list[datetime]:
    with world.hub.store.reading() as connection:
        return watching.next_watch(
            connection,
            world.desk.provider_id,
            world.desk.now,
            alerted_after=watch.ALERTED_AFTER,
            warned_before=watch.WARN_BEFORE,
            warned_after=watch.WARN_AFTER,
        )


def test_missing_register_is_noticed_for_every_lesson_of_the_day(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "16:00"'})
    world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:13").at("13:13")
    assert [kind for kind, _, _ in world.states()] == ["alert", "alert"]
    assert ("PM", "not_yet_taken") in {(s, o) for (_, s), o in outcomes_of(world.sides.to("far")[1]).items()}


def test_message_that_would_help_nobody_any_more_is_given_up_and_a_person_phones(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "09:45"\nuseful_minutes = 30'})
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.sides.always["far"] = BUSY
    for wall in ("09:06", "09:20", "09:43", "10:00", "10:14"):
        world.at(wall)
    world.at("10:30")
    assert world.dispatches()[-1].state == "expired"
    assert world.owed(sam).state == "held"
    assert world.tasks("phone_school")
    assert "dispatch.expired" in world.said()
    before = len(world.sides.heard)
    world.at("11:30")
    assert len(world.sides.heard) == before


def test_doubtful_message_that_expires_says_that_it_may_have_arrived(make_world):
    world = make_world(agreements={"daily": 'cadence = "daily"\ndue = "09:45"\nuseful_minutes = 30'})
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.sides.says("far", UncertainDeliveryError("The answer was lost."))
    world.sides.always["far"] = BUSY
    for wall in ("09:06", "09:20", "09:43", "10:00", "10:14", "10:30"):
        world.at(wall)
    assert world.tasks("settle")
    assert "may not have arrived" in world.tasks("phone_school")[0].words


def test_alert_that_cannot_leave_does_not_stop_the_routine_report(world):
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.sides.says("far", RefusedDeliveryError("Their filter took it for spam.", code="550 5.7.1"))
    world.go()
    assert world.states() == [("alert", "email", "refused")]
    assert world.tasks("phone_school")
    assert world.steps(act="phone_home")
    world.enter(alex)
    world.at("09:43")
    assert world.states()[-1] == ("routine", "email", "handed_over")
    assert world.owed(sam).state == "met"


def test_after_a_morning_off_what_is_late_is_said_to_be_late_and_safety_goes_first(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    sam, alex = world.pupil("hill-school"), world.pupil("vale-school")
    world.owe()
    world.clock.advance(timedelta(hours=4))  # 11 o'clock: nothing ran since 7
    recover(world.desk, world.hub.adapter, sole=True)
    world.enter(alex, outcome=Outcome.ABSENT)
    world.enter(sam)
    world.go()
    assert all(facts_of(one)["late"] for _, one in world.sides.heard)
    [told] = world.sides.to("vale")
    assert outcomes_of(told) == {(alex.upn, "AM"): "absent"}
    assert "late" in text_of(told)
    assert world.said().count("report.missed") == 2


def test_watching_an_idle_hub_writes_nothing(world):
    world.pupil()
    world.owe()
    before = world.said()
    assert watch.watch(world.desk) == watch.WatchResult()
    assert world.said() == before
