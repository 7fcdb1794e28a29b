"""Addresses that far sides may call, and what is done when one does: it is written down, and the far side is asked.

A call is a hint and no receipt. Whoever guesses an address, or repeats what was said there, changes nothing by it: what
counts is what the far side answers when it is asked.
"""

import hashlib
import secrets
from datetime import timedelta
from enum import Enum

from aphub.api.adapters import Delivery
from aphub.api.callbacks import Call, Called, CallState
from aphub.logs import get_logger
from aphub.services.deliver import MakeAdapter
from aphub.services.desk import Desk
from aphub.store import callbacks

PATH = "callbacks"
TOKEN_BYTES = 32
"""256 random bits an address; nobody finds one by trying."""
WINDOW = timedelta(hours=24)
"""How long an address is heard: far sides try for an hour, and a school's own machine may be off for an afternoon."""
log = get_logger("callbacks")


class Taken(Enum):
    """What became of a call."""

    HEARD = "heard"
    AGAIN = "again"
    UNKNOWN = "unknown"
    OVER = "over"
    USED = "used"
    NOT_THEIRS = "not theirs"


class Addresses:
    """Makes addresses for one provider below the hub's public one; only a hash of each is kept."""

    on = True

    def __init__(self, desk: Desk, public_url: str) -> None:
        """Make them at this desk."""
        self._desk = desk
        self._below = f"{public_url.rstrip('/')}/{PATH}/{desk.slug}"

    def address(self, delivery: Delivery) -> str:
        """Give a fresh address, written down before it leaves; none for what is not in the log, such as a TEST."""
        desk, token = self._desk, secrets.token_urlsafe(TOKEN_BYTES)
        row = {"token_hash": _hash(token), "made_at": desk.now, "until_at": desk.now + WINDOW}
        with desk.store.transaction() as connection:
            known = callbacks.keep(connection, desk.provider_id, delivery.key, row)
        return f"{self._below}/{token}" if known else ""

    def said(self, delivery: Delivery) -> tuple[Called, ...]:
        """Give what was said of a delivery's writes."""
        desk = self._desk
        with desk.store.reading() as connection:
            rows = callbacks.said_of(connection, desk.provider_id, delivery.key)
        return tuple(Called(row.far_reference, CallState(row.state), row.word) for row in rows)


def take_call(desk: Desk, make: MakeAdapter, token: str, call: Call) -> Taken:
    """Take a call in; once this returns HEARD or AGAIN, it is on the disk.

    Raises:
        AphubError: A secret that the signature needs is missing.
    """
    taken = _take(desk, make, token, call)
    log.info("callbacks.call", provider=desk.slug, answer=taken.value)
    if taken is Taken.HEARD:
        desk.announce("callbacks")
    return taken


def _take(desk: Desk, make: MakeAdapter, token: str, call: Call) -> Taken:
    with desk.store.reading() as connection:
        row = callbacks.by_token(connection, desk.provider_id, _hash(token))
    if row is None:
        return Taken.UNKNOWN
    if call.at >= row.until_at:
        return Taken.OVER
    digest = call.digest()
    if row.heard_at is not None:
        # Whoever did not hear our answer says it again, and is told again that we know.
        return Taken.AGAIN if row.said_digest == digest else Taken.USED
    way = desk.routes.one(row.organisation, row.channel)
    if way is None or not way.adapter.is_called:
        return Taken.NOT_THEIRS
    said = make(desk, way).hear(call)
    if said is None:
        return Taken.NOT_THEIRS
    values = {
        "heard_at": call.at,
        "said_digest": digest,
        "far_reference": said.reference[:120],
        "state": said.state.value,
        "word": said.word[:40],
    }
    with desk.store.transaction() as connection:
        if not callbacks.hear(connection, desk.provider_id, row.callback_id, **values):
            return Taken.USED
        callbacks.ask_now(connection, desk.provider_id, row.dispatch_id, call.at)
    return Taken.HEARD


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
