"""What was agreed with schools and councils, as a configuration says it."""

from datetime import date, time, timedelta
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from aphub.domain.agreements import Agreement, Cadence, FirstCaller, Send
from aphub.domain.recurring import Recurring
from aphub.domain.stretches import Every
from aphub.domain.when import parse_when
from aphub.settings.shapes import Slug, Strict


class SummaryTerms(Strict):
    """A summary that was agreed: how much one tells about, and by when it is sent."""

    every: str = Field(description="day, week, month or term")
    at: time = Field(description="the time by which it is sent, on the last day that you are open in it")
    days_later: int = Field(
        default=0, ge=0, le=15, description="open days after that last day, for what needs a look first"
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
        try:
            every = Every(self.every)
        except ValueError as exc:
            message = f"'{self.every}' is none of: {Every.all_words()}"
            raise ValueError(message) from exc
        return Recurring(every, self.at, self.days_later)


class AgreementTerms(Strict):
    """What was agreed from a date on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    valid_from: date = Field(alias="from", description="first day on which it holds")
    cadence: str = Field(description="per session, daily or weekly")
    entry_due: str = Field(default="start", description="when the register must be in")
    due: str = Field(description="by when the report is handed over")
    pm_due: str = Field(default="", description="the same for the afternoon, where told by session")
    send: str = Field(default="when complete", description="when complete, or at time")
    channels: tuple[str, ...] = Field(
        default=(), description="channel names in order; none means the school's order"
    )
    may_write: bool = Field(default=False, description="whether codes may be written in the school's MIS")
    first_caller: str = Field(default="provider", description="who phones home first")
    lead_minutes: int = Field(
        default=2, ge=0, le=120, description="minutes before the promise that it leaves"
    )
    useful_minutes: int | None = Field(
        default=None, ge=1, description="minutes after the promise that it helps"
    )

    summaries: tuple[SummaryTerms, ...] = Field(
        default=(),
        description="summaries that are sent beside the reports; one for each of day, week, month, term",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.agreement("this agreement", frozenset())
        kinds = [one.every for one in self.summaries]
        if len(set(kinds)) != len(kinds):
            message = "Two summaries tell about the same stretch of days. Leave one out"
            raise ValueError(message)
        return self

    def agreement(self, name: str, may_write: frozenset[str]) -> Agreement:
        """Give the domain's agreement; raises ValueError in plain words."""
        return Agreement(
            name=name,
            valid_from=self.valid_from,
            cadence=Cadence(self.cadence),
            entry_due=parse_when(self.entry_due),
            due=parse_when(self.due),
            pm_due=parse_when(self.pm_due) if self.pm_due else None,
            send=Send(self.send),
            channels=self.channels,
            may_write=may_write if self.may_write else frozenset(),
            first_caller=FirstCaller(self.first_caller),
            lead=timedelta(minutes=self.lead_minutes),
            useful_for=timedelta(minutes=self.useful_minutes) if self.useful_minutes else None,
            summaries=tuple(one.recurring() for one in self.summaries),
        )


class AgreementConfig(Strict):
    """A named template; what was agreed changes only from a date."""

    slug: Slug = Field(description="its name, the file's name")
    title: str = Field(default="", description="in words, for people")
    versions: tuple[AgreementTerms, ...] = Field(min_length=1, description="the terms, each from a date")
