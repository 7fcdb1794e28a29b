"""Figures: the identities of the Department's own data, and placement attendance."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.codes import code_set_on
from aphub.domain.outcomes import NOT_STATED, Outcome
from aphub.domain.statistics import (
    AbsenceBand,
    CodeCounts,
    PlacementCounts,
    Threshold,
    Window,
    absence_band,
    count_codes,
    count_outcomes,
    percent_words,
)

SET = code_set_on(date(2026, 3, 3))
marks = st.lists(st.sampled_from([*SET, "", "H", "J"]), max_size=60)


@given(marks)
def test_the_identities_of_the_departments_data_hold(codes: list[str]):
    counts = count_codes(codes, SET)
    times = codes.count
    assert counts.present == times("/") + times("\\") + times("L")
    assert counts.educational_activity == sum(map(times, ["B", "J", "P", "V", "W", "K"]))
    assert counts.unauthorised == sum(map(times, ["G", "U", "O", "N"]))
    assert counts.authorised == sum(map(times, ["I", "M", "R", "S", "T", "H", "E", "C", "C1", "J1", "C2"]))
    assert counts.possible == counts.attended + counts.missed
    assert counts.unread == 0
    if counts.possible:
        assert counts.attendance == Fraction(counts.attended, counts.possible)
        assert counts.attendance + counts.absence == 1
        assert counts.absence == counts.authorised_absence + counts.unauthorised_absence


@given(marks, marks)
def test_figures_of_the_sum_are_sums_of_the_figures(one: list[str], two: list[str]):
    assert count_codes(one + two, SET) == count_codes(one, SET) + count_codes(two, SET)


def test_a_rate_of_two_pupils_is_not_the_mean_of_their_rates():
    one, two = count_codes(["B"], SET), count_codes(["N"] * 9, SET)
    assert (one + two).attendance == Fraction(1, 10)


@pytest.mark.parametrize("codes", [[], [""], ["D", "X", "Q", "Y1", "Y7", "Z", "#"]])
def test_nothing_possible_is_no_figure(codes: list[str]):
    counts = count_codes(codes, SET)
    assert counts.possible == 0
    assert (counts.attendance, counts.absence) == (None, None)
    assert percent_words(counts.attendance) == "\u2013"


def test_marks_of_no_code_set_are_shown_apart():
    counts = count_codes(["B", "@", "7"], SET)
    assert (counts.possible, counts.unread) == (1, 2)


def test_an_old_day_is_counted_by_its_own_set():
    old = code_set_on(date(2024, 7, 1))
    counts = count_codes(["J", "H", "Y", "K"], old)
    assert (counts.educational_activity, counts.authorised, counts.not_possible) == (1, 1, 1)
    assert counts.unread == 1


@given(st.lists(st.sampled_from(Outcome), max_size=60))
def test_each_lesson_is_counted_once_and_nothing_is_netted(outcomes: list[Outcome]):
    counts = count_outcomes(outcomes)
    assert counts.due + counts.not_expected + counts.arrived_unexpected == len(outcomes)
    assert counts.register_missing == sum(outcome in NOT_STATED for outcome in outcomes)
    assert counts.cancelled_by_us == outcomes.count(Outcome.CANCELLED)
    if counts.offered:
        assert counts.in_person_rate + counts.online_rate + counts.absent_rate <= 1
    else:
        assert counts.in_person_rate is None


@given(st.lists(st.sampled_from(Outcome)), st.lists(st.sampled_from(Outcome)))
def test_placement_counts_add_up(one: list[Outcome], two: list[Outcome]):
    assert count_outcomes(one + two) == count_outcomes(one) + count_outcomes(two)


def test_what_we_cancelled_or_did_not_take_is_no_pupils_absence():
    counts = count_outcomes(
        [Outcome.PRESENT, Outcome.CANCELLED, Outcome.NOT_YET_TAKEN, Outcome.AT_HOME_SCHOOL]
    )
    assert counts.in_person_rate == 1
    assert counts.due == 4


def test_online_stands_beside_attendance_and_not_in_it():
    counts = count_outcomes([Outcome.PRESENT, Outcome.ONLINE])
    assert (counts.in_person_rate, counts.online_rate) == (Fraction(1, 2), Fraction(1, 2))


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(9312, 10000, "93.1%"), (1, 1, "100.0%"), (0, 7, "0.0%"), (1, 2000, "0.1%"), (2, 3, "66.7%")],
)
def test_rates_are_written_as_people_read_them(part: int, whole: int, words: str):
    assert percent_words(Fraction(part, whole)) == words


@pytest.mark.parametrize(
    ("attended", "missed", "band"),
    [(91, 9, AbsenceBand.BELOW), (90, 10, AbsenceBand.PERSISTENT), (50, 50, AbsenceBand.SEVERE)],
)
def test_persistent_absence_is_a_tenth_missed_and_severe_a_half(
    attended: int, missed: int, band: AbsenceBand
):
    counts = CodeCounts(present=attended, authorised=missed)
    assert absence_band(counts, least=60) is band
    assert band.is_persistent is (missed >= 10)


def test_nobody_is_persistently_absent_after_one_week():
    assert absence_band(CodeCounts(unauthorised=10), least=60) is None


@pytest.mark.parametrize(
    ("or_equal", "present", "absent", "crossed"),
    [(False, 19, 1, False), (False, 18, 2, True), (True, 19, 1, True), (True, 20, 0, False)],
)
def test_a_threshold_is_below_or_at_as_its_policy_says(
    or_equal: bool, present: int, absent: int, crossed: bool
):
    rule = Threshold(Decimal(95), Window.MONTH, least=20, or_equal=or_equal)
    assert rule.is_crossed(PlacementCounts(in_person=present, absent=absent)) is crossed


@pytest.mark.parametrize(("percent", "least"), [("0", 1), ("101", 1), ("90", 0)])
def test_a_threshold_that_means_nothing_is_refused(percent: str, least: int):
    with pytest.raises(ValueError, match="a threshold has a percent"):
        Threshold(Decimal(percent), Window.WEEK, least)


def test_windows_are_whole_weeks_and_months():
    assert Window.WEEK.around(date(2026, 3, 3)) == (date(2026, 3, 2), date(2026, 3, 9))
    assert Window.MONTH.around(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


@given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.sampled_from(Window))
def test_windows_hold_their_day_and_meet_end_to_end(day: date, window: Window):
    starts, ends = window.around(day)
    assert starts <= day < ends
    assert window.around(ends)[0] == ends
