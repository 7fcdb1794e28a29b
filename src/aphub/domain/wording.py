"""How times, codes and lines of a report read to people: the same words in text, HTML, console and errors."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from aphub.domain.calendar import LONDON
from aphub.domain.codes import code_set_on
from aphub.domain.entries import Half, SessionEntry
from aphub.domain.outcomes import NOT_STATED, Outcome
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS

HALF_WORDS = {Half.AM: "morning", Half.PM: "afternoon", Half.OUTSIDE: "outside school hours"}
_NOON = 12
_A_WEEK = 7


@lru_cache(512)
def day_words(day: date) -> str:
    """Write a day as GOV.UK does: Tuesday 3 March 2026."""
    return f"{day:%A} {day.day} {day:%B %Y}"


@lru_cache(512)
def time_words(at: datetime | time) -> str:
    """Write a London time as GOV.UK does: 9:30am, midday, midnight."""
    wall = at.astimezone(LONDON).time() if isinstance(at, datetime) else at
    if wall.minute == 0 and wall.hour in {0, _NOON}:
        return "midday" if wall.hour else "midnight"
    minutes = f":{wall.minute:02d}" if wall.minute else ""
    return f"{wall.hour % _NOON or _NOON}{minutes}{'am' if wall.hour < _NOON else 'pm'}"


def moment_words(at: datetime) -> str:
    """Write a day and time: 9:30am on Tuesday 3 March 2026."""
    return f"{time_words(at)} on {day_words(at.astimezone(LONDON).date())}"


def count_words(number: int, what: str) -> str:
    """Write a number with what is counted: 1 pupil, 2 pupils."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def period_words(first_day: date, until_day: date, half: str) -> str:
    """Write a report's period: a half day, a day, a week by its Monday, or from when to when."""
    if (until_day - first_day).days > _A_WEEK:
        return f"{day_words(first_day)} to {day_words(until_day - timedelta(days=1))}"
    if (until_day - first_day).days > 1:
        return f"week of {day_words(first_day)}"
    return f"{day_words(first_day)} {HALF_WORDS[Half(half)]}" if half else day_words(first_day)


def line_words(session: SessionEntry) -> str:
    """Say what happened in one session: "did not attend, reason not known"."""
    if session.disagreement:
        said = session.disagreement.rstrip(".")
        parted = session.fact.outcome is Outcome.CANCELLED or session.fact.outcome in NOT_STATED
        return f"{'' if parted else 'not clear, '}{said[0].lower()}{said[1:]}"
    fact = session.fact
    words = OUTCOME_WORDS[fact.outcome]
    if fact.outcome is Outcome.LATE and fact.minutes is not None:
        words = f"arrived {fact.minutes} {'minute' if fact.minutes == 1 else 'minutes'} late"
    elif fact.outcome is Outcome.LEFT_EARLY and fact.minutes is not None:
        words = f"attended, left {fact.minutes} minutes early"
    reason = REASON_WORDS[fact.reason]
    return f"{words}, {reason}" if reason else words


def code_words(session: SessionEntry) -> str:
    """Say the suggested code with its meaning, or that there is none: codes never stand alone."""
    code = session.suggestion.code
    if not code:
        return "No code suggested"
    known = code_set_on(session.day).codes.get(code)
    return f"Suggested code: {code} ({known.meaning})" if known else f"Suggested code: {code}"


def action_words(session: SessionEntry) -> list[str]:
    """Say what the provider did about an absence, oldest first."""
    return [
        f"{time_words(action.at)} {action.kind}{', ' + action.result if action.result else ''}"
        for action in session.actions
    ]
