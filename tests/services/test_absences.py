"""Known absences: filled in ahead, explained afterwards, ended early; what a register knows better stands."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from aphub.domain.absences import Evidence, Stretch, Teller
from aphub.domain.entries import Fact, Half
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.placements import TimetableSlot
from aphub.services import absences, answering
from aphub.store import tables as t
from tests.told import facts_of, outcomes_of, text_of
from tests.world import TUESDAY, TWO_A_DAY, World

OFFICE = "Robin, office"


def ill(pupil: str = "P0001", until: date = TUESDAY, **told: Any) -> absences.News:
    given = {
        "fact": Fact(Outcome.ABSENT, ReasonKind.ILL),
        "stretch": Stretch(TUESDAY, until),
        "told_by": Teller.PARENT,
        **told,
    }
    return absences.News(pupil, **given)


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew()


def current(world: World, day: date = TUESDAY) -> list[tuple[str, str]]:
    lessons = {row.lesson_id: row for row in world.rows(t.lessons, day=day)}
    rows = [row for row in world.rows(t.entries, current=True) if row.lesson_id in lessons]
    return [(row.outcome, row.reason) for row in rows]


def test_news_of_three_days_fills_them_in_stops_the_chase_and_ends_early_when_the_child_is_back(world):
    sam, alex = world.pupil(), world.pupil(given="Alex")
    world.owe()
    filled = absences.know_absence(
        world.desk, ill(until=date(2026, 3, 5), teller="Mum", evidence=Evidence.ASKED), OFFICE
    )
    assert (filled.ahead, filled.explained, filled.left) == (3, 0, 0)
    world.at("09:01")
    world.enter(alex)
    world.at("09:43")
    [routine] = world.sides.to("far")
    assert outcomes_of(routine) == {(sam.upn, "AM"): "absent", (alex.upn, "AM"): "present"}
    assert "ill" in text_of(routine)
    assert world.tasks("take_register") == []

    # On Wednesday he is well again: Thursday's register is owed as if nobody had said anything.
    ended = absences.end_absence(world.desk, filled.ref, date(2026, 3, 4), OFFICE, "better already")
    assert ended.ahead == 1
    thursday = date(2026, 3, 5)
    assert world.rows(t.lessons, placement_id=sam.placement_id, day=thursday)[0].state == "owed"
    world.at("09:12", day=thursday).at("09:13", day=thursday)
    alert = world.sides.to("far")[-1]
    assert facts_of(alert)["kind"] == "alert"
    assert outcomes_of(alert)[sam.upn, "AM"] == "not_yet_taken"


def test_a_reason_told_days_later_resolves_an_n_in_an_update(small):
    sam = small.pupil()
    small.owe()
    small.at("09:05")
    small.enter(sam, outcome=Outcome.ABSENT)
    small.at("09:06").at("09:43")
    assert facts_of(small.sides.to("far")[-1])["rows"][0]["suggested_code"] == "N"
    small.clock.advance(timedelta(days=3))
    filled = absences.know_absence(small.desk, ill(), OFFICE)
    assert (filled.ahead, filled.explained) == (0, 1)
    small.go()
    told = small.sides.to("far")[-1]
    row = facts_of(told)["rows"][0]
    assert (facts_of(told)["kind"], row["suggested_code"], row["supersedes"] != "") == ("update", "I", True)
    assert current(small) == [("absent", "ill")]


def test_what_the_register_says_goes_before_what_was_told(small):
    sam = small.pupil(slots=TWO_A_DAY)
    small.owe()
    small.at("09:05")
    small.enter(sam)
    filled = absences.know_absence(small.desk, ill(), OFFICE)
    assert (filled.ahead, filled.left) == (1, 1)
    assert "stays as it is" in filled.notes[0]
    assert current(small) == [("present", "not_applicable"), ("absent", "ill")]


def test_a_half_day_and_its_weekdays_cover_only_those_lessons(small):
    small.pupil(slots=TWO_A_DAY)
    small.owe()
    afternoons = Stretch(TUESDAY, date(2026, 3, 13), Half.PM, frozenset({1, 3}))
    filled = absences.know_absence(small.desk, ill(stretch=afternoons), OFFICE)
    assert filled.ahead == 4
    lessons = {row.lesson_id: row for row in small.rows(t.lessons)}
    at = {
        (lessons[row.lesson_id].day.weekday(), lessons[row.lesson_id].starts_wall)
        for row in small.rows(t.entries)
    }
    assert at == {(1, "13:00"), (3, "13:00")}


def test_lessons_that_become_owed_later_are_filled_too(small):
    small.pupil()
    small.owe(timedelta(days=7))
    until = date(2026, 3, 20)
    filled = absences.know_absence(small.desk, ill(until=until), OFFICE)
    ahead = filled.ahead
    small.owe(timedelta(days=21))
    days = {row.day for row in small.rows(t.lessons, state="entered")}
    assert ahead < len(days) == 14
    assert max(days) == until


def test_the_school_says_that_the_child_is_with_them_and_a_missing_child_is_found(small):
    sam = small.pupil()
    small.owe()
    small.at("09:05")
    small.enter(sam, outcome=Outcome.ABSENT)
    small.at("09:06")
    found = ill(fact=Fact(Outcome.AT_HOME_SCHOOL), told_by=Teller.SCHOOL)
    assert absences.know_absence(small.desk, found, OFFICE).explained == 1
    small.go()
    small.at("09:43")
    assert outcomes_of(small.sides.to("far")[-1]) == {(sam.upn, "AM"): "at_home_school"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"fact": Fact(Outcome.ABSENT, ReasonKind.UNKNOWN)}, "Give a reason"),
        ({"fact": Fact(Outcome.PRESENT)}, "Give a reason"),
        ({"stretch": Stretch(TUESDAY, TUESDAY - timedelta(days=1))}, "The last day is before the first"),
        ({"stretch": Stretch(TUESDAY, TUESDAY + timedelta(days=200))}, "end of term"),
        ({"stretch": Stretch(date(2026, 3, 7), date(2026, 3, 8))}, "No lesson is due"),
        ({"words": "long " * 200}, "longer than 500 letters"),
        ({"pupil": "P0999"}, "We know no pupil by this reference"),
    ],
)
def test_news_that_cannot_be_used_is_refused_in_words_and_changes_nothing(small, told, says):
    small.pupil()
    small.owe()
    pupil = told.pop("pupil", "P0001")
    with pytest.raises(AphubError, match=says):
        absences.know_absence(small.desk, ill(pupil, **told), OFFICE)
    assert small.rows(t.known_absences) == []
    assert small.rows(t.entries) == []


def test_the_same_news_twice_is_known_already(small):
    small.pupil()
    small.owe()
    first = absences.know_absence(small.desk, ill(), OFFICE)
    with pytest.raises(absences.NewsError, match=f"We know this already: {first.ref}"):
        absences.know_absence(small.desk, ill(), OFFICE)


def test_a_safeguarding_story_is_nudged_and_stays_out_of_every_message(small):
    sam = small.pupil()
    small.owe()
    filled = absences.know_absence(small.desk, ill(words="Mum says there was violence at home"), OFFICE)
    assert "Tell your safeguarding lead" in " ".join(filled.notes)
    small.at("09:43")
    said = answering.correct_entry(
        small.desk,
        small.rows(t.placements)[0].ref,
        TUESDAY,
        "09:00",
        Fact(Outcome.PRESENT),
        OFFICE,
        "police brought her, she disclosed abuse",
    )
    assert "Tell your safeguarding lead" in said
    small.wait(timedelta(minutes=2))
    kinds = [facts_of(one)["kind"] for one in small.sides.to("far")]
    assert kinds == ["routine", "correction"]
    everything = b"".join(document.content for one in small.sides.to("far") for document in one.documents)
    assert b"violence" not in everything
    assert b"abuse" not in everything
    assert outcomes_of(small.sides.to("far")[-1]) == {(sam.upn, "AM"): "present"}


ALL_DAY = (TimetableSlot(1, time(9, 30), time(14, 30)),)


def told_for(world: World, half: Half) -> absences.Filled:
    fact = Fact(Outcome.ABSENT, ReasonKind.MEDICAL)
    stretch = Stretch(TUESDAY, TUESDAY, half)
    return absences.know_absence(
        world.desk, absences.News("P0001", fact, stretch, Teller.PARENT), "Robin, office"
    )


@pytest.mark.parametrize("half", [Half.AM, Half.PM])
def test_half_a_day_away_leaves_the_register_of_a_lesson_across_lunch_to_be_taken(small, half):
    small.pupil(slots=ALL_DAY)
    small.owe()

    told = told_for(small, half)

    assert (told.ahead, told.partly) == (0, 1)
    assert "take the register as ever" in told.notes[0]
    assert current(small) == []
    assert small.rows(t.lessons, day=TUESDAY)[0].state == "owed"


def test_a_reason_for_the_morning_explains_the_morning_of_a_lesson_across_lunch_alone(small):
    sam = small.pupil(slots=ALL_DAY)
    small.owe()
    small.at("09:32")
    small.enter(sam, "09:30", outcome=Outcome.ABSENT)
    told = told_for(small, Half.AM)
    small.wait(timedelta(minutes=3))

    assert (told.explained, told.partly) == (1, 0)
    by_half = {row["session"]: row for row in facts_of(small.sides.to("far")[-1])["rows"]}
    assert by_half["AM"]["suggested_code"] == "M"
    assert by_half.get("PM", {"suggested_code": ""})["suggested_code"] == ""
    assert "the reason is for the morning only" in text_of(small.sides.to("far")[-1])
    # Taken back, it explains nothing in either half.
    absences.end_absence(small.desk, told.ref, TUESDAY - timedelta(days=1), "Robin, office")
    assert current(small) == [("absent", "unknown")]
