"""What a far side says by calling us: a hint that asking is worth while now, never a receipt by itself."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from aphub.api.adapters import Delivery


class CallState(StrEnum):
    """What a far side says of a write."""

    DONE = "done"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came in at an address of ours; header names are in small letters."""

    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime

    def fields(self) -> dict[str, str]:
        """Give the parameters of the address and of the body (a form, or a flat JSON object), as text."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind == "application/json":
                said = json.loads(self.body)
                inside = {str(name): value for name, value in said.items()} if isinstance(said, dict) else {}
            else:
                inside = dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except (ValueError, RecursionError):
            inside = {}
        flat = {name: str(value) for name, value in inside.items() if isinstance(value, str | int)}
        return {**self.query, **flat}

    def digest(self) -> bytes:
        """Give what tells this call from another one; the same call again has the same."""
        said = json.dumps([sorted(self.query.items()), self.body.hex()])
        return hashlib.sha256(said.encode()).digest()

    def is_signed(self, secret: str, signature: str, *, over: bytes | None = None) -> bool:
        """Say whether `signature` (in hex) is the HMAC-SHA256 of the body under `secret`."""
        made = hmac.new(secret.encode(), self.body if over is None else over, hashlib.sha256).hexdigest()
        return hmac.compare_digest(made.encode(), signature.strip().lower().encode())


@dataclass(frozen=True, slots=True)
class Called:
    """What a far side said of one write: by its own reference, in one of three words, with its own word kept."""

    reference: str
    state: CallState
    word: str = ""


class Callbacks(Protocol):
    """Addresses that far sides may call, one a write, and what was said there."""

    @property
    def on(self) -> bool:
        """Whether we can be called at all."""

    def address(self, delivery: "Delivery") -> str:
        """Give a fresh address for one write of a delivery, known to nobody else; empty where we cannot be called."""

    def said(self, delivery: "Delivery") -> tuple[Called, ...]:
        """Give what was said of a delivery's writes."""


class NoCallbacks:
    """Nobody can call us, as in a hub without `[callbacks]`."""

    on = False

    def address(self, delivery: "Delivery") -> str:  # noqa: ARG002 - as promised
        """Give none."""
        return ""

    def said(self, delivery: "Delivery") -> tuple[Called, ...]:  # noqa: ARG002 - as promised
        """Nothing was said."""
        return ()
