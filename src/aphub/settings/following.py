"""How a provider follows up: who has which role, its ladders, its order of calls, and its letters."""

from datetime import time, timedelta
from fractions import Fraction
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from aphub.domain.calls import CallRule, Stop
from aphub.domain.cases import with_standard
from aphub.domain.choices import Choice
from aphub.domain.deadlines import parse_deadline
from aphub.domain.ladders import Ladder, Trigger, parse_window
from aphub.domain.recurring import Recurring
from aphub.domain.steps import Act, Only, Step, Until
from aphub.domain.stretches import Every

K = TypeVar("K", bound=Choice)
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,58}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepConfig(_Strict):
    """One step of a ladder: what to do, whose it is, by when."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$", description="its short name within the ladder")
    do: str = Field(description=f"what is to be done, one of: {Act.all_words()}")
    by: str = Field(
        description="until when: at once, start + 10 min, + 1 hour (after the news), 12:00, "
        "next school day 09:30, 5 school days, 2 weeks"
    )
    owner: str = Field(description="whose it is: a role of [roles], the office, or the safeguarding lead")
    opens: str = Field(default="", description="when it comes up, written like `by`; none means at once")
    say: str = Field(default="", max_length=200, description="what to add to the task, in words; no pupil")
    record: str = Field(default="", max_length=120, description="what to write down about it")
    until: str = Field(
        default="explained",
        description="what ends it undone: explained, reached (somebody at home answered), "
        "confirmed (the school has the message), or done (nothing but doing it)",
    )
    only: tuple[str, ...] = Field(default=(), description=f"raised only when all hold: {Only.all_words()}")
    if_not_done: str = Field(default="", description="the role that is told of it once it is overdue")
    letter: str = Field(default="", description="for `letter home`: which of [letters]")
    together: bool = Field(
        default=False, description="one call is about all pupils of that day for whom this step is open"
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        step = self.step()
        if (step.do is Act.LETTER_HOME) is not bool(self.letter):
            message = "A letter home names its letter, and nothing else does. Write letter = and a name of [letters]"
            raise ValueError(message)
        return self

    def step(self) -> Step:
        """Give the domain's step; raises ValueError in plain words."""
        return Step(
            name=self.name,
            do=_one_of(Act, self.do),
            by=parse_deadline(self.by),
            owner=self.owner,
            opens=parse_deadline(self.opens) if self.opens else None,
            say=self.say,
            record=self.record,
            until=_one_of(Until, self.until),
            only=tuple(_one_of(Only, one) for one in self.only),
            if_not_done=self.if_not_done,
            letter=self.letter,
            together=self.together,
        )


class LadderConfig(_Strict):
    """What is done, by whom and when, once something is known of a pupil."""

    when: str = Field(description=f"what raises it, one of: {Trigger.all_words()}")
    title: str = Field(default="", max_length=120, description="in words, for people")
    plan: bool = Field(
        default=False, description="only for a known plan of a placement, in place of the others"
    )
    times: int = Field(default=0, ge=0, description="repeated lateness: how many times")
    days: int = Field(default=0, ge=0, description="days in a row, or days away before a return")
    below: float | None = Field(
        default=None, gt=0, le=100, description="attendance rate: under this per cent"
    )
    at_most: float | None = Field(default=None, gt=0, le=100, description="attendance rate: at or under this")
    window: str = Field(default="", description="counted over: week, month, 4 weeks, 20 days")
    at_least: int = Field(default=0, ge=0, description="attendance rate: least number of lessons")
    own_target: bool = Field(
        default=False,
        description="attendance rate: a pupil's own attendance target, where one is agreed, takes the place of below",
    )
    more_than_hours: float | None = Field(
        default=None, gt=0, le=60, description="weekly hours: more than this planned for a pupil"
    )
    fewer_than_hours: float | None = Field(
        default=None,
        gt=0,
        le=60,
        description="weekly hours: fewer than this planned, in a week without closures",
    )
    steps: tuple[StepConfig, ...] = Field(default=(), description="its steps, in order")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.ladder("this ladder")
        return self

    def ladder(self, name: str) -> Ladder:
        """Give the domain's ladder; raises ValueError in plain words."""
        return Ladder(
            name=name,
            when=_one_of(Trigger, self.when),
            steps=tuple(step.step() for step in self.steps),
            title=self.title,
            plan=self.plan,
            times=self.times,
            days=self.days,
            below=_exact(self.below),
            at_most=_exact(self.at_most),
            window=parse_window(self.window) if self.window else None,
            at_least=self.at_least,
            own_target=self.own_target,
            more_than=_exact(self.more_than_hours),
            fewer_than=_exact(self.fewer_than_hours),
        )


class CallsConfig(_Strict):
    """How home is telephoned: whom first, how often, and when to stop."""

    order: tuple[str, ...] = Field(
        default=CallRule().order, min_length=1, description="who is tried, one after the other"
    )
    rounds: int = Field(default=1, ge=1, le=9, description="how often the whole order is tried")
    pause_minutes: int = Field(default=10, ge=0, le=240, description="minutes between two rounds")
    stop: str = Field(
        default="answered",
        description="when calls stop: answered, or explained (the pupil is known to be safe)",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.rule()
        return self

    def rule(self) -> CallRule:
        """Give the domain's rule."""
        return CallRule(
            self.order, self.rounds, timedelta(minutes=self.pause_minutes), _one_of(Stop, self.stop)
        )


class LetterConfig(_Strict):
    """A letter home: drafted by the hub, read and released by a person."""

    subject: str = Field(max_length=120, description="its heading")
    body: str = Field(
        min_length=1,
        description="its text; {pupil}, {days}, {provider}, {phone} and {today} are filled in",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.fill(pupil="", days="", provider="", phone="", today="")
        return self

    def fill(self, **words: str) -> str:
        """Give the letter's text with its gaps filled."""
        try:
            return self.body.format_map(words)
        except (KeyError, ValueError, IndexError) as exc:
            message = "This letter has a gap that we cannot fill. Use {pupil}, {days}, {provider}, {phone} and {today}"
            raise ValueError(message) from exc


class ReminderConfig(_Strict):
    """Something that comes round: who does what, and by when each time."""

    every: str = Field(description="day, week, month or term")
    at: time = Field(description="the time by which it is done, on the last day that you are open in it")
    days_later: int = Field(default=0, ge=0, le=15, description="open days after that last day")
    do: str = Field(min_length=3, max_length=160, description="what is to be done, in words; no pupil")
    owner: str = Field(description="whose it is: a role of [roles], the office, or the safeguarding lead")
    if_not_done: str = Field(
        default="",
        description="the role that is told of it on the next open day, where it is not done by then",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.recurring()
        return self

    def recurring(self) -> Recurring:
        """Give the domain's; raises ValueError in plain words."""
        if self.at.tzinfo is not None:
            message = "Write the time as London's clocks show it, such as 16:00"
            raise ValueError(message)
        return Recurring(_one_of(Every, self.every), self.at, self.days_later)


DEFAULT_ROLES = ("office", "safeguarding lead")
"""Roles that every provider has."""


class FollowUp(_Strict):
    """The part of a provider's file that says what is done about pupils who are not where they should be."""

    roles: dict[str, str] = Field(default_factory=dict, description="who has which role in the ladders")
    ladders: dict[Name, LadderConfig] = Field(
        default_factory=dict, description="what is done about a pupil, by name"
    )
    calls: CallsConfig = Field(default_factory=CallsConfig, description="how home is telephoned")
    letters: dict[Name, LetterConfig] = Field(default_factory=dict, description="letters home, by name")
    reminders: dict[Name, ReminderConfig] = Field(
        default_factory=dict, description="what comes round every day, week, month or term, by name"
    )
    _made: tuple[Ladder, ...] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _follow_up_fits(self) -> Self:
        known = {*self.roles, *DEFAULT_ROLES}
        for name, ladder in self.ladders.items():
            for step in ladder.steps:
                for role in (step.owner, step.if_not_done):
                    if role and role not in known:
                        message = f"The ladder '{name}' gives '{step.name}' to '{role}'. Add that role under [roles]"
                        raise ValueError(message)
                if step.letter and step.letter not in self.letters:
                    message = f"The ladder '{name}' needs the letter '{step.letter}'. Add it as [letters.{step.letter}]"
                    raise ValueError(message)
        for name, reminder in self.reminders.items():
            for role in (reminder.owner, reminder.if_not_done):
                if role and role not in known:
                    message = f"The reminder '{name}' is for '{role}'. Add that role under [roles]"
                    raise ValueError(message)
        return self

    def every_ladder(self) -> tuple[Ladder, ...]:
        """Give the domain's ladders, in the order in which they are written; standard ones where there are none."""
        if self._made is None:
            self._made = with_standard([config.ladder(name) for name, config in self.ladders.items()])
        return self._made

    def watches_returns(self) -> bool:
        """Say whether somebody must be told when a pupil comes back: then every entry is looked at."""
        return any(ladder.when is Trigger.RETURN_AFTER_ABSENCE for ladder in self.every_ladder())


def _exact(value: float | None) -> Fraction | None:
    return None if value is None else Fraction(str(value))


def _one_of(kind: type[K], value: str) -> K:
    try:
        return kind(value)
    except ValueError as exc:
        message = f"'{value}' is none of: {kind.all_words()}"
        raise ValueError(message) from exc
