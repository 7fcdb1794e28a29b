"""Files of people: every mistake is named, nothing is taken until told, and the same file changes nothing."""

import csv
import io

import pytest
import xlsxwriter

from aphub.api import SourceRefusedError
from aphub.demo.invented import COLUMNS
from aphub.domain.errors import AphubError
from aphub.services import accesses, census, erase, papers, people, people_rows
from aphub.store import tables as t
from aphub.testing import invented_upn
from tests.house.project import ROOT
from tests.registers import Person, people_file, person, place
from tests.world import World


@pytest.fixture
def county(world: World):
    """Add a council and a second school to the usual world."""
    return _county(world)


@pytest.fixture
def looking(make_world_anew):
    """Give the same on SQLite alone, where a file is only looked at."""
    return _county(make_world_anew())


def _county(world: World) -> World:
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


def test_a_preview_takes_nothing(looking):
    preview = read(looking, person("0041"))

    assert (preview.counts.pupils_new, preview.counts.placements_new, preview.problems) == (1, 1, ())
    assert looking.rows(t.pupils) == []


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


def test_ten_planted_mistakes_are_all_named_and_nothing_is_taken(looking):
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
    preview = read(looking, *rows)

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
        people.take_people(looking.desk, preview, "Jo")
    assert looking.rows(t.pupils) == []


def test_no_mistake_repeats_what_the_file_says_about_a_pupil(looking):
    rows = [person("P77", given_name="Zebedee", family_name="Quixote", upn="Q1", starts="soon", risk="maybe")]
    preview = read(looking, *rows)

    said = " ".join(map(str, [*preview.problems, *preview.warnings])) + repr(preview)
    assert len(preview.problems) == 3
    assert not any(word in said for word in ("Zebedee", "Quixote", "P77", "Q1"))


FORBIDDEN = [
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
    ({"setting_type": "a barn"}, "setting_type"),
    ({"hours_per_week": "lots"}, "hours_per_week"),
    ({"hours_per_week": "61"}, "hours_per_week"),
    ({"sessions_per_week": "2.5"}, "sessions_per_week"),
    ({"attendance_pattern": "sometimes"}, "attendance_pattern"),
    ({"associated_school": "99900"}, "associated_school"),
    ({"associated_school": "Brook Academie"}, "associated_school"),
    ({"contact_restriction": "perhaps"}, "contact_restriction"),
    ({"contact_note": "x" * 501}, "contact_note"),
]


def test_what_the_law_or_sense_forbids_is_a_mistake(looking):
    rows = [person(str(number), **changes) for number, (changes, _) in enumerate(FORBIDDEN, 1)]
    extra = dict.fromkeys(name for changes, _ in FORBIDDEN for name in changes if name not in COLUMNS)
    preview = people.read_people(looking.desk, "people.csv", people_file(*rows, extra=extra))
    assert named(preview) == [(number, column) for number, (_, column) in enumerate(FORBIDDEN, 2)]
    assert all(problem.mend for problem in preview.problems)


def test_a_council_pupil_needs_council_and_power_and_may_be_told_to_both(looking):
    rows = [person("1", **COUNCIL), person("1", **{**COUNCIL, "recipient": "hill-school"})]
    preview = read(looking, *rows)

    assert (preview.problems, preview.warnings) == ((), ())


def test_somebody_who_is_not_told_is_a_warning(looking):
    assert [(one.row, one.column) for one in read(looking, person("1", **COUNCIL)).warnings] == [
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


def test_rows_that_contradict_each_other_are_named(looking):
    preview = read(
        looking,
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


def test_a_second_placement_of_a_pupil_stands_beside_the_first(looking):
    place(looking, person("1", ends="2026-03-31"))
    place(looking, person("1", starts="2026-04-13"))

    assert [row.current for row in looking.rows(t.placements)] == [True, True]
    assert len(looking.rows(t.pupils)) == 1


def test_references_whose_zeros_may_have_been_eaten_are_asked_about(looking):
    place(looking, person("0041"))

    assert named(read(looking, person("41", upn=""))) == [(2, "pupil_ref")]


def test_a_upn_that_another_pupil_already_has_is_a_mistake(looking):
    place(looking, person("1"))

    assert named(read(looking, person("2", upn=invented_upn(1)))) == [(2, "upn")]


def test_organisations_and_agreements_are_known_by_name_and_capitals_do_not_matter(looking):
    preview = read(
        looking, person("1", recipient="Hill School", commissioner="HILL SCHOOL", agreement="Daily")
    )

    assert preview.problems == ()
    assert preview.rows[0].recipient == "hill-school"


def test_dates_in_every_style_are_one_day(looking):
    days = ("2026-01-05", "05/01/2026", "5 January 2026", "46027")
    preview = read(looking, *(person(str(number), starts=day) for number, day in enumerate(days)))
    assert {row.starts.isoformat() for row in preview.rows} == {"2026-01-05"}
    assert len(preview.rows) == len(days)


def test_a_spreadsheet_with_a_title_and_real_dates_is_read(looking):
    row = {**person("1").row(), "starts": ""}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Our pupils")
        sheet.write_row(2, 0, [column.replace("_", " ").title() for column in COLUMNS])
        sheet.write_row(3, 0, [row.get(column, "") for column in COLUMNS])
        sheet.write(3, 0, 7)
        sheet.write_number(3, COLUMNS.index("starts"), 46027, book.add_format({"num_format": "dd/mm/yyyy"}))
    preview = people.read_people(looking.desk, "people.xlsx", out.getvalue())

    assert preview.problems == ()
    assert (preview.rows[0].pupil_ref, preview.rows[0].starts.isoformat()) == ("7", "2026-01-05")


def test_missing_headings_are_all_named(looking):
    out = io.StringIO()
    csv.writer(out).writerows([["Forename", "Surname", "UPN"], ["Sam", "Example", ""]])
    with pytest.raises(SourceRefusedError, match="pupil_ref, starts, arranged_by"):
        people.read_people(looking.desk, "people.csv", out.getvalue().encode())


def test_a_file_of_nothing_is_refused(looking):
    with pytest.raises(SourceRefusedError, match="nothing in this file"):
        people.read_people(looking.desk, "people.csv", b"\r\n\r\n")


CENSUS = {
    "setting_type": "One-on-one tuition",
    "placement_reason": "permanent exclusion",
    "hours_per_week": "15",
    "sessions_per_week": "5",
    "attendance_pattern": "Part-time",
    "associated_school": "999003",
}


def census_file(*rows: Person) -> bytes:
    return people_file(*rows, extra=CENSUS)


def test_what_a_census_asks_is_kept_sealed_and_exported_to_its_commissioner_alone(county, tmp_path):
    desk = county.desk
    rows = [
        person("1", **CENSUS, ends="2026-03-02"),
        person("1", ends="2026-03-02", recipient="brook-academy", purpose="other school"),
        person("2"),
        person("3", **{**COUNCIL, **CENSUS}),
        person("4", suppressed="yes"),
    ]
    preview = people.read_people(desk, "people.csv", census_file(*rows))
    assert preview.problems == ()
    people.take_people(desk, preview, "Jo, office")
    [kept, bare, *_] = county.rows(t.placements)
    assert bare.sealed is None
    assert b"exclusion" not in kept.sealed
    assert people.read_people(desk, "people.csv", census_file(*rows)).counts.changes == 0
    # A file without these columns takes none of them away; one that has them and is empty does.
    plain = person("1", ends="2026-03-02")
    assert read(county, plain, rows[1]).counts.changes == 0
    assert people.read_people(desk, "people.csv", census_file(plain, rows[1])).counts.placements_changed == 1

    made = census.placements_of(desk, "hill-school", "Jo, office", "spring census")
    [path] = papers.keep(made.paper, tmp_path, ["csv"])
    first, second = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    assert (made.placements, made.lacking, made.left_out) == (2, 1, 1)
    assert list(first) == list(census.COLUMNS)
    assert {name: first[name] for name in ("upn", "surname", "reason", "setting_type", "attendance_pattern")} == {
        "upn": invented_upn(1), "surname": "Example1", "reason": "permanent exclusion", "setting_type": "OOT",
        "attendance_pattern": "part time",
    }  # fmt: skip
    assert (first["associated_school_urn"], first["provider_urn"], first["provider_ukprn"]) == (
        "999003",
        "",
        "",
    )
    assert (first["start_date"], first["end_date"], first["timetable_hours_per_week"]) == (
        "2026-01-05",
        "2026-03-02",
        "15",
    )
    assert (first["timetable_sessions_per_week"], first["missing"]) == ("5", "")
    assert (second["associated_school"], second["missing"]) == (
        "Hill School", "reason; attendance_pattern; hours_per_week; sessions_per_week; setting_type",
    )  # fmt: skip
    assert "Example3" not in path.read_text("utf-8-sig")
    [line] = accesses.viewed(desk)
    assert (line.what, line.subject, line.by, line.because, line.pupils) == (
        "placements exported", "hill-school", "Jo, office", "spring census", 2,
    )  # fmt: skip
    # Of a pupil whom a council placed, the own school must be said.
    county.change(t.placements, {"arranged_by": "council"}, ref=second["placement_ref"])
    again = census.placements_of(desk, "hill-school", "Jo, office", "spring census")
    [rows] = again.paper.tables()
    assert [str(row[-1]).endswith("associated_school") for row in rows.rows] == [False, True]
    with pytest.raises(AphubError, match="We know no school or council"):
        census.placements_of(desk, "hil-school", "Jo, office")
    # An erased pupil's reason goes with the rest.
    erase.erase(desk, "1", "Jo, office", "asked for by the parent")
    assert {row.sealed for row in county.rows(t.placements, pupil_id=kept.pupil_id)} == {None}


def test_a_census_takes_one_number_of_the_provider_and_hours_that_differ_are_shown(looking):
    config = looking.home / "config" / "providers" / "riverbank.toml"
    config.write_text(config.read_text().replace('prefix = "RB"', 'prefix = "RB"\nukprn = "99900001"'))
    looking.hub.apply("test")
    desk = looking.hub.desk()
    told = person("1", hours_per_week="12h 30m", placement_reason="after a disclosure about her uncle")
    preview = people.read_people(desk, "people.csv", census_file(told, person("2", setting_type="OTH")))
    assert named(preview) == [(3, "setting_type")]
    assert [(one.row, one.column) for one in preview.warnings] == [
        (2, "hours_per_week"),
        (2, "placement_reason"),
    ]
    assert "12.5 hours a week, and the timetable has 15" in preview.warnings[0].words
    people.take_people(desk, people.read_people(desk, "people.csv", census_file(told)), "Jo")
    [row] = census.placements_of(desk, "hill-school", "Jo").paper.tables()[0].rows
    assert dict(zip(census.COLUMNS, row, strict=True))["provider_ukprn"] == "99900001"


def test_rows_about_one_pupil_may_each_say_more_but_not_otherwise(looking):
    first = person("1", first_contact="Ms Example, mother, 01632 960101")
    other = person("1", recipient="brook-academy", purpose="other school")
    extra = ("first_contact", "placement_reason")
    assert (
        people.read_people(looking.desk, "people.csv", people_file(first, other, extra=extra)).problems == ()
    )
    other.changes["first_contact"] = "Mr Example, father"
    assert named(people.read_people(looking.desk, "people.csv", people_file(first, other, extra=extra))) == [
        (3, "first_contact")
    ]


def test_the_manual_names_every_column_that_is_read_and_every_heading_that_is_written():
    text = (ROOT / "docs" / "import-people.md").read_text()
    assert [name for name in (*people_rows.COLUMNS, *census.COLUMNS) if f"`{name}`" not in text] == []
