"""What the hub lends to an adapter: HTTP clients, the time, where it may go, and what it remembers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import httpx

from aphub.api.callbacks import Callbacks, NoCallbacks
from aphub.api.reach import Reach
from aphub.domain.calls import CallResult

if TYPE_CHECKING:
    from aphub.api.adapters import Delivery


class Memory(Protocol):
    """What an adapter may keep from one burst to the next: whose id is which at a far side.

    The hub keeps it sealed, under a keyed index, and erases it with the pupil. `place` names the far side's school.
    """

    def recall(self, place: str, upns: Sequence[str]) -> dict[str, str]:
        """Give the ids that are remembered."""

    def remember(self, place: str, ids: Mapping[str, str]) -> None:
        """Keep the ids of these numbers (UPN)."""

    def forget(self, place: str, upns: Sequence[str]) -> None:
        """Forget these, since the far side no longer knows them so."""


class NoMemory:
    """Remembers nothing, for adapters outside a hub."""

    def recall(self, place: str, upns: Sequence[str]) -> dict[str, str]:  # noqa: ARG002 - as promised
        """Give nothing."""
        return {}

    def remember(self, place: str, ids: Mapping[str, str]) -> None:
        """Keep nothing."""

    def forget(self, place: str, upns: Sequence[str]) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """What came of a telephone call that a person made in place of a delivery.

    `repeated` says that whoever answered repeated the message.
    """

    result: CallResult
    called_by: str
    at: datetime
    answered_by: str = field(repr=False, default="")
    repeated: bool = False


def nobody_phoned(_delivery: "Delivery") -> PhoneCall | None:
    """Say that nobody has telephoned yet."""
    return None


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends to an adapter: HTTP clients with its time-outs, the time, where it may go, what it remembers.

    The clients keep to `reach` by themselves; an adapter that connects by other means asks it. `wait` lets the
    seconds pass that a far side wants between two requests. `phone` gives what came of the newest call that a person made
    for a delivery, for adapters that ask a person. `callbacks` gives addresses that the far side may call.
    """

    http: Callable[..., httpx.Client]
    now: Callable[[], datetime]
    reach: Reach = field(default_factory=Reach)
    memory: Memory = field(default_factory=NoMemory)
    wait: Callable[[float], None] = time.sleep
    phone: "Callable[[Delivery], PhoneCall | None]" = nobody_phoned
    callbacks: Callbacks = field(default_factory=NoCallbacks)
