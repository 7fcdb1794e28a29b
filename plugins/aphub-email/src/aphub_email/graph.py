"""Microsoft Graph as a way of sending: the frozen message, as base64, to the mailbox's own sendMail.

MIME form and not JSON, since only so do the same bytes leave under the same Message-ID as by SMTP and in a retry. The
price is that Graph keeps a copy in Sent Items (`saveToSentItems` exists for JSON only).
Source: learn.microsoft.com, "user: sendMail" and "Microsoft Graph throttling guidance".
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses
from urllib.parse import quote

import httpx

from aphub.api import (
    Delivery,
    DeliveryError,
    DeliveryResult,
    RefusedDeliveryError,
    Rung,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
    retry_after,
)
from aphub_email import graph_words, words
from aphub_email.burst import Letter
from aphub_email.settings import EmailConnection
from aphub_email.tokens import Tokens
from aphub_email.trust import tls_problem, trusted

MOST_BYTES = 4 * 1024 * 1024
"""The largest request that Graph takes (learn.microsoft.com: Use the Microsoft Graph API, maximum request size)."""
_TAKEN, _NOT_SIGNED_IN, _TOO_MANY, _NOT_NOW, _BROKEN = 202, 401, 429, 503, 500
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_REFERENCE = re.compile(r"[A-Za-z0-9-]{8,60}")
_CODE = re.compile(r"[A-Za-z]{1,60}")
_HEADER_END = b"\r\n\r\n"

Outcome = httpx.Response | DeliveryError
"""The 202 with which Graph took a message, or why it did not."""


class GraphSession:
    """An HTTPS connection to Graph, for one burst."""

    def __init__(self, connection: EmailConnection, tokens: Tokens, tools: Tools) -> None:
        """Ask for a token; Graph itself is first spoken to with a message.

        Raises:
            DeliveryError: There is no token to be had, or the authorities cannot be read.
        """
        self._tokens = tokens
        self._closed: DeliveryError | None = None
        tokens.token()
        self._client = tools.http(verify=trusted(connection.ca_file), timeout=connection.timeout)
        mailbox = quote(connection.from_address, safe="@")
        self._address = f"{connection.graph_url.rstrip('/')}/users/{mailbox}/sendMail"

    @property
    def host(self) -> str:
        """Whom we talk to."""
        return httpx.URL(self._address).host

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def send(self, letters: Sequence[Letter]) -> Iterator[tuple[Letter, Outcome]]:
        """Send letters one by one; after what would meet every other alike, the others are not tried."""
        for letter in letters:
            outcome = self._closed or unfit(letter) or self._sent(letter)
            yield letter, outcome
            if isinstance(outcome, TransientDeliveryError):
                self._closed = outcome
            elif isinstance(outcome, UncertainDeliveryError):
                self._closed = words.lost(self.host)

    def probe(self) -> None:
        """Prove that we may send, with a body that is no message: it is refused only after the sign-in was judged.

        Raises:
            DeliveryError: We may not, or they cannot be reached.
        """
        try:
            answer = self._asked(b"%")
        except httpx.HTTPError as exc:
            raise self._never_sent(exc) from None
        if answer.status_code != graph_words.MALFORMED:
            raise self._judged(answer)

    def _sent(self, letter: Letter) -> Outcome:
        try:
            answer = self._asked(b64encode(letter.content))
        except _NEVER_SENT as exc:
            return self._never_sent(exc)
        except httpx.HTTPError:
            return graph_words.silent()
        except DeliveryError as exc:  # no token, or an address that may not be talked to
            self._closed = exc
            return exc
        if answer.status_code == _TAKEN:
            return answer
        said = self._judged(answer)
        if answer.status_code in graph_words.OF_THE_MAILBOX:
            self._closed = said
        return said

    def _never_sent(self, exc: httpx.HTTPError) -> DeliveryError:
        problem = tls_problem(exc)
        return words.not_verified(self.host, problem) if problem else words.not_reached(self.host, 443)

    def _asked(self, content: bytes) -> httpx.Response:
        """Post once; a kept token that is refused is asked for anew, once: a 401 took nothing."""
        while True:
            token = self._tokens.token().get_secret_value()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
            answer = self._client.post(self._address, content=content, headers=headers)
            if answer.status_code != _NOT_SIGNED_IN or not self._tokens.forget():
                return answer

    def _judged(self, answer: httpx.Response) -> DeliveryError:
        """Say what an answer other than 202 means."""
        status, code = answer.status_code, _code_of(answer)
        if status in {_TOO_MANY, _NOT_NOW}:
            return graph_words.busy(code, retry_after(answer.headers.get("Retry-After", "")))
        if status >= _BROKEN:
            return graph_words.failed(code)
        return graph_words.refused(status, code)


def result_of_graph(graph: GraphSession, delivery: Delivery, answer: httpx.Response) -> DeliveryResult:
    """Write down what Graph said; its relay has the message, and no more is known."""
    tls = _tls(answer)
    evidence = {"server": graph.host, "answer": f"HTTP {answer.status_code}", **tls}
    version = tls.get("tls", "TLS").replace("TLSv", "TLS ")
    reference = answer.headers.get("request-id", "")
    return DeliveryResult.all_taken(
        delivery,
        Rung.HANDED_OVER,
        reference=reference if _REFERENCE.fullmatch(reference) else "",
        evidence=evidence,
        hops=f"{version} to {graph.host} (verified)",
    )


def _tls(answer: httpx.Response) -> dict[str, str]:
    """Say what encrypted the connection; nothing where httpx does not tell."""
    stream = answer.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    if secured is None:
        return {}
    return {"tls": str(secured.version()), "cipher": str((secured.cipher() or ("",))[0])}


def unfit(letter: Letter) -> RefusedDeliveryError | None:
    """Say why a letter cannot go by Graph. There is no envelope: it goes where the message itself says.

    So its head is read again, as Graph will read it: one recipient, which is the channel's, and none besides.
    """
    if len(letter.content) * 4 > MOST_BYTES * 3:
        return words.too_large()
    content = letter.content
    if content.count(b"\n") != content.count(b"\r\n") or content.count(b"\r") != content.count(b"\r\n"):
        return words.malformed()
    head = message_from_bytes(content.partition(_HEADER_END)[0] + _HEADER_END, policy=default)
    to = getaddresses([str(value) for value in head.get_all("To", [])])
    others = [
        name for name in ("Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc") if head[name] is not None
    ]
    if [address.casefold() for _, address in to] != [letter.recipient.casefold()] or others:
        return words.malformed()
    return None


def _code_of(answer: httpx.Response) -> str:
    """Give the status and Graph's own word for what is wrong; its sentence is left out, for it may quote ours."""
    try:
        word = str(json.loads(answer.content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        word = ""
    return f"HTTP {answer.status_code} {word}" if _CODE.fullmatch(word) else f"HTTP {answer.status_code}"
