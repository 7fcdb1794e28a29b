"""The server's codes as words for people, and as what the hub does next (users.md 3.3)."""

import re
import ssl

from aphub.api import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from aphub_email.wire import Reply

_NOTHING_SENT = "We have not sent anything."
_MICROSOFT = ("office365.com", "outlook.com", "outlook.office.com")
_GOOGLE = ("gmail.com", "googlemail.com", "google.com")

_EXPIRED = 10
_NOBODY_VOUCHES = frozenset({7, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})
"""Verification results as OpenSSL numbers them (x509_vfy.h)."""

_BASIC_SIGN_IN_OFF = "5.7.30"
_NO_SUCH_USER = frozenset({"5.1.0", "5.1.1", "5.1.6", "5.1.10", "5.5.0"})
_NO_SUCH_DOMAIN = frozenset({"5.1.2", "5.4.4", "5.1.8"})
_FULL = frozenset({"5.2.2", "4.2.2"})
_TOO_LARGE = frozenset({"5.3.4", "5.2.3"})
_MAILBOX_OFF = frozenset({"5.2.0", "5.2.1"})
_NOT_OUR_MAILBOX = frozenset({"5.2.252", "5.7.60", "5.7.30"})
"""Exchange says so only after the content (SendAsDenied; and sign-in with a password switched off)."""
_TOO_MANY_AT_ONCE = 432
"""Exchange: "4.3.2 Concurrent connections limit exceeded", "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"."""
_TOO_FAST = frozenset({"4.4.5", "4.5.127", "4.7.28"})
_TOO_FAST_WORDS = re.compile(
    r"throttl|thread limit|rate limit|connections? limit|too many (concurrent )?(connections|messages)|too fast",
    re.IGNORECASE,
)
_OURS_IS_FULL = "STOREDRV.Submission"
_SIGN_IN_FIRST = 530
_NO_SUCH_USER_CODE = 550
_TOO_LARGE_CODE = 552


def who(host: str) -> str:
    """Name the keeper of a mail server as people do."""
    name = host.lower()
    if name.endswith(_MICROSOFT):
        return "Microsoft"
    if name.endswith(_GOOGLE):
        return "Google"
    return f"The mail server {host}"


def not_found(host: str) -> TransientDeliveryError:
    """Say that the name service knows no such server."""
    return TransientDeliveryError(
        f"We cannot find a mail server called {host}. {_NOTHING_SENT}",
        what_now="Check the spelling with the school's IT team.",
    )


def not_reached(host: str, port: int) -> TransientDeliveryError:
    """Say that nobody answers there."""
    return TransientDeliveryError(
        f"The mail server {host} does not answer on port {port}. {_NOTHING_SENT}",
        what_now="Check that the server is on and that the firewall lets this machine reach it.",
    )


def lost(host: str) -> TransientDeliveryError:
    """Say that the connection ended before anything could have been taken."""
    return TransientDeliveryError(f"The mail server {host} stopped answering. {_NOTHING_SENT}")


def no_encryption(host: str, reply: Reply | None = None) -> DeliveryError:
    """Say that the server does not offer encryption, or does not begin it."""
    words = f"The mail server {host} will not accept an encrypted connection. {_NOTHING_SENT}"
    code = reply.short if reply else ""
    if reply and reply.transient:
        return TransientDeliveryError(words, code=code)
    return RefusedDeliveryError(
        words, code=code, what_now="Ask its IT team to turn on TLS, or choose another way to this school."
    )


def not_verified(host: str, problem: ssl.SSLError) -> DeliveryError:
    """Say why the other end of an encrypted connection is not trusted."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        reason, what_now = _distrust(host, problem.verify_code)
        return RefusedDeliveryError(f"{reason} {_NOTHING_SENT}", what_now=what_now)
    if isinstance(problem, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return lost(host)
    if "PROTOCOL" in (problem.reason or "") or "VERSION" in (problem.reason or ""):
        return RefusedDeliveryError(
            f"The mail server {host} only offers an encryption that is too old. {_NOTHING_SENT}",
            what_now="Ask its IT team for TLS 1.2 or newer.",
        )
    return no_encryption(host)


def _distrust(host: str, code: int) -> tuple[str, str]:
    """Give what is wrong with a certificate, and what to do."""
    if code == _EXPIRED:
        return f"The certificate of {host} has run out.", "Ask its IT team to renew it."
    if code in _WRONG_NAME:
        return (
            f"The server that answers is not {host}: its certificate is for another name.",
            "Check the server's name. Do not go on until the IT team has explained it.",
        )
    if code in _NOBODY_VOUCHES:
        return (
            f"Nobody we trust vouches for the certificate of {host}.",
            "Ask its IT team for a public certificate, or give their authority's file as ca_file.",
        )
    return (
        f"The certificate of {host} is not trusted.",
        "Ask its IT team to check the certificate and its chain.",
    )


def sign_in_refused(host: str, reply: Reply) -> DeliveryError:
    """Say why the server does not let this mailbox in."""
    if reply.enhanced == _BASIC_SIGN_IN_OFF:
        return RefusedDeliveryError(
            "Microsoft no longer lets this mailbox sign in with a password.",
            code=reply.short,
            what_now="Connect it with 'Sign in with Microsoft', or send through another mail server.",
        )
    if reply.transient:
        return TransientDeliveryError(
            f"{who(host)} cannot check the sign-in now. {_NOTHING_SENT}", code=reply.short
        )
    return RefusedDeliveryError(
        f"{who(host)} refused the sign-in. The password may have changed. {_NOTHING_SENT}",
        code=reply.short,
        what_now="Check the username and set the password again.",
    )


def no_sign_in(host: str) -> DeliveryError:
    """Say that the server offers no way to sign in with a password."""
    return RefusedDeliveryError(
        f"{who(host)} does not offer sign-in with a password. {_NOTHING_SENT}",
        what_now="Ask its IT team how this mailbox may send, or leave username out if none is needed.",
    )


def greeting_refused(host: str, reply: Reply) -> DeliveryError:
    """Say that the server does not talk to us at all."""
    if reply.transient:
        return TransientDeliveryError(f"The mail server {host} is busy. {_NOTHING_SENT}", code=reply.short)
    return RefusedDeliveryError(
        f"The mail server {host} does not accept mail from this machine. {_NOTHING_SENT}",
        code=reply.short,
        what_now="Ask its IT team to let this machine send.",
    )


def sender_refused(reply: Reply) -> DeliveryError:
    """Say that the server does not take mail from our mailbox."""
    if reply.enhanced == _BASIC_SIGN_IN_OFF:
        return sign_in_refused("", reply)
    if reply.transient:
        return _busy(reply)
    if reply.enhanced in _TOO_LARGE:
        return too_large(reply.short)
    if reply.code == _SIGN_IN_FIRST:
        return RefusedDeliveryError(
            f"Our mail server wants us to sign in first. {_NOTHING_SENT}",
            code=reply.short,
            what_now="Give username and password for this mail server.",
        )
    return RefusedDeliveryError(
        "Our mail server does not let us send from this mailbox.",
        code=reply.short,
        what_now="Check from_address: it must belong to the account that signs in.",
    )


def recipient_refused(reply: Reply) -> DeliveryError:
    """Say why the address was not accepted."""
    if reply.transient:
        return _busy(reply)
    if reply.enhanced in _NO_SUCH_USER or (reply.code == _NO_SUCH_USER_CODE and not reply.enhanced):
        return RefusedDeliveryError(
            "The school's server says this address does not exist.",
            code=reply.short,
            what_now="Check the address with the school.",
        )
    if reply.enhanced in _NO_SUCH_DOMAIN:
        return RefusedDeliveryError(
            "There is no mail server for the part of the address after the @.",
            code=reply.short,
            what_now="Check the address with the school.",
        )
    if reply.enhanced in _MAILBOX_OFF:
        return RefusedDeliveryError(
            "The school's mailbox is switched off.",
            code=reply.short,
            what_now="Ask the school for another address.",
        )
    if reply.enhanced in _FULL | _TOO_LARGE or reply.code == _TOO_LARGE_CODE:
        return message_refused(reply)
    return RefusedDeliveryError(
        "The mail server will not take mail for this address.",
        code=reply.short,
        what_now="Check that we sign in to our own mail server; if so, ask the school's IT team to let us through.",
    )


def message_refused(reply: Reply) -> DeliveryError:
    """Say why the message was not accepted."""
    if reply.transient:
        return _busy(reply)
    if reply.enhanced in _NOT_OUR_MAILBOX:
        return sender_refused(reply)
    if _OURS_IS_FULL in reply.text:
        return _we_may_not(reply)
    if reply.enhanced in _FULL:
        return RefusedDeliveryError(
            "The school's mailbox is full.", code=reply.short, what_now="Phone the school and tell them."
        )
    if reply.enhanced in _TOO_LARGE or (reply.code == _TOO_LARGE_CODE and not reply.enhanced):
        return too_large(reply.short)
    return RefusedDeliveryError(
        "Their mail server rejected the message.",
        code=reply.short,
        what_now="Ask the school's IT team to let messages from our address through.",
    )


def _we_may_not(reply: Reply) -> RefusedDeliveryError:
    """Say that Exchange refuses for the sake of our own mailbox: what it sent lies in its Sent Items."""
    if reply.enhanced in _FULL:
        return RefusedDeliveryError(
            "Our own mailbox is full, so it may not send.",
            code=reply.short,
            what_now="Empty its Sent Items, and ask the IT team for a retention policy on that folder.",
        )
    return RefusedDeliveryError(
        "Our mailbox has sent as much today as Microsoft lets it.",
        code=reply.short,
        what_now="Phone what is urgent. Ask the IT team for a second mailbox, or lower per_day.",
    )


def too_large(code: str = "") -> RefusedDeliveryError:
    """Say that the server takes only smaller messages."""
    return RefusedDeliveryError(
        "The message is larger than their mail server takes.",
        code=code,
        what_now="Agree a file drop with this school, or a report for each session.",
    )


def malformed() -> RefusedDeliveryError:
    """Say that a message was not sent because its lines could be read in two ways (SMTP smuggling)."""
    return RefusedDeliveryError(f"The message is not well formed. {_NOTHING_SENT}")


def holds_no_more(why: str) -> RefusedDeliveryError:
    """Say that the message's protection held when it was prepared, and does not now."""
    return RefusedDeliveryError(f"{why[0].upper()}{why[1:]}. {_NOTHING_SENT}", code="protection ended")


def _busy(reply: Reply) -> TransientDeliveryError:
    """Say that the server asks for patience."""
    if reply.enhanced in _FULL:
        return TransientDeliveryError("The school's mailbox is full.", code=reply.short)
    if throttles(reply):
        words = "The mail server asks us to send less quickly."
        return TransientDeliveryError(words, code=reply.short, slow_down=True)
    return TransientDeliveryError("Their mail server is busy and asks us to try later.", code=reply.short)


def throttles(reply: Reply) -> bool:
    """Say whether a server finds that we send too much, or over too many connections at a time."""
    return (
        reply.transient
        and reply.enhanced not in _FULL
        and (
            reply.code == _TOO_MANY_AT_ONCE
            or reply.enhanced in _TOO_FAST
            or _TOO_FAST_WORDS.search(reply.text) is not None
        )
    )
