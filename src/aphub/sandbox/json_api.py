"""A JSON API on loopback: one TLS connection a thread, HTTP/1.1 with keep-alive, and the moods that all vendors' stand-ins have."""

import io
import json
import socket
import ssl
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.far_side import Mood
from aphub.sandbox.listening import ListeningFarSide

BODY_LIMIT = 5 * 1024 * 1024
_TAKEN = 202
_FLOOD = b" " * 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether it is more than a question."""
        return self.method != "GET"

    @property
    def authorization(self) -> tuple[str, str]:
        """The scheme (in small letters) and what follows it."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return kind.lower(), value.strip()


class AnsweredError(Exception):
    """A request that ends here, with a status and a body in the vendor's shape."""

    def __init__(self, status: int, page: Mapping[str, Any]) -> None:
        """Keep what goes into the answer."""
        super().__init__(status)
        self.status = status
        self.page = page


class JsonStandIn(ListeningFarSide):
    """A vendor's API; `stands_for` is the vendor's name, said in every answer's head."""

    stands_for = "a vendor"
    body_kind = "application/json"
    """What a request's body must be."""
    good_status = 200
    """What is answered where all is well; nothing is said with a 202."""

    def __init__(
        self,
        authority: DemoAuthority,
        *,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen. With `folder`, every write is followed by a dump."""
        super().__init__(authority, port=port, names=names)
        self._folder = folder
        self._requests: list[Request] = []

    # What a vendor's stand-in says

    @abstractmethod
    def answer(self, request: Request) -> Mapping[str, Any]:
        """Give the body of the 200; everything else is an `AnsweredError`."""

    @abstractmethod
    def sign_in(self, request: Request) -> None:
        """Let it pass, or raise an `AnsweredError`; moods come after it."""

    @abstractmethod
    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give the body that the vendor sends with such a status."""

    def is_write(self, request: Request) -> bool:
        """Say whether moods about writing are meant for this request."""
        return request.writes

    def dump(self, folder: Path) -> list[Path]:  # noqa: ARG002 - a stand-in without a register has nothing to write
        """Write what the register holds into `folder`."""
        return []

    # For tests

    @property
    def requests(self) -> list[Request]:
        """Every request that came in whole, in order."""
        with self._lock:
            return list(self._requests)

    def stop(self) -> None:
        """Stop, and write the register out a last time if a folder was given."""
        super().stop()
        self._wrote()

    # Moods of its own

    def is_busy(self, *, retry_after: int = 1, times: int | None = None) -> None:
        """Answer 429 with Retry-After to everything."""
        self._be(Mood("busy", seconds=retry_after, times=times))

    def refuses(self, status: int = 422, *, writes_only: bool = True, times: int | None = None) -> None:
        """Answer 401, 403, 404 or 422 to writes, or to everything."""
        name, at = ("refuses", "write") if writes_only else ("refuses_all", "")
        self._be(Mood(name, status=status, at=at, times=times))

    def half_fails(self, *, says: str = "failed", times: int | None = None) -> None:
        """Turn every second mark of a write away, and claim that it `says` ("failed" or "success")."""
        self._be(Mood("half", words=says, times=times))

    def answers_twice(self, *, times: int | None = None) -> None:
        """Send every answer twice, so that a careless client takes the second for the next question's."""
        self._be(Mood("twice", times=times))

    def redirects(self, to: str, *, times: int | None = None) -> None:
        """Send writes somewhere else, body and all (RFC 9110 section 15.4.8), and keep nothing."""
        self._be(Mood("redirects", words=to, times=times))

    def floods(self, *, times: int | None = None) -> None:
        """Keep what came, and answer writes with a body that does not end."""
        self._be(Mood("floods", times=times))

    def errs_inside(self, words: str = "It could not be done.", *, times: int | None = None) -> None:
        """Answer writes with a 200 whose body says that they failed, and keep nothing."""
        self._be(Mood("errs_inside", words=words, times=times))

    def takes_half(self) -> Mood | None:
        """Say whether every second mark of this write is turned away, and count it."""
        return self._takes("half")

    @property
    def settles_at_once(self) -> bool:
        """Whether what is written stands at once, since the answer will be lost or late."""
        return self.mood.name in {"cuts_off", "late", "floods"}

    # The conversation

    def serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        """Answer the requests of one connection."""
        secured = self.secure(connection)
        try:
            _Conversation(self, secured, peer)
        finally:
            secured.close()

    def respond(self, request: Request) -> tuple[int, Mapping[str, Any], dict[str, str]]:
        """Give status, body and headers, the mood considered."""
        writes = self.is_write(request)
        try:
            self.sign_in(request)
            busy = self._takes("busy")
            if busy is not None:
                return 429, self.trouble(429, "Too many requests."), {"Retry-After": str(int(busy.seconds))}
            refused = (self._takes("refuses") if writes else None) or self._takes("refuses_all")
            if refused is not None:
                return refused.status, self.trouble(refused.status, "It was refused."), {}
            if request.body:
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != self.body_kind:
                    raise AnsweredError(415, self.trouble(415, f"The body must be {self.body_kind}."))  # noqa: TRY301 - one way out
            elsewhere = self._takes("redirects") if writes else None
            if elsewhere is not None:
                return 307, {}, {"Location": elsewhere.words}
            inside = self._takes("errs_inside") if writes else None
            if inside is not None:
                return self.good_status, self.trouble(500, inside.words), {}
            mood = self.mood
            if writes and mood.name == "cuts_off" and not mood.kept:
                return self.good_status, {}, {}
            return self.good_status, self.answer(request), {}
        except AnsweredError as error:
            return error.status, error.page, {}

    def cuts(self, request: Request, status: int) -> bool:
        """Say whether to leave without an answer; only writes are worth it."""
        return status == self.good_status and self.is_write(request) and self._takes("cuts_off") is not None

    def twice(self) -> bool:
        """Say whether this answer is sent twice."""
        return self._takes("twice") is not None

    def flooding(self) -> bool:
        """Say whether this answer has no end."""
        return self._takes("floods") is not None

    def pause(self, name: str) -> None:
        """Wait if the mood is this one."""
        self._waits(name)

    def heard(self, chunk: bytes, request: Request | None = None) -> None:
        """Record what a client said."""
        with self._lock:
            self._record(chunk)
            if request is not None:
                self._requests.append(request)

    def _wrote(self) -> None:
        if self._folder is not None:
            self.dump(self._folder)


class _Conversation(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive on one TLS connection."""

    protocol_version = "HTTP/1.1"
    server_version = "aphub-sandbox"
    sys_version = ""
    # One packet an answer: the base class flushes after each request.
    wbufsize = io.DEFAULT_BUFFER_SIZE

    def __init__(self, stand_in: JsonStandIn, connection: ssl.SSLSocket, peer: tuple[str, int]) -> None:
        self._stand_in = stand_in
        super().__init__(connection, peer, None)  # type: ignore[arg-type]  # the server is not used by the base

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Say nothing: paths may hold what belongs in no log."""

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815 - named by the base class

    def _respond(self) -> None:
        head = f"{self.requestline}\r\n{self.headers}".encode()
        self._stand_in.heard(head)
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self._send(413, {"message": "A body has a length, and not this one."}, {})
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, body, headers)
        self._stand_in.heard(body, request)
        self._stand_in.pause("slow")
        status, page, more = self._stand_in.respond(request)
        if request.writes or "writebacks" in request.path:
            self._stand_in._wrote()  # noqa: SLF001 - same module
        if self._stand_in.cuts(request, status):
            self.close_connection = True
            return
        if self._stand_in.is_write(request):
            self._stand_in.pause("late")
            if self._stand_in.flooding():
                self._flood(status)
        self._send(status, page, more)
        if self._stand_in.twice():
            self._send(status, page, more)

    def _flood(self, status: int) -> None:
        """Write until the client has gone, which ends the connection's thread with an OSError."""
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        while True:
            self.wfile.write(_FLOOD)

    def _send(self, status: int, page: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        content = b"" if status == _TAKEN else json.dumps(page).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Stand-In", f"aphub sandbox; not {self._stand_in.stands_for}")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
