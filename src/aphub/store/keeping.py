"""Legal holds, erasures and the access log: who asked for what, and who looked."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from aphub.store.tables import access_pupils, accesses, erasures, legal_holds, placements, pupils

_BATCH = 1000


def place_hold(connection: Connection, row: dict[str, Any]) -> None:
    """Insert a legal hold."""
    connection.execute(insert(legal_holds), row)


def open_holds(connection: Connection, provider_id: int, pupil_id: int | None = None) -> list[Row[Any]]:
    """Give the legal holds that have not ended, with the pupil's reference; of one pupil, where one is named."""
    chosen = (
        select(legal_holds, pupils.c.ref.label("pupil_ref"))
        .join(
            pupils,
            (pupils.c.provider_id == legal_holds.c.provider_id)
            & (pupils.c.pupil_id == legal_holds.c.pupil_id),
        )
        .where(legal_holds.c.provider_id == provider_id, legal_holds.c.ended_at.is_(None))
        .order_by(legal_holds.c.legal_hold_id)
    )
    if pupil_id is not None:
        chosen = chosen.where(legal_holds.c.pupil_id == pupil_id)
    return list(connection.execute(chosen).all())


def end_holds(connection: Connection, provider_id: int, pupil_id: int, now: datetime, by: str) -> list[str]:
    """End the legal holds on a pupil and give their references."""
    ended = (
        update(legal_holds)
        .where(
            legal_holds.c.provider_id == provider_id,
            legal_holds.c.pupil_id == pupil_id,
            legal_holds.c.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=by[:80])
        .returning(legal_holds.c.ref)
    )
    return list(connection.execute(ended).scalars())


def add_erasure(connection: Connection, row: dict[str, Any]) -> None:
    """Insert an erasure that begins."""
    connection.execute(insert(erasures), row)


def change_erasure(connection: Connection, provider_id: int, erasure_id: int, **values: Any) -> None:
    """Write how far an erasure is."""
    connection.execute(
        update(erasures)
        .where(erasures.c.provider_id == provider_id, erasures.c.erasure_id == erasure_id)
        .values(**values)
    )


def open_erasures(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give the erasures of which something is still here."""
    chosen = select(erasures).where(erasures.c.provider_id == provider_id, erasures.c.erased_at.is_(None))
    return list(connection.execute(chosen.order_by(erasures.c.erasure_id)).all())


def every_erasure(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give all erasures, newest first."""
    chosen = select(erasures).where(erasures.c.provider_id == provider_id)
    return list(connection.execute(chosen.order_by(erasures.c.erasure_id.desc())).all())


def add_access(connection: Connection, row: dict[str, Any], pupil_ids: Iterable[int]) -> None:
    """Insert who looked at what, with the pupils who were in it."""
    connection.execute(insert(accesses), row)
    mine = [
        {"provider_id": row["provider_id"], "access_id": row["access_id"], "pupil_id": number}
        for number in pupil_ids
    ]
    if mine:
        connection.execute(insert(access_pupils), mine)


def accesses_of(
    connection: Connection, provider_id: int, pupil_id: int | None, limit: int
) -> Sequence[Row[Any]]:
    """Give the newest accesses first; of one pupil, where one is named."""
    chosen = select(accesses).where(accesses.c.provider_id == provider_id)
    if pupil_id is not None:
        chosen = chosen.where(
            accesses.c.access_id.in_(
                select(access_pupils.c.access_id).where(
                    access_pupils.c.provider_id == provider_id, access_pupils.c.pupil_id == pupil_id
                )
            )
        )
    return connection.execute(chosen.order_by(accesses.c.access_id.desc()).limit(limit)).all()


def old_accesses(connection: Connection, provider_id: int, until: datetime) -> int:
    """Count the lines of the access log before an instant."""
    chosen = select(func.count()).select_from(accesses)
    return int(
        connection.execute(
            chosen.where(accesses.c.provider_id == provider_id, accesses.c.at < until)
        ).scalar_one()
    )


def forget_accesses(connection: Connection, provider_id: int, until: datetime) -> int:
    """Delete the access log before an instant and give how many lines that were."""
    old = select(accesses.c.access_id).where(accesses.c.provider_id == provider_id, accesses.c.at < until)
    connection.execute(
        delete(access_pupils).where(
            access_pupils.c.provider_id == provider_id, access_pupils.c.access_id.in_(old)
        )
    )
    gone = delete(accesses).where(accesses.c.provider_id == provider_id, accesses.c.at < until)
    return connection.execute(gone).rowcount


def find_pupils(connection: Connection, provider_id: int, ref: str, ref_index: bytes) -> list[Row[Any]]:
    """Give the pupils meant by a public reference, by a placement's, or by the provider's own."""
    placed = select(placements.c.pupil_id).where(
        placements.c.provider_id == provider_id, placements.c.ref == ref
    )
    chosen = select(pupils).where(
        pupils.c.provider_id == provider_id,
        or_(pupils.c.ref == ref, pupils.c.ref_index == ref_index, pupils.c.pupil_id.in_(placed)),
    )
    return list(connection.execute(chosen).all())
