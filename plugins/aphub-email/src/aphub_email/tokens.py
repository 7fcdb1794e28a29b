"""Tokens to sign in with: asked for over HTTPS, kept in this process's memory until shortly before they end.

An adapter lives for one burst, a token for an hour: so what is kept belongs to the process. The next one asks anew.
"""

import hashlib
import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
from pydantic import SecretStr

from aphub.api import Tools, retry_after
from aphub_email import token_words, words
from aphub_email.settings import EmailConnection
from aphub_email.trust import tls_problem, trusted

_EARLIER = timedelta(minutes=5)
_DEFAULT_LIFE = timedelta(minutes=10)
"""For a token that does not say when it ends."""
_MOST_BYTES = 65_536
_TRY_LATER = frozenset({408, 425, 429})
_OK, _ELSEWHERE, _BROKEN = 200, 300, 500
_TOKEN = re.compile(r"[!-~]{1,9000}")
"""Without spaces and control characters, and within the longest line of a sign-in (RFC 4954 section 4, as base64)."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_log = logging.getLogger("aphub_email")


@dataclass(slots=True)
class _Kept:
    """What is remembered for one sign-in; `lock` is held while a token is asked for: a refresh token may count once."""

    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    token: SecretStr | None = None
    until: datetime = _NEVER
    refresh: SecretStr | None = None


_ALL_KEPT: dict[str, _Kept] = {}
_ALL_LOCK = threading.Lock()


class Tokens:
    """The tokens of one connection; adapters with the same sign-in share them."""

    def __init__(self, connection: EmailConnection, scope: str, tools: Tools) -> None:
        """Ask for nothing yet."""
        self._connection = connection
        self._scope = scope
        self._tools = tools
        self._given: SecretStr | None = None
        self._fresh = False
        with _ALL_LOCK:
            self._kept = _ALL_KEPT.setdefault(_identity(connection, scope), _Kept())

    def token(self) -> SecretStr:
        """Give a token that holds for some minutes, asking for one where none is kept.

        Raises:
            TransientDeliveryError: They do not give one now.
            RefusedDeliveryError: They will not give us one.
        """
        with self._kept.lock:
            token = self._kept.token
            if token is None or self._tools.now() >= self._kept.until:
                self._kept.token = None
                token = self._kept.token = self._asked()
                self._fresh = True
            elif token is not self._given:
                self._fresh = False
            self._given = token
        return token

    def renew(self) -> SecretStr:
        """Ask for a token whatever is kept, to prove that our secret still counts."""
        with self._kept.lock:
            self._kept.token = None
        return self.token()

    def forget(self) -> bool:
        """Forget a token that was refused; False where it was fetched just now, so that another is no use."""
        with self._kept.lock:
            if self._kept.token is self._given:
                self._kept.token = None
        return not self._fresh

    @property
    def until(self) -> datetime:
        """When the kept token is renewed."""
        return self._kept.until

    @property
    def rotated(self) -> bool:
        """Whether a newer refresh token than the stored one is in use."""
        return self._kept.refresh is not None

    def _asked(self) -> SecretStr:
        url = self._connection.actual_token_url
        host = httpx.URL(url).host
        client = self._tools.http(
            verify=trusted(self._connection.ca_file),
            timeout=self._connection.timeout,
            most_bytes=_MOST_BYTES,
        )
        try:
            with client:
                answer = client.post(url, data=self._question(), headers={"Accept": "application/json"})
        except httpx.HTTPError as exc:
            problem = tls_problem(exc)
            # The question holds our secret: the chain is cut, so that no trace can show it.
            raise (words.not_verified(host, problem) if problem else token_words.not_now(host)) from None
        page = _page(answer)
        if _OK <= answer.status_code < _ELSEWHERE:
            return self._kept_from(page, host)
        if answer.status_code >= _BROKEN or answer.status_code in _TRY_LATER:
            wait = retry_after(answer.headers.get("Retry-After", ""))
            raise token_words.not_now(host, f"HTTP {answer.status_code}", wait)
        raise token_words.refused(host, answer.status_code, page)

    def _question(self) -> dict[str, str]:
        """Write the form of RFC 6749, section 4.4.2 or 6."""
        settings = self._connection
        form = {
            "grant_type": settings.sign_in,
            "client_id": settings.client_id,
            "scope": self._scope,
        }
        if secret := settings.client_secret.get_secret_value():
            form["client_secret"] = secret
        if settings.sign_in == "refresh_token":
            form["refresh_token"] = (self._kept.refresh or settings.refresh_token).get_secret_value()
        return form

    def _kept_from(self, page: Mapping[str, Any], host: str) -> SecretStr:
        """Keep what an answer brings: the token, its end, and a refresh token that takes the old one's place."""
        token, kind = page.get("access_token"), str(page.get("token_type", "Bearer"))
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or kind.lower() != "bearer":
            raise token_words.no_token(host)
        life = _life(page.get("expires_in"))
        self._kept.until = self._tools.now() + max(life - _EARLIER, life / 2)
        newer = page.get("refresh_token")
        if self._connection.sign_in == "refresh_token" and isinstance(newer, str) and newer:
            self._renewed(SecretStr(newer))
        return SecretStr(token)

    def _renewed(self, newer: SecretStr) -> None:
        in_use = self._kept.refresh or self._connection.refresh_token
        if newer != in_use:
            if self._kept.refresh is None:
                _log.warning("email.refresh_token_renewed: it is used from memory only; see aphub check")
            self._kept.refresh = newer


def tokens_of(connection: EmailConnection, tools: Tools, what: Literal["send", "read"]) -> Tokens | None:
    """Give the tokens with which a connection sends, or reads its mailbox; None where it signs in without."""
    if not connection.uses_tokens:
        return None
    return Tokens(connection, connection.asked_for(what), tools)


def _identity(connection: EmailConnection, scope: str) -> str:
    """Name a sign-in by all that it is made of, without holding any of it."""
    parts = [
        connection.sign_in,
        connection.actual_token_url,
        connection.client_id,
        scope,
        connection.client_secret.get_secret_value(),
        connection.refresh_token.get_secret_value(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _page(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        page = json.loads(answer.content)
    except ValueError:
        return {}
    return page if isinstance(page, dict) else {}


def _life(value: Any) -> timedelta:
    """Read how long a token lives, in seconds; some services write the number as text."""
    text = str(value)
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < 8 else _DEFAULT_LIFE  # noqa: PLR2004 - a hundred days
