"""Find the registers that name a pupil, also in rows that fitted nobody: a misspelt reference is still a name."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from aphub.api.sheets import read_cells
from aphub.domain.placements import Pupil
from aphub.sealing.lookups import fold
from aphub.services.desk import Desk, place_of
from aphub.store import erasing

_SHORTEST = 3
"""A shorter number or name would be found in every file."""


def naming(desk: Desk, row: Row[Any]) -> dict[int, bool]:
    """Give the registers still kept that name this pupil, by number; True: another pupil in it is held."""
    [data] = desk.vault.try_open_json_many(
        [(row.key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.sealed)]
    )
    if data is None:
        return {}
    pupil = Pupil(ref="", **data)
    with desk.store.reading() as connection:
        kept = erasing.registers_kept(connection, desk.provider_id)
    words = [fold(one) for one in (pupil.name, pupil.upn, pupil.school_pupil_ref) if len(one) >= _SHORTEST]
    words.append(fold(f"{pupil.family_name}, {pupil.given_name}"))
    return {one.intake_id: bool(one.held) for one in kept if any(_says(desk, one, word) for word in words)}


def _says(desk: Desk, row: Row[Any], word: str) -> bool:
    return any(word in text for text in _texts(desk, row))


def _texts(desk: Desk, row: Row[Any]) -> Iterator[str]:
    """Give a register's name and content as texts, in every way in which it can be read."""
    place = place_of("intakes", desk.provider_id, row.intake_id)
    name, content = desk.vault.try_open_many(
        [(row.key_id, f"{place}/name", row.sealed_name), (row.key_id, place, row.sealed)]
    )
    if name is None or content is None:
        return
    yield fold(name.decode(errors="replace"))
    for encoding in ("utf-8", "utf-16"):
        yield fold(content.decode(encoding, errors="replace"))
    try:
        # A workbook is compressed: only its cells can be searched.
        yield fold(" ".join(str(cell) for cells in read_cells(name.decode(), content) for cell in cells))
    except Exception:  # noqa: BLE001 - what cannot be read as a table was searched as text
        return
