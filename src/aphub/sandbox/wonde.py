"""A stand-in of the Wonde API on loopback, strict to what is publicly known of it.

Where the vendor publishes nothing (status words of a write-back, date filters, the inner shape of a 422) the
choice made here is a setting, so that an adapter's own settings can be proved against more than one.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from http.client import responses
from pathlib import Path
from typing import Any

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.json_api import JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.wonde_routes import AnswerError, WondeRoutes, token_of
from aphub.sandbox.wonde_writebacks import Writeback, Writebacks

STATUS_WORDS = {"pending": "pending", "success": "success", "failed": "failed"}


class WondeStandIn(JsonStandIn):
    """An aggregator's API with schools behind it.

    `token` reaches every school; `tokens` adds others, each with the ids of the schools that it reaches.
    """

    stands_for = "Wonde"

    def __init__(
        self,
        authority: DemoAuthority,
        state: MisState,
        *,
        token: str,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
        tokens: Mapping[str, Collection[str]] | None = None,
        pending_polls: int = 1,
        pending_seconds: float = 0.0,
        status_field: str = "status",
        status_words: Mapping[str, str] = STATUS_WORDS,
        date_filters: tuple[str, str] = ("attendance_date_after", "attendance_date_before"),
        folder: Path | None = None,
    ) -> None:
        """Prepare the server; `start` makes it listen. With `folder`, every write-back is followed by a dump."""
        super().__init__(authority, port=port, names=names, folder=folder)
        self.state = state
        self.writebacks = Writebacks(state, pending_polls=pending_polls, pending_seconds=pending_seconds)
        self.status_field = status_field
        self.status_words = dict(status_words)
        self.date_filters = date_filters
        self._token = token
        self._tokens = {known: frozenset(schools) for known, schools in (tokens or {}).items()}
        self.routes = WondeRoutes(self)

    @property
    def url(self) -> str:
        """The base address, with the slash that relative paths need."""
        return f"https://{self.address[0]}:{self.address[1]}/v1.0/"

    def dump(self, folder: Path) -> list[Path]:
        """Write what each school's register holds into `folder`, one JSON file a school."""
        return self.state.dump(folder)

    # For routes and conversation

    def reaches(self, token: str, school_id: str) -> bool:
        """Say whether a token was given access to a school."""
        return _same(token, self._token) or school_id in self._tokens.get(token, ())

    def queue(self, school: School, token: str, marks: Sequence[Mapping[str, Any]]) -> Writeback:
        """Acknowledge marks; where the answer will be lost or late they are in the register at once."""
        half = self.takes_half()
        return self.writebacks.queue(
            school, token, marks, half=half.words if half else "", at_once=self.settles_at_once
        )

    def sign_in(self, request: Request) -> None:
        """Know the token, whichever schools it reaches."""
        if not any(_same(token_of(request), known) for known in (self._token, *self._tokens)):
            raise AnswerError(401, "Unauthenticated.")

    def trouble(self, status: int, words: str) -> Mapping[str, Any]:
        """Give the vendor's kind of body."""
        return {"message": words if status == 415 else responses[status]}  # noqa: PLR2004 - HTTP's own number

    def answer(self, request: Request) -> Mapping[str, Any]:
        """Answer by the routes."""
        return self.routes.answer(request)


def _same(given: str, known: str) -> bool:
    return bool(known) and hmac.compare_digest(given.encode(), known.encode())
