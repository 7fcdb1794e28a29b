"""Files of people: every mistake is named, nothing is taken until told, and the same file changes nothing."""

import csv
import io

import pytest
import xlsxwriter

from aphub.api import SourceRefusedError
from aphub.demo.invented import COLUMNS
from aphub.services import people
from aphub.store import tables as t
from aphub.testing import invented_upn
from tests.registers import Person, people_file, person, place
from tests.world import World


@pytest.fixture
def county(world: World):
    """Add a council and a second school to the usual world."""
    folder = world.home / "config"
    (folder / "councils").mkdir(exist_ok=True)
    (folder / "councils" / "northshire.toml").write_text('name = "Northshire Council"\nla_code = "999"\n')
    (folder / "schools" / "brook-academy.toml").write_text('name = "Brook Academy"\nurn = "999002"\n')
    world.hub.apply("test")
    return world


def read(world: World, *rows: Person, name: str = "people.csv") -> people.Preview:
    return people.read_people(world.desk, name, people_file(*rows))


def named(preview) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in preview.problems]


COUNCIL = {
    "arranged_by": "council",
    "power": "s.19",
    "commissioner": "northshire",
    "recipient": "northshire",
}


def test_a_preview_takes_nothing(county):
    preview = read(county, person("0041"))

    assert (preview.counts.pupils_new, preview.counts.placements_new, preview.problems) == (1, 1, ())
    assert county.rows(t.pupils) == []


def test_taking_makes_pupils_placements_recipients_and_what_is_owed(county):
    taken = place(county, person("0041"), person("0041", recipient="brook-academy", purpose="other_school"))

    assert (taken.counts.pupils_new, taken.counts.placements_new, taken.counts.recipients_new) == (1, 1, 2)
    assert taken.owed.lessons_added > 0
    [pupil] = county.rows(t.pupils)
    place_name = f"pupils:{county.desk.provider_id}:{pupil.pupil_id}"
    assert county.desk.vault.open_json(pupil.key_id, place_name, pupil.sealed) == {
        "given_name": "Sam",
        "family_name": "Example0041",
        "upn": invented_upn(41),
        "school_pupil_ref": "S0041",
        "provider_ref": "0041",
    }


def test_ten_planted_mistakes_are_all_named_and_nothing_is_taken(county):
    rows = [
        person("1", starts="03/13/2026"),
        person("2", arranged_by="the governors"),
        person("3", recipient="hil-school"),
        person("4", agreement="dayly"),
        person("5", timetable="Mon 09:00-12:00; Mon 11:00-13:00"),
        person("6", upn="A99940012"),
        person("7", **{**COUNCIL, "power": ""}),
        person("8", registration="dual"),
        person("9", ends="2025-12-01"),
        person("10", given_name=""),
        person("11"),
    ]
    preview = read(county, *rows)

    assert named(preview) == [
        (2, "starts"),
        (3, "arranged_by"),
        (4, "recipient"),
        (5, "agreement"),
        (6, "timetable"),
        (7, "upn"),
        (8, "power"),
        (9, "registration"),
        (10, "ends"),
        (11, "given_name"),
    ]
    assert all(problem.words for problem in preview.problems)
    assert str(preview.problems[2]).endswith("Did you mean 'hill-school'?")
    assert str(preview.problems[3]).endswith("Did you mean 'daily'?")
    with pytest.raises(people.PeopleNotTakenError, match="10 mistakes"):
        people.take_people(county.desk, preview, "Jo")
    assert county.rows(t.pupils) == []


def test_no_mistake_repeats_what_the_file_says_about_a_pupil(county):
    rows = [person("P77", given_name="Zebedee", family_name="Quixote", upn="Q1", starts="soon", risk="maybe")]
    preview = read(county, *rows)

    said = " ".join(map(str, [*preview.problems, *preview.warnings])) + repr(preview)
    assert len(preview.problems) == 3
    assert not any(word in said for word in ("Zebedee", "Quixote", "P77", "Q1"))


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"arranged_by": "council", "power": "s.19", "recipient": "northshire"}, "commissioner"),
        ({"power": "s.19"}, "power"),
        ({"commissioner": "northshire"}, "commissioner"),
        ({**COUNCIL, "registration": "no roll", "recipient": "hill-school"}, "recipient"),
        ({"registration": "own roll"}, "registration"),
        ({"purpose": "council"}, "purpose"),
        ({"nature": "juggling"}, "nature"),
        ({"timetable": "whenever"}, "timetable"),
        ({"timetable": "Mon 12:00-09:00"}, "timetable"),
        ({"suppressed": "perhaps"}, "suppressed"),
    ],
)
def test_what_the_law_or_sense_forbids_is_a_mistake(county, changes, column):
    assert named(read(county, person("1", **changes))) == [(2, column)]


def test_a_council_pupil_needs_council_and_power_and_may_be_told_to_both(county):
    rows = [person("1", **COUNCIL), person("1", **{**COUNCIL, "recipient": "hill-school"})]
    preview = read(county, *rows)

    assert (preview.problems, preview.warnings) == ((), ())


def test_somebody_who_is_not_told_is_a_warning(county):
    assert [(one.row, one.column) for one in read(county, person("1", **COUNCIL)).warnings] == [
        (2, "recipient")
    ]


def test_a_upn_with_a_wrong_letter_is_kept_and_flagged(county):
    right = invented_upn(1)
    wrong = ("A" if right[0] != "A" else "B") + right[1:]
    preview = read(county, person("1", upn=wrong))
    people.take_people(county.desk, preview, "Jo")

    assert [(one.row, one.column) for one in preview.warnings] == [(2, "upn")]
    [pupil] = county.rows(t.pupils)
    sealed = county.desk.vault.open_json(
        pupil.key_id, f"pupils:{county.desk.provider_id}:{pupil.pupil_id}", pupil.sealed
    )
    assert sealed["upn"] == wrong


def test_rows_that_contradict_each_other_are_named(county):
    preview = read(
        county,
        person("1"),
        person("1", given_name="Max", recipient="brook-academy", purpose="other school"),
        person("1", timetable="Mon 09:00-10:00", recipient="brook-academy"),
        person("2", upn=invented_upn(1)),
        person("1"),
    )

    assert named(preview) == [(3, "given_name"), (4, "timetable"), (5, "upn"), (6, "recipient")]


def test_the_same_file_again_changes_nothing(county):
    rows = [person("1"), person("2", **COUNCIL)]
    place(county, *rows)
    before = [
        county.rows(table) for table in (t.pupils, t.placements, t.recipients, t.lessons, t.owed_reports)
    ]
    again = place(county, *rows)

    assert again.counts.changes == 0
    assert before == [
        county.rows(table) for table in (t.pupils, t.placements, t.recipients, t.lessons, t.owed_reports)
    ]


def test_a_change_makes_a_new_version_and_moves_the_current_flag(county):
    place(county, person("1"))
    taken = place(county, person("1", timetable="Tue 10:00-11:00", family_name="New"))

    assert (taken.counts.pupils_changed, taken.counts.placements_changed) == (1, 1)
    versions = county.rows(t.placements)
    assert [(row.version, row.current) for row in versions] == [(1, False), (2, True)]
    assert len({row.ref for row in versions}) == 1
    assert [row.version for row in county.rows(t.pupils)] == [2]


def test_a_recipient_that_is_left_out_is_told_no_more_and_may_come_back(county):
    both = [person("1"), person("1", recipient="brook-academy", purpose="other school")]
    place(county, *both)
    assert place(county, both[0]).counts.recipients_ended == 1
    ended = [row.ends_day for row in county.rows(t.recipients)]
    back = place(county, *both)

    assert sum(day is not None for day in ended) == 1
    assert back.counts.recipients_changed == 1
    assert [row.ends_day for row in county.rows(t.recipients)] == [None, None]


def test_a_second_placement_of_a_pupil_stands_beside_the_first(county):
    place(county, person("1", ends="2026-03-31"))
    place(county, person("1", starts="2026-04-13"))

    assert [row.current for row in county.rows(t.placements)] == [True, True]
    assert len(county.rows(t.pupils)) == 1


def test_references_whose_zeros_may_have_been_eaten_are_asked_about(county):
    place(county, person("0041"))

    assert named(read(county, person("41", upn=""))) == [(2, "pupil_ref")]


def test_a_upn_that_another_pupil_already_has_is_a_mistake(county):
    place(county, person("1"))

    assert named(read(county, person("2", upn=invented_upn(1)))) == [(2, "upn")]


def test_organisations_and_agreements_are_known_by_name_and_capitals_do_not_matter(county):
    preview = read(
        county, person("1", recipient="Hill School", commissioner="HILL SCHOOL", agreement="Daily")
    )

    assert preview.problems == ()
    assert preview.rows[0].recipient == "hill-school"


@pytest.mark.parametrize("day", ["2026-01-05", "05/01/2026", "5 January 2026", "46027"])
def test_dates_in_every_style_are_one_day(county, day):
    assert read(county, person("1", starts=day)).rows[0].starts.isoformat() == "2026-01-05"


def test_a_spreadsheet_with_a_title_and_real_dates_is_read(county):
    row = {**person("1").row(), "starts": ""}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Our pupils")
        sheet.write_row(2, 0, [column.replace("_", " ").title() for column in COLUMNS])
        sheet.write_row(3, 0, [row.get(column, "") for column in COLUMNS])
        sheet.write(3, 0, 7)
        sheet.write_number(3, COLUMNS.index("starts"), 46027, book.add_format({"num_format": "dd/mm/yyyy"}))
    preview = people.read_people(county.desk, "people.xlsx", out.getvalue())

    assert preview.problems == ()
    assert (preview.rows[0].pupil_ref, preview.rows[0].starts.isoformat()) == ("7", "2026-01-05")


def test_missing_headings_are_all_named(county):
    out = io.StringIO()
    csv.writer(out).writerows([["Forename", "Surname", "UPN"], ["Sam", "Example", ""]])
    with pytest.raises(SourceRefusedError, match="pupil_ref, starts, arranged_by"):
        people.read_people(county.desk, "people.csv", out.getvalue().encode())


def test_a_file_of_nothing_is_refused(county):
    with pytest.raises(SourceRefusedError, match="nothing in this file"):
        people.read_people(county.desk, "people.csv", b"\r\n\r\n")
