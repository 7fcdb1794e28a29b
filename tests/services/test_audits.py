"""The papers of who audits: each provider's own, and what a council asks."""

from datetime import date, timedelta

import pytest

from aphub.domain.absences import Stretch, Teller
from aphub.domain.calls import CallResult
from aphub.domain.entries import Fact
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.papers import Signature
from aphub.domain.stretches import Every
from aphub.services import accesses
from aphub.services.absences import News, know_absence
from aphub.services.audits import AUDITS, Wanted, audit
from aphub.services.calling import Call, call_about_step
from aphub.services.decisions import Decided, record_decision
from aphub.services.papers import as_text, printed
from aphub.services.summaries import Asked, summary
from aphub.store import tables as t
from tests.world import PROVIDER, TUESDAY, School

BY = "Robin, office"
LADDERS = """
[ladders.missing]
when = "unexplained absence"
steps = [{name = "call-home", do = "phone home", by = "start + 15 min", owner = "office", until = "reached"}]

[ladders.under-90]
title = "Under 90 per cent"
when = "attendance rate"
below = 90
window = "week"
at_least = 2
steps = [{name = "plan", do = "talk to pupil", by = "5 school days", owner = "office", until = "done"}]
"""
COUNCIL = """
name = "Northshire"
la_code = "999"
[[channels]]
name = "email"
connection = "told-far"
address = "attendance@northshire.example.org"
"""
DAYS = [TUESDAY + timedelta(days=number) for number in range(4)]


@pytest.fixture
def world(make_world_anew):
    """Play four days: Sam comes; Kit of no roll, whom the council placed, is absent, is absent, is late, register lost."""
    world = make_world_anew(schools=(School(),), provider=PROVIDER + LADDERS)
    (world.home / "config" / "councils" / "northshire.toml").write_text(COUNCIL)
    world.hub.apply("test")
    world.go_live()
    sam, kit = world.pupil(given="Sam"), world.pupil("northshire", given="Kit")
    world.change(
        t.placements, {"registration": "no_roll", "arranged_by": "council"}, placement_id=kit.placement_id
    )
    world.owe()
    said = ((Outcome.ABSENT, None), (Outcome.ABSENT, ReasonKind.ILL), (Outcome.LATE, None))
    for day, (outcome, reason) in zip(DAYS, said, strict=False):
        world.at("08:55", day)
        world.enter(sam, day=day)
        late_by = 12 if outcome is Outcome.LATE else None
        world.enter(kit, "09:00", outcome, reason, minutes=late_by, day=day)
        world.at("09:05", day)
        for step in world.rows(t.steps, state="open"):
            call_about_step(
                world.desk,
                step.ref,
                Call(CallResult.ANSWERED, BY, answered_by="mother", said="She will ask."),
            )
        world.at("09:45", day)
    world.at("10:00", DAYS[3])
    world.enter(sam, day=DAYS[3])
    world.enter(sam, "09:00", Outcome.LATE, minutes=5, day=DAYS[3])
    world.at("12:30", DAYS[3])
    return world


def table(paper, title: str) -> list[list[str]]:
    """Give a table's rows as people read them."""
    [found] = [one for one in paper.tables() if one.title == title]
    return [[str(cell) for cell in row] for row in found.rows]


def test_trap_12_three_audits_are_three_papers(world):
    """A signed sheet (Red Everywhere), a correspondence log (CST) and a timeliness audit (SENtre)."""
    desk, week = world.desk, Wanted(Every.WEEK, TUESDAY, BY)
    sheet, log, check = (
        audit(desk, name, week) for name in ("daily-register", "correspondence", "registers")
    )

    assert sum(isinstance(part, Signature) for part in sheet.parts) == len(DAYS)
    kit = [row for one in sheet.tables() for row in one.rows if str(row[0]).startswith("Kit")]
    assert [str(row[4]) for row in kit] == [
        "did not attend, reason not known", "did not attend, ill", "arrived 12 minutes late", "register not yet taken",
    ]  # fmt: skip
    lines = table(log, "Correspondence")
    [call] = [line for line in lines if line[1].startswith("call")]
    assert (call[0], call[2], call[3], call[5]) == (
        "9:05am on Tuesday 3 March 2026", "Kit Example002 (S0002)", BY, "answered",
    )  # fmt: skip
    assert "message, routine" in {line[1] for line in lines}
    assert "She will ask" not in as_text(log).decode()
    assert "mother" not in as_text(log).decode()
    days = {row[0]: row[1:] for row in table(check, "Registers, by when they came")}
    assert days["Tuesday 3 March 2026"] == ["2", "0", "0", "0"]
    assert days["Friday 6 March 2026"] == ["0", "1", "1", "1"]
    assert table(check, "Absences without a reason") == [
        ["Kit Example002 (S0002)", "Tuesday 3 March 2026", "1", "3"]
    ]
    codes = table(check, "Codes that followed")
    assert ["B", "3"] in [[row[0], row[3]] for row in codes]
    assert {row[2] for row in codes} >= {"absent", "late", "present"}


def test_trackers_percentages_and_patterns(world):
    desk, week = world.desk, Wanted(Every.WEEK, TUESDAY, BY)
    tracker = audit(desk, "tracker", week)
    assert table(tracker, "Week of Monday 2 March 2026") == [
        ["Kit Example002 (S0002)", "A", "A", "L", "?"], ["Sam Example001 (S0001)", "P", "P", "P", "L"],
    ]  # fmt: skip
    assert table(tracker, "Attendance to days")[0] == ["Kit Example002 (S0002)", "4", "2", "2", "33.3%"]
    weekly = audit(desk, "weekly-percentage", Wanted(Every.MONTH, TUESDAY, BY))
    assert table(weekly, "Lessons attended, by week") == [
        ["Kit Example002 (S0002)", "33.3%", "33.3%"], ["Sam Example001 (S0001)", "100.0%", "100.0%"],
    ]  # fmt: skip
    assert [row[:3] for row in table(weekly, "Under a limit of ours")] == [
        ["Kit Example002 (S0002)", "Under 90 per cent", "33.3%"]
    ]
    review = audit(desk, "patterns", week)
    assert table(review, "Lessons missed, of those offered") == [
        ["Kit Example002 (S0002)", "1 of 1", "1 of 1", "", ""]
    ]
    assert table(review, "Reasons for absence") == [["ill", "1"], ["reason not known", "1"]]


def test_a_council_reads_of_its_own_pupils_only(world):
    desk = world.desk
    paper = audit(desk, "council", Wanted(Every.WEEK, TUESDAY, BY, "northshire"))
    assert "Sam" not in as_text(paper).decode()
    assert table(paper, "On no roll, and no contact since") == [
        ["Kit Example002 (S0002)", "9am on Thursday 5 March 2026", "1"]
    ]
    assert table(paper, "Absent for 2 days or more in a row") == [
        ["Kit Example002 (S0002)", "Tuesday 3 March 2026", "Wednesday 4 March 2026", "2", "no"]
    ]
    assert table(paper, "Hours") == [
        ["Kit Example002 (S0002)", "12h 00m", "3h 00m", "0h 00m", "6h 00m", "0h 00m", "3h 00m"]
    ]
    assert table(paper, "Not reported now") == []
    with pytest.raises(AphubError, match="We need the council's name"):
        audit(desk, "council", Wanted(Every.WEEK, TUESDAY, BY, "hill-school"))


def test_every_audit_of_a_school_or_a_pupil_tells_of_nobody_else_and_is_noted(world):
    desk = world.desk
    for name in AUDITS:
        if name == "council":
            continue
        for wanted in (
            Wanted(Every.WEEK, TUESDAY, BY, "hill-school"),
            Wanted(Every.WEEK, TUESDAY, BY, pupil="P0001"),
        ):
            paper = audit(desk, name, wanted)
            assert "Kit" not in as_text(paper).decode(), name
            assert all(file.content for form in ("html", "csv", "xlsx") for file in printed(paper, form))
    check = audit(desk, "registers", Wanted(Every.WEEK, TUESDAY, BY, pupil="P0001"))
    assert [row[1:3] for row in table(check, "Registers, by when they came")] == [["1", "0"]] * 3 + [
        ["0", "1"]
    ]
    whole = audit(desk, "registers", Wanted(Every.WEEK, TUESDAY, BY))
    everybodys, own = (table(one, "Codes that followed") for one in (whole, check))
    assert 0 < sum(int(row[3]) for row in own) < sum(int(row[3]) for row in everybodys)
    missing = table(whole, "Registers that are missing")
    assert [row[:2] for row in missing] == [["Kit Example002 (S0002)", "Friday 6 March 2026"]]
    assert table(check, "Registers that are missing") == []
    assert all(one.pupils == 1 for one in accesses.viewed(desk)[1:])
    assert len(accesses.viewed(desk)) == 2 * (len(AUDITS) - 1) + 2


def test_of_a_pupil_who_was_not_placed_in_those_days_nothing_of_others_is_counted(world):
    world.change(t.placements, {"starts_day": TUESDAY + timedelta(days=14)}, placement_id=1)
    wanted = Wanted(Every.WEEK, TUESDAY, BY, pupil="P0001")
    papers = [audit(world.desk, name, wanted) for name in AUDITS if name not in {"council", "registers"}]
    papers.append(summary(world.desk, Asked(Every.WEEK, TUESDAY, BY, pupil="P0001", handed_to="mother")))
    for paper in papers:
        for one in paper.tables():
            assert not [row for row in one.rows if {"1", "2", "3", "4", "8"} & set(map(str, row))], one.title


def test_the_correspondence_log_holds_what_we_were_told_and_what_a_school_decided(world):
    desk = world.desk
    monday = date(2026, 3, 9)
    ill = Fact(Outcome.ABSENT, ReasonKind.ILL)
    told = News("P0001", ill, Stretch(monday, monday), Teller.PARENT, "Ms Example", "She has a fever.")
    know_absence(desk, told, BY)
    suspended = Stretch(monday + timedelta(days=1), monday + timedelta(days=2))
    head = "Mrs Hill, head"
    record_decision(desk, Decided("P0001", "hill-school", ReasonKind.SUSPENDED, suspended, head), BY)
    lines = [
        row[1:4] + row[5:]
        for row in table(audit(desk, "correspondence", Wanted(Every.WEEK, TUESDAY, BY)), "Correspondence")
    ]
    assert ["absence told by parent", "Sam Example001 (S0001)", BY, "ill, Monday 9 March 2026"] in lines
    days = "Tuesday 10 March 2026 to Wednesday 11 March 2026"
    assert [
        "decision of Hill School",
        "Sam Example001 (S0001)",
        BY,
        f"suspended by the school, {days}",
    ] in lines
    theirs = audit(desk, "correspondence", Wanted(Every.WEEK, TUESDAY, BY, "hill-school"))
    kinds = {row[1] for row in table(theirs, "Correspondence")}
    assert "decision of Hill School" in kinds
    assert "absence told by parent" not in kinds
    assert "fever" not in as_text(theirs).decode()
