"""What a sign-in service's refusals mean, in words for people (users.md 3.3).

Microsoft's numbers may change without notice, as its own page says; what is not known here is said by the OAuth 2.0
error alone (RFC 6749 section 5.2). The service's own sentences are never shown: they may repeat what we sent.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aphub.api import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from aphub_email.wire import Reply

_NOTHING_SENT = "We have not sent anything."
_NUMBER = re.compile(r"AADSTS([0-9]{4,8})")
_ERROR = re.compile(r"[a-z_]{1,40}")
_SCOPE = re.compile(r"[A-Za-z0-9:/._ -]{1,200}")
_MOST_CHALLENGE = 8_192
_MICROSOFT = ("microsoftonline.com", "microsoftonline.us", "chinacloudapi.cn", "office365.com", "outlook.com")

_STORE = "store it with: aphub secret set NAME."
_SECRET_ENDED = (
    "the secret of our mail application has run out.",
    f"Ask the IT team for a new secret of the application, then {_STORE}",
)
_SECRET_WRONG = (
    "the secret of our mail application is not right.",
    "Store the secret's value, not its ID, with: aphub secret set NAME.",
)
_NO_APPLICATION = (
    "there is no application with our client_id in this tenant.",
    "Check client_id and tenant, and that an administrator let the application in.",
)
_NO_TENANT = (
    "there is no such tenant.",
    "Check tenant: it is called Directory (tenant) ID where the application is registered.",
)
_NO_CONSENT = (
    "nobody has allowed our application to do this yet.",
    "Ask an administrator of the tenant to grant consent to the application's permissions.",
)
_SCOPE_WRONG = (
    "what we ask a token for is not known.",
    "Check scope; with Microsoft 365, leave it out.",
)
_REFRESH_ENDED = (
    "our refresh token no longer counts. The password may have changed, or it was replaced by a newer one.",
    f"Sign in again as that mailbox, take the new refresh token, and {_STORE}",
)
_KEPT_OUT = (
    "a rule of the tenant (Conditional Access) keeps us out.",
    "Ask the IT team to let the application sign in from this machine's address.",
)
_SWITCHED_OFF = (
    "our application is switched off.",
    "Ask the IT team to switch it on again under Enterprise applications.",
)
_WAY_NOT_ALLOWED = (
    "our application may not sign in this way.",
    "Check sign_in with the IT team that registered the application.",
)
_MICROSOFT_SAYS: Mapping[str, tuple[str, str]] = {
    "7000222": _SECRET_ENDED,
    "7000215": _SECRET_WRONG,
    "700016": _NO_APPLICATION,
    "90002": _NO_TENANT,
    "900023": _NO_TENANT,
    "65001": _NO_CONSENT,
    "70011": _SCOPE_WRONG,
    "500011": _SCOPE_WRONG,
    "1002012": _SCOPE_WRONG,
    "70000": _REFRESH_ENDED,
    "70008": _REFRESH_ENDED,
    "700082": _REFRESH_ENDED,
    "50173": _REFRESH_ENDED,
    "50076": _REFRESH_ENDED,
    "50079": _REFRESH_ENDED,
    "53003": _KEPT_OUT,
    "7000112": _SWITCHED_OFF,
}
"""By number (learn.microsoft.com: Microsoft Entra authentication and authorization error codes)."""
_OAUTH_SAYS: Mapping[str, tuple[str, str]] = {
    "invalid_client": (
        "client_id and secret are not accepted.",
        f"Check client_id, then ask for the secret and {_STORE}",
    ),
    "invalid_grant": _REFRESH_ENDED,
    "unauthorized_client": _WAY_NOT_ALLOWED,
    "unsupported_grant_type": _WAY_NOT_ALLOWED,
    "invalid_scope": _SCOPE_WRONG,
}


def _who(host: str) -> str:
    return "Microsoft" if host.lower().endswith(_MICROSOFT) else f"The sign-in service {host}"


def not_now(host: str, code: str = "", wait: timedelta | None = None) -> TransientDeliveryError:
    """Say that the service gives no token now."""
    return TransientDeliveryError(
        f"{_who(host)} gives us no token to sign in with now. {_NOTHING_SENT}",
        code=code,
        retry_after=wait,
        what_now=f"Check that this machine may reach {host}.",
    )


def no_token(host: str) -> RefusedDeliveryError:
    """Say that an answer held no token."""
    return RefusedDeliveryError(
        f"{_who(host)} answered without a token. {_NOTHING_SENT}",
        what_now="Check token_url with the IT team.",
    )


def refused(host: str, status: int, page: Mapping[str, Any]) -> RefusedDeliveryError:
    """Say why the service gives us no token."""
    said = _NUMBER.search(str(page.get("error_description", "")))
    codes = page.get("error_codes")
    first = codes[0] if isinstance(codes, list) and codes else None
    number = str(first) if isinstance(first, int) else said.group(1) if said else ""
    error = str(page.get("error", ""))
    error = error if _ERROR.fullmatch(error) else ""
    words, what_now = _MICROSOFT_SAYS.get(number) or _OAUTH_SAYS.get(
        error, ("we get no token.", "Check client_id and token_url with the IT team.")
    )
    code = f"AADSTS{number}" if number else error or f"HTTP {status}"
    return RefusedDeliveryError(
        f"{_who(host)} refuses the sign-in: {words} {_NOTHING_SENT}", code=code, what_now=what_now
    )


def no_xoauth2(who: str) -> RefusedDeliveryError:
    """Say that the mail server offers no way to sign in with a token."""
    return RefusedDeliveryError(
        f"{who} does not offer sign-in with a token (XOAUTH2). {_NOTHING_SENT}",
        what_now="Ask its IT team how this mailbox may send, or use sign_in = 'password'.",
    )


def token_refused(who: str, reply: Reply, challenge: str, asked: str) -> DeliveryError:
    """Say why the mail server does not let us in with a token that was `asked` for with a scope.

    `challenge` is what it said before (RFC 7628 section 3.2.2).
    """
    if reply.transient:
        return TransientDeliveryError(
            f"{who} cannot check the sign-in now. {_NOTHING_SENT}", code=reply.short
        )
    if reply.enhanced == "5.7.139":
        return RefusedDeliveryError(
            f"{who} has switched off sending by SMTP for this mailbox. {_NOTHING_SENT}",
            code=reply.short,
            what_now="Ask the IT team to switch on Authenticated SMTP for the mailbox, or send by way of Graph.",
        )
    status, scope = read_challenge(challenge)
    code = f"{reply.short} {status}".strip()
    if scope and scope not in asked.split():
        return RefusedDeliveryError(
            f"{who} wants a token for another scope: {scope}. {_NOTHING_SENT}",
            code=code,
            what_now="Set scope to that, or take it out with Microsoft 365.",
        )
    return RefusedDeliveryError(
        f"{who} does not let our application into this mailbox, though it has a token. {_NOTHING_SENT}",
        code=code,
        what_now="Ask the IT team to let the application send and read as this mailbox (SMTP.SendAsApp, IMAP.AccessAsApp).",
    )


def read_challenge(challenge: str) -> tuple[str, str]:
    """Give status and wanted scope of a refusal that came as base64 of JSON; empty where it is anything else."""
    try:
        page = json.loads(b64decode(challenge[:_MOST_CHALLENGE], validate=True))
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(page, dict):
        return "", ""
    status, scope = str(page.get("status", "")), str(page.get("scope", ""))
    return (
        status if re.fullmatch(r"[A-Za-z0-9_]{1,30}", status) else "",
        scope if _SCOPE.fullmatch(scope) else "",
    )
