"""The memory that adapters are lent: whose id is which at a far side, sealed with the pupil's own key."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aphub.services.desk import Desk, place_of
from aphub.store import far_pupils, pupils
from aphub.store.engine import allocate

KEPT = timedelta(days=30)
"""After which an id is looked up again, so that a mistake mended at the school does not stay here for ever."""


class FarIds:
    """Remembers for one provider; only numbers that are one pupil's here are kept.

    A row is sealed with the key of the pupil's own record, so it cannot outlive that, and erasing empties it.
    """

    def __init__(self, desk: Desk) -> None:
        """Remember at this desk."""
        self._desk = desk

    def recall(self, place: str, upns: Sequence[str]) -> dict[str, str]:
        """Give the ids that are remembered."""
        desk, indexes = self._desk, self._indexes(place, upns)
        with desk.store.reading() as connection:
            rows = far_pupils.known(connection, desk.provider_id, list(indexes), desk.now - KEPT)
        sealed = [
            (row.key_id, place_of("far_pupils", desk.provider_id, row.far_pupil_id), row.sealed)
            for row in rows
        ]
        opened = desk.vault.try_open_many(sealed) if sealed else []
        return {
            indexes[row.place_index]: plain.decode()
            for row, plain in zip(rows, opened, strict=True)
            if plain is not None
        }

    def remember(self, place: str, ids: Mapping[str, str]) -> None:
        """Keep the ids of these numbers, in place of what was known."""
        desk = self._desk
        by_upn = {desk.vault.index("upn", upn): upn for upn in ids}
        if not by_upn:
            return
        indexes = {upn: index for index, upn in self._indexes(place, list(ids)).items()}
        with desk.store.transaction() as connection:
            found = pupils.by_index(connection, desk.provider_id, "upn", by_upn)
            ours = {by_upn[index]: numbers[0] for index, numbers in found.items() if len(numbers) == 1}
            rows = pupils.by_numbers(connection, desk.provider_id, ours.values())
            # An erased pupil is not remembered again by a burst that was under way.
            ours = {upn: number for upn, number in ours.items() if rows[number].erased_at is None}
            far_pupils.drop(connection, desk.provider_id, [indexes[upn] for upn in ours])
            keys = desk.vault.data_keys(list(ours.values()), "pupil", desk.year())
            numbers = allocate(connection, "far_pupils", len(ours)) if ours else range(0)
            far_pupils.keep(
                connection,
                [
                    {
                        "provider_id": desk.provider_id,
                        "far_pupil_id": number,
                        "pupil_id": pupil_id,
                        "place_index": indexes[upn],
                        "key_id": key.key_id,
                        "sealed": desk.vault.seal(
                            key, place_of("far_pupils", desk.provider_id, number), ids[upn].encode()
                        ),
                        "found_at": desk.now,
                    }
                    for (upn, pupil_id), key, number in zip(ours.items(), keys, numbers, strict=True)
                ],
            )

    def forget(self, place: str, upns: Sequence[str]) -> None:
        """Forget these, since the far side no longer knows them so."""
        desk = self._desk
        with desk.store.transaction() as connection:
            far_pupils.drop(connection, desk.provider_id, list(self._indexes(place, upns)))

    def _indexes(self, place: str, upns: Sequence[str]) -> dict[bytes, str]:
        return {self._desk.vault.index("far pupil", f"{place} {upn}"): upn for upn in upns}
