"""Many messages through one session: commands sent together where the server allows it (RFC 2920).

A message's content and the next message's commands leave in one write, so a message costs one round trip instead of
four; while the server works on them, the answer before is told and the message after is made ready. What became of each
message is told apart, also when the connection ends on the way.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aphub.api import DeliveryError, UncertainDeliveryError
from aphub_email import words
from aphub_email.session import Session
from aphub_email.wire import LineLostError, Reply

_START_MAIL_INPUT = 354
_CLOSING = 421
_NO_CONTENT = b".\r\n"
_ENVELOPE_ID = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message with its one envelope recipient."""

    key: str
    sender: str
    recipient: str
    content: bytes = field(repr=False)


Outcome = Reply | DeliveryError
"""The 250 with which the server took a message, or why it did not."""


class SessionEndedError(Exception):
    """The session ended: letters without an outcome have not arrived."""

    def __init__(self, because: DeliveryError) -> None:
        """Keep what stopped it, in words."""
        self.because = because
        super().__init__(str(because))


@dataclass(slots=True)
class _Ready:
    """A letter ready to leave: the commands that announce it, and its content as it travels."""

    letter: Letter
    commands: list[bytes] = field(repr=False)
    content: bytes = field(repr=False)
    refused: DeliveryError | None = None


Told = list[tuple[Letter, Outcome]]


def send_letters(session: Session, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Outcome]]:
    """Send letters in order, giving each outcome before the one after the next leaves; a no before anything more does.

    Raises:
        SessionEndedError: After the outcome of the letter whose content was on its way, if there was one.
    """
    waiting = iter(letters)
    known: Told = []
    opened: _Ready | None = None  # the server waits for its content
    coming = _next_ready(session, waiting, known)
    try:
        while opened or coming:
            commands = _announcing(session, coming) if coming else []
            _send(session, opened, b"".join(commands) if session.pipelining else b"", known)
            # The server has something to do now, and so have we.
            yield from _told(known)
            following = _next_ready(session, waiting, known)
            if opened:
                _settle(session, opened, known)
                if isinstance(known[-1][1], DeliveryError):
                    yield from _told(known)
            opened = _envelope(session, coming, commands, known) if coming else None
            if coming and not opened:
                yield from _told(known)
            coming = following
    except SessionEndedError:
        yield from _told(known)
        raise
    yield from _told(known)


def _told(known: Told) -> Iterator[tuple[Letter, Outcome]]:
    """Give each outcome once."""
    while known:
        yield known.pop(0)


def _next_ready(session: Session, waiting: Iterator[Letter], known: Told) -> _Ready | None:
    """Make the next letter ready; what cannot go through this session at all has its outcome now."""
    for letter in waiting:
        content = stuffed(letter.content)
        problem = _unfit(session, letter)
        if problem is None:
            return _Ready(letter, _commands(session, letter), content)
        known.append((letter, problem))
    return None


def stuffed(content: bytes) -> bytes:
    """Give a message as it travels: dots doubled, and the dot that ends it (RFC 5321 section 4.5.2)."""
    dotted = content.replace(b"\r\n.", b"\r\n..")
    if dotted.startswith(b"."):
        dotted = b"." + dotted
    return dotted + (b".\r\n" if dotted.endswith(b"\r\n") or not dotted else b"\r\n.\r\n")


def _unfit(session: Session, letter: Letter) -> DeliveryError | None:
    """Say why a letter cannot go through this session at all."""
    # Single bytes are replaced in a fifth of the time in which pairs are counted.
    if letter.content.replace(b"\r", b"").replace(b"\n", b"\r\n") != letter.content:
        return words.malformed()
    if not letter.content.isascii() and "8BITMIME" not in session.features:
        return words.malformed()
    if session.largest and len(letter.content) > session.largest:
        return words.too_large()
    return None


def _commands(session: Session, letter: Letter) -> list[bytes]:
    """Write the commands that come before a content."""
    eight = b"" if letter.content.isascii() else b" BODY=8BITMIME"
    size = b" SIZE=%d" % len(letter.content) if "SIZE" in session.features else b""
    # A report says which message it is about, and brings only its headers back (RFC 3461).
    asks = session.connection.imap_host and "DSN" in session.features and _ENVELOPE_ID.fullmatch(letter.key)
    envelope = b" RET=HDRS ENVID=%s" % letter.key.encode() if asks else b""
    notify = b" NOTIFY=SUCCESS,FAILURE,DELAY" if asks else b""
    return [
        b"MAIL FROM:<%s>%s%s%s\r\n" % (letter.sender.encode("ascii"), size, eight, envelope),
        b"RCPT TO:<%s>%s\r\n" % (letter.recipient.encode("ascii"), notify),
        b"DATA\r\n",
    ]


def _announcing(session: Session, coming: _Ready) -> list[bytes]:
    """Give the commands that announce a letter; an envelope that was left open is reset first."""
    return [b"RSET\r\n", *coming.commands] if session.stale else coming.commands


def _envelope(session: Session, coming: _Ready, commands: list[bytes], known: Told) -> _Ready | None:
    """Give the letter if the server waits for its content now; if not, why is known."""
    at_once = session.pipelining
    refused, waits = (
        _envelope_at_once(session, len(commands)) if at_once else _envelope_by_steps(session, commands)
    )
    coming.refused = refused
    if refused and waits:
        # A server may say 354 although it took no recipient: then an empty message ends it (RFC 2920 3.1).
        coming.content = _NO_CONTENT
    elif refused:
        known.append((coming.letter, refused))
    return coming if waits else None


def _envelope_at_once(session: Session, count: int) -> tuple[DeliveryError | None, bool]:
    """Read the answers to commands that were sent together."""
    replies = [_answer(session) for _ in range(count)]
    return _judge(session, replies[-3:])


def _envelope_by_steps(session: Session, commands: list[bytes]) -> tuple[DeliveryError | None, bool]:
    """Send one command after the other, and stop at the first no."""
    replies: list[Reply] = []
    for place, command in enumerate(commands, 3 - len(commands)):
        _write(session, command)
        reply = _answer(session)
        if place >= 0:
            replies.append(reply)
            if not reply.ok:
                break
    return _judge(session, replies)


def _judge(session: Session, replies: list[Reply]) -> tuple[DeliveryError | None, bool]:
    """Say why the server does not take the envelope, if so, and whether it waits for content."""
    waits = replies[-1].code == _START_MAIL_INPUT
    session.stale = replies[0].ok and not waits
    if not replies[0].ok:
        return words.sender_refused(replies[0]), waits
    if not replies[1].ok:
        return words.recipient_refused(replies[1]), waits
    return (None if waits else words.message_refused(replies[-1])), waits


def _send(session: Session, opened: _Ready | None, following: bytes, known: Told) -> None:
    """Send a content, if the server waits for one, with what follows it."""
    content = opened.content if opened else b""
    try:
        session.wire.write(content + following)
    except LineLostError as exc:
        host = session.connection.host
        if opened:
            # The dot decides: without it the server may not take the message (RFC 5321 section 4.1.1.4).
            problem = _uncertain(host) if exc.arrived >= len(content) else words.lost(host)
            known.append((opened.letter, opened.refused or problem))
        raise SessionEndedError(words.lost(host)) from exc


def _settle(session: Session, last: _Ready, known: Told) -> None:
    """Read what became of a content."""
    reply = _answer_to_content(session)
    if reply is None:
        host = session.connection.host
        known.append((last.letter, last.refused or _uncertain(host)))
        raise SessionEndedError(words.lost(host))
    session.taken += reply.ok
    known.append((last.letter, last.refused or (reply if reply.ok else words.message_refused(reply))))
    if reply.code == _CLOSING:
        raise SessionEndedError(words.message_refused(reply))


def _write(session: Session, content: bytes) -> None:
    """Write commands; no message can have arrived by them."""
    try:
        session.wire.write(content)
    except LineLostError as exc:
        raise SessionEndedError(words.lost(session.connection.host)) from exc


def _answer(session: Session) -> Reply:
    """Read the answer to a command."""
    try:
        reply = session.wire.reply()
    except LineLostError as exc:
        raise SessionEndedError(words.lost(session.connection.host)) from exc
    if reply.code == _CLOSING:
        raise SessionEndedError(words.message_refused(reply))
    return reply


def _answer_to_content(session: Session) -> Reply | None:
    """Read what became of a message; nothing if no answer came, or one that says neither yes nor no."""
    try:
        reply = session.wire.reply()
    except LineLostError:
        return None
    return reply if reply.ok or reply.code >= 400 else None  # noqa: PLR2004 - RFC 5321 4.2.1


def _uncertain(host: str) -> UncertainDeliveryError:
    """Say that only the answer is missing."""
    return UncertainDeliveryError(
        f"The mail server {host} had the whole message and then stopped answering. It may have arrived.",
        what_now="Ask the school whether they have it, quoting the reference.",
    )
