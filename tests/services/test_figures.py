"""Figures: what the database counts in sets is what anybody would count by hand, lesson by lesson."""

from datetime import date, time, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from aphub.domain.figures import LEAST, Figures, Seen, by_group, figures_of, hidden_cells, hidden_groups
from aphub.domain.halves import SchoolHours, halves_between
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.placements import TimetableSlot
from aphub.domain.stretches import Every, Stretch
from aphub.services import figures
from aphub.services.papers import as_text
from aphub.services.summaries.for_office import figures_for_office
from aphub.services.summaries.patterns import by_lesson, heat_map
from aphub.store import tables as t
from tests.world import TUESDAY, School

HOURS = SchoolHours(time(8, 30), time(11, 30), time(12, 30), time(15))
OTHER_HOURS = (
    '[hours]\nam_starts = "08:30:00"\nam_ends = "11:30:00"\npm_starts = "12:30:00"\npm_ends = "15:00:00"\n'
)
# Two lessons in one morning, one across lunch, one that another school's hours put into the afternoon, a twilight one.
DAY = ((9, 0, 10, 0), (10, 0, 11, 45), (12, 0, 14, 0), (16, 0, 17, 0))
SLOTS = tuple(TimetableSlot(day, time(a, b), time(c, d)) for day in range(5) for a, b, c, d in DAY)
WEEK = (date(2026, 3, 2), date(2026, 3, 9))

# Nothing, what happened, or why the pupil was absent.
said = st.one_of(st.none(), st.sampled_from(Outcome), st.sampled_from(ReasonKind))
marks = st.lists(said, min_size=24, max_size=24)


def length(slot: tuple[int, ...]) -> int:
    """Give the minutes of a lesson."""
    return slot[2] * 60 + slot[3] - slot[0] * 60 - slot[1]


class Week:
    """Two pupils at two schools, three days each, of whom anything can be said."""

    def __init__(self, make_world):
        self.world = make_world(schools=(School(), School("brook-academy", extra=OTHER_HOURS)))
        ours = self.world.pupil("hill-school", slots=SLOTS)
        self.placed = [ours, self.world.pupil("brook-academy", "hill-school", slots=SLOTS)]
        self.days = [TUESDAY + timedelta(days=number) for number in range(3)]
        self.world.owe()
        for day in self.days:
            for slot in DAY:
                # An older version, which counts for nothing.
                self.world.enter(self.placed, f"{time(*slot[:2]):%H:%M}", Outcome.ABSENT, day=day)
                self.world.enter(self.placed, f"{time(*slot[:2]):%H:%M}", day=day)
        self.world.clock.advance(timedelta(days=3))

    def say(self, outcomes) -> list[Seen]:
        """Change what the newest entries say, None for a register that was not taken; give what was seen."""
        seen, new = [], iter(outcomes)
        entries, now = t.entries.c, self.world.rows(t.lessons)
        numbers = {(row.pupil_id, row.day, row.starts_wall): row.lesson_id for row in now}
        with self.world.hub.store.transaction() as connection:
            for one, hours in zip(self.placed, (SchoolHours(), HOURS), strict=True):
                for day, slot in product(self.days, DAY):
                    starts, ends = time(*slot[:2]), time(*slot[2:])
                    outcome, reason = next(new), ReasonKind.NOT_APPLICABLE
                    if isinstance(outcome, ReasonKind):
                        outcome, reason = Outcome.ABSENT, outcome
                    told = outcome or Outcome.NOT_YET_TAKEN
                    late_by = 7 if outcome is Outcome.LATE else None
                    values = {"current": outcome is not None, "outcome": told.value, "minutes": late_by}
                    values["reason"] = reason.value
                    lesson = numbers[one.pupil_id, day, f"{starts:%H:%M}"]
                    chosen = update(t.entries).where(entries.lesson_id == lesson, entries.version == 2)
                    connection.execute(chosen.values(**values))
                    halves = halves_between(starts, ends, hours)
                    seen.append(Seen(one.pupil_id, day, halves, told, length(slot), late_by, reason))
        return seen


@pytest.fixture
def week(make_world) -> Week:
    """Give a week on each kind of database."""
    return Week(make_world)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks)
def test_what_the_database_counts_is_what_anybody_would_count(week, outcomes):
    seen = week.say(outcomes)
    desk = week.world.desk
    with desk.store.reading() as connection:
        counting = figures.counting_of(desk, connection, *WEEK)
        whole = figures.counted(desk, connection, counting)
        pupils = figures.counted(desk, connection, counting, ("pupil",))
        weekdays = figures.counted(desk, connection, counting, ("weekday",))
        lessons = figures.counted(desk, connection, counting, ("starts",))
        told = figures.counted(desk, connection, counting, ("organisation",))
    assert whole[()].figures == figures_of(seen)
    assert whole[()].pupils == 2
    assert {key[0]: one.figures for key, one in pupils.items()} == by_group(seen, lambda one: one.who)
    assert {key[0]: one.figures for key, one in weekdays.items()} == by_group(
        seen, lambda one: one.day.isoweekday()
    )
    assert sum((one.figures for one in pupils.values()), Figures()) == whole[()].figures
    assert sum((one.figures for one in weekdays.values()), Figures()) == whole[()].figures
    assert sum(one.figures.lessons.due for one in lessons.values()) == whole[()].figures.lessons.due
    # Hill School is told of both pupils, the other school of its own only.
    assert told["hill-school",].figures == whole[()].figures
    assert told["brook-academy",].figures == pupils[week.placed[1].pupil_id,].figures
    not_due = {Outcome.NOT_EXPECTED, Outcome.ARRIVED_UNEXPECTED}
    planned = sum(one.length for one in seen if one.outcome not in not_due)
    assert whole[()].figures.minutes.planned == planned


def test_what_has_not_begun_what_was_withdrawn_and_who_is_not_shared_count_nowhere(world):
    sam, shy = world.pupil(), world.pupil(suppressed=True)
    world.owe()
    for day in range(3):
        world.enter([sam, shy], day=TUESDAY + timedelta(days=day))
    world.change(t.lessons, {"state": "withdrawn"}, day=TUESDAY + timedelta(days=1))
    world.at("09:00", TUESDAY + timedelta(days=1))
    with world.desk.store.reading() as connection:
        counting = figures.counting_of(world.desk, connection, *WEEK)
        found = figures.counted(world.desk, connection, counting, ("pupil",))
    assert [(key, one.figures.lessons.due) for key, one in found.items()] == [((sam.pupil_id,), 1)]


def test_a_school_that_is_told_for_two_purposes_is_counted_once(world):
    sam = world.pupil()
    [first] = world.rows(t.recipients)
    second = {
        **first._mapping,
        "recipient_id": first.recipient_id + 1000,
        "purpose": "other_school",
        "starts_day": date(2026, 2, 1),
    }
    with world.hub.store.transaction() as connection:
        connection.execute(insert(t.recipients), second)
    world.owe()
    world.enter(sam)
    world.clock.advance(timedelta(hours=6))
    with world.desk.store.reading() as connection:
        counting = figures.counting_of(world.desk, connection, *WEEK, organisation="hill-school")
        assert figures.counted(world.desk, connection, counting)[()].figures.lessons.in_person == 1


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 30), max_size=8))
def test_a_hidden_group_cannot_be_worked_out_from_the_total(sizes):
    hidden = hidden_groups(sizes)
    assert {name for name, size in sizes.items() if 0 < size < LEAST} <= hidden
    assert not any(sizes[name] == 0 for name in hidden)
    shown = [name for name, size in sizes.items() if size and name not in hidden]
    if hidden and shown:
        assert len(hidden) > 1
        assert sum(sizes[name] for name in hidden) >= LEAST


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("12345")), st.integers(1, 12), max_size=20
    )
)
def test_no_row_and_no_column_of_a_table_gives_a_small_cell_away(sizes):
    hidden = hidden_cells(sizes)
    assert {cell for cell, size in sizes.items() if size < LEAST} <= hidden
    for place in (0, 1):
        for name in {cell[place] for cell in sizes}:
            line = {cell for cell in sizes if cell[place] == name}
            some = line & hidden
            # What is hidden in a line is its total less what is shown: more than one cell, of enough pupils, or all of it.
            assert not some or some == line or (len(some) > 1 and sum(sizes[one] for one in some) >= LEAST)


def test_the_office_mail_without_names_points_at_no_pupil(make_world):
    early, late = (TimetableSlot(1, time(9), time(10)),), (TimetableSlot(1, time(13), time(14)),)
    world = make_world()
    alone = world.pupil(slots=early)
    many = [world.pupil(slots=late) for _ in range(6)]
    world.owe()
    world.clock.advance(timedelta(hours=8))
    world.enter(alone, "09:00", outcome=Outcome.ABSENT)
    world.enter(many, "13:00")
    week = Stretch(Every.WEEK, *WEEK, "week of Monday 2 March 2026", "2026-W10")
    with world.desk.store.reading() as connection:
        counting = figures.counting_of(world.desk, connection, *WEEK)
        named = by_lesson(world.desk, connection, counting)
        nameless = by_lesson(world.desk, connection, counting, nameless=True)
        drawn = heat_map(world.desk, connection, counting, nameless=True)
    assert [str(row[1]) for row in named.rows] == ["0.0%", "100.0%"]
    assert [row[1] for row in nameless.rows] == ["hidden", "hidden"]
    assert {share for _, row in drawn.chart.rows for share in row} == {None}
    assert "0.0%" not in as_text(figures_for_office(world.desk, week)).decode()
