"""A stand-in of the Wonde API on loopback, strict to what is publicly known of it.

Where the vendor publishes nothing (status words of a write-back, date filters, the inner shape of a 422) the
choice made here is a setting, so that an adapter's own settings can be proved against more than one.
"""

import base64
import binascii
import hmac
import io
import json
import socket
import ssl
from collections.abc import Collection, Mapping, Sequence
from http.client import responses
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.far_side import Mood
from aphub.sandbox.listening import ListeningFarSide
from aphub.sandbox.wonde_routes import AnswerError, Request, WondeRoutes
from aphub.sandbox.wonde_state import School, WondeState
from aphub.sandbox.wonde_writebacks import Writeback, Writebacks

BODY_LIMIT = 5 * 1024 * 1024
STATUS_WORDS = {"pending": "pending", "success": "success", "failed": "failed"}


class WondeStandIn(ListeningFarSide):
    """An aggregator's API with schools behind it.

    `token` reaches every school; `tokens` adds others, each with the ids of the schools that it reaches.
    """

    def __init__(
        self,
        authority: DemoAuthority,
        state: WondeState,
        *,
        token: str,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        tokens: Mapping[str, Collection[str]] | None = None,
        pending_polls: int = 1,
        pending_seconds: float = 0.0,
        status_field: str = "status",
        status_words: Mapping[str, str] = STATUS_WORDS,
        date_filters: tuple[str, str] = ("attendance_date_after", "attendance_date_before"),
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen. With `folder`, every write-back is followed by a dump."""
        super().__init__(authority, port=port, names=names)
        self.state = state
        self.writebacks = Writebacks(state, pending_polls=pending_polls, pending_seconds=pending_seconds)
        self.status_field = status_field
        self.status_words = dict(status_words)
        self.date_filters = date_filters
        self._token = token
        self._tokens = {known: frozenset(schools) for known, schools in (tokens or {}).items()}
        self._folder = folder
        self._requests: list[Request] = []
        self.routes = WondeRoutes(self)

    @property
    def url(self) -> str:
        """The base address, with the slash that relative paths need."""
        return f"https://{self.address[0]}:{self.address[1]}/v1.0/"

    @property
    def requests(self) -> list[Request]:
        """Every request that came in whole, in order."""
        with self._lock:
            return list(self._requests)

    def dump(self, folder: Path) -> list[Path]:
        """Write what each school's register holds into `folder`, one JSON file a school."""
        return self.state.dump(folder)

    def stop(self) -> None:
        """Stop, and write the registers out a last time if a folder was given."""
        super().stop()
        if self._folder is not None:
            self.dump(self._folder)

    # Moods of its own

    def is_busy(self, *, retry_after: int = 1, times: int | None = None) -> None:
        """Answer 429 with Retry-After to everything."""
        self._be(Mood("busy", seconds=retry_after, times=times))

    def refuses(self, status: int = 422, *, writes_only: bool = True, times: int | None = None) -> None:
        """Answer 401, 403, 404 or 422 to writes, or to everything."""
        name, at = ("refuses", "POST") if writes_only else ("refuses_all", "")
        self._be(Mood(name, status=status, at=at, times=times))

    def half_fails(self, *, says: str = "failed", times: int | None = None) -> None:
        """Turn every second mark of a write-back away, and claim that it `says` ("failed" or "success")."""
        self._be(Mood("half", words=says, times=times))

    # For routes and conversation

    def reaches(self, token: str, school_id: str) -> bool:
        """Say whether a token was given access to a school."""
        return _same(token, self._token) or school_id in self._tokens.get(token, ())

    def knows(self, token: str) -> bool:
        """Say whether a token was ever given out."""
        return any(_same(token, known) for known in (self._token, *self._tokens))

    def queue(self, school: School, token: str, marks: Sequence[Mapping[str, Any]]) -> Writeback:
        """Acknowledge marks; where the answer will be lost or late they are in the register at once."""
        half = self._takes("half")
        at_once = self.mood.name in {"cuts_off", "late"}
        return self.writebacks.queue(school, token, marks, half=half.words if half else "", at_once=at_once)

    def serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        """Answer the requests of one connection."""
        secured = self.secure(connection)
        try:
            _Conversation(self, secured, peer)
        finally:
            secured.close()

    def obstacle(self, method: str) -> tuple[int, dict[str, str]] | None:
        """Give the status and headers that the mood has for a request, or None."""
        busy = self._takes("busy")
        if busy is not None:
            return 429, {"Retry-After": str(int(busy.seconds))}
        refused = self._takes("refuses", method) or self._takes("refuses_all")
        return (refused.status, {}) if refused else None

    def pause(self, name: str = "slow") -> None:
        """Wait if the mood is this one."""
        self._waits(name)

    def cut(self, method: str) -> Mood | None:
        """Say whether to leave without an answer; only writes are worth it."""
        return self._takes("cuts_off") if method == "POST" else None

    def heard(self, chunk: bytes, request: Request | None = None) -> None:
        """Record what a client said."""
        with self._lock:
            self._record(chunk)
            if request is not None:
                self._requests.append(request)

    def wrote(self) -> None:
        """Write the registers out after a change, if a folder was given."""
        if self._folder is not None:
            self.dump(self._folder)


class _Conversation(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive on one TLS connection."""

    protocol_version = "HTTP/1.1"
    server_version = "aphub-sandbox"
    sys_version = ""
    # One packet an answer: the base class flushes after each request.
    wbufsize = io.DEFAULT_BUFFER_SIZE

    def __init__(self, stand_in: WondeStandIn, connection: ssl.SSLSocket, peer: tuple[str, int]) -> None:
        self._stand_in = stand_in
        super().__init__(connection, peer, None)  # type: ignore[arg-type]  # the server is not used by the base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Say nothing: paths may hold what belongs in no log."""

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    do_PUT = do_DELETE = do_PATCH = do_POST  # noqa: N815 - named by the base class

    def _respond(self) -> None:
        head = f"{self.requestline}\r\n{self.headers}".encode()
        self._stand_in.heard(head)
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self._send(413, {"message": "A body has a length, and not this one."})
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        request = Request(self.command, parts.path, query, body, self._bearer())
        self._stand_in.heard(body, request)
        self._stand_in.pause()
        headers: dict[str, str] = {}
        try:
            status, page, headers = self._answer(request)
        except AnswerError as error:
            status, page = error.status, error.page
        mood = self._stand_in.cut(self.command) if status == 200 else None  # noqa: PLR2004 - HTTP's own number
        if mood is not None:
            self.close_connection = True
            return
        if self.command == "POST":
            self._stand_in.pause("late")
        self._send(status, page, headers)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any], dict[str, str]]:
        if not self._stand_in.knows(request.token):
            raise AnswerError(401, "Unauthenticated.")
        obstacle = self._stand_in.obstacle(request.method)
        if obstacle is not None:
            status, headers = obstacle
            return status, {"message": responses[status]}, headers
        if request.method == "POST":
            kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise AnswerError(415, "The body must be application/json.")
            mood = self._stand_in.mood
            if mood.name == "cuts_off" and not mood.kept:
                return 200, {}, {}
        page = self._stand_in.routes.answer(request)
        if request.method == "POST" or "/writebacks/" in request.path:
            self._stand_in.wrote()
        return 200, page, {}

    def _bearer(self) -> str:
        """Give the token: as Bearer, or as the user name of Basic with an empty password."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return value.strip()
        if kind.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                return ""
            return "" if password else user
        return ""

    def _send(self, status: int, page: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(page).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Stand-In", "aphub sandbox; not Wonde")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _same(given: str, known: str) -> bool:
    return bool(known) and hmac.compare_digest(given.encode(), known.encode())
