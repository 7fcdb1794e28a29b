"""Telephone calls: what can come of one, whom to try next, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aphub.domain.choices import Choice

VOICEMAIL_RULE = (
    "A voicemail never names a pupil: leave your name, this provider's name and the number to call."
)
"""Who hears a voicemail is not known."""


class CallResult(Choice):
    """What came of one call. Only an answer is an answer."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    ENGAGED = "engaged"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    CUT_OFF = "cut_off"
    REFUSED = "refused"


CALL_WORDS = {
    CallResult.ANSWERED: "answered",
    CallResult.NO_ANSWER: "no answer",
    CallResult.ENGAGED: "engaged",
    CallResult.VOICEMAIL: "voicemail, no pupil named",
    CallResult.WRONG_NUMBER: "number not in use",
    CallResult.CUT_OFF: "cut off",
    CallResult.REFUSED: "would not take it",
}
"""What came of a call, as people and schools read it."""


class Stop(Choice):
    """When the calls of a ladder stop: at the first answer, or only once it is known that the pupil is safe."""

    ANSWERED = "answered"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class CallRule:
    """In which order people at home are tried, how often, how long after one another, and when that stops."""

    order: tuple[str, ...] = ("first contact", "second contact", "emergency contacts")
    rounds: int = 1
    pause: timedelta = timedelta(minutes=10)
    stop: Stop = Stop.ANSWERED


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call that was made: whom, when, and what came of it."""

    whom: str = field(repr=False)
    at: datetime
    result: CallResult


@dataclass(frozen=True, slots=True)
class NextCall:
    """Whom to try next, and not before when."""

    whom: str
    not_before: datetime


def next_call(rule: CallRule, made: Sequence[CallMade], now: datetime) -> NextCall | None:
    """Say whom to try next; None when somebody answered, or when everybody was tried as often as agreed.

    Where calls stop only once the absence is explained, an answer alone does not stop them. A number that is not in use
    is not tried again. Between two rounds the rule's pause is kept.
    """
    if rule.stop is Stop.ANSWERED and any(call.result is CallResult.ANSWERED for call in made):
        return None
    dead = {call.whom for call in made if call.result is CallResult.WRONG_NUMBER}
    tried = {whom: sum(call.whom == whom for call in made) for whom in rule.order}
    living = [whom for whom in rule.order if whom not in dead]
    for number in range(rule.rounds):
        for whom in living:
            if tried[whom] <= number:
                last = max((call.at for call in made), default=now)
                return NextCall(whom, last + rule.pause if number and tried[whom] == number else now)
    return None
