"""Days that cannot be: timetables that no open day meets, pupils in two places at once, rolls without a school."""

from datetime import date

import pytest

from aphub.domain.entries import Fact
from aphub.domain.narrative import NUDGE
from aphub.domain.outcomes import Outcome
from aphub.services import answering, intake, people
from aphub.services.erase import APART, erase
from aphub.services.whose import UnknownPupilError
from aphub.store import tables as t
from tests.registers import Handed, people_file, person, place, register
from tests.told import facts_of
from tests.world import PROVIDER, TUESDAY, World

TERM = '[[terms]]\nstarts = 2026-01-05\nends = 2026-03-27\nname = "spring"\n'


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew(
        provider=f"{PROVIDER}\n{TERM}" + "[[closures]]\nstarts = 2026-03-04\nends = 2026-03-04\n"
    )


def read(world: World, *rows: object) -> people.Preview:
    return people.read_people(world.desk, "people.csv", people_file(*rows))  # type: ignore[arg-type]


def test_a_timetable_that_contradicts_the_calendar_is_named_with_its_day(small):
    after_term = person("0041", starts="2026-04-13", ends="2026-05-01")
    [warning] = read(small, after_term).warnings
    assert (warning.row, warning.column) == (2, "timetable")
    assert warning.words == (
        "You are never open on a Monday, Tuesday, Wednesday, Thursday, Friday in these dates, so nothing is due then."
    )
    one_day = person("0042", starts="2026-03-03", ends="2026-03-05", timetable="Wed 09:00-12:00")
    assert "never open on a Wednesday" in read(small, one_day).warnings[0].words
    assert read(small, person("0043", ends="2026-03-20")).warnings == ()
    # A placement of one open day has no word about the weekdays that it does not reach.
    assert read(small, person("0044", starts="2026-03-05", ends="2026-03-05")).warnings == ()


def test_a_placement_that_overlaps_itself_is_a_mistake_in_the_file_and_against_what_we_have(small):
    lesson = {"timetable": "Tue 11:00-13:00", "nature": "mentoring"}
    [problem] = read(small, person("0041"), person("0041", **lesson)).problems
    assert (problem.row, problem.column) == (3, "timetable")
    assert problem.words.startswith("The lesson on Tuesday at 11:00 overlaps with row 2")
    place(small, person("0041"))
    [problem] = read(small, person("0041", starts="2026-02-02", **lesson)).problems
    assert "overlaps with a placement that we have" in problem.words
    # After the first placement has ended, or in its free afternoon, there is nothing to say.
    free = {"starts": "2026-02-02", "nature": "mentoring", "timetable": "Tue 13:00-14:00"}
    assert read(small, person("0041", **free)).problems == ()
    overlapping = read(small, person("0042", timetable="Mon 09:00-12:00; Mon 11:00-13:00")).problems
    assert "starts before the one at 09:00 ends" in overlapping[0].words


@pytest.mark.parametrize("roll", ["dual", "own"])
def test_a_roll_without_a_school_is_a_mistake(small, roll):
    [problem] = read(small, person("0041", registration=roll)).problems
    assert (problem.column, problem.words) == (
        "registration",
        "Only a provider that is a school has a roll, and we have no URN for you.",
    )


def test_a_correction_to_an_erased_pupil_is_answered_and_holds_nobody_else_up(make_world_anew):
    world = make_world_anew()
    sam, alex = world.pupil(ends=TUESDAY), world.pupil(given="Alex")
    world.owe()
    world.at("09:05")
    world.enter([sam, alex])
    world.at("09:43").at("08:00", day=date(2026, 3, 4))
    erased = next(row for row in world.rows(t.placements) if row.pupil_id == sam.pupil_id)
    ref = next(row.ref for row in world.rows(t.pupils) if row.pupil_id == sam.pupil_id)
    erase(world.desk, ref, "Robin, office", "asked by the family")
    # Nothing leads from the placement to its lessons any more, and no new key is made for the child.
    with pytest.raises(UnknownPupilError, match="or the pupil was erased, and nothing is left"):
        answering.correct_entry(
            world.desk, erased.ref, TUESDAY, "09:00", Fact(Outcome.LEFT_EARLY), "Robin, office", "left at ten"
        )
    assert world.desk.vault.names_of(sam.pupil_id, APART) == []
    other = next(row for row in world.rows(t.placements) if row.pupil_id == alex.pupil_id)
    answering.correct_entry(
        world.desk, other.ref, TUESDAY, "09:00", Fact(Outcome.LEFT_EARLY), "Robin, office", "left at ten"
    )
    world.at("08:05")
    told = facts_of(world.sides.to("far")[-1])
    assert (told["kind"], [row["upn"] for row in told["rows"]]) == ("correction", [alex.upn])


def test_a_story_in_a_registers_reason_is_nudged_by_row_and_kept_out_of_every_feed(make_world_anew):
    world = make_world_anew()
    place(world, person("0041"), person("0042"))
    rows = [("0041", "Absent", "", "her uncle hit her, police called"), ("0042", "Absent", "", "ill")]
    result = intake.take_in(world.desk, "registers", Handed(), register(*rows))
    assert [line for line in result.report.splitlines() if "safeguarding" in line] == [
        f"Row 2, reason: {NUDGE}"
    ]
    assert "uncle" not in result.report
    world.at("09:05").at("09:43").at("09:46")
    told = b"".join(document.content for one in world.sides.to("far") for document in one.documents)
    assert told
    assert b"uncle" not in told
