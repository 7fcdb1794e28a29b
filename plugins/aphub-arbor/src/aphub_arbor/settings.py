"""Settings: how a school's Arbor is reached."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from aphub.api.mis import RegisterConnection, RegisterRoute


class ArborConnection(RegisterConnection):
    """How to reach Arbor as one application: at a school's own address, or at the shared one with its number."""

    base_url: str = Field(description="the school's address, such as https://hill-school.uk.arbor.sc/")
    user: str = Field(description="mail address of the API user that the school made for us")
    password: SecretStr = Field(description="the API user's password; write it as secret:NAME")
    application_id: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]{0,80}$",
        description="application number, at the shared address only",
    )
    roll_call_am: str = Field(default="AM", description="short name (or name) of the morning roll call there")
    roll_call_pm: str = Field(
        default="PM", description="short name (or name) of the afternoon roll call there"
    )


class ArborRoute(RegisterRoute):
    """One school's Arbor; Arbor's roll calls keep no comment."""

    school: str = Field(
        pattern=r"^[a-z0-9.-]{3,120}$",
        description="host of the school's Arbor, such as hill-school.uk.arbor.sc",
    )

    @property
    def place(self) -> str:
        """The host of the school's Arbor."""
        return self.school


def is_shared(base_url: str) -> bool:
    """Say whether an address is the one that all schools share; there the application's number names the school."""
    return (urlsplit(base_url).hostname or "").startswith("api.")
