"""A stand-in of Microsoft Graph's sendMail on loopback, strict to what is documented of its MIME form.

Source: learn.microsoft.com, "user: sendMail" and "Microsoft Graph error responses". Which of several faults Graph names
first is not documented; here it is token, then permission, then mailbox, then body.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request
from aphub.sandbox.maildir import Maildir
from aphub.sandbox.token_service import GRAPH_SCOPE, TokenService

MOST_BYTES = 4 * 1024 * 1024


class GraphStandIn(JsonStandIn):
    """Mailboxes that send by Graph; what they send lies in a Maildir, as it came."""

    stands_for = "Microsoft Graph"
    body_kind = "text/plain"
    good_status = 202

    def __init__(
        self,
        authority: DemoAuthority,
        maildir: Path,
        *,
        token_service: TokenService,
        mailboxes: Sequence[str],
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        durable: bool = True,
        starts_service: bool = False,
    ) -> None:
        """Prepare the server; `start` makes it listen, and with `starts_service` who gives tokens as well."""
        super().__init__(authority, port=port, names=names)
        self.maildir = Maildir(maildir, durable=durable)
        self.may_send = True
        self.unknown_recipients: set[str] = set()
        self._token_service = token_service
        self._starts_service = starts_service
        self._mailboxes = {one.casefold() for one in mailboxes}
        self._received: list[bytes] = []

    def start(self) -> Self:
        """Listen."""
        if self._starts_service:
            self._token_service.start()
        return super().start()

    def stop(self) -> None:
        """Stop listening."""
        super().stop()
        if self._starts_service:
            self._token_service.stop()

    @property
    def url(self) -> str:
        """The base address."""
        return f"https://localhost:{self.address[1]}/v1.0"

    @property
    def received(self) -> list[bytes]:
        """Every message that it took, in order."""
        with self._lock:
            return list(self._received)

    def accepts(self) -> None:
        """Take everything again."""
        self.may_send, self.unknown_recipients = True, set()
        super().accepts()

    # The contract

    def sign_in(self, request: Request) -> None:
        """Ask for a token that was given out for Graph."""
        kind, token = request.authorization
        if kind != "bearer" or not self._token_service.holds(token, GRAPH_SCOPE):
            raise AnsweredError(401, _error("InvalidAuthenticationToken", "Access token validation failure."))

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give Graph's error."""
        names = {403: "ErrorAccessDenied", 404: "ErrorInvalidUser", 429: "ApplicationThrottled"}
        return _error(names.get(status, "BadRequest"), words)

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Take a message, with nothing in the answer."""
        parts = request.path.split("/")
        if request.method != "POST" or len(parts) != 5 or parts[:3] != ["", "v1.0", "users"]:  # noqa: PLR2004 - the path's parts
            raise AnsweredError(404, _error("UnknownError", "Resource not found."))
        if parts[4] != "sendMail":
            raise AnsweredError(400, _error("BadRequest", f"No segment '{parts[4]}'."))
        if not self.may_send:
            raise AnsweredError(403, _error("ErrorAccessDenied", "Access is denied. Check credentials."))
        mailbox = unquote(parts[3]).casefold()
        if mailbox not in self._mailboxes:
            raise AnsweredError(
                404, _error("ErrorInvalidUser", f"The requested user '{mailbox}' is invalid.")
            )
        if len(request.body) > MOST_BYTES:
            raise AnsweredError(413, _error("RequestEntityTooLarge", "The request is too large."))
        try:
            content = base64.b64decode(request.body, validate=True)
        except binascii.Error:
            words = "Invalid base64 string for MIME content."
            raise AnsweredError(400, _error("ErrorMimeContentInvalidBase64String", words)) from None
        self._judge(content, mailbox)
        self.maildir.keep(secrets.token_hex(5), content, int(time.time()))
        with self._lock:
            self._received.append(content)
            self._lock.notify_all()
        return {}

    def _judge(self, content: bytes, mailbox: str) -> None:
        mail = message_from_bytes(content, policy=default)
        fields = [str(value) for name in ("To", "Cc", "Bcc") for value in mail.get_all(name, [])]
        to = [address.casefold() for _, address in getaddresses(fields)]
        if not to or any(address in self.unknown_recipients for address in to):
            raise AnsweredError(400, _error("ErrorInvalidRecipients", f"Recipients are not valid: {to}"))
        if [address.casefold() for _, address in getaddresses([str(mail["From"])])] != [mailbox]:
            raise AnsweredError(403, _error("ErrorSendAsDenied", "The user may not send as this mailbox."))


def _error(code: str, words: str) -> dict[str, Any]:
    inner = {"date": "2026-03-03T09:21:00", "request-id": "stand-in", "client-request-id": "stand-in"}
    return {"error": {"code": code, "message": words, "innerError": inner}}
