"""Somebody's word that mail to a school stays encrypted up to its mailbox: which kind, by whom, and until when."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_LATEST_DAY = 28


class Attestation(BaseModel):
    """Why the last hop to one school is known to be encrypted and to end at the right server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["mta-sts", "direct", "connector"] = Field(
        description="mta-sts: their policy in enforce mode; direct: verified TLS straight to their mail server; "
        "connector: a connector that both IT teams set up"
    )
    what: str = Field(
        min_length=10, description="what was shown or said, such as the school's MTA-STS policy"
    )
    on: date = Field(description="when it was checked")
    by: str = Field(
        default="",
        max_length=120,
        description="name and role of who vouches for it; needed for direct and connector",
    )
    months: int = Field(
        default=12, ge=1, le=24, description="how long it holds; then it must be checked anew"
    )

    @model_validator(mode="after")
    def _vouched_for(self) -> Self:
        if self.kind != "mta-sts" and not self.by.strip():
            message = f"Say in by who vouches for it: nobody else can see whether a {self.kind} route holds"
            raise ValueError(message)
        return self

    @property
    def ends(self) -> datetime:
        """The instant from which it holds no more."""
        months = self.on.year * 12 + self.on.month - 1 + self.months
        day = date(months // 12, months % 12 + 1, min(self.on.day, _LATEST_DAY))
        return datetime.combine(day, time(), UTC) + timedelta(days=max(self.on.day - _LATEST_DAY, 0))

    def why_not(self, now: datetime) -> str:
        """Say why it does not hold now; empty when it does."""
        if now >= self.ends:
            return f"the word for their last hop ran out on {day_words(self.ends)}; check it anew, or choose another protection"
        if now.date() < self.on:
            return f"the word for their last hop is dated {day_words(self.on)}, which is not yet"
        return ""


def day_words(day: date) -> str:
    """Write a day as people do."""
    return f"{day.day} {day:%B %Y}"
