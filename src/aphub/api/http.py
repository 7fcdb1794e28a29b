"""HTTP for adapters: one translation of its errors into what the hub does next."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError

_TRY_LATER = frozenset({408, 425, 429, 503})
_SERVER_ERROR = 500
_DEEPEST_CAUSE = 10


@contextmanager
def http_errors_as_delivery_errors() -> Iterator[None]:
    """Translate httpx errors: never sent is transient, maybe sent is uncertain, a plain no is refused."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
        if is_impostor(exc):
            raise impostor("the far side") from exc
        raise TransientDeliveryError("Their system could not be reached.") from exc
    except httpx.TransportError as exc:
        raise UncertainDeliveryError("Their system stopped answering.") from exc
    except httpx.HTTPStatusError as exc:
        code = f"HTTP {exc.response.status_code}"
        if exc.response.status_code in _TRY_LATER:
            wait = retry_after(exc.response.headers.get("Retry-After", ""))
            raise TransientDeliveryError("Their system is busy.", code=code, retry_after=wait) from exc
        if exc.response.status_code >= _SERVER_ERROR:
            raise UncertainDeliveryError("Their system failed while answering.", code=code) from exc
        raise RefusedDeliveryError("Their system rejected the message.", code=code) from exc


def is_impostor(exc: BaseException) -> bool:
    """Say whether the far side could not prove who it is: waiting does not mend that."""
    cause: BaseException | None = exc
    for _ in range(_DEEPEST_CAUSE):  # a chain of causes may bite its own tail
        if cause is None:
            return False
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def impostor(who: str) -> RefusedDeliveryError:
    """Give the error for a far side that could not prove who it is."""
    return RefusedDeliveryError(
        f"The server at {who}'s address could not prove who it is. We have not sent anything.",
        code="certificate",
        what_now="Check its address and ca_file with your IT team; do not switch the check off",
    )


def retry_after(value: str) -> timedelta | None:
    """Read a Retry-After header, in seconds or as a date (RFC 9110 section 10.2.3)."""
    if value.isdecimal():
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), at - datetime.now(UTC))
