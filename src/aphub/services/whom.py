"""Whom somebody means: a pupil by the hub's or the provider's own reference, and the schools behind a placement."""

from collections.abc import Iterable

from sqlalchemy import Connection

from aphub.domain.calendar import Calendar
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.placements import Purpose
from aphub.services.desk import Desk
from aphub.services.matching import other_spellings
from aphub.store import pupils


class UnknownPupilError(NeedsCorrectionError):
    """We do not know this pupil."""


def pupil_called(desk: Desk, connection: Connection, given: str) -> int:
    """Give the number of the one pupil with this reference, the hub's own or the provider's.

    Raises:
        UnknownPupilError: There is none, or more than one.
    """
    known = pupils.by_ref(connection, desk.provider_id, given.strip().upper())
    if known is not None:
        return int(known.pupil_id)
    index = desk.vault.index
    for spellings in ([given.strip()], other_spellings(given.strip())):
        wanted = [index("reference", one) for one in spellings]
        found = pupils.by_index(connection, desk.provider_id, "reference", wanted)
        numbers = {number for ids in found.values() for number in ids}
        if len(numbers) == 1:
            return numbers.pop()
    raise UnknownPupilError("", "Nothing was changed.", "Check the reference.")


def is_erased(desk: Desk, connection: Connection, pupil_id: int) -> bool:
    """Say whether a pupil's record was erased: nothing new may be written about them."""
    row = pupils.by_numbers(connection, desk.provider_id, [pupil_id]).get(pupil_id)
    return row is None or row.erased_at is not None


def calendars_of(desk: Desk, connection: Connection, placement_ids: Iterable[int]) -> dict[int, Calendar]:
    """Give the calendar in which each placement's days are counted: its home school's, or the council's for no roll."""
    organisations = desk.config.organisations
    found: dict[int, Calendar] = {}
    for placement_id, rows in pupils.recipients_of(connection, desk.provider_id, placement_ids).items():
        rows.sort(key=lambda row: _ORDER.index(Purpose(row.purpose)))
        first = next((row.organisation for row in rows if row.organisation in organisations), None)
        if first is not None:
            found[placement_id] = organisations[first].calendar()
    return found


_ORDER = (Purpose.HOME_SCHOOL, Purpose.COUNCIL, Purpose.OTHER_SCHOOL)
