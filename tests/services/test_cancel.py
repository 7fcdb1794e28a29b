"""The provider cancels a morning in one step: schools at once, homes and transport as tasks, answers taken."""

from datetime import date, time

import pytest

from aphub.domain.outcomes import Outcome
from aphub.services import cancel
from aphub.services.cancel import Because, Instead, Which
from aphub.store import tables as t
from tests.told import facts_of, outcomes_of, text_of
from tests.world import TUESDAY, TWO_A_DAY, School, World

MORNING = Which(TUESDAY, until_time=time(12))
OFFICE = "Robin, office"


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew(schools=[School(), School("vale-school", (("email", "told", "vale"),))])


def test_a_tutor_is_ill_and_the_morning_is_cancelled_in_one_step(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    sam = world.pupil("hill-school", slots=TWO_A_DAY)
    alex = world.pupil("vale-school", slots=TWO_A_DAY)
    world.owe()
    world.at("07:30")
    seen = cancel.which_lessons(world.desk, MORNING)
    assert (seen.lessons, seen.pupils, seen.organisations) == (2, 2, ("hill-school", "vale-school"))

    done = cancel.cancel_lessons(world.desk, MORNING, Because.STAFF, OFFICE)
    world.go()
    # Both schools hear it at once, an hour and a half before the lesson; the afternoon stands.
    for far, placed in (("far", sam), ("vale", alex)):
        [alert] = world.sides.to(far)
        assert facts_of(alert)["kind"] == "alert"
        assert outcomes_of(alert) == {(placed.upn, "AM"): "cancelled"}
        assert facts_of(alert)["rows"][0]["suggested_code"] == ""
    # One task a home and one for transport: never one a lesson.
    assert len(world.tasks(cancel.TELL_HOME)) == 2
    [transport] = world.tasks(cancel.TELL_TRANSPORT)
    assert "2 pupils" in transport.words
    assert "lessons.cancelled" in world.said()
    assert world.verify().ok

    # Home says where Sam is; nobody is reached for Alex, which is told too and stays a task.
    cancel.take_answer(world.desk, done.ref, "p0001", Instead.BACK_TO_SCHOOL, OFFICE)
    cancel.take_answer(world.desk, done.ref, "P0002", Instead.NOT_REACHED, OFFICE)
    [still] = world.tasks(cancel.TELL_HOME)
    assert still.pupil_id == alex.pupil_id
    instead = {one.pupil: one.instead for one in cancel.cancelled(world.desk, done.ref)}
    assert instead == {"p0001": "goes to school instead", "p0002": "no answer"}
    world.at("13:01")
    world.enter([sam, alex], starts="13:00")
    world.at("13:05")
    told = world.sides.to("far")[-1]
    assert outcomes_of(told) == {(sam.upn, "AM"): "cancelled", (sam.upn, "PM"): "present"}
    assert "goes to school instead" in text_of(told)
    # Nobody was asked for a register that cannot be taken.
    assert world.tasks("take_register") == []


def test_lessons_that_were_held_stay_and_a_second_cancelling_finds_nothing(small):
    sam, alex = small.pupil("hill-school"), small.pupil("hill-school")
    small.owe()
    small.at("09:05")
    small.enter(sam)
    done = cancel.cancel_lessons(small.desk, MORNING, Because.PREMISES, OFFICE)
    assert (done.lessons, done.left) == (1, 1)
    outcomes = {row.lesson_id: row.outcome for row in small.rows(t.entries, current=True)}
    assert sorted(outcomes.values()) == ["cancelled", "present"]
    with pytest.raises(cancel.CancelError, match="held, or are cancelled already"):
        cancel.cancel_lessons(small.desk, MORNING, Because.PREMISES, OFFICE)
    assert alex.pupil_id


def test_only_one_persons_lessons_can_be_cancelled_and_another_day_is_told_today(small):
    first = small.pupil("hill-school")
    small.pupil("vale-school")
    small.owe()
    small.change(t.lessons, {"staff": "Ms Example"}, placement_id=first.placement_id)
    thursday = date(2026, 3, 5)
    done = cancel.cancel_lessons(small.desk, Which(thursday, staff="Ms Example"), Because.STAFF, OFFICE)
    small.at("07:05")
    assert (done.lessons, done.organisations) == (1, ("hill-school",))
    [alert] = small.sides.to("far")
    assert facts_of(alert)["rows"][0]["date"] == "2026-03-05"
    assert small.sides.to("vale") == []


def test_what_is_not_there_is_answered_in_words(small):
    small.pupil("hill-school")
    small.owe()
    with pytest.raises(cancel.CancelError, match="No lesson fits this"):
        cancel.cancel_lessons(small.desk, Which(date(2026, 3, 7)), Because.OTHER, OFFICE)
    with pytest.raises(cancel.CancelError, match="no cancellation of that reference"):
        cancel.take_answer(small.desk, "ABCDEFGH", "P0001", Instead.STAYS_HOME, OFFICE)
    done = cancel.cancel_lessons(small.desk, MORNING, Because.WEATHER, OFFICE)
    with pytest.raises(cancel.CancelError, match="No lesson of this pupil"):
        cancel.take_answer(small.desk, done.ref, "P0099", Instead.STAYS_HOME, OFFICE)


def test_a_cancelled_lesson_is_held_after_all(small):
    sam = small.pupil("hill-school")
    small.owe()
    cancel.cancel_lessons(small.desk, MORNING, Because.WEATHER, OFFICE)
    small.at("08:00").at("09:05")
    small.enter(sam, outcome=Outcome.PRESENT)
    small.at("09:06").at("09:43")
    assert outcomes_of(small.sides.to("far")[-1]) == {(sam.upn, "AM"): "present"}
