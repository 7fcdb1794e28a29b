"""What the kit asks of a far side that is faked at the wire: moods, and a record of what it kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that lies at the far side.

    `identity` is by what the far side could recognise a repetition: a Message-ID, an idempotency key, a file name.
    """

    content: bytes = field(repr=False)
    name: str = ""
    identity: str = ""


class WrittenMark(NamedTuple):
    """One mark as it stands in a school's register."""

    upn: str
    day: str
    session: str
    code: str


class FarSide(Protocol):
    """A school's or council's system, faked at the wire; a mood holds until the next one is set.

    `tries` counts how often somebody began to hand something over; asking, listing and reading do not count.
    `asks_to_wait` is what `is_busy` tells the caller to wait, if it says so at all. `addresses` are the only hosts
    and ports that an adapter may connect to; empty for a fake inside the process.
    """

    asks_to_wait: timedelta | None
    keeps_names: bool

    def accepts(self) -> None:
        """Take everything."""

    def refuses(self) -> None:
        """Say no, for good."""

    def is_busy(self) -> None:
        """Say "not now" and keep nothing."""

    def is_unreachable(self) -> None:
        """Let nobody connect."""

    def cuts_off_after_reading(self) -> None:
        """Read and keep everything, and leave without an answer."""

    def falls_silent(self) -> None:
        """Take the connection and never answer."""

    @property
    def received(self) -> Sequence[Kept]:
        """What lies there, in order of arrival."""

    @property
    def everything(self) -> bytes:
        """All bytes that reached it, after decryption."""

    @property
    def tries(self) -> int:
        """How often something was begun."""

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """Where it listens."""


@runtime_checkable
class RowFarSide(FarSide, Protocol):
    """A far side that is told rows instead of documents: a school's register."""

    @property
    def written(self) -> frozenset[WrittenMark]:
        """The marks that were written and stand."""


MOODS = ("accepts", "refuses", "is_busy", "is_unreachable", "cuts_off_after_reading")
"""The moods that every rule about "in every mood" goes through."""
