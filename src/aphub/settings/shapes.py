"""Shapes that all parts of the configuration share: short names, mailboxes, networks, stretches of days, people."""

from datetime import date
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from aphub.domain.calendar import Span
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import check_mail_address, check_ukprn

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,58}$")]


def _mailbox(text: str) -> str:
    try:
        return check_mail_address(text)
    except AphubError as exc:
        raise ValueError(str(exc)) from exc


def _ukprn(text: str) -> str:
    try:
        return check_ukprn(text) if text.strip() else ""
    except AphubError as exc:
        raise ValueError(str(exc)) from exc


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip()))
    except ValueError as exc:
        message = "This is not a network such as 10.1.2.0/24, or an address"
        raise ValueError(message) from exc


Mailbox = Annotated[str, AfterValidator(_mailbox)]
Network = Annotated[str, AfterValidator(_network)]
Ukprn = Annotated[str, AfterValidator(_ukprn)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dates(Strict):
    """Some days in a row; both belong to it."""

    starts: date = Field(description="first day")
    ends: date = Field(description="last day")
    name: str = Field(default="", description="what it is, as people say it")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends < self.starts:
            message = f"The last day, {self.ends}, is before the first, {self.starts}"
            raise ValueError(message)
        return self

    def span(self) -> Span:
        """Give the domain's span."""
        return Span(self.starts, self.ends, self.name)


class Person(Strict):
    """Somebody with a role; staff of the provider or of a school."""

    name: str = Field(description="as people say it")
    role: str = Field(description="such as safeguarding lead or head")
    phone: str = Field(default="", description="where to call")
    email: Mailbox | Literal[""] = Field(default="", description="where to write")
