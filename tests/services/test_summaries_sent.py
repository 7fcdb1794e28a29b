"""Summaries that were agreed leave by themselves: owed, sent once, proved, and corrected by the next one."""

from datetime import date, time, timedelta

from aphub.api.adapters import Rung
from aphub.api.errors import RefusedDeliveryError
from aphub.domain.calendar import to_utc
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services.explain import explain
from aphub.services.summaries_due import summaries_on
from aphub.store import tables as t
from tests.told import facts_of, text_of
from tests.world import DAILY, PROVIDER, TUESDAY, School

SUMMED = '\nsummaries = [{every = "week", at = "16:00"}]'
WEEKLY = {"daily": 'cadence = "weekly"\ndue = "Friday 15:00"' + SUMMED}
TERMLY = {
    "daily": 'cadence = "daily"\ndue = "09:45"\nsummaries = [{every = "term", at = "12:00", days_later = 2}]'
}
TERMS = """
[[terms]]
name = "Spring term"
starts = 2026-01-05
ends = 2026-03-06
[[terms]]
name = "Summer term"
starts = 2026-03-16
ends = 2026-07-17
"""
FRIDAY = date(2026, 3, 6)
TWO_WAYS = (("register", "told", "grid"), ("email", "told", "far"), ("second", "told", "other"))


def summaries(world, far="far"):
    return [one for one in world.sides.to(far) if facts_of(one)["kind"] == "summary"]


def week(world, pupils, monday):
    """Keep a week's registers: the last of the pupils is absent on Wednesdays."""
    for number in range(5):
        day = monday + timedelta(days=number)
        if day < world.day:
            continue
        world.clock.advance_to(to_utc(day, time(9, 5)))
        absent = pupils[-1:] if number == 2 else []
        world.enter([one for one in pupils if one not in absent], day=day)
        for one in absent:
            world.enter(one, "09:00", Outcome.ABSENT, ReasonKind.UNKNOWN, day=day)
            world.go()


def test_a_week_is_summed_up_once_for_each_school_and_the_next_week_says_what_was_corrected(make_world_anew):
    world = make_world_anew(schools=(School(), School("brook-academy")), agreements=WEEKLY)
    sam, kit = world.pupil(given="Sam"), world.pupil(given="Kit")
    bo = world.pupil("brook-academy", given="Bo")
    shy = world.pupil(given="Shy", suppressed=True)
    world.owe()
    world.owe()
    owed = [row for row in world.rows_of_summaries() if row.first_day == date(2026, 3, 2)]
    assert len(owed) == 4
    week(world, [sam, bo, shy, kit], date(2026, 3, 2))
    assert not summaries(world)
    assert [one.state for one in summaries_on(world.desk)] == ["to come", "to come"]

    world.at("15:58", FRIDAY)
    world.go()
    sent = summaries(world)
    assert len(sent) == 2
    hill, brook = sorted(sent, key=lambda one: -len(one.rows))
    assert {row["upn"] for row in hill.rows} == {sam.upn, kit.upn}
    assert {row["upn"] for row in brook.rows} == {bo.upn}
    words = text_of(hill)
    assert "As at 3:58pm on Friday 6 March 2026" in words
    assert "Attendance here of pupils of Hill School, week of Monday 2 March 2026" in words
    assert "They are not school attendance" in words
    assert "Kit Example002 (S0002)" in words
    assert "Absences still without a reason" in words
    assert not [name for name in ("Bo", "Shy", "Codes are suggestions") if name in words]
    states = {row.pupil_id: (row.state, row.because) for row in world.rows_of_summaries(date(2026, 3, 2))}
    assert states[sam.pupil_id] == states[bo.pupil_id] == ("met", None)
    assert states[shy.pupil_id] == ("held", "do not share this pupil")
    assert [(one.organisation, one.state) for one in summaries_on(world.desk)] == [
        ("brook-academy", "sent"), ("hill-school", "waiting for you"), ("hill-school", "sent"),
    ]  # fmt: skip
    assert [row.kind for row in world.dispatches()].count("summary") == 2
    assert world.verify().ok

    told_once_and_corrected_by_the_next(world, sam, bo, kit)


def told_once_and_corrected_by_the_next(world, sam, bo, kit):
    # A restart, and registers that are corrected afterwards, send nothing again.
    world.reopen()
    world.enter(kit, "09:00", Outcome.PRESENT, day=date(2026, 3, 4))
    world.at("17:00", FRIDAY)
    assert len(summaries(world)) == 2

    world.at("08:00", date(2026, 3, 9))
    world.owe()
    week(world, [sam, bo, kit], date(2026, 3, 9))
    world.at("16:00", date(2026, 3, 13))
    second = next(one for one in summaries(world)[2:] if len(one.rows) == 2)
    told = text_of(second)
    assert "Changed since an earlier summary" in told
    assert "Lessons attended" in told
    assert "4 of 4" in told
    assert "3 of 4" in told
    world.at("08:00", date(2026, 3, 16))
    world.owe()
    week(world, [sam, bo, kit], date(2026, 3, 16))
    world.at("16:00", date(2026, 3, 20))
    third = next(one for one in summaries(world)[4:] if len(one.rows) == 2)
    assert "Changed since an earlier summary" not in text_of(third)
    assert summaries(world)[0].key.rpartition("-")[0] != third.key.rpartition("-")[0]


def test_a_summary_goes_the_next_way_word_for_word(make_world):
    world = make_world(schools=(School(channels=TWO_WAYS),), agreements=WEEKLY)
    sam = world.pupil()
    world.owe()
    week(world, [sam], date(2026, 3, 2))
    world.sides.closed_for_good["far"] = RefusedDeliveryError("They do not know us.")
    world.at("15:58", FRIDAY)
    [other] = summaries(world, "other")
    [refused] = [row for row in world.dispatches() if row.kind == "summary" and row.channel == "email"]
    assert "As at 3:58pm" in text_of(other)
    assert refused.state == "refused"
    assert not summaries(world, "grid")
    assert other.reports
    assert Rung.HANDED_OVER.value in [row.rung for row in world.dispatches() if row.kind == "summary"]


def test_one_without_a_way_is_seen_in_today_tasks_ledger_and_explanation(make_world):
    lonely = make_world(schools=(School(channels=TWO_WAYS[:1]),), agreements=WEEKLY)
    sam = lonely.pupil()
    lonely.owe()
    week(lonely, [sam], date(2026, 3, 2))
    lonely.at("14:58", FRIDAY)
    lonely.at("16:10", FRIDAY)
    [line] = summaries_on(lonely.desk)
    assert (line.state, line.pupils) == ("waiting for you", 1)
    [task] = lonely.tasks("send_summary")
    assert "no live channel takes summaries" in task.words
    assert "report.missed" in lonely.said()
    [row] = lonely.rows_of_summaries(date(2026, 3, 2))
    [placement] = lonely.rows_of_placements()
    [told] = explain(lonely.desk, placement.ref, TUESDAY)
    assert any("summary" in rule.question and row.ref in rule.mend for rule in told.rules)
    assert told.why == "sent"


def test_a_closed_friday_moves_it_and_a_late_one_says_so(make_world):
    closed = 'closures = [{starts = 2026-03-06, ends = 2026-03-06, name = "training day"}]\n'
    world = make_world(
        provider=PROVIDER + closed,
        agreements={
            "daily": DAILY["daily"] + '\nsummaries = [{every = "week", at = "15:00", days_later = 1}]'
        },
    )
    sam = world.pupil()
    world.owe()
    [row] = world.rows_of_summaries(date(2026, 3, 2))
    assert row.due_by.date() == date(2026, 3, 9)
    for number in range(3):
        world.at("08:00", TUESDAY + timedelta(days=number))
        world.enter(sam)
        world.at("14:00")
    # We are off when it is due.
    world.clock.advance(timedelta(days=5))
    world.go()
    [late] = summaries(world)
    assert "This message is late" in text_of(late)
    assert "dispatch.handed_over" in world.said()


def test_a_term_is_summed_up_when_people_are_back_and_in_the_holidays_nothing_is_due_or_sent(make_world_anew):
    world = make_world_anew(provider=PROVIDER + TERMS, agreements=TERMLY)
    sam = world.pupil(given="Sam")
    world.owe()
    week(world, [sam], date(2026, 3, 2))
    world.at("15:00", FRIDAY)
    world.go()
    told = len(world.dispatches())
    holidays = [FRIDAY + timedelta(days=number) for number in range(1, 10)]
    for day in holidays:
        world.at("12:00", day)
        world.owe()
        world.go()
    assert not [row for row in world.rows(t.lessons) if row.day in holidays and row.state != "withdrawn"]
    assert len(world.dispatches()) == told

    # The second open day after the term's last, which `days_later` leaves for a look at the figures.
    monday, tuesday = date(2026, 3, 16), date(2026, 3, 17)
    for day in (monday, tuesday):
        world.at("09:05", day)
        world.enter(sam, day=day)
        world.at("09:45", day)
        world.go()
        assert not summaries(world)
    world.at("11:58", tuesday)
    world.go()
    [sent] = summaries(world)
    words = text_of(sent)
    assert "Attendance here of pupils of Hill School, Spring term" in words
    assert "Half days attended in person: 75.0% (3 of 4)" in words  # of the term alone, not of the new one
    assert [row["upn"] for row in sent.rows] == [sam.upn]
    assert [row.kind for row in world.dispatches()[told:]] == ["routine", "routine", "summary"]
    assert world.verify().ok
