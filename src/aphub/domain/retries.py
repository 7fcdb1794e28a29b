"""What to do after a try: a pure rule over the outcome, the tries so far, the promise and the time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=5)
RESERVE = timedelta(seconds=45)
"""What is left before the promise when the next channel takes over at the latest: it must still keep the promise."""
GRACE = timedelta(minutes=5)
"""How long a message that is late from its first try on may be tried before the next channel takes over."""


def patience(due_by: datetime, first_try: datetime) -> datetime:
    """Say until when one channel may be tried while there is another."""
    last = due_by - RESERVE
    return last if first_try < last else first_try + GRACE


class Outcome(StrEnum):
    """What one try came to."""

    TRANSIENT = "transient"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    FAULT = "fault"


class Next(StrEnum):
    """What happens next to a dispatch that was not handed over."""

    RETRY = "retry"
    NEXT_CHANNEL = "next_channel"
    NEXT_CHANNEL_UNCERTAIN = "next_channel_uncertain"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and when if it is to try again."""

    do: Next
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a dispatch stands: its tries, its promise, and what its channel allows.

    `jitter` lies from 0 to 1 and comes from outside, since rules know no chance. `uncertain_before` counts the tries
    that may have arrived. `rests_until` is when its lane is visited again, where it rests after a failure.
    """

    now: datetime
    tries: int
    due_by: datetime
    useful_until: datetime
    first_try: datetime
    has_next_channel: bool
    repeat: str
    jitter: float = 0.5
    retry_after: timedelta | None = None
    uncertain_before: int = 0
    rests_until: datetime | None = None


def next_step(outcome: Outcome, situation: Situation) -> Step:
    """Decide after a try that did not hand over; a retry never lies past usefulness.

    An earlier try that may have arrived is never forgotten: whoever takes over says so.
    """
    step = _step(outcome, situation)
    if step.do is Next.NEXT_CHANNEL and situation.uncertain_before:
        return Step(Next.NEXT_CHANNEL_UNCERTAIN)
    return step


def _step(outcome: Outcome, situation: Situation) -> Step:
    if outcome is Outcome.REFUSED:
        return Step(Next.NEXT_CHANNEL)
    if outcome in {Outcome.UNCERTAIN, Outcome.FAULT}:
        return _after_doubt(outcome, situation)
    return _later(situation)


def _after_doubt(outcome: Outcome, situation: Situation) -> Step:
    """Repeat only where that is harmless, or once where the far side can recognise it."""
    harmless = situation.repeat == "harmless"
    recognisable_once = situation.repeat == "recognisable" and situation.uncertain_before == 0
    if outcome is Outcome.UNCERTAIN and (harmless or recognisable_once):
        step = _later(situation)
        if step.do is Next.RETRY:
            return step
    return Step(Next.NEXT_CHANNEL_UNCERTAIN)


def _later(situation: Situation) -> Step:
    """Wait longer each time; where a wait would break the promise, let the next channel take over already now."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(situation.tries, 8), LONGEST_WAIT)
    wait *= 0.75 + 0.5 * situation.jitter
    if situation.retry_after is not None:
        wait = max(wait, situation.retry_after)
    at = max(situation.now + wait, situation.rests_until or situation.now)
    if situation.has_next_channel and at > patience(situation.due_by, situation.first_try):
        return Step(Next.NEXT_CHANNEL)
    if at > situation.useful_until:
        return Step(Next.NEXT_CHANNEL if situation.has_next_channel else Next.EXPIRE)
    return Step(Next.RETRY, at)


def breaker_wait(failures: int) -> timedelta:
    """Say how long a lane rests after so many failures to connect in a row."""
    wait: timedelta = timedelta(seconds=15) * 2 ** min(failures, 5)
    return min(wait, LONGEST_WAIT)
