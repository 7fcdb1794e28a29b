"""What a provider says about the folder into which its registers are put."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from aphub.api import SheetLimits, SourceSettings
from aphub_inbox.headings import FIELDS


class InboxSettings(SourceSettings):
    """One watched folder and how the files in it are written."""

    folder: Path = Field(description="the folder; a relative one begins at the hub's home")
    patterns: tuple[str, ...] = Field(
        default=("*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.xls"),
        min_length=1,
        description="names of files that are registers; capitals do not matter",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="our column to the heading in your file, where we would not guess it",
    )
    dates: Literal["day first", "month first"] = Field(
        default="day first", description="what 03/04/2026 means in these files"
    )
    encoding: str = Field(default="auto", description="of text files, such as cp1252; auto finds out")
    delimiter: Literal["auto", ",", ";", "\t"] = Field(
        default="auto", description="between the cells of text files"
    )
    sheet: str = Field(
        default="", description="name of the workbook's sheet; the first one with anything in it by default"
    )
    still_for: float = Field(
        default=2.0, ge=0, le=3600, description="seconds for which a file must not have changed"
    )
    largest_mb: int = Field(default=20, ge=1, le=500, description="larger files are refused unread")
    largest_unpacked_mb: int = Field(
        default=200, ge=1, le=2000, description="larger workbooks are refused unread"
    )
    most_rows: int = Field(default=200_000, ge=1, le=2_000_000, description="longer files are refused")

    @model_validator(mode="after")
    def _columns_are_ours(self) -> Self:
        for name in self.columns:
            if name not in FIELDS:
                message = f"'{name}' is no column of ours. Write one of {', '.join(FIELDS)}"
                raise ValueError(message)
        return self

    @property
    def limits(self) -> SheetLimits:
        """Give the limits as the reader wants them."""
        return SheetLimits(self.largest_mb * 1_000_000, self.largest_unpacked_mb * 1_000_000, self.most_rows)
