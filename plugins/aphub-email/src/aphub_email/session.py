"""The way in: find the server, connect, encrypt, verify, sign in."""

import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass, field

from aphub.api import Reach, RefusedDeliveryError
from aphub_email import words
from aphub_email.settings import EmailConnection
from aphub_email.wire import LineLostError, Reply, TlsProof, Wire, tls_context

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


def open_session(connection: EmailConnection, allowed: Reach) -> Session:
    """Connect, verify and sign in.

    Raises:
        TransientDeliveryError: The server cannot be reached now.
        RefusedDeliveryError: It is not who it should be, does not encrypt, or will not let us in.
    """
    wire = reach(connection, find(connection, allowed))
    try:
        session = secure(connection, wire)
        sign_in(session)
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


def sign_in(session: Session) -> None:
    """Sign in with a password, if there is one (RFC 4954); the line is encrypted by now."""
    connection = session.connection
    if not connection.username:
        return
    offered = session.features.get("AUTH", "").upper().split()
    user, password = connection.username.encode(), connection.password.get_secret_value().encode()
    try:
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
        context = tls_context(connection.ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise RefusedDeliveryError(
            "The file of trusted authorities cannot be read. We have not sent anything.",
            what_now="Check ca_file: it must be a PEM file that this user may read.",
        ) from exc
    try:
        return wire.encrypt(connection.host, context)
    except ssl.SSLError as exc:
        raise words.not_verified(connection.host, exc) from exc
    except OSError as exc:
        raise words.lost(connection.host) from exc
