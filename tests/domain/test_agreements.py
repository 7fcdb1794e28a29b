"""Agreed times, and the reports that they make owed."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.agreements import (
    Agreement,
    Cadence,
    FirstCaller,
    OwedReport,
    Send,
    agreement_on,
    entry_due,
    lessons_in,
    may_send,
    merged,
    owed_reports,
    periods_of,
    urgent_by,
    useful_until,
    whole_periods,
)
from aphub.domain.calendar import Calendar, lessons_of, london_day, london_time, to_utc
from aphub.domain.entries import Half
from aphub.domain.errors import AphubError
from aphub.domain.halves import SchoolHours
from aphub.domain.outcomes import Mode
from aphub.domain.placements import (
    ArrangedBy,
    Lesson,
    Placement,
    Purpose,
    Recipient,
    Registration,
    TimetableSlot,
)
from aphub.domain.when import AgreementError, parse_when

HOURS = SchoolHours()
TUESDAY = date(2026, 3, 3)
RECIPIENT = Recipient("PL1", "hill-school", Purpose.HOME_SCHOOL, "daily", date(2026, 1, 1))


def agreement(
    cadence: Cadence,
    due: str,
    *,
    entry: str = "start + 5 min",
    pm: str | None = None,
    send: Send = Send.WHEN_COMPLETE,
    valid_from: date = date(2026, 1, 1),
) -> Agreement:
    pm_due = parse_when(pm) if pm else None
    return Agreement("daily", valid_from, cadence, parse_when(entry), parse_when(due), pm_due, send=send)


PER_SESSION = agreement(Cadence.PER_SESSION, "start + 15 min")
TWICE_DAILY = agreement(Cadence.PER_SESSION, "09:45", pm="13:45")
DAILY = agreement(Cadence.DAILY, "15:00")
NEXT_DAY = agreement(Cadence.DAILY, "next day 09:00")
WEEKLY = agreement(Cadence.WEEKLY, "Friday 15:30")
NEXT_WEEK = agreement(Cadence.WEEKLY, "next Monday 10:00")
ALL = (PER_SESSION, TWICE_DAILY, DAILY, NEXT_DAY, WEEKLY, NEXT_WEEK)


def lesson(starts: str, ends: str, day: date = TUESDAY) -> Lesson:
    begin, end = time.fromisoformat(starts), time.fromisoformat(ends)
    return Lesson("PL1", day, begin, end, to_utc(day, begin), to_utc(day, end), Mode.IN_PERSON)


def wall(instant: datetime) -> tuple[date, time]:
    return london_day(instant), london_time(instant)


def only(owed: list[OwedReport]) -> OwedReport:
    assert len(owed) == 1
    return owed[0]


class TestLondonWords:
    @pytest.mark.parametrize(
        ("words", "after", "at", "weekday", "later"),
        [
            ("09:45", None, time(9, 45), None, False),
            (" 9:45 ", None, time(9, 45), None, False),
            ("start", timedelta(), None, None, False),
            ("Start + 15 min", timedelta(minutes=15), None, None, False),
            ("lesson start+1 hour", timedelta(hours=1), None, None, False),
            ("15 minutes after the start", timedelta(minutes=15), None, None, False),
            ("Friday 15:30", None, time(15, 30), 4, False),
            ("fri 15:30", None, time(15, 30), 4, False),
            ("Wednesdays 08:00", None, time(8), 2, False),
            ("next day 09:00", None, time(9), None, True),
            ("next Monday 10:00", None, time(10), 0, True),
        ],
    )
    def test_are_read(
        self, words: str, after: timedelta | None, at: time | None, weekday: int | None, *, later: bool
    ) -> None:
        when = parse_when(words)
        assert (when.after_start, when.at, when.weekday, when.later) == (after, at, weekday, later)
        assert when.words == " ".join(words.split())

    @pytest.mark.parametrize(
        "words",
        [
            "",
            "9.45",
            "25:00",
            "09:60",
            "0 9 * * 1-5",
            "start - 5 min",
            "start + 15 parsecs",
            "start + 25 h",
            "Fooday 9:00",
        ],
    )
    def test_that_cannot_be_read_are_refused_with_an_example(self, words: str) -> None:
        with pytest.raises(AgreementError, match="Write ") as refused:
            parse_when(words)
        assert isinstance(refused.value, AphubError)
        assert len(str(refused.value).split()) <= 40

    @given(st.text())
    def test_any_text_is_read_or_refused(self, words: str) -> None:
        try:
            when = parse_when(words)
        except AgreementError:
            return
        assert when.is_relative is (when.at is None)


class TestTerms:
    @pytest.mark.parametrize(
        ("cadence", "due", "entry", "pm", "complaint"),
        [
            (Cadence.WEEKLY, "15:30", "start", None, "Name the weekday"),
            (Cadence.DAILY, "Friday 15:30", "start", None, "Remove the weekday"),
            (Cadence.DAILY, "15:00", "Friday 09:00", None, "Write a time on the day"),
            (Cadence.DAILY, "15:00", "start", "16:00", "Remove the afternoon time"),
            (Cadence.PER_SESSION, "09:45", "start", None, "Add a time for the afternoon"),
        ],
    )
    def test_that_contradict_are_refused(
        self, cadence: Cadence, due: str, entry: str, pm: str | None, complaint: str
    ) -> None:
        with pytest.raises(AgreementError, match=complaint):
            agreement(cadence, due, entry=entry, pm=pm)

    def test_choices_may_be_typed_as_people_write_them(self) -> None:
        assert Cadence("per session") is Cadence.PER_SESSION
        assert Send("When complete") is Send.WHEN_COMPLETE
        assert Send("at-time") is Send.AT_TIME
        with pytest.raises(ValueError, match="is not a valid"):
            FirstCaller("nobody")

    def test_the_newest_version_that_has_begun_holds(self) -> None:
        old = agreement(Cadence.DAILY, "15:00")
        new = agreement(Cadence.DAILY, "14:00", valid_from=date(2026, 4, 20))
        assert agreement_on([new, old], date(2026, 4, 19)) is old
        assert agreement_on([new, old], date(2026, 4, 20)) is new
        assert agreement_on([new], TUESDAY) is None


class TestInstants:
    def test_relative_times_run_from_the_first_lesson_and_clock_times_from_the_wall(self) -> None:
        lessons = [lesson("10:00", "11:00"), lesson("11:00", "12:00")]
        relative = only(owed_reports(RECIPIENT, PER_SESSION, lessons, HOURS))
        assert wall(relative.due_by) == (TUESDAY, time(10, 15))
        assert wall(relative.send_at) == (TUESDAY, time(10, 13))
        clock = only(owed_reports(RECIPIENT, DAILY, lessons, HOURS))
        assert wall(clock.due_by) == (TUESDAY, time(15))

    @given(st.sampled_from([date(2026, 3, 28) + timedelta(days=number) for number in range(4)]))
    def test_a_clock_time_stays_on_londons_wall_across_the_change(self, day: date) -> None:
        owed = only(owed_reports(RECIPIENT, DAILY, [lesson("09:00", "10:00", day)], HOURS))
        assert wall(owed.due_by) == (day, time(15))

    def test_a_promise_before_the_first_lesson_moves_to_when_it_can_be_kept(self) -> None:
        owed = only(owed_reports(RECIPIENT, TWICE_DAILY, [lesson("11:00", "12:00")], HOURS))
        assert wall(owed.entry_due) == (TUESDAY, time(11, 5))
        assert wall(owed.due_by) == (TUESDAY, time(11, 7))

    def test_one_agreement_holds_a_relative_and_a_clock_time_a_cadence_and_an_event(self) -> None:
        """Trap 7: deadlines are of several kinds, which one line of cron cannot say."""
        mixed = agreement(Cadence.DAILY, "15:00", entry="start + 15 min")
        today = lesson("10:00", "11:00")
        owed = only(owed_reports(RECIPIENT, mixed, [today], HOURS))
        assert wall(entry_due(mixed, today)) == (TUESDAY, time(10, 15))
        assert wall(owed.due_by) == (TUESDAY, time(15))
        assert wall(urgent_by(today)) == (TUESDAY, time(10, 15))

    def test_a_register_by_the_clock_is_never_due_before_its_lesson(self) -> None:
        by_the_clock = agreement(Cadence.DAILY, "15:00", entry="09:30")
        assert wall(entry_due(by_the_clock, lesson("09:00", "10:00")))[1] == time(9, 30)
        assert wall(entry_due(by_the_clock, lesson("13:00", "14:00")))[1] == time(13)

    @given(st.sampled_from(ALL), st.integers(7, 18), st.integers(7, 18))
    def test_register_then_sending_then_promise(self, agreed: Agreement, one: int, two: int) -> None:
        lessons = [lesson(f"{hour:02d}:10", f"{hour:02d}:55") for hour in {one, two}]
        for owed in owed_reports(RECIPIENT, agreed, lessons, HOURS):
            assert owed.entry_due <= owed.send_at <= owed.due_by
            assert owed.send_at == owed.due_by - agreed.lead
            assert owed.due_by.tzinfo is UTC


class TestPeriods:
    def test_a_morning_and_an_afternoon_are_owed_apart(self) -> None:
        lessons = [lesson("09:30", "11:00"), lesson("13:15", "15:00")]
        owed = owed_reports(RECIPIENT, TWICE_DAILY, lessons, HOURS)
        assert [(one.period.key, wall(one.due_by)[1]) for one in owed] == [
            ("2026-03-03-AM", time(9, 45)),
            ("2026-03-03-PM", time(13, 45)),
        ]
        assert [one.period.half for one in owed] == [Half.AM, Half.PM]

    def test_a_lesson_across_lunch_is_owed_in_both_halves(self) -> None:
        across = lesson("11:00", "14:30")
        owed = owed_reports(RECIPIENT, PER_SESSION, [across], HOURS)
        # For the afternoon it starts when the school's afternoon does.
        assert [wall(one.due_by)[1] for one in owed] == [time(11, 15), time(13, 15)]
        assert all(lessons_in(one.period, Cadence.PER_SESSION, [across], HOURS) == [across] for one in owed)

    def test_a_twilight_lesson_is_owed_a_report_of_its_own(self) -> None:
        owed = only(owed_reports(RECIPIENT, TWICE_DAILY, [lesson("16:00", "17:00")], HOURS))
        assert owed.period.key == "2026-03-03-OUT"
        assert wall(owed.due_by) == (TUESDAY, time(16, 7))

    def test_a_week_is_owed_once(self) -> None:
        days = [TUESDAY, date(2026, 3, 5), date(2026, 3, 8)]
        owed = only(owed_reports(RECIPIENT, WEEKLY, [lesson("10:00", "11:00", day) for day in days], HOURS))
        assert (owed.period.key, owed.period.starts, owed.period.until) == (
            "2026-W10",
            date(2026, 3, 2),
            date(2026, 3, 9),
        )
        assert wall(owed.due_by) == (date(2026, 3, 6), time(15, 30))

    def test_a_week_at_new_year_has_the_year_of_its_thursday(self) -> None:
        period = periods_of(Cadence.WEEKLY, lesson("10:00", "11:00", date(2027, 1, 1)), HOURS)[0]
        assert (period.key, period.starts) == ("2026-W53", date(2026, 12, 28))

    def test_next_means_the_week_or_the_day_after(self) -> None:
        lessons = [lesson("10:00", "11:00")]
        assert wall(only(owed_reports(RECIPIENT, NEXT_WEEK, lessons, HOURS)).due_by) == (
            date(2026, 3, 9),
            time(10),
        )
        assert wall(only(owed_reports(RECIPIENT, NEXT_DAY, lessons, HOURS)).due_by) == (
            date(2026, 3, 4),
            time(9),
        )

    def test_only_the_recipients_own_placement_and_dates_count(self) -> None:
        from_wednesday = Recipient("PL1", "o", Purpose.COUNCIL, "daily", date(2026, 3, 4), date(2026, 3, 5))
        week = [lesson("10:00", "11:00", date(2026, 3, day)) for day in range(2, 7)]
        assert [one.period.key for one in owed_reports(from_wednesday, DAILY, week, HOURS)] == [
            "2026-03-04",
            "2026-03-05",
        ]
        stranger = Recipient("PL2", "o", Purpose.COUNCIL, "daily", date(2026, 1, 1))
        assert owed_reports(stranger, DAILY, week, HOURS) == []


@st.composite
def timetables(draw: st.DrawFn) -> tuple[TimetableSlot, ...]:
    found = set()
    for _ in range(draw(st.integers(1, 6))):
        start, length = draw(st.integers(7 * 60, 17 * 60)), draw(st.integers(30, 300))
        begin, end = time(*divmod(start, 60)), time(*divmod(start + length, 60))
        found.add(TimetableSlot(draw(st.integers(0, 6)), begin, end))
    return tuple(found)


def owed_over(
    timetable: tuple[TimetableSlot, ...], agreed: Agreement, start: date, until: date
) -> list[OwedReport]:
    placed = Placement(
        "PL1",
        "PU1",
        1,
        date(2026, 1, 1),
        None,
        ArrangedBy.SCHOOL,
        Registration.HOME,
        "hill-school",
        timetable,
    )
    return owed_reports(RECIPIENT, agreed, lessons_of(placed, Calendar(), start, until), HOURS)


class TestTheLawOfStretches:
    DAYS = st.lists(st.dates(date(2026, 3, 1), date(2026, 4, 30)), min_size=3, max_size=3).map(sorted)

    @given(timetables(), st.sampled_from(ALL), DAYS)
    def test_a_stretch_owes_what_its_parts_owe(
        self, timetable: tuple[TimetableSlot, ...], agreed: Agreement, days: list[date]
    ) -> None:
        one, two, three = days
        parts = merged(owed_over(timetable, agreed, one, two), owed_over(timetable, agreed, two, three))
        assert parts == owed_over(timetable, agreed, one, three)

    def test_a_week_cut_before_a_lesson_past_its_promise_keeps_the_promise(self) -> None:
        tuesday, friday = lesson("10:00", "11:00"), lesson("16:00", "17:00", date(2026, 3, 6))
        early, late = (owed_reports(RECIPIENT, WEEKLY, [one], HOURS) for one in (tuesday, friday))
        whole = owed_reports(RECIPIENT, WEEKLY, [tuesday, friday], HOURS)
        assert wall(only(late).due_by) == (date(2026, 3, 6), time(16, 7))
        assert wall(only(whole).due_by) == (date(2026, 3, 6), time(15, 30))
        assert merged(early, late) == merged(late, early) == whole

    @given(timetables(), st.sampled_from(ALL), DAYS)
    def test_whole_periods_need_no_merging(
        self, timetable: tuple[TimetableSlot, ...], agreed: Agreement, days: list[date]
    ) -> None:
        one, three = whole_periods(agreed.cadence, days[0], days[2])
        two = whole_periods(agreed.cadence, one, days[1])[1]
        cut = min(two, three)
        parts = owed_over(timetable, agreed, one, cut) + owed_over(timetable, agreed, cut, three)
        assert sorted(parts, key=lambda owed: (owed.due_by, owed.period.key)) == owed_over(
            timetable, agreed, one, three
        )

    @given(timetables(), st.sampled_from(ALL), st.randoms())
    def test_the_order_of_lessons_does_not_matter(
        self, timetable: tuple[TimetableSlot, ...], agreed: Agreement, chance: object
    ) -> None:
        placed = Placement(
            "PL1", "PU1", 1, date(2026, 1, 1), None, ArrangedBy.SCHOOL, Registration.HOME, "o", timetable
        )
        lessons = lessons_of(placed, Calendar(), date(2026, 3, 2), date(2026, 3, 16))
        shuffled = list(lessons)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert owed_reports(RECIPIENT, agreed, shuffled, HOURS) == owed_reports(
            RECIPIENT, agreed, lessons, HOURS
        )


class TestSending:
    def test_when_complete_leaves_as_soon_as_all_is_in(self) -> None:
        owed = only(owed_reports(RECIPIENT, DAILY, [lesson("10:00", "11:00")], HOURS))
        noon = to_utc(TUESDAY, time(12))
        assert may_send(owed, Send.WHEN_COMPLETE, complete=True, now=noon)
        assert not may_send(owed, Send.WHEN_COMPLETE, complete=False, now=noon)
        assert may_send(owed, Send.WHEN_COMPLETE, complete=False, now=owed.send_at)

    def test_at_time_leaves_at_its_time_and_not_before(self) -> None:
        owed = only(owed_reports(RECIPIENT, DAILY, [lesson("10:00", "11:00")], HOURS))
        just_before = owed.send_at - timedelta(microseconds=1)
        assert not may_send(owed, Send.AT_TIME, complete=True, now=just_before)
        assert may_send(owed, Send.AT_TIME, complete=False, now=owed.send_at)

    def test_an_absence_known_ahead_is_not_told_a_week_early(self) -> None:
        owed = only(owed_reports(RECIPIENT, DAILY, [lesson("10:00", "11:00")], HOURS))
        last_week = to_utc(date(2026, 2, 24), time(12))
        assert not may_send(owed, Send.WHEN_COMPLETE, complete=True, now=last_week)

    def test_useful_until_the_next_lesson_and_at_least_to_the_end_of_the_day(self) -> None:
        owed = only(owed_reports(RECIPIENT, PER_SESSION, [lesson("10:00", "11:00")], HOURS))
        midnight = to_utc(date(2026, 3, 4), time())
        assert useful_until(owed, None) == midnight
        assert useful_until(owed, to_utc(TUESDAY, time(13))) == midnight
        later = to_utc(date(2026, 3, 5), time(10))
        assert useful_until(owed, later) == later
        assert useful_until(owed, later, timedelta(hours=2)) == owed.due_by + timedelta(hours=2)

    def test_a_report_promised_for_the_next_week_is_useful_on_that_day(self) -> None:
        owed = only(owed_reports(RECIPIENT, NEXT_WEEK, [lesson("10:00", "11:00")], HOURS))
        assert useful_until(owed, None) == to_utc(date(2026, 3, 10), time())
