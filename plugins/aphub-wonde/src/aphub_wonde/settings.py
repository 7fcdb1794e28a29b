"""Settings: how Wonde is reached, and which of its schools a route means."""

from pydantic import Field, SecretStr, field_validator

from aphub.api.mis import LIKELY_STATUSES, CommentedRoute, RegisterConnection, State


class WondeConnection(RegisterConnection):
    """How to reach Wonde: routes with the same address and token share one lane and one connection."""

    base_url: str = Field(
        default="https://api.wonde.com/v1.0/", description="address of the API, https only, by region"
    )
    token: SecretStr = Field(description="the token that Wonde issued; write it as secret:NAME")
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
        default=dict(LIKELY_STATUSES), description="status word to confirmed, pending or failed"
    )
    permissions: tuple[str, ...] = Field(
        default=(), description="permissions that must be approved beside those that Wonde calls required"
    )

    @field_validator("statuses")
    @classmethod
    def _folded(cls, value: dict[str, State]) -> dict[str, State]:
        return {word.strip().casefold(): state for word, state in value.items()}

    def state_of(self, word: str) -> State:
        """Say what a status word means; an unknown one is pending, so nothing is claimed."""
        return self.statuses.get(word.strip().casefold(), State.PENDING)


class WondeRoute(CommentedRoute):
    """One school at Wonde.

    It belongs to the route, not to the connection: with one partner token all schools share a lane, and with a token
    for each school the connections differ by themselves.
    """

    school_id: str = Field(
        pattern=r"^[A-Za-z0-9]{4,40}$", description="Wonde's id of the school, such as A1930499544"
    )

    @property
    def place(self) -> str:
        """Wonde's id of the school."""
        return self.school_id
