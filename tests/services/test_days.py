"""Every kind of day: decisions, suspensions, trials, closed schools, two recipients, a school changed mid-week."""

from datetime import date, timedelta
from typing import Any

import pytest

from aphub.domain.absences import Stretch
from aphub.domain.entries import Half
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import actions, ageing, decisions, not_due
from aphub.services.absences import NewsError
from aphub.store import tables as t
from tests.told import facts_of, outcomes_of, text_of
from tests.world import TUESDAY, TWO_A_DAY, School, World

OFFICE = "Robin, office"
INSET = '[[closures]]\nstarts = 2026-03-05\nends = 2026-03-05\nname = "training day"\n'
WEEKLY = {"weekly": 'cadence = "weekly"\ndue = "Friday 15:30"', "daily": 'cadence = "daily"\ndue = "09:45"'}


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew(schools=[School(extra=INSET), School("vale-school", (("email", "told", "vale"),))])


def decided(reason: ReasonKind, stretch: Stretch, **more: Any) -> decisions.Decided:
    given = {"organisation": "hill-school", "decided_by": "Mrs Example, head of year", **more}
    return decisions.Decided("P0001", reason=reason, stretch=stretch, **given)


def code_of(world: World, far: str = "far") -> str:
    return str(facts_of(world.sides.to(far)[-1])["rows"][0]["suggested_code"])


def test_only_the_schools_own_recorded_decision_becomes_a_code(make_world):
    world = make_world()
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.HOLIDAY)
    world.at("09:43")
    assert code_of(world) == ""
    day = Stretch(TUESDAY, TUESDAY)
    filled = decisions.record_decision(world.desk, decided(ReasonKind.LEAVE_GRANTED, day), OFFICE)
    world.wait(timedelta(minutes=2))
    assert filled.explained == 1
    assert code_of(world) == "C"
    assert "decision.recorded" in world.said()
    assert world.verify().ok
    # The school takes it back: the code goes, the reason stays.
    decisions.withdraw_decision(world.desk, filled.ref, OFFICE)
    world.wait(timedelta(minutes=2))
    assert code_of(world) == ""
    assert facts_of(world.sides.to("far")[-1])["kind"] == "update"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"organisation": "vale-school"}, "Only the pupil's own school decides this"),
        ({"decided_by": "Mrs Example"}, "the name and the role"),
        ({"reason": ReasonKind.ILL}, "no decision of a school"),
        ({"stretch": Stretch(TUESDAY, TUESDAY - timedelta(days=1))}, "last day is before the first"),
    ],
)
def test_what_is_not_a_decision_of_the_pupils_school_is_refused(small, change, says):
    small.pupil()
    small.owe()
    given = {"reason": ReasonKind.SUSPENDED, "stretch": Stretch(TUESDAY, TUESDAY), **change}
    with pytest.raises(NewsError, match=says):
        decisions.record_decision(small.desk, decided(**given), OFFICE)
    assert small.rows(t.school_decisions) == []


def test_a_suspended_pupil_is_e_for_five_school_days_and_due_again_from_the_sixth(small):
    sam = small.pupil()
    small.owe()
    # Ten school days from Tuesday; Thursday is a training day of the school and does not count.
    suspended = Stretch(TUESDAY, date(2026, 3, 16))
    filled = decisions.record_decision(small.desk, decided(ReasonKind.SUSPENDED, suspended), OFFICE)
    days = sorted(
        lesson.day
        for lesson in small.rows(t.lessons, placement_id=sam.placement_id)
        if lesson.state == "entered"
    )
    # Tuesday, Wednesday, (Thursday: no school day), Friday, Monday, Tuesday.
    assert days == [
        TUESDAY,
        date(2026, 3, 4),
        date(2026, 3, 5),
        date(2026, 3, 6),
        date(2026, 3, 9),
        date(2026, 3, 10),
    ]
    assert filled.ahead == 6
    small.at("09:43")
    assert code_of(small) == "E"
    sixth = date(2026, 3, 11)
    small.at("09:05", day=sixth)
    small.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.SUSPENDED, day=sixth)
    small.at("09:43", day=sixth)
    assert code_of(small) == ""
    assert "provision is due and E no longer fits" in text_of(small.sides.to("far")[-1])
    # Whoever comes on the sixth day has attended, as on any other.
    small.enter(sam, day=sixth)
    small.wait(timedelta(minutes=2))
    assert code_of(small) == "B"


def test_a_suspension_that_is_made_longer_is_one_suspension(small):
    sam = small.pupil()
    small.owe()
    for first, last in ((TUESDAY, date(2026, 3, 6)), (date(2026, 3, 9), date(2026, 3, 16))):
        decisions.record_decision(small.desk, decided(ReasonKind.SUSPENDED, Stretch(first, last)), OFFICE)
    filled = [row.day for row in small.rows(t.lessons, placement_id=sam.placement_id, state="entered")]
    assert max(filled) == date(
        2026, 3, 10
    )  # the fifth school day from Tuesday, as if it had been said at once

    sixth = date(2026, 3, 11)
    small.at("09:05", day=sixth)
    small.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.SUSPENDED, day=sixth)
    small.at("09:43", day=sixth)

    assert code_of(small) == ""


def test_a_part_time_timetable_is_c2_only_on_the_halves_that_the_school_decided(small):
    sam = small.pupil(slots=TWO_A_DAY)
    small.owe()
    afternoons = Stretch(TUESDAY, date(2026, 3, 31), Half.PM, frozenset({1}))
    decisions.record_decision(small.desk, decided(ReasonKind.PART_TIME, afternoons), OFFICE)
    small.at("09:05")
    small.enter(sam, starts="09:00")
    small.at("09:06").at("09:45").at("13:05")
    rows = facts_of(small.sides.to("far")[-1])["rows"]
    assert {row["session"]: row["suggested_code"] for row in rows} == {"AM": "B", "PM": "C2"}


@pytest.mark.parametrize(
    ("standing", "code", "why"),
    [("trial", "B", "trial placement"), ("pending", "", "referral is not agreed yet")],
)
def test_a_trial_counts_and_a_same_day_starter_without_referral_gets_no_code(small, standing, code, why):
    sam = small.pupil()
    small.change(t.placements, {"standing": standing}, placement_id=sam.placement_id)
    small.owe()
    small.at("09:05")
    small.enter(sam)
    small.at("09:43")
    assert code_of(small) == code
    assert why in text_of(small.sides.to("far")[-1])


def test_a_pupil_who_moves_school_mid_week_is_each_schools_news_for_its_own_days(make_world):
    world = make_world(
        schools=[School(), School("vale-school", (("email", "told", "vale"),))], agreements=WEEKLY
    )
    sam = world.pupil("hill-school", "vale-school", agreement="weekly")
    hill, vale = sam.recipient_ids
    world.change(t.recipients, {"ends_day": date(2026, 3, 3)}, recipient_id=hill)
    world.change(t.recipients, {"starts_day": date(2026, 3, 4), "purpose": "home_school"}, recipient_id=vale)
    world.owe()
    for day in range(3, 7):
        on = date(2026, 3, day)
        world.at("09:05", day=on)
        world.enter(sam, day=on)
    world.at("15:30", day=date(2026, 3, 6))
    told = {
        far: [row["date"] for row in facts_of(world.sides.to(far)[-1])["rows"]] for far in ("far", "vale")
    }
    assert told == {"far": ["2026-03-03"], "vale": ["2026-03-04", "2026-03-05", "2026-03-06"]}
    # A correction of Tuesday, days later, is the old school's news alone.
    heard = len(world.sides.to("vale"))
    world.enter(sam, outcome=Outcome.LEFT_EARLY, day=TUESDAY)
    world.wait(timedelta(minutes=2))
    assert len(world.sides.to("vale")) == heard
    assert facts_of(world.sides.to("far")[-1])["kind"] == "correction"


def test_a_closed_school_asks_once_who_comes_and_an_answer_is_not_expected(small):
    sam, alex, kim = small.pupil(), small.pupil(given="Alex"), small.pupil(given="Kim")
    small.change(t.placements, {"attends_on_school_closure": True}, placement_id=kim.placement_id)
    small.owe()
    thursday = date(2026, 3, 5)
    assert not_due.ask_about_closures(small.desk) == 1
    not_due.ask_about_closures(small.desk)
    [task] = small.tasks(not_due.ATTENDS_ANYWAY)
    assert "2 pupils are due here all the same" in task.words
    not_due.answer_closure(small.desk, "hill-school", thursday, OFFICE, away=["P0001"])
    assert small.tasks(not_due.ATTENDS_ANYWAY) == []
    small.at("09:05", day=thursday)
    small.enter([alex, kim], day=thursday)
    small.at("09:43", day=thursday)
    told = small.sides.to("far")[-1]
    assert outcomes_of(told) == {
        (sam.upn, "AM"): "not_expected",
        (alex.upn, "AM"): "present",
        (kim.upn, "AM"): "present",
    }
    assert "training day" in text_of(told)
    with pytest.raises(not_due.ClosureError, match="not closed on that day"):
        not_due.answer_closure(small.desk, "hill-school", date(2026, 3, 6), OFFICE)


def test_who_is_not_due_tomorrow_is_listed_with_the_reason(small):
    small.pupil(slots=TWO_A_DAY[:1])
    small.pupil(starts=date(2026, 3, 6))
    small.pupil(ends=TUESDAY)
    small.pupil()
    listed = {one.pupil: one.why for one in not_due.not_due(small.desk, date(2026, 3, 4))}
    assert listed == {
        "P0001": "no lesson on a Wednesday",
        "P0002": "starts on Friday 6 March 2026",
        "P0003": "ended on Tuesday 3 March 2026",
    }


def test_n_grows_old_in_the_schools_days_is_chased_from_day_one_and_escalates_before_the_limit(make_world):
    world = make_world(schools=[School(extra=INSET)])
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.enter(sam, starts="13:00", outcome=Outcome.ABSENT)
    assert ageing.chase_reasons(world.desk) == 0
    world.clock.advance(timedelta(days=1))
    assert ageing.chase_reasons(world.desk) == 1
    ageing.chase_reasons(world.desk)
    [task] = world.tasks(ageing.FIND)
    assert "1 school day" in task.words
    # Whoever ends it without a reason is left alone for the day, and asked again on the next school day: a state, not a
    # flood of tasks.
    actions.finish_task(world.desk, task.ref, OFFICE)
    ageing.chase_reasons(world.desk)
    assert world.tasks(ageing.FIND) == []
    # Thursday is a training day of the school: on Friday the absence is two school days old, and not three.
    world.clock.advance(timedelta(days=2))
    [one] = ageing.without_reason(world.desk)
    assert (one.school_days, one.limit, one.escalated) == (2, 5, False)
    ageing.chase_reasons(world.desk)
    [again] = world.tasks(ageing.FIND)
    assert (again.due_at.date(), "2 school days" in again.words) == (date(2026, 3, 6), True)
    # At the weekend nobody is asked anew; on Monday and Tuesday the same task is due again, with its age.
    for days, age, due in ((1, 2, date(2026, 3, 6)), (2, 3, date(2026, 3, 9)), (1, 4, date(2026, 3, 10))):
        world.clock.advance(timedelta(days=days))
        ageing.chase_reasons(world.desk)
        [still] = world.tasks(ageing.FIND)
        assert (still.ref, still.due_at.date(), f"{age} school days" in still.words) == (again.ref, due, True)
    [escalated] = world.tasks(ageing.ESCALATE)
    assert escalated.words.startswith("Ada Example, safeguarding lead")
    assert "4 school days" in escalated.words
    # Eight lessons would still be one task; the reason clears both.
    for starts in ("09:00", "13:00"):
        world.enter(sam, starts=starts, outcome=Outcome.ABSENT, reason=ReasonKind.ILL, day=TUESDAY)
    ageing.chase_reasons(world.desk)
    assert world.tasks(ageing.FIND) == world.tasks(ageing.ESCALATE) == []


NORTHSHIRE = 'name = "Northshire"\nla_code = "999"\n{extra}\n[[channels]]\nname = "email"\nconnection = "told-far"\naddress = "ap@northshire.example.org"\n'


def council(world: World, extra: str = "") -> None:
    """Add a council that is told by the same far side."""
    folder = world.home / "config" / "councils"
    folder.mkdir(exist_ok=True)
    (folder / "northshire.toml").write_text(NORTHSHIRE.format(extra=extra))
    world.hub.apply("test")
    world.go_live()


def test_a_council_arranged_pupil_is_k_to_the_council_and_to_the_school_in_two_messages(make_world_anew):
    world = make_world_anew(schools=[School(channels=(("email", "told", "hill"),)), School("vale-school")])
    council(world)
    sam = world.pupil("hill-school", "northshire")
    world.change(t.placements, {"arranged_by": "council", "power": "s.19", "commissioner": "northshire"})
    world.change(t.recipients, {"purpose": "council"}, recipient_id=sam.recipient_ids[1])
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:43")
    for far in ("hill", "far"):
        [told] = world.sides.to(far)
        assert facts_of(told)["rows"][0]["suggested_code"] == "K"


def test_a_pupil_on_no_roll_is_the_councils_news_alone_and_ages_in_its_days(make_world_anew):
    world = make_world_anew(schools=[School(channels=(("email", "told", "hill"),)), School("vale-school")])
    closed = '[[closures]]\nstarts = 2026-03-04\nends = 2026-03-05\nname = "council closed"'
    council(world, closed)
    sam = world.pupil("northshire")
    world.change(t.placements, {"arranged_by": "council", "power": "s.61(1)", "registration": "no_roll"})
    world.change(t.recipients, {"purpose": "council"})
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.at("09:06")
    row = facts_of(world.sides.to("far")[-1])["rows"][0]
    assert (row["suggested_code"], row["outcome"]) == ("", "absent")
    assert world.sides.to("hill") == []
    # On Friday one council day has passed: Wednesday and Thursday were none.
    world.clock.advance(timedelta(days=3))
    [one] = ageing.without_reason(world.desk)
    assert one.school_days == 1
    # Nobody can decide a code for a pupil whom no school has on its roll.
    with pytest.raises(NewsError, match="on no school's roll"):
        decisions.record_decision(
            world.desk,
            decided(ReasonKind.LEAVE_GRANTED, Stretch(TUESDAY, TUESDAY), organisation="northshire"),
            OFFICE,
        )


def test_two_placements_of_one_pupil_are_two_lines_that_never_mix(make_world_anew):
    world = make_world_anew(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    morning = world.pupil("hill-school", slots=TWO_A_DAY[:5])
    afternoon = world.pupil("vale-school", slots=TWO_A_DAY[5:])
    world.change(t.placements, {"pupil_id": morning.pupil_id}, placement_id=afternoon.placement_id)
    world.owe()
    world.at("09:05")
    world.enter(morning)
    world.at("09:43").at("13:05")
    world.enter(afternoon, starts="13:00", outcome=Outcome.LATE, minutes=5)
    world.at("13:20")
    told = {
        far: [(row["session"], row["outcome"]) for row in facts_of(world.sides.to(far)[-1])["rows"]]
        for far in ("far", "vale")
    }
    assert told == {"far": [("AM", "present")], "vale": [("PM", "late")]}
