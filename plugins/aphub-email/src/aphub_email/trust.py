"""Whom we believe: the authorities that vouch for the servers of a connection."""

import ssl
from pathlib import Path

from aphub.api import RefusedDeliveryError
from aphub_email.wire import tls_context

_DEEPEST_CAUSE = 10


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Give the context that verifies chain and name.

    Raises:
        RefusedDeliveryError: The file of authorities cannot be read, or holds none.
    """
    try:
        return tls_context(ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise RefusedDeliveryError(
            "The file of trusted authorities cannot be read. We have not sent anything.",
            what_now="Check ca_file: it must be a PEM file that this user may read.",
        ) from exc


def tls_problem(exc: BaseException) -> ssl.SSLError | None:
    """Give the failure of TLS behind another error, if that is what it was."""
    cause: BaseException | None = exc
    for _ in range(_DEEPEST_CAUSE):  # a chain of causes may bite its own tail
        if cause is None or isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
