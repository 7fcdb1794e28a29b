"""Open the pupils whom somebody is about to telephone, write to or look at."""

from contextlib import suppress

from sqlalchemy import Connection

from aphub.domain.placements import Pupil
from aphub.services.desk import Desk, place_of
from aphub.store import pupils
from aphub.store.vault import KeyErasedError


def person_of(desk: Desk, connection: Connection, pupil_id: int) -> Pupil | None:
    """Open one pupil; None for one who was erased."""
    return people_of(desk, connection, [pupil_id]).get(pupil_id)


def people_of(desk: Desk, connection: Connection, numbers: list[int]) -> dict[int | None, Pupil]:
    """Open pupils by number; those who were erased are left out."""
    people: dict[int | None, Pupil] = {}
    for row in pupils.by_numbers(connection, desk.provider_id, numbers).values():
        with suppress(KeyErasedError):  # an erased pupil's case is a number and times
            place = place_of("pupils", desk.provider_id, row.pupil_id)
            data = desk.vault.open_json(row.key_id, place, row.sealed)
            people[row.pupil_id] = Pupil(ref=row.ref, suppressed=row.suppressed, **data)
    return people
