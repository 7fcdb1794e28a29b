"""One connection to an SFTP server: the right server, our key, nothing else tried."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncssh
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from aphub.api import DeliveryError, Reach, TransientDeliveryError
from aphub_drop import words
from aphub_drop.joining import JoiningWay, join_requests
from aphub_drop.settings import DropConnection

CIPHERS = (
    "aes128-gcm@openssh.com",  # 1.4 to 1.7 times as fast as the next on machines with AES instructions
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
HOST_KEYS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""A server has a key of each kind; the fingerprint that we were given may be of any. SHA-1 is not among them."""

SIGNATURES = tuple(kind for group in HOST_KEYS for kind in group)
OUR_KEYS = frozenset({"ssh-ed25519", "ssh-rsa", *HOST_KEYS[1]})
"""Kinds that we sign in with; an RSA key signs with SHA-2 only."""
LEAST_RSA_BITS = 2048

LOST = (
    asyncssh.ConnectionLost,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    OSError,
    TimeoutError,
)
"""The line is gone, or as good as gone."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in connection with its SFTP channels."""

    line: asyncssh.SSHClientConnection
    channels: tuple[asyncssh.SFTPClient, ...]
    hops: str

    @property
    def alive(self) -> bool:
        """Whether the connection still stands, as far as we know."""
        return not self.line.is_closed()


class _Pinned(asyncssh.SSHClient):
    """Trusts one fingerprint, and remembers the kind of key that it saw."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.seen_kind = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 - the pin is all that counts
        self.seen_kind = key.get_algorithm()
        return bool(key.get_fingerprint() == self.wanted)


async def find(connection: DropConnection, reach: Reach) -> list[str]:
    """Find those of the server's addresses that may be talked to.

    Raises:
        TransientDeliveryError: The name has none.
        RefusedDeliveryError: All are inside a private network that the operator did not list.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            connection.host, connection.port, type=socket.SOCK_STREAM
        )
    except OSError as exc:
        raise words.not_found(connection.host) from exc
    return reach.only(connection.host, (str(address[0]) for *_, address in found))


async def knock(connection: DropConnection, addresses: Sequence[str]) -> None:
    """Prove that the port is open.

    Raises:
        TransientDeliveryError: It is not.
    """
    try:
        async with asyncio.timeout(connection.timeout):
            _, writer = await asyncio.open_connection(addresses[0], connection.port)
    except (OSError, TimeoutError) as exc:
        raise words.not_reached(connection.host, type(exc).__name__) from exc
    writer.close()


async def sign_in(connection: DropConnection, addresses: Sequence[str]) -> asyncssh.SSHClientConnection:
    """Connect, see the pinned host key, and only then sign in.

    Where the server shows a key of another kind than the pinned one it is asked for the other kinds; nobody signs in
    meanwhile.

    Raises:
        TransientDeliveryError: It cannot be reached.
        RefusedDeliveryError: It is another server, or it does not take our key.
    """
    key = client_key(connection)
    pinned = _Pinned(connection.host_key)
    every_kind = tuple(kind for group in HOST_KEYS for kind in group)
    try:
        return await _connect(connection, addresses, key, every_kind, pinned)
    except asyncssh.KeyExchangeFailed as exc:
        raise words.no_common_ground() from exc
    except asyncssh.HostKeyNotVerifiable as exc:
        refused = exc
    for kinds in HOST_KEYS:
        if pinned.seen_kind in kinds or (pinned.seen_kind == "ssh-rsa" and "rsa-sha2-512" in kinds):
            continue
        # A server without a key of this kind hangs up, politely or not.
        with suppress(asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed, TransientDeliveryError):
            return await _connect(connection, addresses, key, kinds, pinned)
    raise words.another_server() from refused


async def _connect(
    connection: DropConnection,
    addresses: Sequence[str],
    key: asyncssh.SSHKey,
    kinds: tuple[str, ...],
    pinned: _Pinned,
) -> asyncssh.SSHClientConnection:
    try:
        async with asyncio.timeout(connection.timeout):
            return await asyncssh.connect(
                connection.host,
                connection.port,
                client_factory=lambda: pinned,
                tunnel=JoiningWay(addresses),
                # No file of this machine's user has a say: neither known hosts, nor configuration, nor agent.
                known_hosts=([], [], []),
                config=None,
                agent_path=None,
                x509_trusted_certs=None,
                server_host_key_algs=kinds,
                encryption_algs=CIPHERS,
                signature_algs=SIGNATURES,
                compression_algs=("none",),
                username=connection.user,
                client_keys=[key],
                preferred_auth="publickey",
                password_auth=False,
                kbdint_auth=False,
                host_based_auth=False,
                gss_auth=False,
                gss_kex=False,
                keepalive_interval=15,
                login_timeout=connection.timeout,
            )
    except asyncssh.PermissionDenied as exc:
        raise words.sign_in_refused() from exc
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
        raise
    except (OSError, TimeoutError, asyncssh.DisconnectError) as exc:
        raise words.not_reached(connection.host, type(exc).__name__) from exc


async def start(connection: DropConnection, line: asyncssh.SSHClientConnection) -> Session:
    """Begin SFTP on a signed-in connection.

    Raises:
        DeliveryError: The account has no SFTP, or the line went.
    """
    channels: list[asyncssh.SFTPClient] = []
    try:
        async with asyncio.timeout(connection.timeout):
            channels.append(join_requests(await line.start_sftp_client()))
            # Behind each channel stands a process of its own, so that one waits for the disk while another writes.
            with suppress(asyncssh.ChannelOpenError):
                while len(channels) < connection.channels:
                    channels.append(join_requests(await line.start_sftp_client()))
    except LOST as exc:
        raise words.not_reached(connection.host, type(exc).__name__) from exc
    except asyncssh.Error as exc:
        raise words.no_sftp() from exc
    cipher = line.get_extra_info("send_cipher")
    return Session(
        line, tuple(channels), f"SSH ({cipher}) to {connection.host}, host key {connection.host_key}"
    )


async def open_session(connection: DropConnection, reach: Reach) -> Session:
    """Connect, sign in and begin SFTP.

    Raises:
        DeliveryError: See `find`, `sign_in` and `start`.
    """
    line = await sign_in(connection, await find(connection, reach))
    try:
        return await start(connection, line)
    except DeliveryError:
        line.abort()
        raise


async def leave(session: Session, seconds: float = 2.0) -> None:
    """Say goodbye, and wait no longer than it takes."""
    for channel in session.channels:
        channel.exit()
    session.line.close()
    try:
        async with asyncio.timeout(seconds):
            await session.line.wait_closed()
    except (OSError, TimeoutError, asyncssh.Error):
        session.line.abort()


def client_key(connection: DropConnection) -> asyncssh.SSHKey:
    """Read our private key.

    Raises:
        RefusedDeliveryError: It cannot be read, or is too weak; the reason is not passed on, since it may quote the key.
    """
    try:
        text = (
            connection.client_key_file.read_text(encoding="ascii")
            if connection.client_key_file
            else connection.client_key.get_secret_value()
        )
        # A key pasted into a secret store often loses its last line end.
        key = asyncssh.import_private_key(text.strip() + "\n")
    except OSError as exc:
        raise words.no_key_file(type(exc).__name__) from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as exc:
        # asyncssh says so in words only: the same error means a key that is no key.
        raise (
            words.locked_key() if "passphrase" in str(exc).casefold() else words.unreadable_key()
        ) from None
    if key.get_algorithm() not in OUR_KEYS:
        raise words.weak_key()
    if isinstance(key.pyca_key, RSAPrivateKey) and key.pyca_key.key_size < LEAST_RSA_BITS:
        raise words.weak_key()
    return key
