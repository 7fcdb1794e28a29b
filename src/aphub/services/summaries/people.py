"""Whose days a paper tells about: names as its reader may see them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from aphub.domain.placements import Pupil
from aphub.services.desk import Desk, place_of

ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement and its pupil, as a paper names them."""

    placement_id: int
    pupil_id: int
    ref: str
    row: Row[Any] = field(repr=False)
    pupil: Pupil | None = field(repr=False, default=None)
    named: bool = True

    @property
    def name(self) -> str:
        """The pupil's name, or initials where it is not `named`, with the school's own number; or that it was erased."""
        if self.pupil is None:
            return ERASED
        number = self.pupil.school_pupil_ref
        who = self.pupil.name if self.named else self.pupil.initials
        return f"{who} ({number})" if number else who


def placed_of(desk: Desk, rows: Iterable[Row[Any]]) -> list[Placed]:
    """Open the names of placements' pupils in one batch; who must not be shared is left out."""
    shared = [row for row in rows if not row.suppressed]
    places = [
        (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
        for row in shared
    ]
    opened = desk.vault.try_open_json_many(places)
    found = [
        Placed(
            row.placement_id, row.pupil_id, row.ref, row, Pupil(ref=row.pupil_ref, **data) if data else None
        )
        for row, data in zip(shared, opened, strict=True)
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.placement_id))
