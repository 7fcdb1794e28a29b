"""Registers become entries and questions, and no row is lost."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aphub.api import SourceBatch
from aphub.domain.entries import Fact
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import answering, intake
from aphub.services.desk import place_of
from aphub.services.intake_report import column_words
from aphub.services.intake_rows import question_words
from aphub.store import tables as t
from tests.registers import Handed, person, place, register
from tests.world import PROVIDER, World

WHOLE_DAY = "Mon-Fri 09:00-15:00 in person @ Riverside"
TWO = "Mon-Fri 09:00-12:00; Mon-Fri 13:00-15:00"


@pytest.fixture
def source():
    return Handed()


@pytest.fixture
def office(world: World):
    place(world, person("0041"), person("0042"), person("0043", timetable=TWO))
    world.clock.advance(timedelta(hours=6, minutes=5))  # to 1:05pm: every lesson has begun
    return world


def take(
    world: World, source: Handed, *rows: Any, name: str = "register.csv", feed: str = "registers"
) -> intake.IntakeResult:
    return intake.take_in(world.desk, feed, source, register(*rows, name=name))


def outcomes(world: World) -> list[tuple[str, str, int | None]]:
    """Give current entries in the order of their lessons."""
    rows = sorted(world.rows(t.entries, current=True), key=lambda row: row.lesson_id)
    return [(row.outcome, row.reason, row.minutes) for row in rows]


def asked(world: World) -> list[str]:
    return [row.kind for row in world.rows(t.questions) if row.answered_at is None]


def test_a_mark_becomes_an_entry_and_its_lesson_is_entered(office, source):
    result = take(office, source, ("0041", "Present"), ("0042", "Late", "25"))

    assert (result.state, result.rows, result.entered) == ("taken", 2, 2)
    assert outcomes(office) == [("present", "not_applicable", None), ("late", "not_applicable", 25)]
    assert len(office.rows(t.lessons, state="entered")) == 2
    assert office.said()[-1] == "intake.taken"
    assert office.verify().ok


def test_what_was_entered_is_looked_at_again_by_who_is_told(office, source):
    office.change(t.owed_reports, {"look_at": None})
    take(office, source, ("0041", "Absent"))

    looked = [row for row in office.rows(t.owed_reports) if row.look_at is not None]
    assert len(looked) == 1
    assert looked[0].first_day == office.day


def test_the_same_file_again_is_refused_by_name(office, source):
    take(office, source, ("0041", "Present"))
    office.clock.advance(timedelta(minutes=4))
    again = take(office, source, ("0041", "Present"), name="copy.csv")

    assert again.state == "refused"
    assert "already taken at 1:05pm on Tuesday 3 March 2026" in again.words
    assert [(name, taken) for name, taken, _, _ in source.put_away] == [
        ("register.csv", True),
        ("copy.csv", False),
    ]


def test_the_same_marks_in_another_file_are_unchanged(office, source):
    take(office, source, ("0041", "Present"))
    again = take(office, source, ("0041", "Present"), ("0042", "Present"))

    assert (again.entered, again.unchanged) == (1, 1)
    assert len(office.rows(t.entries)) == 2


def test_a_mark_that_changes_and_changes_back_is_three_facts(office, source):
    for number, mark in enumerate(("Absent", "Present", "Absent")):
        take(office, source, ("0041", mark), {"pupil_ref": "0042", "mark": "", "reason": f"file {number}"})

    rows = office.rows(t.entries)
    assert [(row.outcome, row.version, row.current) for row in rows] == [
        ("absent", 1, False),
        ("present", 2, False),
        ("absent", 3, True),
    ]


def test_what_was_done_about_an_absence_is_kept_when_the_register_says_more(office, source):
    row = {"pupil_ref": "0041", "mark": "Absent"}
    take(office, source, {**row, "action": "09:10 phoned home, no answer"})
    take(office, source, {**row, "reason": "ill"})
    take(
        office,
        source,
        {**row, "reason": "ill", "action": "09:10 phoned home, spoke to mum; 09:30 texted home"},
    )

    [last] = office.rows(t.entries, current=True)
    words = office.desk.vault.open_json(
        last.key_id, place_of("entries", office.desk.provider_id, last.entry_id), last.sealed
    )
    assert [(at[11:16], kind, result) for at, kind, result in words["actions"]] == [
        ("09:10", "phoned home", "answered"),
        ("09:30", "texted home", ""),
    ]
    middle = office.rows(t.entries, version=2)[0]
    words = office.desk.vault.open_json(
        middle.key_id, place_of("entries", office.desk.provider_id, middle.entry_id), middle.sealed
    )
    assert [kind for _, kind, _ in words["actions"]] == ["phoned home"]


def test_a_correction_by_a_person_stands_until_the_register_says_something_new(office, source):
    take(office, source, ("0041", "Absent"))
    ref = office.rows(t.placements)[0].ref
    answering.correct_entry(
        office.desk, ref, office.day, "09:00", Fact(Outcome.LATE, minutes=10), "Jo", "came at ten past"
    )
    take(office, source, ("0041", "Absent"), ("0042", "Present"))
    stands = outcomes(office)
    take(office, source, ("0041", "Ill"))

    assert stands[0] == ("late", "not_applicable", 10)
    assert outcomes(office)[0] == ("absent", "ill", None)


def test_a_reference_whose_zeros_a_spreadsheet_ate_is_found(office, source):
    assert take(office, source, ("41", "Present")).entered == 1


def test_a_pupil_is_found_by_upn_alone(office, source):
    upn = person("0042").row()["upn"]

    assert take(office, source, {"upn": upn.lower(), "mark": "Present"}).entered == 1


def test_a_name_is_matched_only_where_the_profile_allows_it(office, source):
    assert take(office, source, {"name": "Example0041, Sam", "mark": "Present"}).questioned == 1
    assert asked(office) == ["no_pupil"]


def test_a_name_matches_exactly_one_placement_where_it_is_allowed(make_world, source):
    world = make_world(provider="match_by_name = true\n" + PROVIDER)
    place(world, person("1"), person("2"), person("3", family_name="Twin"), person("4", family_name="Twin"))
    world.clock.advance(timedelta(hours=7))
    taken = take(
        world, source, {"name": "example1,  SAM", "mark": "Present"}, {"name": "Sam Twin", "mark": "x"}
    )

    assert (taken.entered, taken.questioned) == (1, 1)
    assert asked(world) == ["several_pupils"]


@pytest.mark.parametrize(
    ("row", "kind", "column"),
    [
        ({"pupil_ref": "0041", "mark": "wibble"}, "unmapped", "mark"),
        ({"pupil_ref": "0041", "mark": "Authorised absence"}, "needs_reason", "reason"),
        ({"pupil_ref": "9999", "mark": "Present"}, "no_pupil", "pupil_ref"),
        ({"pupil_ref": "0041", "mark": "Present", "day": "03/13/2026"}, "date", "date"),
        ({"pupil_ref": "0041", "mark": "Present", "day": ""}, "date", "date"),
        ({"pupil_ref": "0041", "mark": "Present", "day": "05/01/2025"}, "not_placed", "date"),
        ({"pupil_ref": "0041", "mark": "Present", "day": "07/03/2026"}, "no_lesson", "date"),
        ({"pupil_ref": "0041", "mark": "Present", "starts": "10:00"}, "no_lesson", "starts"),
        ({"pupil_ref": "0043", "mark": "Present", "starts": ""}, "several_lessons", "starts"),
        ({"pupil_ref": "0041", "upn": "Z999400126001", "mark": "Present"}, "upn_differs", "upn"),
        ({"pupil_ref": "0041", "mark": "Present", "problem": "This row is odd."}, "row", "row"),
    ],
)
def test_what_cannot_be_settled_becomes_a_question(office, source, row, kind, column):
    result = take(office, source, row)

    [question] = office.rows(t.questions)
    words = question_words(office.desk, question)
    assert (result.questioned, question.kind, words["column"], words["row"]) == (1, kind, column, 2)
    assert f"Row 2, {column_words(column)}:" in result.report
    assert "wibble" not in result.report


def test_a_late_word_without_its_minutes_asks_for_them(make_world, source):
    words = '[vocabulary.words]\n"Tardy" = {outcome = "late", minutes = "required"}\n'
    world = make_world(provider=PROVIDER + words)
    place(world, person("1"))
    take(world, source, ("1", "Tardy"))

    assert asked(world) == ["needs_minutes"]


def test_a_reference_and_a_upn_of_two_pupils_are_not_guessed_between(office, source):
    take(office, source, {"pupil_ref": "0041", "upn": person("0042").row()["upn"], "mark": "Absent"})

    assert asked(office) == ["upn_differs"]
    assert outcomes(office) == []


def test_a_mark_nobody_understood_has_its_lesson_looked_at(office, source):
    office.change(t.owed_reports, {"look_at": None})
    take(office, source, ("0041", "wibble"))

    assert any(row.look_at is not None for row in office.rows(t.owed_reports))


def test_an_empty_cell_says_nothing_and_later_takes_a_mark_back(office, source):
    first = take(office, source, ("0041", ""))
    take(office, source, ("0041", "Present"))
    last = take(office, source, ("0041", ""), ("0042", ""))

    assert (first.unchanged, last.entered, last.unchanged) == (1, 1, 1)
    assert outcomes(office) == [("not_yet_taken", "not_applicable", None)]


def test_a_register_that_says_not_expected_where_nothing_is_due_asks_nothing(office, source):
    result = take(office, source, {"pupil_ref": "0041", "mark": "Not expected", "day": "07/03/2026"})

    assert (result.unchanged, asked(office)) == (1, [])


def test_a_half_of_the_day_finds_its_lesson(office, source):
    result = take(
        office,
        source,
        {"pupil_ref": "0043", "mark": "Present", "starts": "", "session": "AM"},
        {"pupil_ref": "0043", "mark": "Ill", "starts": "", "session": "afternoon"},
    )

    assert result.entered == 2
    assert [row.outcome for row in office.rows(t.entries)] == ["present", "absent"]


def test_the_afternoons_mark_of_a_lesson_across_lunch_is_a_second_check(world, source):
    place(world, person("1", timetable=WHOLE_DAY))
    world.clock.advance(timedelta(hours=7))
    row = {"pupil_ref": "1", "mark": "Present", "starts": ""}
    take(world, source, {**row, "session": "AM"}, {**row, "session": "PM", "recorded_at": "13:10"})

    [current] = world.rows(t.entries, current=True)
    place_name = f"entries:{world.desk.provider_id}:{current.entry_id}"
    sealed = world.desk.vault.open_json(current.key_id, place_name, current.sealed)
    assert sealed["actions"] == [["2026-03-03T13:10:00+00:00", "looked again", ""]]


def test_an_afternoon_that_differs_from_the_morning_is_asked(world, source):
    place(world, person("1", timetable=WHOLE_DAY))
    world.clock.advance(timedelta(hours=7))
    row = {"pupil_ref": "1", "starts": ""}
    take(
        world, source, {**row, "mark": "Present", "session": "AM"}, {**row, "mark": "Absent", "session": "PM"}
    )

    assert asked(world) == ["halves_differ"]
    assert outcomes(world) == [("present", "not_applicable", None)]


def test_a_question_is_answered_with_a_choice_and_the_answer_stands(office, source):
    take(office, source, ("0041", "wibble"))
    [question] = office.rows(t.questions)
    answering.answer_question(office.desk, question.ref, "Jo", choice="late 12")
    again = take(office, source, ("0041", "wibble"), ("0042", "Present"))

    [entry] = [row for row in office.rows(t.entries) if row.by_person]
    assert (entry.outcome, entry.minutes, entry.made_by, entry.current) == ("late", 12, "Jo", True)
    assert (again.unchanged, again.entered, asked(office)) == (1, 1, [])


def test_a_question_about_a_pupil_is_answered_by_naming_the_pupil(office, source):
    take(office, source, ("9999", "Ill"))
    [question] = office.rows(t.questions)
    with pytest.raises(AphubError, match="which pupil"):
        answering.answer_question(office.desk, question.ref, "Jo")
    answering.answer_question(office.desk, question.ref, "Jo", pupil="0042")

    assert outcomes(office) == [("absent", "ill", None)]


def test_a_question_about_the_lesson_is_answered_with_its_time(office, source):
    take(office, source, {"pupil_ref": "0043", "mark": "Present", "starts": ""})
    [question] = office.rows(t.questions)
    answering.answer_question(office.desk, question.ref, "Jo", choice="13:00")

    assert outcomes(office) == [("present", "not_applicable", None)]


def test_a_row_that_means_nobody_is_set_aside_and_not_asked_again(office, source):
    take(office, source, ("9999", "Present"))
    [question] = office.rows(t.questions)
    answering.answer_question(office.desk, question.ref, "Jo", choice="Set aside")
    again = take(office, source, ("9999", "Present"), ("0041", "Present"))

    assert (again.unchanged, again.entered, asked(office)) == (1, 1, [])
    with pytest.raises(AphubError, match="settled already"):
        answering.answer_question(office.desk, question.ref, "Jo", choice="present")


def test_a_pupil_who_was_added_meanwhile_settles_the_question_with_the_next_register(office, source):
    take(office, source, ("0099", "Present"))
    place(office, person("0099"))
    again = take(office, source, ("0099", "Present"), ("0041", "Present"))

    assert (again.entered, asked(office)) == (2, [])


def test_what_is_read_later_in_the_same_file_is_not_asked(office, source):
    result = take(office, source, ("0041", "wibble"), ("0041", "Present"))

    assert (result.questioned, result.entered, asked(office)) == (1, 1, [])


def test_actions_are_read_into_the_fixed_list_and_free_words_stay_behind(office, source):
    row = {
        "pupil_ref": "0041",
        "mark": "Absent",
        "action": "rang mum 9:11 no answer; texted 9.14; gran is cross",
    }
    take(office, source, row)

    [entry] = office.rows(t.entries)
    place_name = f"entries:{office.desk.provider_id}:{entry.entry_id}"
    sealed = office.desk.vault.open_json(entry.key_id, place_name, entry.sealed)
    assert sealed["actions"] == [
        ["2026-03-03T09:11:00+00:00", "phoned home", "no answer"],
        ["2026-03-03T09:14:00+00:00", "texted home", ""],
    ]


def test_an_original_that_cannot_be_read_is_refused_and_may_be_tried_again(office, source):
    for _ in range(2):
        result = intake.take_in(
            office.desk, "registers", source, SourceBatch("x.csv", "text/csv", b"unreadable")
        )
        assert (result.state, result.taken) == ("refused", 0)
    assert [taken for _, taken, _, _ in source.put_away] == [False, False]
    assert len(office.rows(t.intakes)) == 1


def test_an_original_opens_as_it_came_and_is_sealed_for_the_source(office, source):
    batch = register(("0041", "Present"), name="Sam's mark.csv")
    result = intake.take_in(office.desk, "registers", source, batch)

    [(_, _, report, sealed)] = source.put_away
    assert intake.open_original(office.desk, result.ref) == ("Sam's mark.csv", batch.content)
    assert b"0041" not in sealed
    assert "Sam" not in report
    assert result.ref in report


class StopError(Exception):
    """The process dies here."""


@pytest.mark.parametrize("boundary", ["intake.stored", "intake.batch", "intake.taken", "intake.settled"])
def test_an_intake_that_was_interrupted_goes_on_where_it_stopped(office, source, boundary):
    rows = [("0041", "Present"), *[(f"x{number}", "Present") for number in range(1100)], ("0042", "Ill")]
    batch = register(*rows)

    def stop(name: str) -> None:
        if name == boundary:
            raise StopError

    office.hub.boundary = stop
    with pytest.raises(StopError):
        intake.take_in(office.desk, "registers", source, batch)
    office.hub.boundary = lambda _name: None
    result = intake.take_in(office.desk, "registers", source, batch)

    if boundary == "intake.settled":  # it had been put away; a copy of it is the same file
        result = intake.take_in(office.desk, "registers", source, batch)
        assert result.state == "refused"
        [kept] = office.rows(t.intakes)
        assert (kept.rows_read, kept.rows_entered, kept.rows_questioned) == (1102, 2, 1100)
    else:
        assert (result.rows, result.entered, result.questioned) == (1102, 2, 1100)
    assert len(office.rows(t.marks)) == 1102
    assert len(office.rows(t.entries)) == 2
    assert office.said().count("intake.taken") == 1


def test_a_source_that_cannot_put_the_original_away_is_asked_again(office, source):
    batch = register(("0041", "Present"))
    source.breaks_when_settling = True
    with pytest.raises(OSError, match="gone"):
        intake.take_in(office.desk, "registers", source, batch)
    source.breaks_when_settling = False
    result = intake.take_in(office.desk, "registers", source, batch)

    assert (result.state, result.entered) == ("taken", 1)
    assert [taken for _, taken, _, _ in source.put_away] == [True]


def test_an_unauthorised_absence_keeps_the_providers_word_sealed(office, source):
    take(office, source, ("0041", "Unauthorised absence"))

    [entry] = office.rows(t.entries)
    place_name = f"entries:{office.desk.provider_id}:{entry.entry_id}"
    sealed = office.desk.vault.open_json(entry.key_id, place_name, entry.sealed)
    assert entry.reason == ReasonKind.UNAUTHORISED.value
    assert sealed["word"] == "Unauthorised absence"


WORDS = st.sampled_from(["Present", "Absent", "Ill", "Late", "wibble", "", "H", "Authorised absence", "-"])
REFS = st.sampled_from(["0041", "41", "0042", "0043", "7", ""])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "pupil_ref": REFS,
            "mark": WORDS | st.text(max_size=8).filter(lambda text: "\0" not in text and "\r" not in text),
            "minutes": st.sampled_from(["", "12", "x"]),
            "day": st.sampled_from(["03/03/2026", "2026-03-04", "soon", ""]),
            "starts": st.sampled_from(["", "09:00", "13:00", "4pm"]),
            "session": st.sampled_from(["", "AM", "PM"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS)
def test_every_row_is_entered_unchanged_or_questioned_in_any_order_of_files(office, first, second):
    source = Handed()
    for rows in (first, second, first):
        result = take(office, source, *rows)
        if result.state == "taken":
            assert result.rows == len(rows)
            assert result.entered + result.unchanged + result.questioned == result.rows
    by_lesson: dict[int, list[Any]] = {}
    for row in office.rows(t.entries):
        by_lesson.setdefault(row.lesson_id, []).append(row)
    for versions in by_lesson.values():
        assert [row.version for row in versions] == list(range(1, len(versions) + 1))
        assert [row.current for row in versions] == [False] * (len(versions) - 1) + [True]
