"""Read one mail as an answer to one of ours: a delivery report, a machine's reply, or a person's words."""

import re
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parsedate_to_datetime

from aphub.api import LaterKind, LaterNews

_REFERENCE = re.compile(r"\b[A-Z]{2,4}-[0-9A-Z]{8}-[0-9]{1,6}\b")
_NOBODY = re.compile(
    r"no longer (works?|employed|with us|at|in use|monitored)|has left|not (being )?monitored|address has changed",
    re.IGNORECASE,
)
_AUTOMATIC = re.compile(
    r"^(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office)", re.IGNORECASE
)
_QUOTED = re.compile(r"^(>|-{2,} ?Original Message|From: |On .{5,120} wrote:$)", re.IGNORECASE)
_MOST_WORDS = 4_000
_WHAT = {
    "5.1": "the address does not exist",
    "5.2.2": "the mailbox is full",
    "4.2.2": "the mailbox is full",
    "5.2": "the mailbox is switched off",
    "5.7": "their mail server does not let our messages in",
    "5.4": "their mail server could not be reached",
    "4.4": "their mail server could not be reached",
}
_ACTIONS = {
    "failed": LaterKind.BOUNCED,
    "delayed": LaterKind.DELAYED,
    "delivered": LaterKind.ACCEPTED,
}


def read_answer(raw: bytes, identity: str, domain: str, own_address: str) -> LaterNews | None:
    """Say what a mail tells about a message of ours; None when it is about none of them, or our own.

    `domain` is that of our Message-IDs. Whatever a stranger wrote into a mail, this gives an answer or None.
    """
    try:
        return _read(message_from_bytes(raw, policy=default), identity, domain, own_address)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None  # the standard library's parser gives up on some hostile headers


def _read(mail: EmailMessage, identity: str, domain: str, own_address: str) -> LaterNews | None:
    if mail["X-Aphub-Reference"] and own_address.casefold() in str(mail["From"]).casefold():
        return None
    report = _delivery_report(mail)
    about = tuple(dict.fromkeys(_references(mail, report, domain)))
    if not about:
        return None
    identity = str(mail["Message-ID"] or identity)
    at = _instant(mail)
    if report is not None:
        kind = _ACTIONS.get(report.get("action", ""))
        if kind is None:
            return None  # relayed or expanded: the way goes on, and nobody can say how it ends
        code = report.get("status", "")
        what = next((words for start, words in _WHAT.items() if code.startswith(start)), "")
        return LaterNews(kind, identity, about, what, code[:12], report.get("diagnostic-code", ""), at)
    words = _words(mail)
    if str(mail["Auto-Submitted"] or "no").lower() != "no" or _AUTOMATIC.match(str(mail["Subject"] or "")):
        left = _NOBODY.search(words)
        kind = LaterKind.LEFT if left else LaterKind.AUTOMATIC
        return LaterNews(kind, identity, about, "a machine answered", "", words, at)
    return LaterNews(LaterKind.REPLY, identity, about, "", "", words, at)


def _delivery_report(mail: EmailMessage) -> dict[str, str] | None:
    """Give the fields of a delivery report (RFC 3464), in lower case; None when it is none."""
    if mail.get_content_type() != "multipart/report" or mail.get_param("report-type") != "delivery-status":
        return None
    fields: dict[str, str] = {}
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            for block in [one for one in blocks if isinstance(one, Message)]:
                fields |= {name.lower(): " ".join(str(value).split()) for name, value in block.items()}
    return {**fields, "action": fields.get("action", "").lower()}


def _references(mail: EmailMessage, report: dict[str, str] | None, domain: str) -> Iterator[str]:
    """Give the references of ours that a mail names, the surest first: what our own message had, then its thread's."""
    ours = re.compile(rf"<({_REFERENCE.pattern})@{re.escape(domain)}>", re.IGNORECASE)
    if report is not None:
        yield from _REFERENCE.findall(report.get("original-envelope-id", ""))
        for part in mail.walk():
            if part.get_content_type() == "text/rfc822-headers":
                yield from (found.group(1) for found in ours.finditer(str(part.get_payload())))
            elif part is not mail and part["Message-ID"]:
                yield from (found.group(1) for found in ours.finditer(str(part["Message-ID"])))
        return
    for name in ("In-Reply-To", "References"):
        found = [one.group(1) for one in ours.finditer(str(mail[name] or ""))]
        yield from reversed(found)


def _words(mail: EmailMessage) -> str:
    """Give what somebody wrote, without what they quoted."""
    body = mail.get_body(("plain",))
    text = str(body.get_content()) if body is not None else ""
    lines: list[str] = []
    for line in text.splitlines():
        if _QUOTED.match(line):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:_MOST_WORDS]


def _instant(mail: EmailMessage) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(mail["Date"]))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
