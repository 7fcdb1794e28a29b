"""Summaries: what staff, a school and a parent read of a week, and what they never read."""

from datetime import date, timedelta

import pytest

from aphub.domain.contacts import RESTRICTION_WORDS, Restriction
from aphub.domain.errors import AphubError
from aphub.domain.figures import LEAST
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.papers import Facts, Figure, Paper, Table
from aphub.domain.stretches import Every
from aphub.services import accesses, contacts
from aphub.services.papers import as_mail_body, as_text, printed
from aphub.services.summaries import Asked, summary
from aphub.services.summaries.for_parents import for_parents
from aphub.services.thresholds import crossings
from aphub.store.tables import placements, pupils
from tests.world import PROVIDER, TUESDAY, School

LIMIT = """
[ladders.under-90]
title = "Under 90 per cent in a week"
when = "attendance rate"
below = 90
window = "week"
at_least = 3
steps = [{name = "plan", do = "talk to pupil", by = "5 school days", owner = "office", until = "done"}]
"""
TERM = 'terms = [{starts = 2026-01-05, ends = 2026-03-27, name = "spring term"}]\n'
BY = "Robin, office"


@pytest.fixture
def played(make_world_anew):
    """Play the three days on one kind of database."""
    return play(make_world_anew)


def play(make_world):
    """Play three days: Sam comes, Kit is absent and late, one is not to be shared; Kit is at another school."""
    world = make_world(
        schools=(School(), School("brook-academy")),
        provider=PROVIDER + TERM + LIMIT,
    )
    sam = world.pupil(given="Sam")
    kit = world.pupil("brook-academy", given="Kit")
    shy = world.pupil(given="Shy", suppressed=True)
    world.owe()
    for number, outcome in enumerate((Outcome.ABSENT, Outcome.LATE, Outcome.ABSENT)):
        day = TUESDAY + timedelta(days=number)
        world.at("08:00", day)
        world.enter([sam, shy], day=day)
        world.enter(
            kit,
            "09:00",
            outcome,
            ReasonKind.ILL if number else None,
            minutes=12 if number == 1 else None,
            day=day,
        )
        world.at("16:00", day)
    return world, sam, kit


def table(paper: Paper, title: str) -> list[list[str]]:
    """Give a table's rows as people read them."""
    [found] = [one for one in paper.tables() if one.title == title]
    return [[str(cell) for cell in row] for row in found.rows]


def test_a_week_for_staff_for_a_school_and_for_a_parent(make_world):
    world, *_ = play(make_world)
    staff = summary(world.desk, Asked(Every.WEEK, TUESDAY, BY))
    school = summary(world.desk, Asked(Every.WEEK, TUESDAY, BY, "hill-school"))

    facts = dict(next(part for part in staff.parts if isinstance(part, Facts)).pairs)
    assert facts["Pupils"] == "2"
    assert facts["Placement attendance (lessons attended in person, of those offered)"] == "66.7% (4 of 6)"
    assert (facts["Days due here"], facts["Days missed here (absent from all that was offered)"]) == (
        "6",
        "2",
    )
    assert facts["Late"] == "once, 12 minutes"
    assert [row[:6] for row in table(staff, "Each pupil")] == [
        ["Kit Example002 (S0002)", "33.3%", "3", "33.3%", "3", "3"],
        ["Sam Example001 (S0001)", "100.0%", "3", "100.0%", "3", "3"],
    ]
    hours = {row[0]: row[1] for row in table(staff, "Hours")}
    assert (hours["Planned"], hours["Delivered"], hours["Pupil absent"]) == ("18h 00m", "12h 00m", "6h 00m")
    assert [row[0] for row in table(staff, "By weekday")] == ["Tuesday", "Wednesday", "Thursday"]
    assert table(staff, "Under a limit of ours") == [
        ["Kit Example002 (S0002)", "Under 90 per cent in a week", "33.3%", "3", "Monday 2 March 2026"]
    ]
    assert {type(part.chart).__name__ for part in staff.parts if isinstance(part, Figure)} == {
        "HeatMap",
        "Bars",
    }

    for paper, absent in ((staff, ["Shy"]), (school, ["Shy", "Kit", "Brook"])):
        text = as_text(paper).decode()
        assert "They are not school" in text
        assert "As at 4pm on Thursday 5 March 2026" in text
        assert not [name for name in absent if name in text]
    assert not any(one.title == "Under a limit of ours" for one in school.tables())
    assert len(as_mail_body(staff)) < 100_000
    assert "hill" not in school.file_name
    for form in ("pdf", "html", "xlsx", "csv"):
        assert all(file.content for file in printed(school, form))

    parent = summary(world.desk, Asked(Every.WEEK, TUESDAY, BY, pupil="P0002", handed_to="mother"))
    text = as_text(parent).decode()
    assert "Kit Example002" in text
    assert "Sam" not in text
    assert [row[3] for row in table(parent, "Each lesson")] == [
        "did not attend, reason not known", "arrived 12 minutes late, ill", "did not attend, ill",
    ]  # fmt: skip
    looked = accesses.viewed(world.desk)
    assert [(one.what, one.pupils, one.because) for one in looked] == [
        ("summary written", 1, "mother"), ("summary written", 1, "hill-school"), ("summary written", 2, ""),
    ]  # fmt: skip


def test_a_correction_is_in_the_next_summary_and_every_length_can_be_told(played):
    world, _, kit = played
    world.enter(kit, "09:00", Outcome.PRESENT, day=TUESDAY)
    for every in Every:
        paper = summary(world.desk, Asked(every, TUESDAY + timedelta(days=2), BY))
        if every is not Every.DAY:
            assert table(paper, "Each pupil")[0][1] == "66.7%"
    assert paper.title == "Attendance here, spring term, Monday 5 January 2026 to Friday 27 March 2026"
    with pytest.raises(AphubError, match="in no term"):
        summary(world.desk, Asked(Every.TERM, date(2026, 4, 1), BY))


def test_nothing_is_shown_that_must_not_be(played):
    world, *_ = played
    desk = world.desk
    with pytest.raises(AphubError, match="no school or council 'nowhere'"):
        summary(desk, Asked(Every.WEEK, TUESDAY, BY, "nowhere"))
    with pytest.raises(AphubError, match="must not be shared"):
        summary(desk, Asked(Every.WEEK, TUESDAY, BY, pupil="P0003", handed_to="father"))
    with pytest.raises(AphubError, match="who is given this paper"):
        summary(desk, Asked(Every.WEEK, TUESDAY, BY, pupil="P0001"))
    with pytest.raises(AphubError, match="name of whoever"):
        summary(desk, Asked(Every.WEEK, TUESDAY, " "))
    assert accesses.viewed(desk) == []


def test_every_parents_paper_is_made_at_once_and_whoever_gets_none_is_named_with_the_reason(played):
    world, sam, kit = played
    contacts.restrict(world.desk, "P0001", Restriction.NO_CONTACT, "Ada Example")
    made = {one.pupil: one for one in for_parents(world.desk, Every.WEEK, TUESDAY, BY, "parent or carer")}
    refs = {row.pupil_id: row.ref for row in world.rows(pupils)}
    assert len(made) == len(refs) == 3
    given = made.pop(refs[kit.pupil_id])
    assert given.paper is not None
    text = as_text(given.paper).decode()
    assert "Kit Example002" in text
    assert "Sam" not in text
    assert {one.paper for one in made.values()} == {None}
    assert made.pop(refs[sam.pupil_id]).why_not == RESTRICTION_WORDS[Restriction.NO_CONTACT]
    assert [one.why_not for one in made.values()] == ["This pupil must not be shared."]
    assert [(one.pupils, one.because) for one in accesses.viewed(world.desk)] == [(1, "parent or carer")]
    with pytest.raises(AphubError, match="who is given this paper"):
        list(for_parents(world.desk, Every.WEEK, TUESDAY, BY, " "))


def test_trap_20_a_limit_needs_a_window_and_a_least_number_of_lessons(played):
    world, _, kit = played
    desk = world.desk
    with desk.store.reading() as connection:
        days = [TUESDAY + timedelta(days=number) for number in range(3)]
        found = [[one.pupil_id for one in crossings(desk, connection, day)] for day in days]
        next_week = crossings(desk, connection, TUESDAY + timedelta(days=7))
    # Absent at once, but one cold is no pattern: the third lesson of the week is the first that can raise it.
    assert found == [[], [], [kit.pupil_id]]
    assert next_week == []


def test_small_groups_are_hidden_from_everybody(make_world_anew):
    world = make_world_anew()
    some = [world.pupil() for _ in range(LEAST + 3)]
    for number, registration in enumerate(["home"] * LEAST + ["dual"] * 2 + ["own"]):
        world.change(placements, {"registration": registration}, placement_id=some[number].placement_id)
    world.owe()
    world.enter(some)
    world.at("16:00")
    rows = table(summary(world.desk, Asked(Every.WEEK, TUESDAY, BY)), "Roll")
    # Two small groups make three pupils: the large group goes too, or the total would give them away.
    assert [row[:2] for row in rows] == [
        ["dual registered", "hidden"],
        ["home school", "hidden"],
        ["our own roll", "hidden"],
    ]


def test_a_table_of_pupils_fits_its_page():
    with pytest.raises(ValueError, match="does not fit"):
        Table("One", ("A",), (("a",),), widths=(1, 2))
