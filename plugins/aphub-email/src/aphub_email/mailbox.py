"""Read the mailbox in which answers arrive, over IMAP with verified TLS; nothing in it is changed."""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from aphub.api import Collected, LaterNews, Reach, RefusedDeliveryError, TransientDeliveryError
from aphub_email import words
from aphub_email.answers import read_answer
from aphub_email.session import xoauth2
from aphub_email.settings import EmailConnection
from aphub_email.tokens import Tokens
from aphub_email.trust import trusted

_LOOKS_BACK = timedelta(days=3)
_AT_ONCE = 50
_MOST_BYTES = 131_072
_CANNOT_ASK = "[UNAVAILABLE]"
"""What a server says that could not find out whether we may come in (RFC 5530 section 3)."""
_UID = re.compile(rb"UID ([0-9]+)")


class _Imap(imaplib.IMAP4_SSL):
    """Connects only to addresses that may be talked to."""

    def __init__(self, connection: EmailConnection, allowed: Reach, context: ssl.SSLContext) -> None:
        self._allowed = allowed
        host, port = connection.imap_host, connection.imap_port
        super().__init__(host, port, ssl_context=context, timeout=connection.timeout)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        [address, *_] = self._allowed.only(self.host, [str(one[4][0]) for one in found])
        bare = socket.create_connection((address, self.port), timeout)
        try:
            return self.ssl_context.wrap_socket(bare, server_hostname=self.host)  # type: ignore[no-any-return]
        except BaseException:
            bare.close()
            raise


def collect(
    connection: EmailConnection, allowed: Reach, after: str, now: datetime, tokens: Tokens | None = None
) -> Collected:
    """Give what came since the mark `after` (the folder's UIDVALIDITY and the last UID read); at first, three days.

    Raises:
        TransientDeliveryError: The mailbox cannot be reached or read now.
        RefusedDeliveryError: It is not who it should be, or does not let us in.
    """
    host = connection.imap_host
    if tokens is not None:
        tokens.token()
    try:
        imap = _Imap(connection, allowed, trusted(connection.ca_file))
    except ssl.SSLError as exc:
        raise words.not_verified(host, exc) from exc
    except (OSError, imaplib.IMAP4.error) as exc:
        raise words.not_reached(host, connection.imap_port) from exc
    try:
        return _collected(imap, connection, after, now, tokens)
    except imaplib.IMAP4.abort as exc:
        raise words.lost(host) from exc
    except (OSError, imaplib.IMAP4.error) as exc:
        raise TransientDeliveryError(f"The mailbox at {host} could not be read.") from exc
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            imap.logout()


class _Answer:
    """What to say to the server's invitation; then nothing, which ends its challenge that says why not."""

    def __init__(self, said: bytes) -> None:
        self._said = [said]

    def __call__(self, _: bytes) -> bytes:
        return self._said.pop() if self._said else b""


def _sign_in(imap: _Imap, connection: EmailConnection, tokens: Tokens | None) -> None:
    try:
        if tokens is None:
            imap.login(connection.username, connection.password.get_secret_value())
        else:
            _sign_in_with_token(imap, connection, tokens)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as exc:
        # The server's words may repeat what we sent.
        if _CANNOT_ASK in str(exc):
            raise TransientDeliveryError(
                f"{words.who(connection.imap_host)} cannot check the sign-in now."
            ) from None
        what = "username and password" if tokens is None else "that our application may read it"
        raise RefusedDeliveryError(
            f"{words.who(connection.imap_host)} refused the sign-in to the mailbox.",
            what_now=f"Check {what}, and that IMAP is switched on for this mailbox.",
        ) from None


def _sign_in_with_token(imap: _Imap, connection: EmailConnection, tokens: Tokens) -> None:
    """Show a token; one that was kept and is refused is asked for anew, once."""
    while True:
        answer = _Answer(xoauth2(connection.user, tokens.token().get_secret_value()))
        try:
            imap.authenticate("XOAUTH2", answer)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as exc:
            if _CANNOT_ASK in str(exc) or not tokens.forget():
                raise
        else:
            return


def _collected(
    imap: _Imap, connection: EmailConnection, after: str, now: datetime, tokens: Tokens | None
) -> Collected:
    _sign_in(imap, connection, tokens)
    status, _ = imap.select(f'"{connection.imap_folder}"', readonly=True)
    if status != "OK":
        raise RefusedDeliveryError(f"The mailbox has no folder {connection.imap_folder}.")
    validity = (imap.response("UIDVALIDITY")[1] or [b""])[0] or b"0"
    stood, _, last = after.partition(":")
    known = stood == validity.decode() and last.isdecimal()
    day = (now - _LOOKS_BACK).strftime("%d-%b-%Y")
    wanted = f"UID {int(last) + 1}:*" if known else f"SINCE {day}"
    found = imap.uid("SEARCH", wanted)[1][0] or b""
    # A range that ends in * always names the last message, also when it was read before.
    uids = sorted(uid for uid in map(int, found.split()) if not known or uid > int(last))
    some = uids[:_AT_ONCE]
    news = tuple(_news(imap, connection, some))
    end = some[-1] if some else (int(last) if known else 0)
    return Collected(f"{validity.decode()}:{end}", news, more=len(uids) > len(some))


def _news(imap: _Imap, connection: EmailConnection, uids: list[int]) -> Iterator[LaterNews]:
    if not uids:
        return
    domain = connection.from_address.rpartition("@")[2]
    chosen = ",".join(map(str, uids))
    _, parts = imap.uid("FETCH", chosen, f"(UID BODY.PEEK[]<0.{_MOST_BYTES}>)")
    for part in parts:
        if isinstance(part, tuple):
            uid = _UID.search(part[0])
            identity = f"{connection.imap_host} {uid.group(1).decode() if uid else ''}"
            answer = read_answer(bytes(part[1]), identity, domain, connection.from_address)
            if answer is not None:
                yield answer
