"""Find the pupil that somebody means, without a name ever being typed."""

from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk
from aphub.store import keeping


class UnknownPupilError(AphubError):
    """We know no such pupil."""


def pupil_of(desk: Desk, connection: Connection, what: str) -> Row[Any]:
    """Give the row of the pupil meant by our reference, a placement's, or the provider's own.

    Raises:
        UnknownPupilError: There is none, or it fits two.
    """
    text = what.strip()
    rows = keeping.find_pupils(
        connection, desk.provider_id, text.upper(), desk.vault.index("reference", text)
    )
    if len(rows) == 1:
        return rows[0]
    found = "We know no pupil of this reference." if not rows else "This reference fits two pupils."
    raise UnknownPupilError(
        found, "Nothing was changed.", "Give your own pupil reference, or a placement's from: aphub log"
    )
