"""What to do after a try: laws that hold for every outcome, promise and time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.retries import (
    GRACE,
    LONGEST_WAIT,
    RESERVE,
    Next,
    Outcome,
    Situation,
    breaker_wait,
    next_step,
    patience,
)

NINE = datetime(2026, 3, 3, 9, tzinfo=UTC)
minutes = st.integers(-240, 600).map(lambda count: timedelta(minutes=count))
situations = st.builds(
    Situation,
    now=minutes.map(lambda step: NINE + step),
    tries=st.integers(1, 40),
    due_by=minutes.map(lambda step: NINE + step),
    useful_until=minutes.map(lambda step: NINE + timedelta(hours=6) + step),
    first_try=minutes.map(lambda step: NINE + step),
    has_next_channel=st.booleans(),
    repeat=st.sampled_from(["harmless", "recognisable", "harmful"]),
    jitter=st.floats(0, 1),
    retry_after=st.none() | st.integers(0, 7200).map(lambda count: timedelta(seconds=count)),
    uncertain_before=st.integers(0, 2),
)
outcomes = st.sampled_from(list(Outcome))


def at_nine(**changes: Any) -> Situation:
    usual: dict[str, Any] = {
        "now": NINE,
        "tries": 1,
        "due_by": NINE + timedelta(minutes=45),
        "useful_until": NINE + timedelta(hours=15),
        "first_try": NINE,
        "has_next_channel": True,
        "repeat": "recognisable",
    }
    return Situation(**{**usual, **changes})


@given(outcomes, situations)
def test_retry_lies_in_the_future_and_never_past_usefulness(outcome, situation):
    step = next_step(outcome, situation)
    if step.do is Next.RETRY:
        assert step.at is not None
        assert situation.now < step.at <= situation.useful_until
    else:
        assert step.at is None


@pytest.mark.parametrize(
    ("tries", "jitter", "seconds"),
    [(1, 0.0, 30), (1, 0.5, 40), (1, 1.0, 50), (2, 0.5, 80), (3, 0.5, 160), (4, 0.5, 300), (40, 1.0, 375)],
)
def test_the_waits_in_seconds_with_chance_a_quarter_either_way(tries, jitter, seconds):
    wait = timedelta(seconds=seconds)
    useful = {"has_next_channel": False, "tries": tries, "jitter": jitter}
    assert next_step(Outcome.TRANSIENT, at_nine(**useful, useful_until=NINE + wait)).at == NINE + wait
    just_before = NINE + wait - timedelta.resolution
    assert next_step(Outcome.TRANSIENT, at_nine(**useful, useful_until=just_before)).do is Next.EXPIRE


def test_another_channel_takes_over_45_seconds_before_the_promise_or_five_minutes_into_lateness():
    last = NINE - timedelta(seconds=45)
    assert patience(NINE, last - timedelta.resolution) == last
    assert patience(NINE, last) == last + timedelta(minutes=5)


@given(outcomes, situations)
def test_retry_waits_at_least_as_long_as_the_far_side_asked(outcome, situation):
    step = next_step(outcome, situation)
    if step.at is not None and situation.retry_after is not None:
        assert step.at >= situation.now + situation.retry_after


@given(outcomes, situations)
def test_harmful_repeat_never_follows_a_doubt(outcome, situation):
    step = next_step(outcome, situation)
    if outcome in {Outcome.UNCERTAIN, Outcome.FAULT} and situation.repeat == "harmful":
        assert step.do is Next.NEXT_CHANNEL_UNCERTAIN


@given(situations)
def test_recognisable_is_repeated_once_at_most(situation):
    step = next_step(Outcome.UNCERTAIN, situation)
    if situation.repeat == "recognisable" and situation.uncertain_before:
        assert step.do is Next.NEXT_CHANNEL_UNCERTAIN


@given(outcomes, situations)
def test_doubt_once_there_is_never_forgotten(outcome, situation):
    if situation.uncertain_before:
        assert next_step(outcome, situation).do is not Next.NEXT_CHANNEL


@given(situations)
def test_fault_of_an_adapter_is_never_repeated(situation):
    assert next_step(Outcome.FAULT, situation).do is Next.NEXT_CHANNEL_UNCERTAIN


@given(situations)
def test_refused_goes_on_at_once(situation):
    assert next_step(Outcome.REFUSED, situation).do in {Next.NEXT_CHANNEL, Next.NEXT_CHANNEL_UNCERTAIN}


@given(situations)
def test_plain_trouble_is_given_up_only_when_the_promise_or_the_use_is_over(situation):
    step = next_step(Outcome.TRANSIENT, situation)
    wait = max(LONGEST_WAIT * 1.25, situation.retry_after or timedelta())
    until = patience(situation.due_by, situation.first_try)
    if step.do is Next.EXPIRE:
        assert not situation.has_next_channel
        assert situation.now + wait > situation.useful_until
    elif step.do is not Next.RETRY:
        assert situation.has_next_channel
        assert situation.now + wait > min(until, situation.useful_until)


@given(situations)
def test_with_another_way_a_try_never_breaks_the_promise(situation):
    step = next_step(Outcome.TRANSIENT, situation)
    if situation.has_next_channel and step.at is not None:
        in_time = situation.first_try < situation.due_by - RESERVE
        assert step.at <= (situation.due_by - RESERVE if in_time else situation.first_try + GRACE)


def test_lane_that_rests_past_the_promise_is_not_waited_for():
    soon = at_nine(due_by=NINE + timedelta(minutes=2), rests_until=NINE + timedelta(minutes=4))
    assert next_step(Outcome.TRANSIENT, soon).do is Next.NEXT_CHANNEL
    rests = at_nine(rests_until=NINE + timedelta(minutes=4))
    assert next_step(Outcome.TRANSIENT, rests).at == NINE + timedelta(minutes=4)


@pytest.mark.parametrize(
    ("outcome", "changes", "expected"),
    [
        (Outcome.TRANSIENT, {}, Next.RETRY),
        (Outcome.TRANSIENT, {"now": NINE + timedelta(minutes=50)}, Next.NEXT_CHANNEL),
        (
            Outcome.TRANSIENT,
            {"now": NINE + timedelta(minutes=50), "has_next_channel": False},
            Next.RETRY,
        ),
        (Outcome.TRANSIENT, {"now": NINE + timedelta(hours=15), "has_next_channel": False}, Next.EXPIRE),
        (Outcome.REFUSED, {}, Next.NEXT_CHANNEL),
        (Outcome.REFUSED, {"uncertain_before": 1}, Next.NEXT_CHANNEL_UNCERTAIN),
        (Outcome.UNCERTAIN, {}, Next.RETRY),
        (Outcome.UNCERTAIN, {"uncertain_before": 1}, Next.NEXT_CHANNEL_UNCERTAIN),
        (Outcome.UNCERTAIN, {"repeat": "harmless", "uncertain_before": 5}, Next.RETRY),
        (Outcome.UNCERTAIN, {"repeat": "harmful"}, Next.NEXT_CHANNEL_UNCERTAIN),
        (Outcome.FAULT, {}, Next.NEXT_CHANNEL_UNCERTAIN),
    ],
)
def test_steps_as_agreed(outcome, changes, expected):
    assert next_step(outcome, at_nine(**changes)).do is expected


@given(st.integers(1, 12), st.floats(0, 1))
def test_waits_grow_and_are_capped(tries, jitter):
    def wait(count: int) -> timedelta:
        step = next_step(Outcome.TRANSIENT, at_nine(tries=count, jitter=jitter))
        assert step.at is not None
        return step.at - NINE

    assert wait(tries) <= wait(tries + 1) <= LONGEST_WAIT * 1.25


def test_breaker_rests_longer_each_time_up_to_a_cap():
    rests = [breaker_wait(count) for count in range(10)]
    assert rests == sorted(rests)
    assert rests[0] == timedelta(seconds=15)
    assert rests[-1] == LONGEST_WAIT
