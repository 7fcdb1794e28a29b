"""HTTP for adapters: one translation of its errors into what the hub does next."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError

_TRY_LATER = frozenset({408, 425, 429, 503})
_SERVER_ERROR = 500


@contextmanager
def http_errors_as_delivery_errors() -> Iterator[None]:
    """Translate httpx errors: never sent is transient, maybe sent is uncertain, a plain no is refused."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
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


def retry_after(value: str) -> timedelta | None:
    """Read a Retry-After header, in seconds or as a date (RFC 9110 section 10.2.3)."""
    if value.isdecimal():
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), at - datetime.now(UTC))
