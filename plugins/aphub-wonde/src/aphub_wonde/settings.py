"""Settings of the far side (Wonde) and of one school there.

Where Wonde's public contract is silent, the name is a setting: the default is the likeliest one, and what the far
side does not know stops the writing instead of being guessed.
"""

import json
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from aphub.api import ConnectionSettings, RouteSettings


class State(StrEnum):
    """What a word of Wonde's says about a write-back."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    FAILED = "failed"


LIKELY_STATUSES = {
    "confirmed": State.CONFIRMED,
    "complete": State.CONFIRMED,
    "completed": State.CONFIRMED,
    "success": State.CONFIRMED,
    "successful": State.CONFIRMED,
    "pending": State.PENDING,
    "queued": State.PENDING,
    "processing": State.PENDING,
    "failed": State.FAILED,
    "failure": State.FAILED,
    "error": State.FAILED,
    "rejected": State.FAILED,
}
"""The vocabulary is not published; a word that is not here counts as pending."""


class WondeConnection(ConnectionSettings):
    """How to reach Wonde: routes with the same address and token share one lane and one connection."""

    base_url: str = Field(
        default="https://api.wonde.com/v1.0/", description="address of the API, https only, by region"
    )
    token: SecretStr = Field(description="the token that Wonde issued; write it as secret:NAME")
    ca_file: Path | None = Field(
        default=None, description="certificates to trust instead of the usual ones, as PEM"
    )
    region_host: str = Field(
        default="", description="host that must hold the school's data; empty means that of base_url"
    )
    upn_path: str = Field(
        default="education_details.data.upn", description="where a student's UPN stands in an answer"
    )
    marks_include: str = Field(
        default="", description="what to include when marks are read, comma separated; empty for nothing"
    )
    marks_after_parameter: str = Field(
        default="attendance_date_after", description="name of the filter for the first day of marks"
    )
    marks_before_parameter: str = Field(
        default="attendance_date_before", description="name of the filter for the last day of marks"
    )
    marks_margin_days: int = Field(
        default=1,
        ge=0,
        le=7,
        description="days asked for on either side; 0 only where the filters count the day itself",
    )
    reference_path: str = Field(
        default="writeback_id", description="where the write-back's id stands in the answer to a write"
    )
    status_path: str = Field(
        default="data.status", description="where the status word stands in a write-back's answer"
    )
    statuses: dict[str, State] = Field(
        default=LIKELY_STATUSES, description="status word to confirmed, pending or failed"
    )
    permissions: tuple[str, ...] = Field(
        default=(), description="permissions that must be approved beside those that Wonde calls required"
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="rows asked for on a page; Wonde may give fewer"
    )
    most_pages: int = Field(default=400, ge=1, description="pages of one list after which reading stops")
    timeout_seconds: float = Field(default=20.0, gt=0, le=120, description="how long one answer may take")

    @field_validator("base_url")
    @classmethod
    def _encrypted_and_plain(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme != "https" or not parts.hostname:
            message = "The address must begin with https:// and name a host"
            raise ValueError(message)
        if parts.username or parts.password or parts.query or parts.fragment:
            message = "The address must be plain: no name, password, ? or # in it"
            raise ValueError(message)
        return value.strip().rstrip("/") + "/"

    @field_validator("statuses")
    @classmethod
    def _folded(cls, value: dict[str, State]) -> dict[str, State]:
        return {word.strip().casefold(): state for word, state in value.items()}

    @property
    def host(self) -> str:
        """The host of the API, with its port where it has one of its own."""
        return urlsplit(self.base_url).netloc.casefold()

    def state_of(self, word: str) -> State:
        """Say what a status word means; an unknown one is pending, so nothing is claimed."""
        return self.statuses.get(word.strip().casefold(), State.PENDING)


class WondeRoute(RouteSettings):
    """One school at Wonde.

    It belongs to the route, not to the connection: with one partner token all schools share a lane, and with a token
    for each school the connections differ by themselves.
    """

    school_id: str = Field(
        pattern=r"^[A-Za-z0-9]{4,40}$", description="Wonde's id of the school, such as A1930499544"
    )
    comment: bool = Field(
        default=True, description="write our reference beside the mark; without it we cannot correct our own"
    )

    def destination(self) -> str:
        """Name the school: a change of it needs approval again, a comment does not."""
        return json.dumps({"school_id": self.school_id})
