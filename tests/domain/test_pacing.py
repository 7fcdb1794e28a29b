"""Laws of the pace: never more than a far side takes, never a lane that waits for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.pacing import Pace, Spent, lasts, opens_at, room

NOW = datetime(2026, 3, 3, 9, 45, tzinfo=UTC)
EXCHANGE = Pace(30, 10_000)


def test_thirty_leave_at_once_and_the_next_ten_a_minute_later():
    spent = Spent().sent(30, NOW)
    assert room(EXCHANGE, Spent(), NOW) == 30
    assert room(EXCHANGE, spent, NOW + timedelta(seconds=60)) == 0
    assert opens_at(EXCHANGE, spent, NOW) == NOW + timedelta(seconds=61)
    assert room(EXCHANGE, spent, NOW + timedelta(seconds=61)) == 30


@given(
    per_minute=st.integers(1, 40),
    per_day=st.integers(0, 120),
    wanted=st.lists(st.tuples(st.integers(0, 45), st.integers(1, 60)), max_size=60),
)
def test_no_minute_and_no_day_carries_more_than_the_pace_whatever_is_wanted(
    per_minute: int, per_day: int, wanted: list[tuple[int, int]]
):
    pace, spent, now = Pace(per_minute, per_day), Spent(), NOW
    left: list[tuple[datetime, int]] = []
    for wait, count in wanted:
        now += timedelta(seconds=wait)
        going = min(count, room(pace, spent, now))
        spent = Spent.read(spent.sent(going, now).written())
        left.append((now, going))
    for at, _ in left:
        assert sum(n for when, n in left if timedelta() <= at - when < timedelta(minutes=1)) <= per_minute
    assert not per_day or sum(n for _, n in left) <= per_day


@given(
    per_minute=st.integers(1, 500),
    per_day=st.integers(0, 500),
    sent=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 40)), max_size=20),
    halvings=st.integers(0, 5),
)
def test_a_full_lane_opens_again_later_and_within_an_hour(
    per_minute: int, per_day: int, sent: list[tuple[int, int]], halvings: int
):
    pace, spent = Pace(per_minute, per_day), Spent()
    for after, count in sorted(sent):
        spent = spent.sent(count, NOW + timedelta(seconds=after))
    now = NOW + timedelta(seconds=60)
    for _ in range(halvings):
        spent = spent.slowed(now)
    opens = opens_at(pace, spent, now)
    assert now < opens <= now + timedelta(hours=1)


def test_a_far_side_that_asks_us_to_slow_down_gets_half_and_the_pace_comes_back():
    spent = Spent().slowed(NOW).slowed(NOW)
    assert room(EXCHANGE, spent, NOW) == 7
    assert room(EXCHANGE, spent, NOW + timedelta(minutes=10)) == 15
    assert room(EXCHANGE, spent, NOW + timedelta(minutes=20)) == 30
    assert spent.rest(NOW) == timedelta(minutes=1)
    for _ in range(9):
        spent = spent.slowed(NOW)
    assert room(Pace(2), spent, NOW) == 1
    assert spent.rest(NOW) == timedelta(minutes=2)


def test_without_a_limit_nothing_is_counted_against_anybody():
    assert room(Pace(), Spent().sent(10**6, NOW), NOW) is None
    assert lasts(Pace(), 10**6) == timedelta()
    with pytest.raises(ValueError, match="not negative"):
        Pace(-1)


@pytest.mark.parametrize(("count", "seconds"), [(0, 0), (1, 0), (30, 0), (31, 61), (60, 61), (200, 366)])
def test_how_long_a_burst_lasts(count: int, seconds: int):
    assert lasts(EXCHANGE, count) == timedelta(seconds=seconds)


def test_the_pace_in_words():
    assert EXCHANGE.words == "30 messages a minute and 10,000 a day"
    assert Pace().words == "no limit"
