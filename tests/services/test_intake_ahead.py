"""A register states what happened: a mark made before anybody can know it is a question, and news with its reason is not."""

from datetime import timedelta

import pytest

from aphub.domain.errors import AphubError
from aphub.services import answering
from aphub.services.intake_rows import question_words
from aphub.services.sheet import make_sheet, type_in
from aphub.store import tables as t
from tests.registers import Handed, person, place
from tests.services.test_intake import TWO, asked, outcomes, take


@pytest.fixture
def source():
    return Handed()


def test_a_register_that_was_filled_in_beforehand_states_nothing_of_lessons_to_come(world, source):
    place(world, person("1", timetable=TWO), person("2"))
    world.at("09:05")
    both = [{"pupil_ref": "1", "mark": "Present", "starts": starts} for starts in ("09:00", "13:00")]
    taken = take(world, source, *both)

    assert (taken.entered, taken.questioned, asked(world)) == (1, 1, ["not_begun"])
    [question] = world.rows(t.questions)
    assert "has not begun" in question_words(world.desk, question)["words"]
    # The same mark in a register of the lesson's own time is one, and nobody need answer.
    world.at("13:02")
    take(world, source, *both, {"pupil_ref": "2", "mark": "Present"})
    assert asked(world) == []
    assert outcomes(world) == [("present", "not_applicable", None)] * 3


def test_only_news_with_its_reason_is_taken_for_another_day_and_nobody_is_alarmed_ahead(world, source):
    place(world, person("1"), person("2"), person("3"))
    friday = {"day": "06/03/2026"}
    taken = take(
        world,
        source,
        {"pupil_ref": "1", "mark": "Absent", **friday},
        {"pupil_ref": "2", "mark": "Absent", "reason": "ill", **friday},
        {"pupil_ref": "3", "mark": "Left site", **friday},
    )
    world.wait(timedelta(minutes=5))

    assert (taken.entered, taken.questioned, asked(world)) == (1, 2, ["not_begun"] * 2)
    assert outcomes(world) == [("absent", "ill", None)]
    assert world.sides.heard == []
    first = world.rows(t.questions)[0]
    with pytest.raises(AphubError, match="another day to come"):
        answering.answer_question(world.desk, first.ref, "Jo", choice="absent")


def test_a_sheet_of_tomorrow_takes_no_attendance_today_and_names_the_line(world):
    sam, kit = world.pupil(), world.pupil()
    world.owe()
    tomorrow = world.day + timedelta(days=1)
    sheet = make_sheet(world.desk, tomorrow)
    with pytest.raises(AphubError, match="Line 2: This lesson is on another day to come"):
        type_in(world.desk, sheet.ref, {1: ("absent", "", "ill"), 2: ("present", "", "")}, "Jo")
    with pytest.raises(AphubError, match=r"Line 1: This mark is not in the provider's words"):
        type_in(world.desk, sheet.ref, {1: ("presnt", "", "")}, "Jo")
    assert world.rows(t.entries) == []
    assert type_in(world.desk, sheet.ref, {1: ("absent", "", "ill")}, "Jo") == 1
    assert {sam.pupil_id, kit.pupil_id} > {row.pupil_id for row in world.rows(t.lessons, state="entered")}
