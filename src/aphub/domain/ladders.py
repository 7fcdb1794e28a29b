"""Ladders: what a provider does, in which order and by when, about a pupil who is not where they should be.

A provider's policy becomes data here. What a step asks for stays a person's act; the hub reminds, records and proves.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from aphub.domain.choices import Choice
from aphub.domain.steps import AT_HOME, Act, Step, Until
from aphub.domain.when import AgreementError

_WINDOW = re.compile(r"(?P<many>\d{1,3}) (?P<unit>days?|weeks?)")


class Trigger(Choice):
    """What raises a ladder."""

    UNEXPLAINED_ABSENCE = "unexplained_absence"
    ABSENCE = "absence"
    LEFT_SITE = "left_site"
    FOUND_SAFE = "found_safe"
    COULD_NOT_JOIN = "could_not_join"
    TRANSPORT_TROUBLE = "transport_trouble"
    LESSON_CANCELLED = "lesson_cancelled"
    REGISTER_NOT_TAKEN = "register_not_taken"
    REPEATED_LATENESS = "repeated_lateness"
    DAYS_IN_A_ROW = "days_in_a_row"
    RETURN_AFTER_ABSENCE = "return_after_absence"
    ATTENDANCE_RATE = "attendance_rate"
    WEEKLY_HOURS = "weekly_hours"


COUNTED = frozenset({Trigger.DAYS_IN_A_ROW, Trigger.RETURN_AFTER_ABSENCE})
"""Triggers that need `days`."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days over which something is counted: a calendar week or month, or so many days up to a day."""

    words: str
    days: int = 0

    def starts(self, day: date) -> date:
        """Give the first day of the window that `day` closes."""
        if self.words == "week":
            return day - timedelta(days=day.weekday())
        if self.words == "month":
            return day.replace(day=1)
        return day - timedelta(days=self.days - 1)

    def ends_with(self, day: date, next_open: date) -> bool:
        """Say whether the window is judged on `day`: a calendar one on its last open day, a rolling one daily."""
        if self.words in {"week", "month"}:
            return self.starts(next_open) != self.starts(day)
        return True


def parse_window(text: str) -> Window:
    """Read a window such as "week", "month", "4 weeks" or "20 days"; raises AgreementError."""
    folded = " ".join(text.casefold().split())
    if folded in {"week", "month"}:
        return Window(folded)
    if (match := _WINDOW.fullmatch(folded)) and int(match["many"]):
        return Window(folded, int(match["many"]) * (7 if match["unit"].startswith("week") else 1))
    what = f"'{text}' is no stretch of time that we can count over."
    raise AgreementError(what, mend="Write 'week', 'month', '4 weeks' or '20 days'.")


@dataclass(frozen=True, slots=True)
class Ladder:
    """Some steps, and what raises them.

    `times` within `window` count for repeated lateness; `days` for days in a row and for a return; `below` or `at_most`
    per cent over a `window` of at least `at_least` lessons for a rate, where with `own_target` a pupil's own target takes
    the place of `below`; `more_than` or `fewer_than` hours planned in a week
    for weekly hours. A ladder for a `plan` is used only for a pupil
    who has one, in place of the ladders of the same trigger. Raises AgreementError.
    """

    name: str
    when: Trigger
    steps: tuple[Step, ...]
    title: str = ""
    plan: bool = False
    times: int = 0
    days: int = 0
    below: Fraction | None = None
    at_most: Fraction | None = None
    window: Window | None = None
    at_least: int = 0
    own_target: bool = False
    more_than: Fraction | None = None
    fewer_than: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse a ladder that could never be raised, or would be raised by chance."""
        if problem := _problem(self):
            what, mend = problem
            raise AgreementError(f"The ladder '{self.name}' {what}.", mend=mend)

    def reached(self, attended: int, offered: int, target: int | None = None) -> bool:
        """Say whether an attendance rate over the window raises this ladder; `target` is the pupil's own, in per cent."""
        if offered < max(self.at_least, 1):
            return False
        rate = Fraction(attended, offered) * 100
        below = target if self.own_target and target is not None else self.below
        if below is not None and rate < below:
            return True
        return self.at_most is not None and rate <= self.at_most

    def passed(self, minutes: int) -> bool:
        """Say whether the lesson time planned for a week raises this ladder."""
        hours = Fraction(minutes, 60)
        if self.more_than is not None and hours > self.more_than:
            return True
        return self.fewer_than is not None and hours < self.fewer_than


def ladders_for(ladders: Iterable[Ladder], when: Trigger, plan: str = "") -> list[Ladder]:
    """Give the ladders that a trigger raises; a known plan's ladder stands in place of the others."""
    found = [ladder for ladder in ladders if ladder.when is when]
    if plan and (named := [ladder for ladder in found if ladder.plan and ladder.name == plan]):
        return named
    return [ladder for ladder in found if not ladder.plan]


def _problem(ladder: Ladder) -> tuple[str, str] | None:
    names = [step.name for step in ladder.steps]
    twice = next((name for name in names if names.count(name) > 1), "")
    rate = ladder.when is Trigger.ATTENDANCE_RATE
    limits = ladder.below is not None or ladder.at_most is not None
    rules: Sequence[tuple[bool, str, str]] = (
        (not ladder.steps, "has no steps", "Add one under [[ladders.NAME.steps]]."),
        (bool(twice), f"has two steps called '{twice}'", "Give each a name of its own."),
        (
            ladder.when in COUNTED and ladder.days < 1,
            f"is raised by {ladder.when.words} but does not say how many",
            "Add days, such as days = 3.",
        ),
        (
            ladder.when is Trigger.REPEATED_LATENESS and (ladder.times < 1 or ladder.window is None),
            "is raised by repeated lateness but does not say how often",
            'Add times and window, such as times = 3 and window = "20 days".',
        ),
        (
            rate and (not limits or ladder.window is None or ladder.at_least < 1),
            "is raised by a rate but one cold could raise it",
            "Add below or at_most, a window, and at_least as the least number of lessons.",
        ),
        (
            (ladder.when is Trigger.WEEKLY_HOURS)
            is not (ladder.more_than is not None or ladder.fewer_than is not None),
            "needs hours and weekly hours together",
            'Write when = "weekly hours" with more_than_hours or fewer_than_hours.',
        ),
        (
            limits and not rate,
            f"has a rate but is raised by {ladder.when.words}",
            'Write when = "attendance rate", or remove the rate.',
        ),
        (
            ladder.plan and ladder.when is not Trigger.UNEXPLAINED_ABSENCE,
            "is for a known plan but is not raised by an unexplained absence",
            'Write when = "unexplained absence".',
        ),
        (
            ladder.plan and not any(_is_first_check(step) for step in ladder.steps),
            "leaves out the first check: a plan thins the chase, never the first check",
            'Add a step such as do = "phone home" that opens at once.',
        ),
    )
    return next(((what, mend) for broken, what, mend in rules if broken), None)


def _is_first_check(step: Step) -> bool:
    here = step.do in AT_HOME or step.do in {Act.VISIT_HOME, Act.PHONE_SCHOOL, Act.PHONE_COUNCIL}
    return here and step.opens is None and not step.only and step.until is not Until.CONFIRMED
