"""What a far side says later, by itself: a message came back, waits, was read by a machine, or answered by a person."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LaterKind(StrEnum):
    """What kind of news it is, by what the hub does about it."""

    ACCEPTED = "accepted"
    """The far side says that the message lies in its mailbox."""
    DELAYED = "delayed"
    """Not there yet; somebody's server goes on trying."""
    BOUNCED = "bounced"
    """It will never arrive."""
    AUTOMATIC = "automatic"
    """A machine answered, such as one that says who is away."""
    LEFT = "left"
    """A machine answered that nobody reads this address any more."""
    REPLY = "reply"
    """A person answered."""


@dataclass(frozen=True, slots=True)
class LaterNews:
    """One piece of news about a message that was handed over.

    `identity` names it for good, so that it is never taken twice. `about` are references of ours (a delivery's `key`),
    the surest first. `what` is said to people, in plain English and without personal data; `words` are the far side's
    own, kept sealed.
    """

    kind: LaterKind
    identity: str
    about: tuple[str, ...]
    what: str = ""
    code: str = ""
    words: str = field(repr=False, default="")
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """Some news and the mark from which to go on; the hub keeps both together, so nothing is lost or taken twice."""

    mark: str
    news: tuple[LaterNews, ...] = ()
    more: bool = False
