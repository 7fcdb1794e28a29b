"""How quickly a far side takes messages: what was sent lately, how many more it takes now, and when it takes the next.

Exact over every stretch of sixty seconds and of a day. A far side that asks us to slow down is taken at its word: the
pace is halved, at most three times, and comes back by a step every ten minutes.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_WINDOW = 61
"""Seconds: a minute, and the one that counting in whole seconds rounds away."""
_DAY_HOURS = 24
_HOUR = 3600
_MOST_HALVINGS = 3
_RECOVERS = timedelta(minutes=10)
_FIRST_REST = timedelta(seconds=30)
_TOGETHER = 3
"""A third of a minute's messages is waited for before a lane is visited again: signing in for each costs more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a far side takes; 0 means that it names no limit. `whose` says in words whose limit it is."""

    per_minute: int = 0
    per_day: int = 0
    whose: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no pace."""
        if min(self.per_minute, self.per_day) < 0:
            message = "a pace is not negative"
            raise ValueError(message)

    @property
    def words(self) -> str:
        """The pace as people say it."""
        parts = [f"{self.per_minute} messages a minute"] if self.per_minute else []
        parts += [f"{self.per_day:,} a day"] if self.per_day else []
        return " and ".join(parts) or "no limit"


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent through one lane: by second within a minute, by hour within a day, and how far it was slowed."""

    seconds: tuple[tuple[int, int], ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    halvings: int = 0
    slowed_at: int = 0

    @classmethod
    def read(cls, text: str | None) -> "Spent":
        """Read what `written` wrote; nothing was sent where nothing was written."""
        if not text:
            return cls()
        page = json.loads(text)
        return cls(
            tuple((second, count) for second, count in page["seconds"]),
            tuple((hour, count) for hour, count in page["hours"]),
            page["halvings"],
            page["slowed_at"],
        )

    def written(self) -> str:
        """Write it down."""
        page = {
            "seconds": self.seconds,
            "hours": self.hours,
            "halvings": self.halvings,
            "slowed_at": self.slowed_at,
        }
        return json.dumps(page, separators=(",", ":"))

    def sent(self, count: int, now: datetime) -> "Spent":
        """Count what leaves now, and forget what is older than a day."""
        second = int(now.timestamp())
        hour = second // _HOUR
        seconds = _added([one for one in self.seconds if second - one[0] < _WINDOW], second, count)
        hours = _added([one for one in self.hours if hour - one[0] <= _DAY_HOURS], hour, count)
        return Spent(seconds, hours, self.halvings, self.slowed_at)

    def slowed(self, now: datetime) -> "Spent":
        """Halve the pace, since the far side asked for it."""
        halvings = min(self.halvings_at(now) + 1, _MOST_HALVINGS)
        return Spent(self.seconds, self.hours, halvings, int(now.timestamp()))

    def halvings_at(self, now: datetime) -> int:
        """Say how often the pace is halved at an instant."""
        since = max(int(now.timestamp()) - self.slowed_at, 0)
        return max(self.halvings - since // int(_RECOVERS.total_seconds()), 0)

    def rest(self, now: datetime) -> timedelta:
        """Say how long to leave a far side alone that has just asked us to slow down."""
        rest: timedelta = _FIRST_REST * 2 ** max(self.halvings_at(now) - 1, 0)
        return rest


def room(pace: Pace, spent: Spent, now: datetime) -> int | None:
    """Say how many messages may leave now; None where nothing limits them."""
    second = int(now.timestamp())
    left = []
    if pace.per_minute:
        lately = sum(count for at, count in spent.seconds if second - at < _WINDOW)
        left.append(_slowly(pace, spent, now) - lately)
    if pace.per_day:
        left.append(_today(pace, spent, now))
    return max(min(left), 0) if left else None


def day_is_full(pace: Pace, spent: Spent, now: datetime) -> bool:
    """Say whether no more may leave today."""
    return bool(pace.per_day) and _today(pace, spent, now) <= 0


def opens_at(pace: Pace, spent: Spent, now: datetime) -> datetime:
    """Say when it is worth sending again: when a third of a minute's messages fit, or what waits for the day."""
    second = int(now.timestamp())
    wanted = max(_slowly(pace, spent, now) // _TOGETHER, 1) if pace.per_minute else 1
    instants = [
        (second - second % _HOUR) + _HOUR,
        *(at + _WINDOW for at, _ in spent.seconds if at + _WINDOW > second),
    ]
    for instant in sorted(instants):
        at = datetime.fromtimestamp(instant, UTC)
        free = room(pace, spent, at)
        if free is None or free >= wanted:
            return at
    return datetime.fromtimestamp(max(instants), UTC)


def lasts(pace: Pace, count: int) -> timedelta:
    """Say how long so many messages take that are ready at one instant, at most."""
    if not pace.per_minute or count <= 0:
        return timedelta()
    return timedelta(seconds=_WINDOW) * ((count - 1) // pace.per_minute)


def _today(pace: Pace, spent: Spent, now: datetime) -> int:
    hour = int(now.timestamp()) // _HOUR
    return pace.per_day - sum(count for at, count in spent.hours if hour - at <= _DAY_HOURS)


def _slowly(pace: Pace, spent: Spent, now: datetime) -> int:
    return max(pace.per_minute >> spent.halvings_at(now), 1)


def _added(some: list[tuple[int, int]], at: int, count: int) -> tuple[tuple[int, int], ...]:
    there = dict(some)
    there[at] = there.get(at, 0) + count
    return tuple(sorted(there.items()))
