"""An SMTP far side: the stand-in of `aphub.sandbox`, with the kit's moods."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aphub.conformance.far_sides import Kept
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.smtp import SmtpSink


class _CountingSink(SmtpSink):
    """Counts the messages that somebody began."""

    begun = 0

    def obstacle(self, at: str) -> str:
        """Every MAIL command asks for this one."""
        self.begun += at == "mail"
        return super().obstacle(at)


class SmtpFarSide:
    """A mail server on loopback; `sink` is the stand-in, for more of its moods."""

    keeps_names = False
    asks_to_wait: timedelta | None = None

    def __init__(self, authority: DemoAuthority, maildir: Path, **options: Any) -> None:
        """Start the server; `options` are the stand-in's, such as `credentials` or `mode`."""
        self.sink = _CountingSink(authority, maildir, **options)
        self.sink.start()

    def close(self) -> None:
        """Stop the server."""
        self.sink.stop()

    def accepts(self) -> None:
        """Take everything."""
        self.sink.accepts()

    def refuses(self) -> None:
        """Say that there is no such mailbox."""
        self.sink.accepts()
        self.sink.refuses()

    def is_busy(self) -> None:
        """Say 451 to MAIL."""
        self.sink.accepts()
        self.sink.is_busy()

    def is_unreachable(self) -> None:
        """Close the port."""
        self.sink.is_unreachable()

    def cuts_off_after_reading(self) -> None:
        """Keep the message, and leave before the 250."""
        self.sink.accepts()
        self.sink.cuts_off_after_reading(kept=True)

    def falls_silent(self) -> None:
        """Keep every command waiting."""
        self.sink.accepts()
        self.sink.is_slow(120)

    @property
    def received(self) -> tuple[Kept, ...]:
        """The messages, known again by their Message-ID."""
        return tuple(Kept(mail.raw, identity=_message_id(mail.raw)) for mail in self.sink.received)

    @property
    def everything(self) -> bytes:
        """All that was said to it."""
        return self.sink.received_bytes

    @property
    def tries(self) -> int:
        """How many messages were begun."""
        return self.sink.begun

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """Its port."""
        return frozenset({self.sink.address})


def _message_id(raw: bytes) -> str:
    return str(message_from_bytes(raw, policy=default).get("Message-ID", ""))
