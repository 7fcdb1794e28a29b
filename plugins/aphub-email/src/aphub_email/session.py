"""The way in: find the server, connect, encrypt, verify, sign in."""

import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass, field

from aphub.api import Reach
from aphub_email import token_words, words
from aphub_email.settings import EmailConnection
from aphub_email.tokens import Tokens
from aphub_email.trust import trusted
from aphub_email.wire import LineLostError, Reply, TlsProof, Wire

_READY = 220
_GO_ON = 334


@dataclass(slots=True)
class Session:
    """A verified, signed-in connection, and what the server announced after encryption began.

    `taken` counts the messages that the server took; `stale` says that an envelope is open and must be reset.
    """

    connection: EmailConnection
    wire: Wire = field(repr=False)
    proof: TlsProof
    features: dict[str, str]
    taken: int = 0
    stale: bool = False

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent together."""
        return self.connection.pipelining == "auto" and "PIPELINING" in self.features

    @property
    def largest(self) -> int:
        """The most bytes that the server takes in a message (RFC 1870); 0 means it does not say."""
        size = self.features.get("SIZE", "")
        return int(size) if size.isdecimal() else 0

    def leave(self) -> None:
        """Say goodbye; a server that does not answer it is not waited for."""
        self.wire.goodbye()


def open_session(connection: EmailConnection, allowed: Reach, tokens: Tokens | None = None) -> Session:
    """Connect, verify and sign in, with a token where `tokens` gives them.

    Raises:
        TransientDeliveryError: The server cannot be reached now.
        RefusedDeliveryError: It is not who it should be, does not encrypt, or will not let us in.
    """
    if tokens is not None:
        tokens.token()  # asked for first: a server does not wait long for a sign-in
    wire = reach(connection, find(connection, allowed))
    try:
        session = secure(connection, wire)
        sign_in(session, tokens)
    except BaseException:
        wire.close()
        raise
    return session


Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def find(connection: EmailConnection, allowed: Reach) -> list[Address]:
    """Ask the name service for the server's addresses, and leave out those that may not be talked to.

    Raises:
        TransientDeliveryError: There are none.
        RefusedDeliveryError: All of them are inside a private network that the operator did not list.
    """
    try:
        found = socket.getaddrinfo(connection.host, connection.actual_port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise words.not_found(connection.host) from exc
    good = set(allowed.only(connection.host, [str(address[0]) for *_, address in found]))
    return [(family, address) for family, _, _, _, address in found if str(address[0]) in good]


def reach(connection: EmailConnection, addresses: list[Address]) -> Wire:
    """Connect to the first address that answers."""
    problem: OSError | None = None
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(connection.timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as exc:
            sock.close()
            problem = exc
            continue
        return Wire(sock, connection.timeout)
    raise words.not_reached(connection.host, connection.actual_port) from problem


def secure(connection: EmailConnection, wire: Wire) -> Session:
    """Encrypt and verify; only what the server says after that counts (RFC 3207 section 4.2)."""
    host = connection.host
    try:
        if connection.security == "starttls":
            _greet(connection, wire)
            if "STARTTLS" not in _hello(connection, wire):
                raise words.no_encryption(host)
            reply = wire.ask(b"STARTTLS")
            if reply.code != _READY:
                raise words.no_encryption(host, reply)
            proof = _encrypt(connection, wire)
        else:
            proof = _encrypt(connection, wire)
            _greet(connection, wire)
        return Session(connection, wire, proof, _hello(connection, wire))
    except LineLostError as exc:
        raise words.lost(host) from exc


def sign_in(session: Session, tokens: Tokens | None = None) -> None:
    """Sign in with a token or a password, if there is one (RFC 4954); the line is encrypted by now."""
    connection = session.connection
    if not connection.user:
        return
    offered = session.features.get("AUTH", "").upper().split()
    try:
        if tokens is not None:
            _sign_in_with_token(session, tokens, offered)
            return
        user, password = connection.username.encode(), connection.password.get_secret_value().encode()
        if "PLAIN" in offered:
            reply = session.wire.ask(b"AUTH PLAIN " + b64encode(b"\0" + user + b"\0" + password))
        elif "LOGIN" in offered:
            reply = _login(session.wire, user, password)
        else:
            raise words.no_sign_in(connection.host)
    except LineLostError as exc:
        raise words.lost(connection.host) from exc
    if not reply.ok:
        raise words.sign_in_refused(connection.host, reply)


def xoauth2(user: str, token: str) -> bytes:
    """Write what XOAUTH2 sends, as Google and Microsoft both describe it."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _sign_in_with_token(session: Session, tokens: Tokens, offered: list[str]) -> None:
    """Show a token; one that was kept and is refused is asked for anew, once."""
    connection = session.connection
    if "XOAUTH2" not in offered:
        raise token_words.no_xoauth2(words.who(connection.host))
    while True:
        answer = b64encode(xoauth2(connection.user, tokens.token().get_secret_value()))
        reply, challenge = session.wire.ask(b"AUTH XOAUTH2 " + answer), ""
        if reply.code == _GO_ON:
            # The reason comes as a challenge; only after an empty line does the refusal itself.
            challenge = " ".join(reply.lines)
            reply = session.wire.ask(b"")
        if reply.ok:
            return
        if reply.transient or not tokens.forget():
            who = words.who(connection.host)
            raise token_words.token_refused(who, reply, challenge, connection.asked_for("send"))


def _login(wire: Wire, user: bytes, password: bytes) -> Reply:
    """Sign in the old way, which some servers offer alone."""
    reply = wire.ask(b"AUTH LOGIN")
    for answer in (user, password):
        if reply.code != _GO_ON:
            break
        reply = wire.ask(b64encode(answer))
    return reply


def _greet(connection: EmailConnection, wire: Wire) -> None:
    """Read the server's first words."""
    reply = wire.reply()
    if not reply.ok:
        raise words.greeting_refused(connection.host, reply)


def _hello(connection: EmailConnection, wire: Wire) -> dict[str, str]:
    """Say EHLO and give the announced extensions by name."""
    reply = wire.ask(b"EHLO " + connection.actual_helo_name.encode())
    if not reply.ok:
        raise words.greeting_refused(connection.host, reply)
    features: dict[str, str] = {}
    for line in reply.lines[1:]:
        name, _, rest = (
            line.replace("=", " ", 1).partition(" ") if line.startswith("AUTH=") else line.partition(" ")
        )
        features[name.upper()] = f"{features.get(name.upper(), '')} {rest}".strip()
    return features


def _encrypt(connection: EmailConnection, wire: Wire) -> TlsProof:
    """Begin TLS, with every way in which it can fail in words."""
    try:
        return wire.encrypt(connection.host, trusted(connection.ca_file))
    except ssl.SSLError as exc:
        raise words.not_verified(connection.host, exc) from exc
    except OSError as exc:
        raise words.lost(connection.host) from exc
