"""What the kit asks of a place in which far sides say things later, and the one that ships: a mailbox read over IMAP."""

from typing import Protocol

from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.imap import ImapStandIn
from aphub.testing import PLANTED_PUPIL

_ANSWER = """From: office@hill-school.example.org\r
Message-ID: <{number}@hill-school.example.org>\r
Subject: Re: AP attendance\r
{about}\r
\r
{words}\r
"""


class LaterFarSide(Protocol):
    """A mailbox, a folder or an API in which answers arrive; a mood holds until the next one is set."""

    def says(self, reference: str) -> None:
        """Let something arrive about a delivery with this key; it names the planted pupil, as people do."""

    def says_nothing_of_ours(self) -> None:
        """Let something arrive that is about no delivery of ours."""

    def is_unreachable(self) -> None:
        """Let nobody connect."""

    def accepts(self) -> None:
        """Let everybody connect again."""

    @property
    def changes(self) -> int:
        """How often somebody changed something there."""


class ImapFarSide:
    """A mailbox; `domain` is that of our Message-IDs."""

    def __init__(self, authority: DemoAuthority, *, user: str, password: str, domain: str) -> None:
        """Start it."""
        self.stand_in = ImapStandIn(authority, user=user, password=password).start()
        self._domain = domain
        self._number = 0

    def says(self, reference: str) -> None:
        """Let somebody answer."""
        self._arrives(f"In-Reply-To: <{reference}@{self._domain}>")

    def says_nothing_of_ours(self) -> None:
        """Let somebody write about something else."""
        self._arrives("X-Other: thing")

    def is_unreachable(self) -> None:
        """Stop listening."""
        self.stand_in.is_unreachable()

    def accepts(self) -> None:
        """Listen again."""
        self.stand_in.accepts()

    @property
    def changes(self) -> int:
        """How many commands would have changed the mailbox."""
        return len(self.stand_in.changes)

    def close(self) -> None:
        """Stop."""
        self.stand_in.stop()

    def _arrives(self, about: str) -> None:
        self._number += 1
        words = f"{PLANTED_PUPIL.given_name} {PLANTED_PUPIL.family_name} is at home today."
        self.stand_in.arrives(_ANSWER.format(number=self._number, about=about, words=words).encode())
