"""Sources bring a provider's marks in, word for word."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
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

    `day`, `starts` and the others are the source's own words. `number` is the row as people count it in the file.
    `problem` says in plain words what is wrong with the row's shape, without repeating what stands in it.
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

    def __init__(self, settings: S, home: Path | None = None) -> None:
        """Keep the validated settings, and the hub's home folder, where relative paths begin."""
        self.settings = settings
        self.home = home or Path()

    @abstractmethod
    def waiting(self) -> Iterator[SourceBatch]:
        """Give the originals that wait, oldest first."""

    @abstractmethod
    def rows(self, batch: SourceBatch) -> Iterator[SourceRow]:
        """Read one original row by row, in the same order whenever it is asked.

        Raises:
            SourceRefusedError: The original cannot be read at all; raised before the first row.
        """

    @abstractmethod
    def settled(self, batch: SourceBatch, *, taken: bool, report: str, sealed: bytes) -> None:
        """Put the original away as taken or refused, with the report for people beside it.

        `sealed` is the original as only the hub can open it: a source that leaves files keeps these bytes in the place
        of the plain ones. It may be called again for the same original, when the hub stopped in between.
        """
