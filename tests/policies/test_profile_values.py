"""What each policy promises, value by value: who does what, from when and by when, until what, and who hears otherwise.

The weeks play what comes of these values; here they stand as the policies have them, so that none is changed unseen.
"""

import tomllib
from typing import Any

import pytest

from tests.house.project import ROOT

POLICIES = {
    "safe-space": {
        "calls": {},
        "missing": (
            "unexplained absence",
            "call-home: mentor; by at once; until reached; else attendance lead",
            "call-school: attendance lead; by at once; until confirmed",
            "tell-dsl: mentor; from start + 20 min; by start + 30 min; until reached; else leadership; only risk known",
        ),
        "could-not-join": (
            "could not join",
            "help: mentor; by at once; until reached",
        ),
        "often-late": (
            "3 times in 20 days",
            "explore: mentor; by 2 school days; until done",
        ),
        "persistent": (
            "below 90 % in 4 weeks of 8 lessons at least",
            "meet: attendance lead; by 5 school days; until done",
            "plan: attendance lead; from 5 school days; by 2 weeks; until done",
            "refer-back: leadership; from 4 weeks; by 5 weeks; until done",
            "agencies: safeguarding lead; from 6 weeks; by 7 weeks; until done",
        ),
        "near-full-time": (
            "more than 16 hours",
            "notice: leadership; by 5 school days; until done",
        ),
        "weekly-patterns": "every week at 15:30: attendance lead; else leadership",
    },
    "ypm": {
        "calls": {"order": ["first contact", "second contact", "emergency contacts"]},
        "missing": (
            "unexplained absence",
            "call-contacts: attendance lead; by start + 15 min; until reached; else leadership",
            "call-school: attendance lead; from start + 15 min; by start + 30 min; until confirmed; only on a roll",
            "tell-dsl: attendance lead; from start + 30 min; by start + 1 hour; until reached; else leadership",
            "police: safeguarding lead; from start + 1 hour; by start + 2 hours; until reached; only not on a roll",
            "offer-work: tutor; from start + 30 min; by same day",
        ),
        "left": (
            "left site",
            "call-home: attendance lead; by at once; until reached; else leadership",
            "tell-dsl: tutor; by at once",
            "incident-report: tutor; by same day; until done",
            "acknowledge: safeguarding lead; by next school day 12:00; until done",
        ),
        "cancelled": (
            "lesson cancelled",
            "offer-work: office; by same day; until done",
        ),
        "under-ninety": (
            "below 90 % in week of 4 lessons at least",
            "escalate: attendance lead; by next school day; until done",
            "plan: attendance lead; by 5 school days; until done",
            "review: attendance lead; by 4 weeks; until done",
        ),
        "near-full-time": (
            "more than 16 hours",
            "notice: leadership; by 5 school days; until done",
        ),
        "session-reports": "every day at 16:00: attendance lead; else leadership",
    },
    "cst": {
        "calls": {"stop": "explained"},
        "missing": (
            "unexplained absence",
            "call-home: tutor; by start + 10 min; until reached; else duty lead",
            "first-day-contact: duty lead; from start + 30 min; by start + 1 hour; until reached; else leadership",
        ),
        "absconded": (
            "left site",
            "leadership: tutor; by at once",
            "search: duty lead; by + 10 min; else leadership",
            "call-home: duty lead; by + 10 min; until reached; else leadership",
            "call-school: duty lead; by + 15 min; until confirmed; only on a roll",
            "call-council: duty lead; by + 15 min; until confirmed; only council arranged",
            "emergency-services: leadership; from + 15 min; by + 20 min",
        ),
        "found": (
            "found safe",
            "incident-record: duty lead; by same day; until done",
            "debrief: tutor; by next school day; until done",
            "support-plan: leadership; by 5 school days; until done",
            "risk: leadership; by 5 school days; until done",
        ),
        "cancelled": (
            "lesson cancelled",
            "call-home: duty lead; by at once; until done",
        ),
        "under-ninety-five": (
            "below 95 % in month of 10 lessons at least",
            "notice: duty lead; by 5 school days; until done",
        ),
        "ninety-or-less": (
            "at most 90 % in month of 10 lessons at least",
            "meet: duty lead; by 5 school days; until done",
            "action-plan: duty lead; from 5 school days; by 2 weeks; until done",
            "follow-up: leadership; from 4 weeks; by 6 weeks; until done",
        ),
        "too-many-hours": (
            "more than 15 hours",
            "timetable: duty lead; by 5 school days",
        ),
        "near-full-time": (
            "more than 16 hours",
            "notice: leadership; by 5 school days; until done",
        ),
        "monthly-review": "every month at 16:00, 3 days later: duty lead; else leadership",
        "termly-analysis": "every term at 16:00: duty lead; else leadership",
    },
    "sentre": {
        "calls": {
            "order": ["first contact", "second contact", "emergency contacts"],
            "rounds": 2,
            "pause_minutes": 15,
        },
        "missing": (
            "unexplained absence",
            "first-attempt: attendance lead; by start + 15 min; until reached; else leadership",
            "dsl-at-once: attendance lead; by at once; only risk known",
            "second-attempt: attendance lead; from start + 20 min; by start + 35 min; until reached",
            "no-reply-school: attendance lead; from start + 35 min; by start + 1 hour; until reached; only on a roll",
            "no-reply-council: attendance lead; from start + 35 min; by start + 1 hour; until reached; only council arranged",
            "no-reply-dsl: attendance lead; from start + 35 min; by start + 1 hour; until reached; else leadership",
        ),
        "left": (
            "left site",
            "call-home: attendance lead; by at once; until reached; else leadership",
            "dsl: teacher; by at once",
        ),
        "repeated": (
            "2 days",
            "dsl: attendance lead; by same day; until done",
            "missing-education: safeguarding lead; by next school day",
        ),
        "transport": (
            "transport trouble",
            "council: office; by at once; until done",
        ),
        "stage-two": (
            "below 90 % in 4 weeks of 8 lessons at least",
            "conversation: attendance lead; by 5 school days; until done",
            "plan: attendance lead; by 2 weeks; until done",
            "review: attendance lead; from 3 weeks; by 4 weeks; until done",
        ),
        "stage-three": (
            "at most 50 % in 4 weeks of 8 lessons at least",
            "agencies: safeguarding lead; by 5 school days; until done",
        ),
        "return": (
            "5 days",
            "support: teacher; by same day; until done",
        ),
        "weekly-audit": "every week at 15:30: attendance lead; else leadership",
        "leadership-view": "every week at 16:00, 1 days later: attendance lead; else leadership",
        "parents-and-governors": "every term at 12:00: attendance lead; else leadership",
    },
    "red-everywhere": {
        "calls": {},
        "missing": (
            "unexplained absence",
            "follow-up: family link worker; by start + 1 hour; until reached; else leadership",
        ),
        "every-day": (
            "absence",
            "contact: family link worker; by same day; until done",
        ),
        "third-day": (
            "3 days",
            "letter: family link worker; by same day; else leadership",
            "school: leadership; by same day",
            "visit: safeguarding lead; by next school day",
            "cause-for-concern: tutor; by same day; until done",
            "parents-aware: family link worker; from 4 school days; by 1 week; until done",
        ),
        "return": (
            "5 days",
            "one-to-one: tutor; by same day; until done",
            "catch-up: tutor; by 2 school days; until done",
            "sign-again: family link worker; by 1 week; until done",
        ),
        "too-few-hours": (
            "fewer than 12 hours",
            "timetable: family link worker; by 5 school days",
        ),
        "near-full-time": (
            "more than 16 hours",
            "notice: leadership; by 5 school days; until done",
        ),
        "session-reports": "every day at 16:00: family link worker; else leadership",
        "monthly-progress": "every month at 16:00: family link worker; else leadership",
        "termly-tracker": "every term at 16:00: family link worker; else leadership",
    },
}
"""By provider: the order of calls, the ladders with their limits and steps, and what comes round."""

AGREEMENTS = {
    "end-of-day": (
        "daily; entry by start; told by 16:00, when complete",
        "week at 16:30",
    ),
    "start-plus-15": (
        "per session; entry by start + 15 min; told by start + 15 min, when complete",
        "week at 16:00",
    ),
    "twice-daily": (
        "per session; entry by start + 5 min; told by start + 30 min, when complete",
        "month at 12:00, 2 days later",
        "term at 12:00, 2 days later",
    ),
    "by-session": (
        "per session; entry by start; told by 09:45 and 13:45, at time",
        "week at 16:00, 1 days later",
        "term at 12:00, 2 days later",
    ),
    "daily": (
        "daily; entry by start; told by 15:30, at time",
        "month at 12:00, 2 days later",
        "term at 12:00, 2 days later",
    ),
    "weekly": (
        "weekly; entry by start; told by Friday 15:30, at time",
        "month at 12:00, 2 days later",
        "term at 12:00, 2 days later",
    ),
}
"""What was agreed with who placed the pupils: when they are told, and which figures they are sent."""

NEAR_FULL_TIME = (
    "more than 16 hours",
    "notice: leadership; by 5 school days; until done",
)


def config_of(provider: str) -> dict[str, Any]:
    """Give a provider's configuration as it is written."""
    return tomllib.loads((ROOT / "config" / "providers" / f"{provider}.toml").read_text())


def step_words(step: dict[str, Any]) -> str:
    """Say who does a step, from when and by when, until what, for whom alone, and who hears when nobody does it."""
    parts = [f"{step['name']}: {step['owner']}"]
    for name in ("opens", "by", "until", "if_not_done"):
        parts += [f"{name} {step[name]}"] if name in step else []
    parts += [f"only {', '.join(step['only'])}"] if "only" in step else []
    return "; ".join(parts).replace("opens ", "from ").replace("if_not_done ", "else ")


def limit_words(ladder: dict[str, Any]) -> str:
    """Say when a ladder is raised, with its limit."""
    limits = {
        "below": "below {} %",
        "at_most": "at most {} %",
        "times": "{} times",
        "days": "{} days",
        "more_than_hours": "more than {} hours",
        "fewer_than_hours": "fewer than {} hours",
        "window": "in {}",
        "at_least": "of {} lessons at least",
    }
    said = [words.format(ladder[name]) for name, words in limits.items() if name in ladder]
    return " ".join(said) or ladder["when"]


def agreed_words(version: dict[str, Any]) -> tuple[str, ...]:
    """Say when a register is due and when who is told, and which figures are sent when."""
    due = " and ".join(version[name] for name in ("due", "pm_due") if name in version)
    told = f"{version['cadence']}; entry by {version['entry_due']}; told by {due}, {version['send']}"
    return (told, *(f"{one['every']} at {one['at']}{later(one)}" for one in version["summaries"]))


def later(one: dict[str, Any]) -> str:
    """Say how many days later something is due, where it is not at once."""
    return f", {one['days_later']} days later" if "days_later" in one else ""


def round_words(reminder: dict[str, Any]) -> str:
    """Say how often, when and by whom something is done again."""
    return f"every {reminder['every']} at {reminder['at']}{later(reminder)}: {reminder['owner']}; else {reminder['if_not_done']}"


@pytest.mark.parametrize("provider", POLICIES)
def test_each_value_of_a_profile_is_its_policys(provider: str):
    config = config_of(provider)
    found = {
        "calls": config.get("calls", {}),
        **{
            name: (limit_words(one), *map(step_words, one["steps"]))
            for name, one in config["ladders"].items()
        },
        **{name: round_words(one) for name, one in config["reminders"].items()},
    }

    assert found == POLICIES[provider]


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_what_is_agreed_is_what_the_policy_promises(agreement: str):
    kept = tomllib.loads((ROOT / "config" / "agreements" / f"{agreement}.toml").read_text())

    assert [agreed_words(one) for one in kept["versions"]] == [AGREEMENTS[agreement]]


@pytest.mark.parametrize("provider", POLICIES)
def test_everybody_who_is_asked_has_a_name_or_a_post(provider: str):
    config = config_of(provider)
    asked = {step["owner"] for ladder in config["ladders"].values() for step in ladder["steps"]}
    asked |= {
        step.get("if_not_done", "") for ladder in config["ladders"].values() for step in ladder["steps"]
    }

    assert asked - {"", "safeguarding lead", "office"} <= set(config["roles"])


def test_hours_near_full_time_are_the_leaderships_notice_alone():
    # A registered school may teach full-time: there is nothing to notice at the one that is one.
    registered = {provider for provider in POLICIES if "urn" in config_of(provider)}
    told = {provider for provider in POLICIES if POLICIES[provider].get("near-full-time") == NEAR_FULL_TIME}

    assert told == set(POLICIES) - registered
    assert registered == {"sentre"}
