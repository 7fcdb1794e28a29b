"""The HTTP client that the hub lends: it goes only where it may, follows nobody, and reads only so much.

The one module that knows how httpx connects.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from aphub.api.reach import Reach

MOST_BYTES = 32 * 1024 * 1024
"""The largest answer that is read: a big school's day of marks is a hundredth of it."""
LONGEST_ANSWER = 60.0
"""Seconds within which a whole answer must have come, however slowly its bytes drip."""
_MOST_WAITING = 65_536
TIMEOUT = httpx.Timeout(20.0, connect=10.0)

Resolve = Callable[[str, int], list[str]]


class AnswerTooLargeError(httpx.ReadError):
    """The answer is larger than we read, so it was not read to its end."""


class PackedAnswerError(httpx.DecodingError):
    """The answer is packed though we asked for it plain, so its real size is anybody's guess."""


def addresses_of(host: str, port: int) -> list[str]:
    """Ask the name service for the addresses of a host.

    Raises:
        OSError: It has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PlainClient(httpx.Client):
    """A client that follows no redirect, whoever asks for it: the next address would be given our credentials."""

    def __init__(self, transport: httpx.BaseTransport, **options: Any) -> None:
        """Go by this transport, to every address."""
        super().__init__(transport=transport, **options)
        self._way = transport

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send one request and give the first answer.

        One that is complete goes as it is, for a seventh less work: no cookie of its answer is kept, no line is logged.
        """
        incomplete = options or self.auth or "timeout" not in request.extensions
        if incomplete or self.is_closed or any(self.event_hooks.values()):
            return super().send(request, **{**options, "follow_redirects": False})
        response = self._way.handle_request(request)
        response.request = request
        try:
            response.read()
        except BaseException:
            response.close()
            raise
        return response


def http_client(
    reach: Reach,
    *,
    verify: ssl.SSLContext | None = None,
    most_bytes: int = MOST_BYTES,
    longest: float = LONGEST_ANSWER,
    resolve: Resolve = addresses_of,
    backend: httpcore.NetworkBackend | None = None,
    **options: Any,
) -> httpx.Client:
    """Build a client: verified TLS 1.2 or newer, no redirects, no proxies from the environment, no private addresses.

    `verify` may be a verifying context of the adapter's own, with its own authorities, and nothing less.

    Raises:
        ValueError: `verify` verifies less than certificate and host name.
    """
    context = verify or ssl.create_default_context()
    if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
        message = "an adapter's TLS must verify certificate and host name"
        raise ValueError(message)
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    # Unpacking is where a small answer becomes a giant one.
    headers = {"Accept-Encoding": "identity", **options.pop("headers", {})}
    for name in ("follow_redirects", "trust_env", "transport", "mounts", "proxy"):
        options.pop(name, None)
    return PlainClient(
        transport=_Transport(context, _Judged(reach, resolve, backend), most_bytes, longest),
        headers=headers,
        timeout=options.pop("timeout", TIMEOUT),
        follow_redirects=False,
        trust_env=False,
        **options,
    )


class _Judged(httpcore.NetworkBackend):
    """Connects to a host by an address that may be talked to."""

    def __init__(self, reach: Reach, resolve: Resolve, backend: httpcore.NetworkBackend | None) -> None:
        self._reach = reach
        self._resolve = resolve
        self._backend = backend or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first allowed address that answers.

        Raises:
            RefusedDeliveryError: Every address is private, and not listed.
        """
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(type(exc).__name__) from exc
        problem: Exception = httpcore.ConnectError("no address")
        for address in self._reach.only(host, found):
            try:
                found_stream = self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
                return _Line(found_stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                problem = exc
        raise problem

    def connect_unix_socket(self, path: str, **_: Any) -> httpcore.NetworkStream:  # type: ignore[override]
        """Refuse: no far side lives in a file."""
        raise httpcore.ConnectError(path)


class _Line(httpcore.NetworkStream):
    """A connection that knows whether an answer came after the question.

    What is written waits until something is read, so that head and body leave in one piece: a tenth less work a request.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._waiting: list[bytes] = []
        self._size = 0
        self._timeout: float | None = None
        self.heard = False
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]  # httpcore's name for it

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._waiting.append(buffer)
        self._size += len(buffer)
        self._timeout = timeout
        self.heard = False
        if self._size > _MOST_WAITING:
            self._flush()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._waiting:
            # A server may answer and close before it has read everything; its answer is worth reading.
            with suppress(httpcore.WriteError):
                self._flush()
        self.heard = True
        return self._stream.read(max_bytes, timeout)

    def _flush(self) -> None:
        waiting, self._waiting, self._size = b"".join(self._waiting), [], 0
        self._stream.write(waiting, self._timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Line(self._stream.start_tls(ssl_context, server_hostname, timeout))


class _Transport(httpx.HTTPTransport):
    """httpx's own transport with our way of connecting, and a limit on what it reads."""

    def __init__(self, context: ssl.SSLContext, judged: _Judged, most_bytes: int, longest: float) -> None:
        super().__init__(verify=context, trust_env=False)
        # httpx has no parameter for it. If its pool ever has another name, a client without our guard would be
        # built in silence: so its name is looked for.
        if not isinstance(getattr(self, "_pool", None), httpcore.ConnectionPool):
            message = "this httpx keeps its connections elsewhere"
            raise TypeError(message)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=2, max_keepalive_connections=1, network_backend=judged
        )
        self._most_bytes = most_bytes
        self._longest = longest

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give an answer that ends in an error where it grows too large or drips too long."""
        response = super().handle_request(request)
        line = response.extensions.get("network_stream")
        if isinstance(line, _Line) and not line.heard:
            # It lay there before we asked: a server that answers twice answers our next question with its last answer.
            response.close()
            raise httpx.RemoteProtocolError("answered before it was asked", request=request)
        length = response.headers.get("Content-Length", "")
        try:
            if length.isdecimal() and int(length) > self._most_bytes:
                raise AnswerTooLargeError(f"{length} bytes", request=request)
            if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
                raise PackedAnswerError("packed", request=request)
        except httpx.RequestError:
            response.close()
            raise
        stream = _Limited(response.stream, request, self._most_bytes, time.monotonic() + self._longest)  # type: ignore[arg-type]
        response.stream = stream
        return response


class _Limited(httpx.SyncByteStream):
    """An answer's bytes, up to so many and up to then."""

    def __init__(
        self, stream: httpx.SyncByteStream, request: httpx.Request, most_bytes: int, until: float
    ) -> None:
        self._stream = stream
        self._request = request
        self._most_bytes = most_bytes
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for part in self._stream:
            read += len(part)
            if read > self._most_bytes:
                raise AnswerTooLargeError(f"more than {self._most_bytes} bytes", request=self._request)
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("the answer drips", request=self._request)
            yield part

    def close(self) -> None:
        self._stream.close()
