"""Eight of twenty pupils are away at YPM: eight cases, each with one thing to do next, and no flood of tasks."""

from collections import Counter

import pytest

from aphub.services import case_views, waits
from aphub.store import tables as t
from tests.policies.week import Mark, PlayWeek, Week, child

MILL = "Mon 09:30-11:45 in person @ The Mill"
NAMES = [f"Kid{number}" for number in range(1, 21)]
AWAY, HERE = NAMES[:8], NAMES[8:]
STEPS = {"call-contacts", "call-school", "tell-dsl", "offer-work"}


@pytest.mark.parametrize("week_at", ["sqlite"], indirect=True)
def test_eight_of_twenty_away_are_eight_cases_and_one_message_a_school(week_at: PlayWeek):
    # Every second pupil is of the other school.
    schools = ("hill-school", "fern-hall")
    week = week_at(
        "ypm",
        **{name: child(schools[number % 2], MILL, "start-plus-15") for number, name in enumerate(NAMES)},
    )
    week.at("Mon 09:36").register("09:30", **dict.fromkeys(HERE, "Present"), **dict.fromkeys(AWAY, "Absent"))
    # One message a school, with all of its pupils.
    assert told(week) == {("hill-school", "routine"): 1, ("fern-hall", "routine"): 1}
    assert waiting(week) == {"case": 8, "reminder": 1}
    cases = case_views.cases_on(week.desk)
    assert [line.pupil_ref for line in cases] == [week.ref(name) for name in AWAY]
    assert {line.next_step.partition(".")[0] for line in cases} == {"Phone the emergency contacts"}
    # The register that came in cleared what was asked for it: once, for all.
    [asked] = week.rows(t.tasks, kind="take_register")
    assert (asked.state, "for 20 pupils" in asked.words) == ("cleared", True)

    # The same register handed in again, and the hour passing, raise nothing twice.
    week.at("Mon 09:50").register("09:30", **dict.fromkeys(HERE, "Present"), **dict.fromkeys(AWAY, "Absent"))
    week.at("Mon 10:40")
    assert waiting(week) == {"case": 8, "reminder": 1}
    assert Counter(row.name for row in week.rows(t.steps, ladder="missing")) == dict.fromkeys(STEPS, 8)
    assert {line.overdue for line in case_views.cases_on(week.desk)} == {True}
    assert told(week) == {("hill-school", "routine"): 1, ("fern-hall", "routine"): 1}

    # Three reasons come at once: one update a school, and nobody need phone those three homes.
    week.register("09:30", **dict.fromkeys(AWAY[:3], Mark("Absent", reason="ill")))
    assert told(week) == {
        ("hill-school", "routine"): 1,
        ("hill-school", "update"): 1,
        ("fern-hall", "routine"): 1,
        ("fern-hall", "update"): 1,
    }
    week.at("Mon 10:41")
    assert {line.pupil_ref for line in unreached(week)} == {week.ref(name) for name in AWAY[3:]}


def told(week: Week) -> Counter[tuple[str, str]]:
    """Count the messages so far by school and kind."""
    return Counter((one.to, one.kind) for one in week.said())


def waiting(week: Week) -> Counter[str]:
    """Count what waits for people."""
    week.settle()
    return Counter(one.kind for one in waits.waiting(week.desk))


def unreached(week: Week) -> list[case_views.CaseLine]:
    """Give the cases in which somebody is still to be reached."""
    return [line for line in case_views.cases_on(week.desk) if line.next_step.startswith(("Phone", "Tell"))]
