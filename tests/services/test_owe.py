"""What must exist by when: worked out again as often as one likes, never deleted, frozen once begun."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from aphub.domain.placements import TimetableSlot
from aphub.services import owe
from aphub.store import tables as t
from aphub.store.placements import timetable_to_text
from tests.world import PROVIDER, SLOTS, TUESDAY, TWO_A_DAY, School

SATURDAY = timedelta(days=4)


def test_working_it_out_again_changes_nothing(world):
    world.pupil(slots=TWO_A_DAY)
    world.pupil(agreement="no-such-agreement")
    first = world.owe()
    assert first.lessons_added > 0
    assert first.reports_added > 0
    before = world.rows(t.owed_reports), world.rows(t.lessons), world.rows(t.threads)
    assert world.owe() == owe.OweResult()
    assert (world.rows(t.owed_reports), world.rows(t.lessons), world.rows(t.threads)) == before


def test_pieces_of_a_stretch_come_to_the_whole(make_world):
    weekly = {"daily": 'cadence = "weekly"\ndue = "Friday 15:30"'}
    world = make_world(agreements=weekly)
    sam = world.pupil()
    for day in range(0, 14, 3):
        owe.regenerate(world.desk, world.day + timedelta(days=day), world.day + timedelta(days=day + 3))
    keys = [row.period for row in world.rows(t.owed_reports, placement_id=sam.placement_id)]
    assert keys == ["2026-W10", "2026-W11", "2026-W12"]


def test_nothing_is_owed_for_days_before_anything_was_agreed(world):
    sam = world.pupil()
    world.owe()
    assert min(row.first_day for row in world.rows(t.owed_reports)) == TUESDAY
    assert min(row.day for row in world.rows(t.lessons, placement_id=sam.placement_id)) == TUESDAY


def test_closure_withdraws_with_its_reason(world):
    sam = world.pupil()
    world.owe()
    closed = PROVIDER + 'closures = [{starts = 2026-03-04, ends = 2026-03-04, name = "burst pipe"}]\n'
    world.configure(provider=closed)
    changed = world.owe()
    assert (changed.lessons_withdrawn, changed.reports_withdrawn) == (1, 1)
    [lesson] = world.rows(t.lessons, placement_id=sam.placement_id, day=date(2026, 3, 4))
    assert (lesson.state, lesson.withdrawn_because) == ("withdrawn", "provider closed: burst pipe")
    report = world.owed(sam, date(2026, 3, 4))
    assert (report.state, report.look_at) == ("withdrawn", None)


def test_taking_a_closure_back_in_time_restores_what_was_withdrawn(world):
    sam = world.pupil()
    world.owe()
    world.configure(provider=PROVIDER + "closures = [{starts = 2026-03-04, ends = 2026-03-04}]\n")
    world.owe()
    world.configure()
    world.owe()
    assert world.owed(sam, date(2026, 3, 4)).state == "owed"
    assert world.owed(sam, date(2026, 3, 4)).look_at is not None


def test_school_training_day_is_never_not_due(make_world):
    world = make_world(schools=[School(extra="closures = [{starts = 2026-03-04, ends = 2026-03-04}]")])
    sam = world.pupil()
    world.owe()
    assert world.owed(sam, date(2026, 3, 4)).state == "owed"


def test_bank_holiday_is_not_due(make_world):
    world = make_world(now=datetime(2026, 4, 30, 7, tzinfo=UTC))
    sam = world.pupil()
    world.owe()
    days = {row.day for row in world.rows(t.lessons, placement_id=sam.placement_id)}
    assert date(2026, 5, 4) not in days
    assert date(2026, 5, 5) in days


@pytest.mark.parametrize("ends", [TUESDAY, TUESDAY - timedelta(days=14)])
def test_ended_placement_is_withdrawn_even_when_it_ended_long_before(world, ends):
    sam = world.pupil()
    world.owe()
    world.change(t.placements, {"ends_day": ends}, placement_id=sam.placement_id)
    world.owe()
    later = [row for row in world.rows(t.owed_reports) if row.first_day > TUESDAY]
    assert {row.state for row in later} == {"withdrawn"}
    assert {row.because for row in later} == {"nothing is due any more in this period"}
    world.at("09:13", date(2026, 3, 4)).at("09:43", date(2026, 3, 4))
    assert [d for d in world.sides.to("far") if d.rows[0]["date"] == "2026-03-04"] == []


def test_recipient_that_ended_is_owed_nothing_more(world):
    sam = world.pupil()
    world.owe()
    world.change(t.recipients, {"ends_day": TUESDAY}, recipient_id=sam.recipient_ids[0])
    world.owe()
    states = {row.first_day: row.state for row in world.rows(t.owed_reports)}
    assert states[TUESDAY] == "owed"
    assert {state for day, state in states.items() if day > TUESDAY} == {"withdrawn"}


def test_what_was_entered_or_told_stays_as_it_is(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:43")
    afternoon = [TimetableSlot(day, time(13), time(15)) for day in range(5)]
    world.change(t.placements, {"timetable": timetable_to_text(afternoon)}, placement_id=sam.placement_id)
    world.owe()
    today = world.rows(t.lessons, placement_id=sam.placement_id, day=TUESDAY)
    assert {(row.starts_wall, row.state) for row in today} == {("09:00", "entered"), ("13:00", "owed")}
    assert world.owed(sam).state == "met"


def test_lesson_that_has_begun_is_not_withdrawn(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.change(t.placements, {"timetable": "[]"}, placement_id=sam.placement_id)
    world.owe()
    [today] = world.rows(t.lessons, placement_id=sam.placement_id, day=TUESDAY)
    assert today.state == "owed"


def test_nothing_is_ever_deleted(world):
    world.pupil(slots=TWO_A_DAY)
    world.owe()
    counts = len(world.rows(t.lessons)), len(world.rows(t.owed_reports))
    world.change(t.placements, {"timetable": "[]"})
    world.owe()
    assert (len(world.rows(t.lessons)), len(world.rows(t.owed_reports))) == counts


def test_new_terms_hold_from_their_day_and_move_only_what_is_not_told(world):
    sam = world.pupil()
    world.owe()
    world.configure(
        agreements={
            "daily": '[[versions]]\nfrom = 2025-09-01\ncadence = "daily"\ndue = "09:45"\n'
            '[[versions]]\nfrom = 2026-03-05\ncadence = "daily"\ndue = "11:00"'
        }
    )
    world.owe()
    due = {row.first_day: f"{row.due_by:%H:%M}" for row in world.rows(t.owed_reports)}
    assert due[date(2026, 3, 4)] == "09:45"
    assert due[date(2026, 3, 5)] == "11:00"
    assert world.owed(sam).due_by.hour == 9


def test_two_recipients_are_owed_each_their_own(make_world):
    world = make_world(schools=[School(), School("vale-school")])
    sam = world.pupil("hill-school", "vale-school")
    world.owe()
    rows = world.rows(t.owed_reports, placement_id=sam.placement_id, first_day=TUESDAY)
    assert len({row.thread_id for row in rows}) == 2


def test_pupils_of_one_school_and_period_share_a_thread(world):
    one, two = world.pupil(), world.pupil()
    world.owe()
    assert world.owed(one).thread_id == world.owed(two).thread_id


def test_hundreds_of_placements_are_worked_out_in_batches(world):
    for _ in range(3):
        world.pupil(slots=SLOTS)
    first = owe._BATCH
    assert first >= 100
    world.owe()
    assert len({row.placement_id for row in world.rows(t.owed_reports)}) == 3
