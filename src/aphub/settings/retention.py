"""How long each class of record is kept: the provider decides, these are defaults with where they come from."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Retention(BaseModel):
    """How long what is kept; a legal hold on a pupil goes before all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_days: int = Field(
        default=90,
        ge=7,
        le=730,
        description="messages as they were sent, and the far side's words; GOV.UK Notify keeps 3 to 90 days",
    )
    register_days: int = Field(
        default=90,
        ge=7,
        le=730,
        description="files as they came in, and rows that fit no pupil; long enough to settle every question",
    )
    mark_years: int = Field(
        default=1,
        ge=1,
        le=25,
        description="what registers said word for word; whole years after the school year's end",
    )
    entry_years: int = Field(
        default=6,
        ge=1,
        le=25,
        description="notes, your words and actions beside each entry; a school keeps its register six years (SI 2024/208)",
    )
    report_years: int = Field(
        default=6,
        ge=1,
        le=25,
        description="what each school was told; kept as long as the entries it rests on",
    )
    pupil_years: int = Field(
        default=6,
        ge=1,
        le=25,
        description="names, UPN, placements; whole years after the school year of the last placement's end",
    )
    access_years: int = Field(
        default=2, ge=1, le=25, description="who viewed or exported what; long enough to answer a complaint"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.pupil_years < max(self.entry_years, self.report_years, self.mark_years):
            message = "pupil_years must not be shorter than entry_years, report_years or mark_years"
            raise ValueError(message)
        return self
