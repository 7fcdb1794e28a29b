"""What an adapter says for people to act on: what will end soon, and what a far side's IT team is asked to allow."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """Something a way rests on that ends at an instant: a certificate, a key, somebody's word; `mend` is what to do before."""

    what: str
    at: datetime
    mend: str


@dataclass(frozen=True, slots=True)
class ForTheirIt:
    """What the page for a far side's IT team says of an adapter's way: what is sent, the facts of it, what to allow."""

    sends: str
    facts: tuple[tuple[str, str], ...]
    allow: tuple[str, ...]
