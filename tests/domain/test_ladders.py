"""Ladders, deadlines and calls: a policy's rungs as data, with time passed in."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.calendar import Calendar, Span, to_utc
from aphub.domain.calls import CallMade, CallResult, CallRule, next_call
from aphub.domain.deadlines import next_school_day, parse_deadline
from aphub.domain.ladders import Ladder, Trigger, ladders_for, parse_window
from aphub.domain.steps import ACT_WORDS, Act, Only, Step, Until
from aphub.domain.when import AgreementError

HALF_TERM = Calendar(closures=(Span(date(2026, 2, 16), date(2026, 2, 20), "half term"),))
FRIDAY = date(2026, 2, 13)
START = to_utc(FRIDAY, time(9))
NEWS = START + timedelta(minutes=7)


def step(name="first", do=Act.PHONE_HOME, **more: Any):
    return Step(name, do, parse_deadline("at once"), "office", **more)


def ladder(when=Trigger.UNEXPLAINED_ABSENCE, *steps: Step, **more: Any):
    return Ladder("mine", when, steps or (step(),), **more)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("at once", NEWS + timedelta(minutes=5)),
        ("start + 10 min", START + timedelta(minutes=10)),
        ("Start +1 hour", START + timedelta(hours=1)),
        ("+ 15 min", NEWS + timedelta(minutes=15)),
        ("event + 2 h", NEWS + timedelta(hours=2)),
        ("12:00", datetime(2026, 2, 13, 12, tzinfo=UTC)),
        ("08:00", NEWS),
        ("same day", datetime(2026, 2, 13, 16, tzinfo=UTC)),
        ("next school day", datetime(2026, 2, 23, 16, tzinfo=UTC)),
        ("next school day 09:30", datetime(2026, 2, 23, 9, 30, tzinfo=UTC)),
        ("5 school days", datetime(2026, 2, 27, 16, tzinfo=UTC)),
        ("2 weeks", datetime(2026, 2, 27, 16, tzinfo=UTC)),
    ],
)
def test_deadline_means_one_instant_in_the_providers_own_days(text, instant):
    assert parse_deadline(text).instant(NEWS, START, HALF_TERM) == instant


@pytest.mark.parametrize("text", ["", "soon", "start + ten minutes", "25:00", "start - 5 min"])
def test_deadline_that_cannot_be_read_is_told_its_forms(text):
    with pytest.raises(AgreementError, match=r"start \+ 10 min"):
        parse_deadline(text)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_next_school_day_is_later_and_open(day):
    found = next_school_day(HALF_TERM, day)
    assert found > day
    assert HALF_TERM.is_school_day(found)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"when": Trigger.DAYS_IN_A_ROW}, "how many"),
        ({"when": Trigger.REPEATED_LATENESS, "times": 3}, "how often"),
        ({"when": Trigger.ATTENDANCE_RATE, "below": Fraction(95)}, "one cold"),
        (
            {"when": Trigger.ATTENDANCE_RATE, "below": Fraction(95), "window": parse_window("week")},
            "one cold",
        ),
        ({"below": Fraction(95)}, "raised by unexplained absence"),
        ({"plan": True, "when": Trigger.LEFT_SITE}, "known plan"),
    ],
)
def test_ladder_that_could_only_be_raised_by_chance_is_refused(more, said):
    with pytest.raises(AgreementError, match=said):
        ladder(**more)


def test_policy_trap_20_rate_needs_a_window_and_a_minimum_so_that_one_cold_raises_nothing():
    """Four lessons a week and one cold is 75 per cent, and no threshold."""
    weekly = ladder(Trigger.ATTENDANCE_RATE, below=Fraction(90), window=parse_window("week"), at_least=8)
    assert not weekly.reached(3, 4)
    assert not weekly.reached(0, 0)
    assert not weekly.reached(9, 10)
    assert weekly.reached(8, 10)
    at = ladder(Trigger.ATTENDANCE_RATE, at_most=Fraction(90), window=parse_window("month"), at_least=8)
    assert at.reached(9, 10)


def test_windows_are_judged_when_they_close_and_rolling_ones_daily():
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)
    week, month, rolling = (parse_window(text) for text in ("week", "Month", "4 weeks"))
    assert (week.starts(friday), week.ends_with(friday, monday)) == (date(2026, 3, 2), True)
    assert not week.ends_with(date(2026, 3, 5), friday)
    assert (month.starts(friday), month.ends_with(friday, monday)) == (date(2026, 3, 1), False)
    assert month.ends_with(date(2026, 3, 27), date(2026, 4, 13))
    assert (rolling.starts(friday), rolling.ends_with(friday, monday)) == (date(2026, 2, 7), True)
    with pytest.raises(AgreementError, match="4 weeks"):
        parse_window("0 days")


def test_plan_replaces_the_ladder_but_never_the_first_check():
    usual = ladder()
    with pytest.raises(AgreementError, match="first check"):
        ladder(Trigger.UNEXPLAINED_ABSENCE, step(opens=parse_deadline("12:00")), plan=True)
    thin = Ladder("thin", Trigger.UNEXPLAINED_ABSENCE, (step(do=Act.TEXT_HOME),), plan=True)
    every = [usual, thin]
    assert ladders_for(every, Trigger.UNEXPLAINED_ABSENCE) == [usual]
    assert ladders_for(every, Trigger.UNEXPLAINED_ABSENCE, "thin") == [thin]
    assert ladders_for(every, Trigger.UNEXPLAINED_ABSENCE, "forgotten") == [usual]


def test_every_act_has_words_and_people_may_type_choices_as_they_speak():
    assert set(ACT_WORDS) == set(Act)
    assert Act("Phone home") is Act.PHONE_HOME
    assert Until("explained") is Until.EXPLAINED
    assert Only("not-on-a-roll") is Only.NOT_ON_A_ROLL
    assert step(do=Act.OTHER, say="Unlock the gate").words == "Unlock the gate"


RULE = CallRule(("mother", "uncle"), rounds=2, pause=timedelta(minutes=10))


def made(*results: str, whom=("mother", "uncle", "mother", "uncle")):
    return [CallMade(one, NEWS, CallResult(result)) for one, result in zip(whom, results, strict=False)]


def test_calls_go_in_the_agreed_order_and_stop_at_an_answer():
    assert next_call(RULE, [], NEWS).whom == "mother"
    assert next_call(RULE, made("no answer"), NEWS).whom == "uncle"
    again = next_call(RULE, made("engaged", "voicemail"), NEWS)
    assert (again.whom, again.not_before) == ("mother", NEWS + timedelta(minutes=10))
    assert next_call(RULE, made("no answer", "answered"), NEWS) is None
    assert next_call(RULE, made(*["no answer"] * 4), NEWS) is None


def test_number_that_is_not_in_use_is_not_tried_again():
    found = next_call(RULE, made("wrong number", "no answer"), NEWS)
    assert found.whom == "uncle"
    assert next_call(RULE, made("wrong number", "wrong number"), NEWS) is None
