"""One channel on its way to live: its route, its row, what is kept sealed of its test, and who did what."""

import re
import unicodedata
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError, NeedsCorrectionError
from aphub.services.desk import Desk
from aphub.services.routes import Route
from aphub.store import channels

FOUND = "check found: "
"""How the reason of a pause begins that only a better check can end."""
LONGEST_NAME, LONGEST_REASON = 80, 200
_SUBJECT = 40
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "sir"})


class NotYetError(AphubError):
    """A step before this one is missing."""


class SecondPersonError(AphubError):
    """Somebody else must do this."""


class WrongCodeError(AphubError):
    """The code is not the one in the message."""


def route_to(desk: Desk, organisation: str, channel: str) -> Route:
    """Give the route of a channel; raises AphubError, naming those that there are."""
    route = desk.routes.one(organisation, channel)
    if route is None:
        there = ", ".join(f"{one.organisation} {one.channel}" for one in desk.routes.of(organisation))
        known = there or f"schools and councils: {', '.join(sorted(desk.config.organisations)) or 'none'}"
        raise AphubError(
            f"There is no channel '{channel}' to '{organisation}'.",
            "Nothing was changed.",
            f"There are: {known}.",
        )
    return route


def row_of(desk: Desk, connection: Connection, route: Route) -> Row[Any]:
    """Give a route's channel row, locked; raises NotYetError unless this very configuration is published."""
    row = channels.one(connection, desk.provider_id, route.organisation, route.channel)
    if row is None or row.destination != route.destination:
        raise NotYetError("The configuration of this channel is not published.", "", "Run: aphub apply")
    return row


def open_kept(desk: Desk, row: Row[Any]) -> dict[str, Any]:
    """Open what is kept of a channel: test code, passphrase, reference, destination, who read it back."""
    if row.sealed is None:
        return {}
    place = f"channels:{desk.provider_id}:{row.organisation}/{row.name}"
    kept: dict[str, Any] = desk.vault.open_json(row.key_id, place, row.sealed)
    return kept


def keep(desk: Desk, connection: Connection, route: Route, kept: dict[str, Any], **values: Any) -> None:
    """Seal what is kept of a channel, and change columns with it."""
    place = f"channels:{desk.provider_id}:{route.organisation}/{route.channel}"
    [key] = desk.vault.data_keys([route.organisation], "channel", desk.year())
    sealed = desk.vault.seal_json(key, place, kept)
    channels.change(
        connection,
        desk.provider_id,
        route.organisation,
        route.channel,
        key_id=key.key_id,
        sealed=sealed,
        **values,
    )


def about(route: Route) -> dict[str, str]:
    """Give the fields with which the ledger names a channel."""
    return {
        "organisation": route.organisation,
        "channel": route.channel,
        "destination": route.destination,
    }


def subject_of(route: Route) -> str:
    """Give the subject under which statements about a channel are found."""
    return f"{route.organisation}/{route.channel}"[:_SUBJECT]


def signed(desk: Desk, by: str) -> str:
    """Give a person's keyed digest: what the ledger holds instead of a name."""
    return desk.vault.digest(by.encode()).hex()


def named(by: str) -> str:
    """Give a person's name; raises NeedsCorrectionError when there is none."""
    name = " ".join(by.split())
    if not who(name):
        raise NeedsCorrectionError(
            "We need the name of whoever does this.", "Nothing was changed.", 'Add: --by "Your name, role"'
        )
    return typed("A name with its role", name, LONGEST_NAME)


def typed(what: str, words: str, longest: int = LONGEST_REASON) -> str:
    """Give what somebody typed without the space around it; raises NeedsCorrectionError when we could not keep all of it.

    `what` names it in the error, which never repeats it: it may be about a pupil.
    """
    words = words.strip()
    if len(words) > longest:
        raise NeedsCorrectionError(
            f"{what} is longer than {longest} letters.",
            "Nothing was changed.",
            "Keep it short here, and the story in your own case record.",
        )
    return words


def who(by: str) -> str:
    """Fold a name for comparison; what follows a comma or stands in brackets is a role."""
    name = unicodedata.normalize("NFKD", re.sub(r"[(\[].*", "", by.partition(",")[0]).casefold())
    words = re.findall(r"[^\W_]+", "".join(letter for letter in name if not unicodedata.combining(letter)))
    return " ".join(word for word in words if word not in _TITLES)


def may_be_one(first: str, second: str) -> bool:
    """Say whether two names may be one person's: the same words in another order, fewer of them, or only initials."""
    few, many = sorted((who(first).split(), who(second).split()), key=len)
    left = list(many)
    for word in sorted(few, key=len, reverse=True):
        same = next((other for other in left if word == other or _initial(word, other)), None)
        if same is None:
            return False
        left.remove(same)
    return bool(few)


def _initial(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) == 1 and long.startswith(short)
