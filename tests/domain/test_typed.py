"""Days, times, timetables and actions as people type them: read exactly, or not at all."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.actions import read_actions
from aphub.domain.entries import Half
from aphub.domain.outcomes import Mode
from aphub.domain.placements import Nature
from aphub.domain.timetables import read_timetable
from aphub.domain.typed import read_clock, read_day, read_day_and_time, read_half, read_weekday

DAY = date(2026, 3, 3)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
TIMES = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-03", "03/03/2026", "3/3/26", "3.3.2026", "3 March 2026", "3rd March 2026", "3-Mar-26"),
        *("Tuesday 3 March 2026", "Tue 3/3/2026", "Tues, 3 Mar 2026", "March 3, 2026", "20260303", "46084"),
        *(" 3  MARCH  2026 ", "2026-03-03 00:00", "3rd of March 2026"),
    ],
)
def test_a_day_is_read_in_every_style(text):
    assert read_day(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        *("03/13/2026", "2026-02-30", "31/04/2026", "Monday 3 March 2026", "3 March", "soon", "", "12"),
        *("1/2/3/2026", "03/03/1926", "99999", "3 Marchtember 2026", "9" * 400),
    ],
)
def test_what_is_no_day_is_not_guessed(text):
    assert read_day(text) is None


def test_a_day_comes_before_its_month():
    assert read_day("03/04/2026") == date(2026, 4, 3)


def test_an_instant_of_a_machine_is_read_on_londons_clocks():
    assert read_day_and_time("2026-07-01T08:30:00Z") == (date(2026, 7, 1), time(9, 30))
    assert read_day_and_time("01/07/2026 9.30am") == (date(2026, 7, 1), time(9, 30))


@pytest.mark.parametrize(
    "text", ["09:30", "9.30am", "9:30 AM", "0930", "09:30:00", "0.395833333", "9:30 a.m."]
)
def test_a_time_is_read_in_every_style(text):
    assert read_clock(text) == time(9, 30)


@pytest.mark.parametrize("text", ["9", "25:00", "13pm", "late", "", "9:60", "0:00am"])
def test_what_is_no_time_is_not_guessed(text):
    assert read_clock(text) is None


@given(DAYS, TIMES)
def test_every_day_and_time_that_we_write_is_read_back(day, wall):
    for text in (day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%A} {day.day} {day:%B %Y}", f"{day:%d-%b-%y}"):
        assert read_day(text) == day
        assert read_day_and_time(f"{text} {wall:%H:%M}") == (day, wall)
    assert read_clock(f"{wall:%I:%M%p}") == read_clock(f"{wall:%H:%M}") == wall


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text):
    read_day_and_time(text)
    read_clock(text)
    read_half(text)
    read_weekday(text)
    read_timetable(text, Nature.AP)
    read_actions(text, DAY, None)


def test_halves_and_weekdays():
    assert read_half("Morning session") is read_half("a.m.") is Half.AM
    assert read_half("PM") is Half.PM
    assert read_half("Period 1") is None
    assert [read_weekday(text) for text in ("Mon", "tues", "Wednesdays", "thurs.", "T")] == [0, 1, 2, 3, None]


def test_a_timetable_is_read_as_an_office_types_it():
    found = read_timetable("Mon 09:00-12:00 in person @ Riverside; Tue 1pm to 3pm online", Nature.AP)

    assert [(slot.weekday, slot.starts.hour, slot.mode, slot.place) for slot in found.slots] == [
        (0, 9, Mode.IN_PERSON, "Riverside"),
        (1, 13, Mode.ONLINE, ""),
    ]


def test_a_line_may_stand_for_several_weekdays():
    assert [slot.weekday for slot in read_timetable("Mon-Fri 09:00-10:00", Nature.AP).slots] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert [slot.weekday for slot in read_timetable("Mon, Wed and Fri 9am-10am", Nature.AP).slots] == [
        0,
        2,
        4,
    ]


def test_tuition_at_home_is_at_home_unless_said_otherwise():
    assert read_timetable("Mon 09:00-10:00", Nature.TUITION_AT_HOME).slots[0].mode is Mode.AT_HOME
    assert read_timetable("Mon 09:00-10:00 in person", Nature.ONLINE).slots[0].mode is Mode.IN_PERSON


@pytest.mark.parametrize(
    "text", ["", "whenever", "Mon 9-12", "Xday 09:00-10:00", "Mon 12:00-09:00", "Mon 09:00-10:00 by owl"]
)
def test_a_timetable_that_cannot_be_has_its_problem_in_words(text):
    assert read_timetable(text, Nature.AP).problems


def test_actions_carry_kind_time_and_result_and_nothing_else():
    otherwise = datetime(2026, 3, 3, 9, 20, tzinfo=UTC)
    found = read_actions("Rang gran 9.11am no reply then texted; told DSL; made tea", DAY, otherwise)

    assert [(one.at.hour, one.at.minute, one.kind, one.result) for one in found] == [
        (9, 11, "phoned home", "no answer"),
        (9, 20, "texted home", ""),
        (9, 20, "told our safeguarding lead", ""),
    ]
