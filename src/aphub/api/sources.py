"""Sources bring a provider's marks in, word for word."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from aphub.domain.errors import AphubError


class SourceSettings(BaseModel):
    """Settings of one source of one provider; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=SourceSettings)


class SourceRefusedError(AphubError):
    """The file cannot be read at all, so nothing of it was taken."""


@dataclass(slots=True)
class SourceRow:
    """One row as the register has it: text only, nothing interpreted.

    `day`, `starts` and `ends` are the source's own words, kept beside what they were read as.
    """

    number: int
    pupil_ref: str = field(repr=False, default="")
    upn: str = field(repr=False, default="")
    name: str = field(repr=False, default="")
    day: str = ""
    starts: str = ""
    session: str = ""
    mark: str = ""
    minutes: str = ""
    reason: str = field(repr=False, default="")
    recorded_at: str = ""
    recorded_by: str = field(repr=False, default="")
    action: str = field(repr=False, default="")
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """One original (a file, a page of an API) waiting to be taken in."""

    name: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)


class Source(ABC, Generic[S]):
    """Finds originals and reads their rows; the hub stores, matches and judges them."""

    name: ClassVar[str]
    settings_class: ClassVar[type[SourceSettings]]

    def __init__(self, settings: S) -> None:
        """Keep the validated settings."""
        self.settings = settings

    @abstractmethod
    def waiting(self) -> Iterator[SourceBatch]:
        """Give the originals that wait, oldest first."""

    @abstractmethod
    def rows(self, batch: SourceBatch) -> Iterator[SourceRow]:
        """Read one original row by row.

        Raises:
            SourceRefusedError: The original cannot be read at all.
        """

    @abstractmethod
    def settled(self, batch: SourceBatch, *, taken: bool, report: str) -> None:
        """Put the original away as taken or refused, with the report for people beside it."""
