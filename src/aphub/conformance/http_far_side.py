"""An HTTP far side inside the process, played with respx."""

from datetime import timedelta

import httpx
import respx

from aphub.conformance.far_sides import Kept

_ASKING = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_PORTS: frozenset[tuple[str, int]] = frozenset()


class HttpFarSide:
    """Answers every request below `url`; a repetition is known by its Idempotency-Key.

    `router` is pytest's `respx_mock`. Where one key is posted twice, the second is answered and not kept again.
    """

    keeps_names = False

    def __init__(
        self, router: respx.MockRouter, url: str, *, identity_header: str = "Idempotency-Key"
    ) -> None:
        """Take over the router."""
        self.asks_to_wait: timedelta | None = timedelta(seconds=120)
        self._identity_header = identity_header
        self._mood = "accepts"
        self._received: list[Kept] = []
        self._chunks: list[bytes] = []
        self._tries = 0
        router.route(url__startswith=url).mock(side_effect=self._answer)

    def accepts(self) -> None:
        """Answer 200 and keep what is posted."""
        self._mood = "accepts"

    def refuses(self) -> None:
        """Answer 403."""
        self._mood = "refuses"

    def is_busy(self) -> None:
        """Answer 429 with Retry-After."""
        self._mood = "is_busy"

    def is_unreachable(self) -> None:
        """Refuse the connection."""
        self._mood = "is_unreachable"

    def cuts_off_after_reading(self) -> None:
        """Keep what is posted and end the connection."""
        self._mood = "cuts_off"

    def falls_silent(self) -> None:
        """Run into the reader's time-out, at once: nobody learns more by really waiting."""
        self._mood = "silent"

    @property
    def received(self) -> tuple[Kept, ...]:
        """What was posted and kept."""
        return tuple(self._received)

    @property
    def everything(self) -> bytes:
        """Addresses, headers and bodies of all requests."""
        return b"\n".join(self._chunks)

    @property
    def tries(self) -> int:
        """How many requests were more than a question."""
        return self._tries

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """None: nothing leaves the process."""
        return _NO_PORTS

    def _answer(self, request: httpx.Request) -> httpx.Response:
        writes = request.method not in _ASKING
        self._tries += writes
        if self._mood == "is_unreachable":
            raise httpx.ConnectError("connection refused", request=request)
        self._chunks.append(
            f"{request.method} {request.url}\n{request.headers!r}\n".encode() + request.content
        )
        if self._mood == "silent":
            raise httpx.ReadTimeout("no answer", request=request)
        if self._mood == "refuses":
            return httpx.Response(403)
        if self._mood == "is_busy":
            wait = self.asks_to_wait
            headers = {} if wait is None else {"Retry-After": str(int(wait.total_seconds()))}
            return httpx.Response(429, headers=headers)
        if writes:
            identity = request.headers.get(self._identity_header, "")
            if not identity or identity not in {kept.identity for kept in self._received}:
                self._received.append(Kept(request.content, identity=identity))
        if self._mood == "cuts_off":
            raise httpx.RemoteProtocolError("server left", request=request)
        return httpx.Response(200, json={"receipt": f"R{len(self._received)}"})
