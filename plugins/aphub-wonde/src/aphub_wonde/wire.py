"""HTTP to Wonde: one place that turns its answers into what the hub does next.

A read that fails has changed nothing, so it is transient. A write that fails after it left may have arrived.
"""

import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx

from aphub.api import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError, retry_after

_TRY_LATER = frozenset({408, 425, 429, 503})
_OK, _ELSEWHERE, _MISTAKE, _BROKEN = 200, 300, 400, 500
_CANNOT_BE_READ = 422
_DEEPEST_CAUSE = 10
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_SAYS_NO = {
    401: (
        "Wonde did not accept our token. We changed nothing.",
        "Ask Wonde for a new token, then store it with: aphub secret set",
    ),
    403: (
        "Wonde does not let us do this at this school. We changed nothing.",
        "Ask the school to approve our permissions in Wonde",
    ),
    404: (
        "Wonde does not know what we asked for, or not for our token. We changed nothing.",
        "Check school_id and base_url with Wonde",
    ),
}


class NoQueries(logging.Filter):
    """Cuts the query off addresses in httpx's own log lines: pupil numbers stand there by Wonde's contract."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, and let it name the path only."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args
            )
        return True


_NO_QUERIES = NoQueries()


def hide_queries() -> None:
    """Keep queries out of httpx's log lines, whatever its level; a second call does nothing."""
    logging.getLogger("httpx").addFilter(_NO_QUERIES)


def at(body: Any, path: str) -> Any:
    """Give what stands at a dotted path of a JSON answer; None when nothing does."""
    for step in path.split("."):
        if not isinstance(body, dict) or step not in body:
            return None
        body = body[step]
    return body


class Reply:
    """What Wonde said to a write: status, body word for word, and the way it came."""

    __slots__ = ("body", "hops", "status", "text")

    def __init__(self, response: httpx.Response) -> None:
        """Read the answer; a body that is no JSON stays text."""
        self.status = response.status_code
        self.text = response.content.decode("utf-8", "replace")
        self.hops = _hops(response)
        try:
            self.body: Any = json.loads(response.content)
        except ValueError:
            self.body = None

    @property
    def complaint(self) -> bool:
        """Whether a yes by status carries a no inside (mis-apis.md, fact 3)."""
        if not isinstance(self.body, dict):
            return False
        return self.body.get("success") is False or any(
            self.body.get(key) for key in ("error", "errors", "exception")
        )


class Wire:
    """One client of one connection."""

    def __init__(self, client: httpx.Client, page_size: int, most_pages: int) -> None:
        """Keep the client; its maker closes it with `close`."""
        self._client = client
        self._base = client.base_url
        self._write_addresses: dict[str, httpx.URL] = {}
        self._page_size = page_size
        self._most_pages = most_pages

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one JSON object.

        Raises:
            TransientDeliveryError: No answer, or not now.
            RefusedDeliveryError: They will not let us.
        """
        try:
            response = self._client.get(self._address(path, params))
        except httpx.RequestError as exc:
            _refuse_impostor(exc)
            # Nothing was written, so the chain is cut: a request's address may name pupils.
            raise TransientDeliveryError(
                "Wonde could not be reached. We changed nothing.", code=type(exc).__name__
            ) from None
        self._judge(response)
        if response.status_code >= _BROKEN:
            raise TransientDeliveryError(
                "Wonde failed while answering. We changed nothing.", code=_code(response)
            )
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise TransientDeliveryError(
                "Wonde's answer could not be read. We changed nothing.", code=_code(response)
            )
        return body

    def rows(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Read a list page by page; the pages are counted by us, so no address of theirs is followed.

        Raises:
            RefusedDeliveryError: The list has more pages than we read, so it would be read in part.
        """
        asked = dict(params or {}) | {"per_page": str(self._page_size)}
        for page in range(1, self._most_pages + 1):
            body = self.read(path, asked | ({"page": str(page)} if page > 1 else {}))
            rows = body.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TransientDeliveryError("Wonde's list could not be read. We changed nothing.")
            yield from rows
            # The pagination object may be absent when everything fits on one page.
            if not rows or not at(body, "meta.pagination.more"):
                return
        raise RefusedDeliveryError(
            "Wonde's list has more pages than we read, so we stopped. We changed nothing.",
            code=f"{self._most_pages} pages",
            what_now="Ask Wonde for the names of the date filters, and set marks_after_parameter and its pair",
        )

    def write(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Write once; 2xx and 422 come back as answers, since both say something about each mark.

        Raises:
            TransientDeliveryError: It certainly did not arrive, or they asked us to wait.
            RefusedDeliveryError: They will not let us.
            UncertainDeliveryError: It left, and no answer came.
        """
        try:
            response = self._client.post(self._write_address(path), json=body)
        except _NEVER_SENT as exc:
            _refuse_impostor(exc)
            raise TransientDeliveryError(
                "Wonde could not be reached. Nothing was written.", code=type(exc).__name__
            ) from None
        except httpx.RequestError as exc:
            raise UncertainDeliveryError(
                "Wonde stopped answering after the marks had left. They may have arrived.",
                code=type(exc).__name__,
            ) from None
        if response.status_code != _CANNOT_BE_READ:
            self._judge(response)
        if response.status_code >= _BROKEN:
            raise UncertainDeliveryError(
                "Wonde failed while taking the marks. They may have arrived.", code=_code(response)
            )
        return Reply(response)

    def _write_address(self, path: str) -> httpx.URL:
        """Give the address to write to, which is the same for every delivery to a school."""
        address = self._write_addresses.get(path)
        if address is None:
            address = self._write_addresses[path] = self._address(path)
        return address

    def _address(self, path: str, params: Mapping[str, str] | None = None) -> httpx.URL:
        """Give the address of a path below the base, in one step: joined and parsed piece by piece it costs more."""
        query = urlencode(params, safe=",").encode() if params else None
        raw_path = self._base.raw_path + path.encode()
        return self._base.copy_with(raw_path=raw_path + b"?" + query if query else raw_path)

    @staticmethod
    def _judge(response: httpx.Response) -> None:
        """Raise for what means the same whether we read or write."""
        status = response.status_code
        if _OK <= status < _ELSEWHERE or (status >= _BROKEN and status not in _TRY_LATER):
            return
        if status in _TRY_LATER:
            raise TransientDeliveryError(
                "Wonde is busy and asked us to wait. We changed nothing.",
                code=_code(response),
                retry_after=retry_after(response.headers.get("Retry-After", "")),
            )
        if status < _MISTAKE:
            raise RefusedDeliveryError(
                "Wonde sent us to another address, which we do not follow. We changed nothing.",
                code=_code(response),
                what_now="Ask Wonde which address serves this school, and set base_url",
            )
        words, what_now = _SAYS_NO.get(
            status, ("Wonde did not take our request. We changed nothing.", "Show Wonde the code")
        )
        raise RefusedDeliveryError(words, code=_code(response), what_now=what_now)


def _code(response: httpx.Response) -> str:
    return f"HTTP {response.status_code}"


def _refuse_impostor(exc: BaseException) -> None:
    """Raise for good when the far side could not prove who it is: waiting does not mend that."""
    cause: BaseException | None = exc
    for _ in range(_DEEPEST_CAUSE):  # a chain of causes may bite its own tail
        if cause is None:
            return
        if isinstance(cause, ssl.SSLCertVerificationError):
            _impostor()
        cause = cause.__cause__ or cause.__context__


def _impostor() -> NoReturn:
    raise RefusedDeliveryError(
        "The server at Wonde's address could not prove that it is Wonde. We have not sent anything.",
        code="certificate",
        what_now="Check base_url and ca_file with your IT team; do not switch the check off",
    ) from None


def _hops(response: httpx.Response) -> str:
    """Name the part of the way that was proved encrypted, such as "TLS 1.3 to api.wonde.com"."""
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    version = secured.version() if secured is not None else None
    return f"{version.replace('TLSv', 'TLS ')} to {response.url.host}" if version else ""
