"""HTTP to a register's API: one place that turns its answers into what the hub does next.

A read that fails has changed nothing, so it is transient. A write that fails after it left may have arrived.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.api.http import impostor, is_impostor, retry_after
from aphub.api.mis.reply import Reply

_TRY_LATER = frozenset({408, 425, 429, 503})
_OK, _ELSEWHERE, _MISTAKE, _BROKEN = 200, 300, 400, 500
NOT_SIGNED_IN, CANNOT_BE_READ = 401, 422
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

Page = tuple[Sequence[Mapping[str, Any]], bool]
"""Rows of one page, and whether there are more pages."""


class SignIn(Protocol):
    """How requests prove who asks, where that takes more than one fixed header."""

    def headers(self, client: httpx.Client) -> Mapping[str, str]:
        """Give the headers, signing in first where that is needed."""

    def forget(self) -> bool:
        """Forget a sign-in that was refused; False where it was made just now, so that trying again is no use."""


class NoQueries(logging.Filter):
    """Cuts the query off addresses in httpx's own log lines: pupil numbers stand there by some contracts."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, and let it name the path only."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args
            )
        return True


_NO_QUERIES = NoQueries()


class Wire:
    """One client of one connection to one vendor; `says_no` has the words and the mend for a status."""

    def __init__(
        self,
        client: httpx.Client,
        vendor: str,
        *,
        says_no: Mapping[int, tuple[str, str]] | None = None,
        least_gap: float = 0.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keep the client; its maker closes it with `close`. `least_gap` is the seconds between two requests."""
        logging.getLogger("httpx").addFilter(_NO_QUERIES)
        self.vendor = vendor
        self._client = client
        self._base = client.base_url
        self._headers = client.headers
        self._extensions = {"timeout": client.timeout.as_dict()}
        self._addresses: dict[str, httpx.URL] = {}
        self._says_no = says_no or {}
        self._sign_in: SignIn | None = None
        self._least_gap = least_gap
        self._wait = wait
        self._not_before = 0.0

    def signed_in(self, sign_in: SignIn) -> "Wire":
        """Give the same connection for requests that prove who asks in this way."""
        other = copy(self)
        other._sign_in = sign_in  # noqa: SLF001 - a copy of our own
        return other

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Read one JSON answer.

        Raises:
            TransientDeliveryError: No answer, or not now.
            RefusedDeliveryError: They will not let us.
        """
        address = self._address(path, params)
        try:
            response = self._send("GET", address)
        except httpx.RequestError as exc:
            self._refuse_impostor(exc)
            # Nothing was written, so the chain is cut: a request's address may name pupils.
            raise TransientDeliveryError(
                f"{self.vendor} could not be reached. We changed nothing.", code=type(exc).__name__
            ) from None
        self._judge(response)
        if response.status_code >= _BROKEN:
            raise TransientDeliveryError(
                f"{self.vendor} failed while answering. We changed nothing.", code=_code(response)
            )
        try:
            return json.loads(response.content)
        except ValueError:
            raise self.unreadable(_code(response)) from None

    def unreadable(self, code: str = "") -> TransientDeliveryError:
        """Give the error for an answer to a question that is not what the contract says."""
        return TransientDeliveryError(
            f"{self.vendor}'s answer could not be read. We changed nothing.", code=code
        )

    def rows(self, page: Callable[[int], Page], most_pages: int) -> Iterator[Mapping[str, Any]]:
        """Read a list page by page; the pages are counted by us, so no address of theirs is followed.

        Raises:
            RefusedDeliveryError: The list has more pages than we read, so it would be read in part.
        """
        for number in range(1, most_pages + 1):
            rows, more = page(number)
            yield from rows
            if not rows or not more:
                return
        raise RefusedDeliveryError(
            f"{self.vendor}'s list has more pages than we read, so we stopped. We changed nothing.",
            code=f"{most_pages} pages",
            what_now="Check that the filters of the settings are those that they know, or raise most_pages",
        )

    def write(self, path: str, body: Any, *, method: str = "POST") -> Reply:
        """Write once; 2xx and 422 come back as answers, since both say something about each mark.

        Raises:
            TransientDeliveryError: It certainly did not arrive, or they asked us to wait.
            RefusedDeliveryError: They will not let us.
            UncertainDeliveryError: It left, and no answer came.
        """
        address = self._addresses.get(path)
        if address is None:
            address = self._addresses[path] = self._address(path)
        try:
            response = self._send(method, address, body)
        except _NEVER_SENT as exc:
            self._refuse_impostor(exc)
            raise TransientDeliveryError(
                f"{self.vendor} could not be reached. Nothing was written.", code=type(exc).__name__
            ) from None
        except httpx.RequestError as exc:
            raise UncertainDeliveryError(
                f"{self.vendor} stopped answering after the marks had left. They may have arrived.",
                code=type(exc).__name__,
            ) from None
        if response.status_code != CANNOT_BE_READ:
            self._judge(response)
        if response.status_code >= _BROKEN:
            raise UncertainDeliveryError(
                f"{self.vendor} failed while taking the marks. They may have arrived.", code=_code(response)
            )
        return Reply.of(response)

    def _send(self, method: str, address: httpx.URL, body: Any = None) -> httpx.Response:
        """Send one request; where a kept sign-in is no longer good, sign in and send it again: a 401 took nothing."""
        response = self._once(method, address, body)
        if response.status_code == NOT_SIGNED_IN and self._sign_in is not None and self._sign_in.forget():
            return self._once(method, address, body)
        return response

    def _once(self, method: str, address: httpx.URL, body: Any) -> httpx.Response:
        if self._least_gap:
            now = time.monotonic()
            if now < self._not_before:
                self._wait(self._not_before - now)
            self._not_before = max(now, self._not_before) + self._least_gap
        # Built directly: what the client would merge anew for each request is the same for all of them.
        headers = self._headers.copy()
        if self._sign_in is not None:
            headers.update(self._sign_in.headers(self._client))
        content = None
        if method != "GET":
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return self._client.send(
            httpx.Request(method, address, headers=headers, content=content, extensions=self._extensions)
        )

    def _address(self, path: str, params: Mapping[str, str] | None = None) -> httpx.URL:
        """Give the address of a path below the base, in one step: joined and parsed piece by piece it costs more."""
        query = urlencode(params, safe=",").encode() if params else None
        raw_path = self._base.raw_path + path.encode()
        return self._base.copy_with(raw_path=raw_path + b"?" + query if query else raw_path)

    def _judge(self, response: httpx.Response) -> None:
        """Raise for what means the same whether we read or write."""
        status = response.status_code
        if _OK <= status < _ELSEWHERE or (status >= _BROKEN and status not in _TRY_LATER):
            return
        if status in _TRY_LATER:
            raise TransientDeliveryError(
                f"{self.vendor} is busy and asked us to wait. We changed nothing.",
                code=_code(response),
                retry_after=retry_after(response.headers.get("Retry-After", "")),
            )
        if status < _MISTAKE:
            raise RefusedDeliveryError(
                f"{self.vendor} sent us to another address, which we do not follow. We changed nothing.",
                code=_code(response),
                what_now=f"Ask {self.vendor} which address serves this school, and set base_url",
            )
        words, mend = self._says_no.get(
            status, (f"{self.vendor} did not take our request.", f"Show {self.vendor} the code")
        )
        raise RefusedDeliveryError(f"{words} We changed nothing.", code=_code(response), what_now=mend)

    def _refuse_impostor(self, exc: httpx.RequestError) -> None:
        """Raise for good when the far side could not prove who it is."""
        if is_impostor(exc):
            raise impostor(self.vendor) from None


def _code(response: httpx.Response) -> str:
    return f"HTTP {response.status_code}"
