"""The small server that far sides call back: one path, POST only, little bodies, no words about what it holds.

It runs inside the daemon, and only where `[callbacks]` is set. TLS ends here with a certificate of ours, or in a reverse
proxy on this machine; without either it does not start.
"""

import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aphub.api.callbacks import Call
from aphub.domain.errors import AphubError
from aphub.hub import Hub
from aphub.logs import get_logger
from aphub.services.callbacks import PATH, Taken, take_call
from aphub.settings.calling import CallbackSettings

BODY_LIMIT = 64 * 1024
SECONDS = 10.0
"""How long one read may take; a caller who drips loses the line when others want it."""
MOST_AT_ONCE = 32

_ANSWERS = {
    Taken.HEARD: HTTPStatus.NO_CONTENT,
    Taken.AGAIN: HTTPStatus.NO_CONTENT,
    Taken.UNKNOWN: HTTPStatus.NOT_FOUND,
    Taken.OVER: HTTPStatus.GONE,
    Taken.USED: HTTPStatus.CONFLICT,
    Taken.NOT_THEIRS: HTTPStatus.BAD_REQUEST,
}
log = get_logger("receiver")


@contextmanager
def receiving(hub: Hub) -> Iterator[tuple[str, int] | None]:
    """Listen for calls while the daemon runs; gives host and port, or None where callbacks are off.

    Raises:
        AphubError: The certificate cannot be used, or somebody else listens there.
    """
    settings = hub.settings.callbacks
    if settings is None:
        yield None
        return
    server = _server(hub, settings)
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="receiver", daemon=True)
    thread.start()
    try:
        log.info("receiver.listening", port=server.server_address[1], tls=settings.certificate is not None)
        yield str(server.server_address[0]), int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _server(hub: Hub, settings: CallbackSettings) -> "_Server":
    try:
        return _Server(hub, settings.address, _context(hub, settings))
    except OSError as exc:
        raise AphubError(
            f"We cannot listen for calls on {settings.listen} ({type(exc).__name__}).",
            "Nothing was started.",
            "Choose another port as listen under [callbacks] in hub.toml, or stop what uses it.",
        ) from exc


def _context(hub: Hub, settings: CallbackSettings) -> ssl.SSLContext | None:
    if settings.certificate is None or settings.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password, so that a key that wants one is refused instead of asked for at a terminal.
        context.load_cert_chain(hub.file(settings.certificate), hub.file(settings.key), password="")
    except (OSError, ValueError) as exc:
        raise AphubError(
            "The certificate for calls and its key cannot be read, or do not belong together.",
            "Nothing was started.",
            "Look at certificate and key under [callbacks] in hub.toml.",
        ) from exc
    return context


class _Server(ThreadingHTTPServer):
    """A thread a caller, and only so many: the one who has been longest makes room for the next."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub: Hub, address: tuple[str, int], context: ssl.SSLContext | None) -> None:
        self.hub = hub
        self._context = context
        self._callers: dict[int, socket.socket] = {}
        self._guard = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Conversation)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Secure the line, where TLS ends here, and hear one request."""
        request.settimeout(SECONDS)
        line = request
        with suppress(OSError):  # a caller who leaves, or never was one
            if self._context is not None:
                line = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            self._came(line)
            try:
                if isinstance(line, ssl.SSLSocket):
                    line.do_handshake()
                super().finish_request(line, client_address)
            finally:
                self._left(line)
                line.close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - named by the base
        """Say that something failed, and nothing of what was said."""
        log.error("receiver.failed", error=type(sys.exception()).__name__)

    def _came(self, line: socket.socket) -> None:
        with self._guard:
            if len(self._callers) >= MOST_AT_ONCE:
                longest = self._callers.pop(next(iter(self._callers)))
                with suppress(OSError):
                    longest.shutdown(socket.SHUT_RDWR)
            self._callers[id(line)] = line

    def _left(self, line: socket.socket) -> None:
        with self._guard:
            self._callers.pop(id(line), None)


class _Conversation(BaseHTTPRequestHandler):
    """One request, one answer without a body, and the line is closed."""

    server: _Server
    server_version = "aphub"
    sys_version = ""
    error_message_format = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Say nothing: the path is what proves who calls."""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            return self._answer(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > BODY_LIMIT:
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        # Read first, whatever the answer: a line that is closed with words unread loses the answer too.
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None
        parts = urlsplit(self.path)
        # A proxy may leave a part of its own before ours.
        *_, where, slug, token = ["", "", "", *parts.path.strip("/").split("/")]
        if where != PATH or not slug or not token:
            return self._answer(HTTPStatus.NOT_FOUND)
        hub = self.server.hub
        call = Call(
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            hub.clock.now(),
        )
        return self._answer(self._take(hub, slug, token, call))

    def _take(self, hub: Hub, slug: str, token: str, call: Call) -> HTTPStatus:
        """Take the call; whatever fails here is no reason to claim that we know it."""
        try:
            desk = next((one for one in hub.serving() if one.slug == slug), None)
            if desk is None:
                return HTTPStatus.NOT_FOUND
            return _ANSWERS[take_call(desk, hub.adapter, token, call)]
        except Exception as exc:  # noqa: BLE001 - the caller tries again, and we poll meanwhile
            log.warning("receiver.not_taken", provider=slug[:60], error=type(exc).__name__)
            return HTTPStatus.SERVICE_UNAVAILABLE

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
