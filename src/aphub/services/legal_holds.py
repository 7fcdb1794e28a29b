"""A legal hold keeps everything of one pupil, whatever its age and whoever asks to erase it, until a person ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aphub.domain.errors import AphubError
from aphub.services import erase
from aphub.services.desk import Desk, place_of
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.services.whose import pupil_of
from aphub.store import keeping, pupils
from aphub.store.engine import allocate


class LegalHoldError(AphubError):
    """This legal hold cannot be placed or ended."""


@dataclass(frozen=True, slots=True)
class HoldLine:
    """One legal hold that has not ended; the pupil stands by the provider's own reference."""

    ref: str
    pupil: str
    because: str
    placed_at: datetime
    placed_by: str


def place(desk: Desk, what: str, by: str, because: str) -> str:
    """Place a legal hold on a pupil; give its reference.

    Raises:
        LegalHoldError: There is one already, no reason was given, or the pupil has been erased.
        UnknownPupilError: There is no such pupil.
    """
    name = named(by)
    if not because.strip():
        raise LegalHoldError(
            "We need to know why.", "Nothing was changed.", 'Add: --because "court case 12/26"'
        )
    with desk.store.transaction() as connection:
        pupil = pupil_of(desk, connection, what)
        if pupil.erased_at is not None:
            raise LegalHoldError("This pupil has been erased.", "There is nothing left to hold.")
        if keeping.open_holds(connection, desk.provider_id, pupil.pupil_id):
            raise LegalHoldError("A legal hold is on this pupil already.", "Nothing was changed.")
        [number] = allocate(connection, "legal_holds")
        ref = desk.references(1)[0]
        keeping.place_hold(
            connection,
            {
                "provider_id": desk.provider_id,
                "legal_hold_id": number,
                "ref": ref,
                "pupil_id": pupil.pupil_id,
                "because": typed("The reason", because),
                "placed_at": desk.now,
                "placed_by": name,
            },
        )
        record(connection, desk, [Statement("hold.placed", ref, {"hold": ref, "by": signed(desk, name)})])
    return ref


def end(desk: Desk, what: str, by: str) -> int:
    """End the legal hold on a pupil; erasures that waited for it go on, and their number is given.

    Raises:
        LegalHoldError: There is none.
        UnknownPupilError: There is no such pupil.
    """
    name = named(by)
    with desk.store.transaction() as connection:
        pupil = pupil_of(desk, connection, what)
        refs = keeping.end_holds(connection, desk.provider_id, pupil.pupil_id, desk.now, name)
        if not refs:
            raise LegalHoldError("There is no legal hold on this pupil.", "Nothing was changed.")
        said = [Statement("hold.ended", ref, {"hold": ref, "by": signed(desk, name)}) for ref in refs]
        record(connection, desk, said)
    return erase.go_on(desk)


def holds(desk: Desk) -> Sequence[HoldLine]:
    """List the legal holds that have not ended."""
    with desk.store.reading() as connection:
        rows = keeping.open_holds(connection, desk.provider_id)
        held = pupils.by_numbers(connection, desk.provider_id, {row.pupil_id for row in rows})
    who = desk.vault.open_json_many(
        [
            (
                held[row.pupil_id].key_id,
                place_of("pupils", desk.provider_id, row.pupil_id),
                held[row.pupil_id].sealed,
            )
            for row in rows
        ]
    )
    return [
        HoldLine(row.ref, one["provider_ref"], row.because, row.placed_at, row.placed_by)
        for row, one in zip(rows, who, strict=True)
    ]
