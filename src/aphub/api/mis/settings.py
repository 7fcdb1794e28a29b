"""What the settings of every adapter for a school's register have in common."""

import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from aphub.api.adapters import ConnectionSettings, RouteSettings
from aphub.api.errors import RefusedDeliveryError
from aphub.api.trust import why_untrusted


class State(StrEnum):
    """What their word about a write means."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    FAILED = "failed"


LIKELY_STATUSES: Mapping[str, State] = {
    "completed": State.CONFIRMED,
    "complete": State.CONFIRMED,
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
"""Words that are likely where a vocabulary is not published; a word that is not here counts as pending."""


class RegisterConnection(ConnectionSettings):
    """How to reach a register's API; a vendor's settings inherit it, with its own address and secret."""

    base_url: str = Field(description="address of the API, https only")
    ca_file: Path | None = Field(
        default=None, description="certificates to trust instead of the usual ones, as PEM"
    )
    page_size: int = Field(
        default=200, ge=1, le=1000, description="rows asked for on a page; they may give fewer"
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

    @property
    def host(self) -> str:
        """The host of the API, with its port where it has one of its own."""
        return urlsplit(self.base_url).netloc.casefold()

    def complaints(self, now: datetime) -> tuple[str, ...]:
        """Say why the certificates of ca_file cannot be trusted."""
        why = why_untrusted(self.ca_file, now)
        return (why,) if why else ()

    def trust(self) -> ssl.SSLContext | None:
        """Give the certificates to trust; None means the usual ones.

        Raises:
            RefusedDeliveryError: The file cannot be read.
        """
        if self.ca_file is None:
            return None
        try:
            return ssl.create_default_context(cafile=str(self.ca_file))
        except OSError as exc:
            raise RefusedDeliveryError(
                "The certificates in ca_file cannot be read. We have not sent anything.",
                code=type(exc).__name__,
                what_now="Check the path and that the file is PEM",
            ) from exc


class RegisterRoute(RouteSettings):
    """One school's register; a vendor's route inherits it, with the school's number there as `place` names it."""

    @property
    def place(self) -> str:
        """The school's number at the vendor."""
        raise NotImplementedError

    @property
    def says_more(self) -> bool:
        """Whether a comment is written beside the mark; by default their system keeps none."""
        return False

    def destination(self) -> str:
        """Name the school: a change of it needs approval again, a comment does not."""
        return json.dumps({"school": self.place})


class CommentedRoute(RegisterRoute):
    """One school's register that keeps a comment beside each mark."""

    comment: bool = Field(
        default=True, description="write our reference beside the mark; without it we cannot correct our own"
    )

    @property
    def says_more(self) -> bool:
        """Whether it was not switched off."""
        return self.comment
