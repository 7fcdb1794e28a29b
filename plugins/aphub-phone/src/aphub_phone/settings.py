"""Whom to telephone, and what may be said."""

import re

from pydantic import Field, field_validator

from aphub.api import ConnectionSettings, RouteSettings

_NUMBER = re.compile(r"(?:\+44 ?|0)[1-9][0-9 ]{8,12}")
_DIGITS = range(10, 12)


class PhoneConnection(ConnectionSettings):
    """The provider's own telephone; every call waits in one list."""

    staffed_by: str = Field(default="the office", description="who makes the calls, as people say it")


class PhoneRoute(RouteSettings):
    """One school's or council's number."""

    number: str = Field(description="the number that the school or council published, such as 01632 960101")
    ask_for: str = Field(default="the attendance office", description="whom to ask for")
    names: bool = Field(
        default=True, description="whether pupils are named once it is known who is speaking; else initials"
    )

    @field_validator("number")
    @classmethod
    def _is_a_number(cls, number: str) -> str:
        words = " ".join(number.split())
        digits = re.sub(r"^\+44 ?", "0", words).replace(" ", "")
        if not _NUMBER.fullmatch(words) or len(digits) not in _DIGITS:
            message = f"'{words[:20]}' is no British telephone number. Write it like 01632 960101"
            raise ValueError(message)
        return words
