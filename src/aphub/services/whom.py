"""Whom something concerns: a pupil whose record still stands, and the schools behind a placement."""

from collections.abc import Iterable

from sqlalchemy import Connection

from aphub.domain.calendar import Calendar
from aphub.domain.placements import Purpose
from aphub.services.desk import Desk
from aphub.store import pupils


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
