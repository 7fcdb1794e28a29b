"""Who viewed or exported what: kept for the provider's own audit, and not in the ledger, which outlives the data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aphub.services.desk import Desk
from aphub.services.way import named, typed
from aphub.services.whose import pupil_of
from aphub.store import keeping
from aphub.store.engine import allocate


class What(StrEnum):
    """What somebody did to see a pupil's data outside the ordinary run of messages."""

    NAMES = "names shown"
    DOCUMENTS = "documents shown"
    EVIDENCE = "evidence written"
    SUMMARY = "summary written"
    ACCESS_REQUEST = "access request"
    WRONG_SCHOOL = "wrong school"
    PLACEMENTS = "placements exported"


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One look: when, by whom, what, and how many pupils were in it."""

    at: datetime
    by: str
    what: str
    subject: str
    because: str
    pupils: int


def note(desk: Desk, what: What, subject: str, by: str, pupils: Iterable[int], because: str = "") -> None:
    """Keep that a named person saw the data of these pupils.

    Call it before anything is shown: what cannot be noted is not shown.

    Raises:
        AphubError: Nobody is named.
    """
    name, numbers = named(by), sorted(set(pupils))
    with desk.store.transaction() as connection:
        [number] = allocate(connection, "accesses")
        row = {
            "provider_id": desk.provider_id,
            "access_id": number,
            "at": desk.now,
            "by": name,
            "what": what.value,
            "subject": subject[:60],
            "because": typed("The reason", because),
            "pupils": len(numbers),
        }
        keeping.add_access(connection, row, numbers)


def viewed(desk: Desk, pupil: str = "", limit: int = 200) -> Sequence[AccessLine]:
    """List who viewed or exported what, newest first; of one pupil, where a reference is given.

    Raises:
        UnknownPupilError: There is no such pupil.
    """
    with desk.store.reading() as connection:
        number = pupil_of(desk, connection, pupil).pupil_id if pupil else None
        rows = keeping.accesses_of(connection, desk.provider_id, number, limit)
    return [AccessLine(row.at, row.by, row.what, row.subject, row.because, row.pupils) for row in rows]
