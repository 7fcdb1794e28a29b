"""Corrections say what changed, from whom, by whom, when and why; each bad one has a clear answer."""

from datetime import date, timedelta

import pytest

from aphub.domain.absences import Teller
from aphub.domain.entries import Action, Fact
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import answering
from aphub.services.answering import CannotAnswerError
from aphub.store import tables as t
from tests.told import facts_of, outcomes_of, text_of
from tests.world import TUESDAY, World

OFFICE = "Robin Example, office"


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew()


def correct(
    world: World, fact: Fact, because: str = "she was in the kitchen", *, day: date = TUESDAY, **told: Teller
) -> str:
    ref = world.rows(t.placements)[0].ref
    return answering.correct_entry(world.desk, ref, day, "09:00", fact, OFFICE, because, **told)


def kinds(world: World) -> list[str]:
    return [facts_of(one)["kind"] for one in world.sides.to("far")]


def test_a_correction_says_what_changed_from_whom_by_whom_when_and_why_in_the_first_messages_thread(world):
    sam = world.pupil(given="Sam")
    world.owe()
    world.at("09:05")
    called = world.clock.now()
    world.enter(sam, outcome=Outcome.ABSENT, actions=[Action(called, "phoned home", "no answer")])
    world.at("09:06").at("09:43")
    first = facts_of(world.sides.to("far")[0])["rows"][0]["reference"]

    world.at("10:20")
    correct(world, Fact(Outcome.PRESENT), "Sam was in the kitchen", told_by=Teller.PARENT)
    world.go()
    told = world.sides.to("far")[-1]
    words = text_of(told)
    assert facts_of(told)["kind"] == "correction"
    assert "was 'did not attend, reason not known', now 'attended'" in words
    assert "From: parent. By: Robin Example, office, 10:20am on Tuesday 3 March 2026." in words
    # What a person writes may hold the child's name; where it travels, it stands as initials.
    assert "Why: SE was in the kitchen." in words
    row = facts_of(told)["rows"][0]
    assert (
        row["supersedes"].rpartition("-")[0]
        == first.rpartition("-")[0]
        == row["reference"].rpartition("-")[0]
    )
    # What was done about the absence is not lost with it.
    assert "phoned home" in words
    # The next change of the register is a correction too, and says whose word it was.
    world.at("10:30")
    world.enter(sam, outcome=Outcome.LATE, minutes=20)
    world.wait(timedelta(minutes=2))
    assert "From: our register. By: the hub, 10:30am" in text_of(world.sides.to("far")[-1])


def test_a_correction_before_anything_was_sent_goes_out_as_the_first_word(small):
    small.pupil()
    small.owe()
    small.at("09:05")
    correct(small, Fact(Outcome.ABSENT, ReasonKind.ILL))
    small.at("09:43").at("10:00")
    assert kinds(small) == ["routine"]
    assert "Changed" not in text_of(small.sides.to("far")[0])


def test_the_same_correction_twice_is_answered_and_sends_nothing_twice(small):
    sam = small.pupil()
    small.owe()
    small.at("09:05")
    small.enter(sam)
    small.at("09:43")
    correct(small, Fact(Outcome.LATE, minutes=10))
    small.wait(timedelta(minutes=2))
    with pytest.raises(CannotAnswerError, match="It says that already"):
        correct(small, Fact(Outcome.LATE, minutes=10))
    small.wait(timedelta(minutes=2))
    assert kinds(small) == ["routine", "correction"]


def test_corrections_out_of_order_each_reach_their_own_day(small):
    sam = small.pupil()
    small.owe()
    for day in (TUESDAY, date(2026, 3, 4)):
        small.at("09:05", day=day)
        small.enter(sam, day=day)
        small.at("09:43", day=day)
    correct(small, Fact(Outcome.LEFT_EARLY), day=date(2026, 3, 4))
    small.wait(timedelta(minutes=2))
    correct(small, Fact(Outcome.LATE, minutes=5))
    small.wait(timedelta(minutes=2))
    later, earlier = small.sides.to("far")[-2:]
    assert [facts_of(one)["rows"][0]["date"] for one in (later, earlier)] == ["2026-03-04", "2026-03-03"]
    assert [facts_of(one)["kind"] for one in (later, earlier)] == ["correction", "correction"]


@pytest.mark.parametrize(
    ("because", "day", "fact", "says"),
    [
        ("  ", TUESDAY, Fact(Outcome.LATE), "needs its reason"),
        ("because " * 100, TUESDAY, Fact(Outcome.LATE), "longer than 500 letters"),
        ("why", date(2026, 3, 5), Fact(Outcome.PRESENT), "on another day to come"),
        ("why", date(2026, 3, 7), Fact(Outcome.PRESENT), "No lesson of this placement begins then"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_in_words(small, because, day, fact, says):
    small.pupil()
    small.owe()
    small.at("09:05")
    with pytest.raises(NeedsCorrectionError, match=says):
        correct(small, fact, because, day=day)
    assert small.rows(t.entries) == []


def test_a_correction_says_which_part_of_it_fits_nothing(small):
    small.pupil()
    small.owe()
    small.at("09:05")
    ref = small.rows(t.placements)[0].ref
    wrong = {
        ("ZZZZZZZZ", TUESDAY, "09:00"): "We know no placement and no pupil by this reference",
        (ref, TUESDAY, "10:30"): "On that day it has one at: 09:00",
        (ref, TUESDAY, "nine-ish"): "On that day it has one at: 09:00",
        (ref, date(2026, 3, 7), "09:00"): "It has none on that day",
    }
    for (placement, day, starts), says in wrong.items():
        with pytest.raises(NeedsCorrectionError) as refused:
            answering.correct_entry(small.desk, placement, day, starts, Fact(Outcome.LATE), OFFICE, "why")
        assert says in str(refused.value)
        assert "Nothing was changed" in str(refused.value)
    assert small.rows(t.entries) == []


def test_a_lesson_is_corrected_by_the_pupils_own_reference_unless_it_could_be_two(small):
    sam, alex = small.pupil(), small.pupil(given="Alex")
    small.owe()
    small.at("09:05")
    small.enter([sam, alex])
    answering.correct_entry(
        small.desk, "p0001", TUESDAY, "09:00", Fact(Outcome.LATE, minutes=5), OFFICE, "why"
    )
    lessons = {row.lesson_id: row.pupil_id for row in small.rows(t.lessons)}
    now = {lessons[row.lesson_id]: row.outcome for row in small.rows(t.entries, current=True)}
    assert now == {alex.pupil_id: "present", sam.pupil_id: "late"}
    # The same pupil placed twice, with a lesson at the same time in both.
    small.change(t.placements, {"pupil_id": sam.pupil_id}, placement_id=alex.placement_id)
    refs = " or ".join(row.ref for row in small.rows(t.placements))
    with pytest.raises(CannotAnswerError, match=f"two lessons that begin then.*{refs}"):
        answering.correct_entry(small.desk, "P0001", TUESDAY, "09:00", Fact(Outcome.ABSENT), OFFICE, "why")


def test_a_lesson_that_is_not_due_any_more_is_not_brought_back_by_a_correction(small):
    small.pupil()
    small.owe()
    reason = {"state": "withdrawn", "withdrawn_because": "placement or timetable changed"}
    small.change(t.lessons, reason, day=TUESDAY)
    with pytest.raises(CannotAnswerError, match="placement or timetable changed"):
        correct(small, Fact(Outcome.LATE))
    assert small.rows(t.lessons, day=TUESDAY)[0].state == "withdrawn"


def test_a_reason_as_long_as_a_page_in_a_register_is_kept_whole_and_goes_nowhere(small):
    sam = small.pupil()
    small.owe()
    small.at("09:05")
    page = "a long story " * 400
    small.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.ILL, note=page)
    small.at("09:43")
    [told] = small.sides.to("far")
    assert outcomes_of(told) == {(sam.upn, "AM"): "absent"}
    assert b"long story" not in b"".join(document.content for document in told.documents)
