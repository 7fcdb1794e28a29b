"""An SMTP server on loopback that keeps what it accepts in a Maildir: real TLS, real pipelining, and moods.

aiosmtpd was tried first: it refuses every DSN parameter with 555, sends one packet a reply however much was
pipelined, and cannot leave between a message's last dot and its 250, which is what fault tests need.
"""

import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.far_side import Mood
from aphub.sandbox.listening import ListeningFarSide
from aphub.sandbox.maildir import Maildir
from aphub.sandbox.smtp_session import SmtpSession, same
from aphub.sandbox.token_service import TokenService

SIZE_LIMIT = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One accepted message with its envelope; `raw` has the dots unstuffed and nothing else changed."""

    queue_id: str
    mail_from: str = field(repr=False)
    rcpt_to: tuple[str, ...] = field(repr=False)
    raw: bytes = field(repr=False)
    tls: str
    peer: tuple[str, int]
    options: tuple[str, ...] = ()
    signed_in_as: str = field(repr=False, default="")


class SmtpSink(ListeningFarSide):
    """A mail server that accepts, keeps and counts.

    `mode` is "starttls" or "tls". `credentials` (user to password), `tokens` (user to OAuth token) and
    `token_service` (who gives tokens out), when given, make sign-in necessary before MAIL. Nothing but EHLO and STARTTLS is answered before TLS (RFC 3207, 530).
    """

    def __init__(
        self,
        authority: DemoAuthority,
        maildir: Path,
        *,
        port: int = 0,
        mode: str = "starttls",
        names: Sequence[str] = LOOPBACK_NAMES,
        credentials: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
        token_service: TokenService | None = None,
        pipelining: bool = True,
        size_limit: int = SIZE_LIMIT,
        durable: bool = True,
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        if mode not in {"starttls", "tls"}:
            message = f'mode is "starttls" or "tls", not {mode!r}'
            raise ValueError(message)
        super().__init__(authority, port=port, names=names)
        self.mode = mode
        self.maildir = Maildir(maildir, durable=durable)
        self.credentials = dict(credentials or {})
        self.tokens = dict(tokens or {})
        self._token_service = token_service
        self.token_refusal = b'{"status":"401","schemes":"bearer"}'
        self.sign_in_refusal = "5.7.8 User name or password is wrong"
        self.pipelining = pipelining
        self.size_limit = size_limit
        self.offers_starttls = True
        self.byte_by_byte = False
        self.unknown_recipients: set[str] = set()
        self._received: list[ReceivedMail] = []
        self._in_clear: list[bytes] = []
        self._greylist = 0
        self._seen: dict[tuple[str, str], int] = {}

    # Moods of its own

    def accepts(self) -> None:
        """Take everything again."""
        with self._lock:
            self.offers_starttls, self.byte_by_byte, self._greylist = True, False, 0
            self.unknown_recipients = set()
        super().accepts()

    def is_busy(
        self, *, at: str = "mail", times: int | None = None, words: str = "451 4.3.2 Busy, come back later"
    ) -> None:
        """Answer with `words` at `at`: "mail", "rcpt", "data" or "dot"."""
        self._be(Mood("busy", at=at, words=words, times=times))

    def refuses(
        self, *, at: str = "rcpt", times: int | None = None, words: str = "5.1.1 No such mailbox here"
    ) -> None:
        """Answer 550 with `words` at `at`: "mail", "rcpt", "data", "dot", or "auth" (there 535)."""
        self._be(Mood("refuses", at=at, words=words, times=times))

    def has_no_starttls(self) -> None:
        """Offer no encryption."""
        self.offers_starttls = False

    def answers_byte_by_byte(self) -> None:
        """Send every answer one byte a packet."""
        self.byte_by_byte = True

    def greylists(self, tries: int) -> None:
        """Put off the first `tries` tries of each sender and recipient with 450."""
        with self._lock:
            self._greylist, self._seen = tries, {}

    def does_not_know(self, *addresses: str) -> None:
        """Refuse these recipients with 550 and take the others of the same message."""
        with self._lock:
            self.unknown_recipients |= {address.casefold() for address in addresses}

    # What it holds

    @property
    def received(self) -> list[ReceivedMail]:
        """Every message that it kept, in order."""
        with self._lock:
            return list(self._received)

    @property
    def received_in_clear(self) -> bytes:
        """What came over the bare wire before any TLS, the TLS packets themselves left out."""
        with self._lock:
            return b"".join(self._in_clear)

    def wait_for(self, count: int, seconds: float = 5.0) -> bool:
        """Wait until `count` messages are kept; say whether they are."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._received) >= count, seconds)

    # For the session

    def serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        """Hold one SMTP conversation."""
        SmtpSession(self, connection, peer).run()

    def heard(self, chunk: bytes, *, in_clear: bool) -> None:
        """Record what a client said."""
        with self._lock:
            self._record(chunk)
            if in_clear:
                self._in_clear.append(chunk)

    @property
    def takes_tokens(self) -> bool:
        """Whether a token is a way to sign in here."""
        return bool(self.tokens) or self._token_service is not None

    def opens(self, user: str, token: str) -> bool:
        """Say whether this token lets this user in."""
        if self._token_service is not None and self._token_service.opens(user, token):
            return True
        return same(self.tokens.get(user), token)

    def obstacle(self, at: str) -> str:
        """Give the reply that the mood has for this step, empty when nothing stands in the way."""
        busy = self._takes("busy", at)
        if busy:
            return busy.words
        mood = self._takes("refuses", at)
        if mood:
            return f"535 {mood.words}" if at == "auth" else f"550 {mood.words}"
        return ""

    def recipient_obstacle(self, sender: str, recipient: str) -> str:
        """Give the reply that this recipient earns, empty when it is welcome."""
        with self._lock:
            if recipient.casefold() in self.unknown_recipients:
                return "550 5.1.1 No such mailbox here"
            if self._greylist:
                tries = self._seen.get((sender, recipient), 0) + 1
                self._seen[sender, recipient] = tries
                if tries <= self._greylist:
                    return "450 4.2.0 Greylisted, come back later"
        return self.obstacle("rcpt")

    def pause(self, name: str = "slow") -> None:
        """Wait if the mood is this one."""
        self._waits(name)

    def cut(self) -> Mood | None:
        """Say whether to leave now, after the dot and before the 250."""
        return self._takes("cuts_off")

    def keep(self, mail: ReceivedMail) -> None:
        """Write a message to the Maildir and count it."""
        self.maildir.keep(mail.queue_id, mail.raw, int(time.time()))
        with self._lock:
            self._received.append(mail)
            self._lock.notify_all()

    @staticmethod
    def queue_id() -> str:
        """Make a queue id: ten letters and digits, as Postfix writes them."""
        return secrets.token_hex(5).upper()

    def new_mail(
        self,
        *,
        mail_from: str,
        rcpt_to: Sequence[str],
        raw: bytes,
        tls: str,
        peer: tuple[str, int],
        options: Sequence[str],
        signed_in_as: str,
    ) -> ReceivedMail:
        """Put a message together under a new queue id."""
        return ReceivedMail(
            self.queue_id(), mail_from, tuple(rcpt_to), raw, tls, peer, tuple(options), signed_in_as
        )
