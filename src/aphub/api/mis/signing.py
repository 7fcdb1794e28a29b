"""Signing in by asking for a token first; it is kept until shortly before it ends, or until it is refused."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from aphub.api.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from aphub.api.http import http_errors_as_delivery_errors, is_impostor
from aphub.api.mis.reply import at

_EARLIER = timedelta(minutes=1)
_DEFAULT_LIFE = timedelta(minutes=5)
"""For a token that does not say when it ends."""


class TokenByPost:
    """Posts a body that holds the secret, and puts the token from the answer into a header of every request.

    `body` is sent as JSON, or as a form with `form`. `expires_path` may lead to an instant or to seconds.
    """

    def __init__(
        self,
        vendor: str,
        address: str,
        body: Callable[[], Mapping[str, str]],
        *,
        token_path: str,
        expires_path: str,
        header: str = "Bearer {token}",
        form: bool = False,
        now: Callable[[], datetime],
    ) -> None:
        """Ask for nothing yet."""
        self._vendor = vendor
        self._address = address
        self._body = body
        self._token_path = token_path
        self._expires_path = expires_path
        self._header = header
        self._form = form
        self._now = now
        self._token: SecretStr | None = None
        self._until = datetime.min.replace(tzinfo=UTC)
        self._used = False

    def headers(self, client: httpx.Client) -> Mapping[str, str]:
        """Give the header, asking for a token where there is none that holds.

        Raises:
            TransientDeliveryError: They do not give one now. Nothing was sent but the question.
            RefusedDeliveryError: They will not give us one.
        """
        self._used = self._token is not None and self._now() < self._until
        if self._token is None or not self._used:
            self._token = self._asked(client)
        return {"Authorization": self._header.format(token=self._token.get_secret_value())}

    def forget(self) -> bool:
        """Forget a token that was refused; False where it was fetched just for that request."""
        self._token = None
        return self._used

    def _asked(self, client: httpx.Client) -> SecretStr:
        body = dict(self._body())
        sent: dict[str, Any] = {"data": body} if self._form else {"json": body}
        try:
            with http_errors_as_delivery_errors():
                answer = client.post(self._address, **sent)
                answer.raise_for_status()
        except RefusedDeliveryError as exc:
            raise exc if is_impostor(exc) else self._refused(exc.code) from None
        except DeliveryError as exc:
            # Nobody was told anything about a pupil, so whatever went wrong here, nothing of ours has arrived.
            wait = exc.retry_after if isinstance(exc, TransientDeliveryError) else None
            words = f"{self._vendor} gave us no token to sign in with. We changed nothing."
            raise TransientDeliveryError(words, code=exc.code, retry_after=wait) from None
        try:
            page = json.loads(answer.content)
        except ValueError:
            page = None
        token = at(page, self._token_path)
        if not isinstance(token, str) or not token:
            raise self._refused(f"HTTP {answer.status_code}")
        self._until = self._now() + _DEFAULT_LIFE
        ends = self._ends(at(page, self._expires_path))
        if ends is not None:
            self._until = ends - _EARLIER
        return SecretStr(token)

    def _refused(self, code: str) -> RefusedDeliveryError:
        return RefusedDeliveryError(
            f"{self._vendor} did not accept our secret. We changed nothing.",
            code=code,
            what_now="Ask for a new secret, then store it with: aphub secret set",
        )

    def _ends(self, value: Any) -> datetime | None:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return self._now() + timedelta(seconds=value)
        try:
            ends = datetime.fromisoformat(str(value))
        except ValueError:
            return None
        return ends if ends.tzinfo else ends.replace(tzinfo=UTC)
