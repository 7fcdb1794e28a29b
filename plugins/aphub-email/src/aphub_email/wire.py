"""One socket to a mail server: reads replies, counts what was written, proves what encrypts it."""

import contextlib
import hashlib
import re
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_CHUNK = 16_384  # one TLS record (RFC 8446 5.1): what is written whole is known to have been handed on
_READ = 4_096
_LONGEST_REPLY = 65_536
_GOODBYE_SECONDS = 1.0
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")


class LineLostError(Exception):
    """The connection ended, went silent, or no longer speaks SMTP; `arrived` bytes of a write may be there."""

    def __init__(self, arrived: int = 0) -> None:
        """Keep how many bytes of the write that failed may have arrived."""
        self.arrived = arrived
        super().__init__("the connection to the mail server was lost")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server; its text may quote what we sent, so it is never shown in an error."""

    code: int
    lines: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.code < 300  # noqa: PLR2004 - RFC 5321 4.2.1

    @property
    def transient(self) -> bool:
        """Whether asking again later may help."""
        return 400 <= self.code < 500  # noqa: PLR2004 - RFC 5321 4.2.1

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), such as 5.1.1; empty when there is none."""
        found = _ENHANCED.match(self.lines[-1])
        return found.group() if found else ""

    @property
    def short(self) -> str:
        """Both codes without any words, such as "550 5.1.1"."""
        return f"{self.code} {self.enhanced}".strip()

    @property
    def text(self) -> str:
        """The whole answer in one line."""
        return f"{self.code} {' '.join(self.lines)}"

    def __repr__(self) -> str:
        """Show the codes only."""
        return f"Reply({self.short})"


@dataclass(frozen=True, slots=True)
class TlsProof:
    """What was verified about the encryption of a connection."""

    version: str
    cipher: str
    fingerprint: str
    issuer: str
    ends: float

    @property
    def spoken_version(self) -> str:
        """The version as people write it, such as TLS 1.3."""
        return self.version.replace("TLSv", "TLS ")


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Give a context that verifies chain and name, from TLS 1.2 on.

    Raises:
        OSError: The file of authorities cannot be read.
        ssl.SSLError: There are none in it.
    """
    return _context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0)


@lru_cache(maxsize=16)
def _context(ca_file: Path | None, changed: int) -> ssl.SSLContext:  # noqa: ARG001 - a renewed file is read again
    """Load authorities, which takes 10 ms, once a version of the file."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Wire:
    """A connected socket; all waiting ends after `timeout` seconds a reply, however slowly bytes drip.

    The monotonic clock is read here and nowhere else: it bounds a wait and decides nothing.
    """

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        """Take over a connected socket."""
        sock.settimeout(timeout)
        self._sock = sock
        self._timeout = timeout
        self._unread = b""
        self.proof: TlsProof | None = None

    def encrypt(self, host: str, context: ssl.SSLContext) -> TlsProof:
        """Begin TLS and verify the server.

        Raises:
            ssl.SSLError: It is not who it should be, or its encryption is too old.
            LineLostError: It had sent words before encryption began (CVE-2011-0411), or left.
        """
        if self._unread:
            raise LineLostError
        secured = context.wrap_socket(self._sock, server_hostname=host)
        self._sock = secured
        certificate = secured.getpeercert() or {}
        raw = secured.getpeercert(binary_form=True) or b""
        ends = certificate.get("notAfter")
        self.proof = TlsProof(
            version=secured.version() or "",
            cipher=(secured.cipher() or ("",))[0],
            fingerprint=hashlib.sha256(raw).hexdigest(),
            issuer=_organisation(certificate.get("issuer", ())),
            ends=ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else 0.0,
        )
        return self.proof

    def write(self, content: bytes) -> None:
        """Write everything.

        A record of TLS that could not be written whole is of no use to the reader, so on failure only the records
        before it can have arrived. This holds from `encrypt` on; before it, nothing that matters is written.

        Raises:
            LineLostError: With the number of bytes that may have arrived.
        """
        done = 0
        try:
            if len(content) <= _CHUNK:
                self._sock.sendall(content)
                return
            view = memoryview(content)
            while done < len(content):
                self._sock.sendall(view[done : done + _CHUNK])
                done += _CHUNK
        except OSError as exc:
            raise LineLostError(done) from exc

    def reply(self) -> Reply:
        """Read one answer, of one line or several.

        Raises:
            LineLostError: No whole answer came in time, or what came is not SMTP.
        """
        lines: list[str] = []
        ends = 0.0
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if not found:
                ends = self._more(ends)
                continue
            self._unread = rest
            match = _REPLY_LINE.fullmatch(line.rstrip(b"\r"))
            if match is None or len(lines) > 200:  # noqa: PLR2004 - no real EHLO has as many
                raise LineLostError
            lines.append(match[3].decode("ascii", "replace"))
            if match[2] != b"-":
                return Reply(int(match[1]), tuple(lines))

    def ask(self, command: bytes) -> Reply:
        """Write one command and read its answer."""
        self.write(command + b"\r\n")
        return self.reply()

    def goodbye(self) -> None:
        """Say QUIT, wait a second at most for the answer, and close."""
        with contextlib.suppress(LineLostError, OSError):
            self._timeout = min(self._timeout, _GOODBYE_SECONDS)
            self._sock.settimeout(self._timeout)
            self.ask(b"QUIT")
        self._sock.close()

    def close(self) -> None:
        """Let go of the socket; a second call does nothing."""
        self._sock.close()

    def _more(self, ends: float) -> float:
        """Read what is there into `_unread`; gives the instant by which the whole reply must be in."""
        try:
            if not ends:
                ends = time.monotonic() + self._timeout
                chunk = self._sock.recv(_READ)
            else:
                left = ends - time.monotonic()
                if left <= 0:
                    raise LineLostError
                self._sock.settimeout(left)
                try:
                    chunk = self._sock.recv(_READ)
                finally:
                    self._sock.settimeout(self._timeout)
        except OSError as exc:
            raise LineLostError from exc
        if not chunk or len(self._unread) > _LONGEST_REPLY:
            raise LineLostError
        self._unread += chunk
        return ends


def _organisation(issuer: object) -> str:
    """Give the issuer's organisation or common name."""
    names = {key: value for part in (issuer if isinstance(issuer, tuple) else ()) for key, value in part}
    return str(names.get("organizationName") or names.get("commonName") or "an authority without a name")
