"""London's days and hours, and the lessons due on them."""

from datetime import UTC, date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.calendar import (
    LONDON,
    Calendar,
    CalendarError,
    Span,
    bank_holidays,
    is_bank_holiday,
    lessons_of,
    london_day,
    london_time,
    school_days_between,
    school_year,
    timetable_problems,
    to_utc,
)
from aphub.domain.placements import ArrangedBy, Placement, Registration, TimetableSlot

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
DAYS_OF_2026 = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
TERM_TIME = st.dates(date(2026, 1, 1), date(2026, 12, 31))
TIMES = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))


@st.composite
def slots(draw: st.DrawFn) -> TimetableSlot:
    start = draw(st.integers(7 * 60, 18 * 60))
    end = start + draw(st.integers(15, 300))
    return TimetableSlot(draw(st.integers(0, 6)), time(*divmod(start, 60)), time(*divmod(end, 60)))


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    starts = draw(TERM_TIME)
    ends = draw(st.none() | st.dates(starts, date(2027, 3, 1)))
    return placement(tuple(draw(st.lists(slots(), max_size=5))), starts=starts, ends=ends)


def placement(
    timetable: tuple[TimetableSlot, ...], *, starts: date = date(2026, 1, 5), ends: date | None = None
) -> Placement:
    return Placement(
        "PL1", "PU1", 1, starts, ends, ArrangedBy.SCHOOL, Registration.HOME, "hill-school", timetable
    )


class TestToUtc:
    @pytest.mark.parametrize("day", DAYS_OF_2026)
    def test_gives_back_the_wall_time_on_every_hour_of_every_day_but_the_skipped_one(self, day: date) -> None:
        for hour in range(24):
            instant = to_utc(day, time(hour, 30))
            assert instant.tzinfo is UTC
            if (day, hour) != (SPRING, 1):
                assert (london_day(instant), london_time(instant)) == (day, time(hour, 30))

    def test_a_skipped_time_is_the_first_instant_that_exists(self) -> None:
        jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
        assert {to_utc(SPRING, time(1, minute)) for minute in range(60)} == {jump}
        assert to_utc(SPRING, time(0, 59)) == jump - timedelta(minutes=1)
        assert to_utc(SPRING, time(2)) == jump

    def test_a_time_that_comes_twice_is_the_first_of_the_two(self) -> None:
        assert to_utc(AUTUMN, time(1, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert to_utc(AUTUMN, time(1, 30, fold=1)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert to_utc(AUTUMN, time(2)) == datetime(2026, 10, 25, 2, tzinfo=UTC)

    @given(TERM_TIME, TIMES, TIMES)
    def test_a_later_wall_time_is_never_an_earlier_instant(self, day: date, one: time, two: time) -> None:
        assert to_utc(day, min(one, two)) <= to_utc(day, max(one, two))

    def test_refuses_a_time_with_a_zone_of_its_own(self) -> None:
        with pytest.raises(ValueError, match="no time zone"):
            to_utc(SPRING, time(9, tzinfo=LONDON))


class TestBankHolidays:
    def test_the_shipped_days_are_those_of_the_library(self) -> None:
        assert set(bank_holidays()) == set(
            holidays.country_holidays("GB", subdiv="ENG", years=range(2015, 2051))
        )

    def test_the_days_that_people_know(self) -> None:
        assert is_bank_holiday(date(2026, 4, 3))
        assert is_bank_holiday(date(2026, 12, 28))
        assert not is_bank_holiday(date(2026, 3, 3))
        # Scotland's second of January is not England's.
        assert not is_bank_holiday(date(2026, 1, 2))


class TestCalendar:
    def test_says_why_it_is_closed(self) -> None:
        calendar = Calendar(
            terms=(Span(date(2026, 1, 5), date(2026, 3, 27), "spring term"),),
            closures=(Span(date(2026, 2, 16), date(2026, 2, 20), "half term"),),
        )
        assert calendar.why_closed(date(2026, 3, 3)) == ""
        assert calendar.why_closed(date(2026, 2, 20)) == "half term"
        assert calendar.is_open(date(2026, 2, 23))
        assert calendar.why_closed(date(2026, 3, 28)) == "outside term"
        assert Calendar().why_closed(date(2026, 4, 6)) == "bank holiday: Easter Monday"

    def test_a_provider_may_work_on_bank_holidays(self) -> None:
        assert Calendar(bank_holidays={}).is_open(date(2026, 4, 6))

    def test_dates_in_the_wrong_order_are_refused_with_a_mend(self) -> None:
        with pytest.raises(CalendarError, match="Swap them"):
            Span(date(2026, 2, 20), date(2026, 2, 16), "half term")

    def test_an_absence_of_friday_is_one_school_day_old_on_monday(self) -> None:
        friday = date(2026, 3, 6)
        assert school_days_between(Calendar(), friday, friday) == 0
        assert school_days_between(Calendar(), friday, date(2026, 3, 8)) == 0
        assert school_days_between(Calendar(), friday, date(2026, 3, 9)) == 1
        assert school_days_between(Calendar(), friday, date(2026, 3, 1)) == 0

    def test_easter_adds_no_school_days(self) -> None:
        assert school_days_between(Calendar(), date(2026, 4, 2), date(2026, 4, 7)) == 1

    @given(st.lists(TERM_TIME, min_size=3, max_size=3))
    def test_school_days_add_up(self, days: list[date]) -> None:
        one, two, three = sorted(days)
        whole = school_days_between(Calendar(), one, three)
        assert whole == sum(school_days_between(Calendar(), *part) for part in ((one, two), (two, three)))

    def test_the_school_year_starts_in_september(self) -> None:
        assert school_year(date(2026, 8, 31)) == "2025-26"
        assert school_year(date(2026, 9, 1)) == "2026-27"
        assert school_year(date(1999, 9, 1)) == "1999-00"


class TestLessonsOf:
    def test_a_part_time_timetable_is_due_only_where_it_has_lessons(self) -> None:
        part_time = (
            TimetableSlot(1, time(9, 30), time(11, 30)),
            TimetableSlot(3, time(13), time(15)),
        )
        lessons = lessons_of(placement(part_time), Calendar(), date(2026, 3, 2), date(2026, 3, 16))
        assert [lesson.day.day for lesson in lessons] == [3, 5, 10, 12]
        assert lessons[0].starts_at == datetime(2026, 3, 3, 9, 30, tzinfo=UTC)

    def test_clock_times_follow_the_london_clock_across_the_change(self) -> None:
        every_sunday = placement((TimetableSlot(6, time(10), time(11)),))
        lessons = lessons_of(every_sunday, Calendar(), date(2026, 3, 22), date(2026, 3, 30))
        assert [(lesson.starts, lesson.starts_at.hour) for lesson in lessons] == [
            (time(10), 10),
            (time(10), 9),
        ]

    def test_the_last_day_of_a_placement_belongs_to_it(self) -> None:
        slot = TimetableSlot(1, time(9), time(10))
        short = placement((slot,), starts=date(2026, 3, 3), ends=date(2026, 3, 10))
        lessons = lessons_of(short, Calendar(), date(2026, 1, 1), date(2026, 12, 31))
        assert [lesson.day.day for lesson in lessons] == [3, 10]

    @given(placements(), st.lists(TERM_TIME, min_size=4, max_size=4))
    def test_never_outside_the_placement_or_on_a_closure(self, placed: Placement, days: list[date]) -> None:
        from_day, closed_from, closed_to, until_day = sorted(days)
        calendar = Calendar(closures=(Span(closed_from, closed_to, "closed"),))
        for lesson in lessons_of(placed, calendar, from_day, until_day):
            assert from_day <= lesson.day < until_day
            assert placed.starts <= lesson.day
            assert placed.ends is None or lesson.day <= placed.ends
            assert not closed_from <= lesson.day <= closed_to
            assert not is_bank_holiday(lesson.day)
            assert lesson.starts_at < lesson.ends_at
            assert any(
                slot.weekday == lesson.day.weekday() and slot.starts == lesson.starts
                for slot in placed.timetable
            )

    @given(placements(), st.lists(TERM_TIME, min_size=3, max_size=3))
    def test_a_long_stretch_is_its_parts(self, placed: Placement, days: list[date]) -> None:
        one, two, three = sorted(days)
        parts = lessons_of(placed, Calendar(), one, two) + lessons_of(placed, Calendar(), two, three)
        assert lessons_of(placed, Calendar(), one, three) == parts

    def test_names_what_is_wrong_in_a_timetable(self) -> None:
        assert (
            timetable_problems([TimetableSlot(0, time(9), time(10)), TimetableSlot(0, time(10), time(11))])
            == []
        )
        problems = timetable_problems(
            [
                TimetableSlot(0, time(9), time(10, 30)),
                TimetableSlot(0, time(10), time(11)),
                TimetableSlot(4, time(15), time(13)),
            ],
        )
        assert problems == [
            "The lesson Monday 10:00 to 11:00 starts before the one at 09:00 ends. Move one of them.",
            "The lesson Friday 15:00 to 13:00 ends before it starts. Check the two times.",
        ]
