"""A stand-in of a sign-in service that gives out tokens (OAuth 2.0), strict to what Microsoft Entra documents.

Sources: RFC 6749 sections 4.4, 5 and 6; learn.microsoft.com, "OAuth 2.0 client credentials flow" and "Microsoft Entra
authentication and authorization error codes".
"""

import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import AnsweredError, JsonStandIn, Request

SCOPE = "https://outlook.office365.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
_EXTRA = "offline_access"
_NEEDED = ("grant_type", "client_id", "scope")


class TokenService(JsonStandIn):
    """One tenant with one application; `mailboxes` are those that its tokens open, all where none are named.

    `rotates` gives a new refresh token with each use and ends the old one.
    """

    stands_for = "Microsoft Entra"
    body_kind = "application/x-www-form-urlencoded"

    def __init__(
        self,
        authority: DemoAuthority,
        *,
        tenant: str = "riverbank.example.org",
        client_id: str = "aphub-mail",
        client_secret: str,
        refresh_token: str = "",
        scopes: Sequence[str] = (SCOPE, GRAPH_SCOPE),
        mailboxes: Sequence[str] = (),
        life: int = 3600,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
    ) -> None:
        """Prepare the service; `start` makes it listen. `life` is how many seconds a token holds."""
        super().__init__(authority, port=port, names=names)
        self.tenant = tenant
        self.scopes = tuple(scopes)
        self.mailboxes = {one.casefold() for one in mailboxes}
        self.life = life
        self.rotates = False
        self.secret_has_expired = False
        self.has_consent = True
        self.client_id = client_id
        self._client_secret = client_secret
        self._refresh_token = refresh_token
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def url(self) -> str:
        """Where tokens are asked for."""
        return f"https://localhost:{self.address[1]}/{self.tenant}/oauth2/v2.0/token"

    @property
    def given(self) -> int:
        """How many tokens were given out."""
        return len(self._tokens)

    def accepts(self) -> None:
        """Give tokens again, and let those count that are given from now on."""
        self.secret_has_expired, self.has_consent = False, True
        super().accepts()

    def revokes(self) -> None:
        """Let no token count that was given out until now."""
        with self._lock:
            self._tokens = dict.fromkeys(self._tokens, (0.0, ""))

    def opens(self, user: str, token: str) -> bool:
        """Say whether a token holds, and opens this mailbox."""
        return self.holds(token, SCOPE) and (not self.mailboxes or user.casefold() in self.mailboxes)

    def holds(self, token: str, scope: str) -> bool:
        """Say whether a token holds, and was given out for this scope."""
        with self._lock:
            until, asked = self._tokens.get(token, (0.0, ""))
        return until > time.time() and scope in asked.split()

    # The contract

    def sign_in(self, request: Request) -> None:
        """Ask for nothing in the head: the form says who asks."""

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give an error as OAuth 2.0 has it."""
        error = "temporarily_unavailable" if status in {429, 503} else "invalid_request"
        return {"error": error, "error_description": words, "error_codes": []}

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Give a token, or say why not."""
        tenant, _, rest = request.path.removeprefix("/").partition("/")
        if request.method == "POST" and rest == "oauth2/v2.0/introspect":
            return self._introspected(request)
        if request.method != "POST" or rest != "oauth2/v2.0/token":
            raise AnsweredError(404, self.trouble(404, "Not found"))
        if tenant != self.tenant:
            raise _refused("invalid_request", 90002, f"Tenant '{tenant}' not found.")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), strict_parsing=False))
        missing = [name for name in _NEEDED if not form.get(name)]
        if missing:
            raise _refused("invalid_request", 900144, f"The request body must contain '{missing[0]}'.")
        self._knows_client(form)
        self._knows_scope(form["scope"].split())
        page: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.life, "ext_expires_in": self.life}
        if form["grant_type"] == "refresh_token":
            page |= self._refreshed(form.get("refresh_token", ""))
        elif form["grant_type"] != "client_credentials":
            raise _refused("unsupported_grant_type", 70003, "The grant type is not supported.")
        token = f"sandbox.{secrets.token_urlsafe(300)}"
        with self._lock:
            self._tokens[token] = (time.time() + self.life, form["scope"])
        return page | {"access_token": token}

    def _introspected(self, request: Request) -> Mapping[str, Any]:
        """Say whom a token opens (RFC 7662). Entra has none of it; mail servers that are not Microsoft's ask."""
        token = dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("token", "")
        if not self.holds(token, SCOPE):
            return {"active": False}
        return {"active": True, "username": min(self.mailboxes, default=""), "scope": SCOPE}

    def _knows_client(self, form: Mapping[str, str]) -> None:
        if form["client_id"] != self.client_id:
            words = "Application was not found in the directory."
            raise _refused("unauthorized_client", 700016, words)
        given = form.get("client_secret", "")
        if not given and form["grant_type"] == "refresh_token":
            return  # an application without a secret, for which a person signed in
        if not hmac.compare_digest(given.encode(), self._client_secret.encode()):
            raise _refused("invalid_client", 7000215, f"Invalid client secret provided: {given}", status=401)
        if self.secret_has_expired:
            raise _refused("invalid_client", 7000222, "The provided client secret keys are expired.", 401)
        if not self.has_consent:
            raise _refused("invalid_grant", 65001, "Nobody has consented to use the application.")

    def _knows_scope(self, asked: Sequence[str]) -> None:
        if not set(asked) - {_EXTRA} <= set(self.scopes):
            raise _refused("invalid_scope", 70011, "The provided value for 'scope' is not valid.")

    def _refreshed(self, given: str) -> dict[str, str]:
        if not self._refresh_token or not hmac.compare_digest(given.encode(), self._refresh_token.encode()):
            raise _refused("invalid_grant", 70000, f"Provided grant is invalid or malformed: {given}")
        if not self.rotates:
            return {"refresh_token": given}
        self._refresh_token = f"sandbox-{secrets.token_urlsafe(60)}"
        return {"refresh_token": self._refresh_token}


def _refused(error: str, number: int, words: str, status: int = 400) -> AnsweredError:
    """Refuse in Entra's shape; like the real one, the sentence may repeat what was sent."""
    return AnsweredError(
        status,
        {"error": error, "error_description": f"AADSTS{number}: {words}", "error_codes": [number]},
    )
