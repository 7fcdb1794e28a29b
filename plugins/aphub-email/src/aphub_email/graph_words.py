"""What Microsoft Graph's answers mean, in words for people (users.md 3.3)."""

from collections.abc import Mapping
from datetime import timedelta

from aphub.api import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub_email import words

MALFORMED = 400
_NOT_SIGNED_IN, _MAY_NOT, _NOT_THERE, _TOO_LARGE, _ELSEWHERE = 401, 403, 404, 413, 300
OF_THE_MAILBOX = frozenset({_NOT_SIGNED_IN, _MAY_NOT, _NOT_THERE})
"""What is refused to the mailbox and not to a message: no other message fares better."""
_NOTHING_SENT = "We have not sent anything."

_SAYS: Mapping[int, tuple[str, str]] = {
    _NOT_SIGNED_IN: (
        "Microsoft does not accept our token.",
        "Take scope out, and check that the application belongs to this tenant.",
    ),
    _MAY_NOT: (
        "Microsoft does not let our application send from this mailbox.",
        "Ask the IT team to grant it the permission Mail.Send with admin consent, for this mailbox.",
    ),
    _NOT_THERE: (
        "Microsoft knows no such mailbox.",
        "Check from_address: it must be a mailbox of this tenant that has a licence or is shared.",
    ),
}


def refused(status: int, code: str) -> RefusedDeliveryError:
    """Say why Graph does not take a message."""
    if status == _TOO_LARGE or "Size" in code:
        return words.too_large(code)
    if _ELSEWHERE <= status < MALFORMED:
        said, what_now = "Microsoft sent us to another address, which we do not follow.", "Check graph_url."
    elif "Recipient" in code:
        said, what_now = "Microsoft does not accept the school's address.", "Check it with the school."
    else:
        said, what_now = _SAYS.get(
            status, ("Microsoft rejected the message.", "Show the IT team the code beside this.")
        )
    return RefusedDeliveryError(f"{said} {_NOTHING_SENT}", code=code, what_now=what_now)


def busy(code: str, wait: timedelta | None) -> TransientDeliveryError:
    """Say that Graph asks for patience."""
    return TransientDeliveryError(
        "Microsoft takes no more messages just now and asks us to wait.",
        code=code,
        retry_after=wait,
        slow_down=True,
    )


def failed(code: str) -> UncertainDeliveryError:
    """Say that Graph failed while it had the message."""
    return UncertainDeliveryError(
        "Microsoft failed while taking the message. It may have arrived.",
        code=code,
        what_now="Look into Sent Items of our mailbox, or ask the school, quoting the reference.",
    )


def silent() -> UncertainDeliveryError:
    """Say that only the answer is missing."""
    return UncertainDeliveryError(
        "Microsoft had the whole message and then stopped answering. It may have arrived.",
        what_now="Look into Sent Items of our mailbox, or ask the school, quoting the reference.",
    )
