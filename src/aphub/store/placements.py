"""Read placements and recipients as the domain's values."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from aphub.domain.outcomes import Mode
from aphub.domain.placements import (
    ArrangedBy,
    Nature,
    Placement,
    Power,
    Purpose,
    Recipient,
    Registration,
    Standing,
    TimetableSlot,
)
from aphub.store.among import among
from aphub.store.bulk import read_many
from aphub.store.tables import lessons, placements, recipients


@dataclass(frozen=True, slots=True)
class KeptPlacement:
    """A placement with the numbers it has in the store."""

    placement_id: int
    pupil_id: int
    value: Placement


@dataclass(frozen=True, slots=True)
class KeptRecipient:
    """A recipient with the numbers it has in the store."""

    recipient_id: int
    placement_id: int
    value: Recipient


def timetable_to_text(slots: Iterable[TimetableSlot]) -> str:
    """Write weekly slots as the store keeps them."""
    return json.dumps(
        [
            {
                "weekday": slot.weekday,
                "starts": f"{slot.starts:%H:%M}",
                "ends": f"{slot.ends:%H:%M}",
                "mode": slot.mode.value,
                "place": slot.place,
                "nature": slot.nature.value,
                "subject": slot.subject,
                "staff": slot.staff,
            }
            for slot in slots
        ],
        ensure_ascii=False,
    )


@lru_cache(4096)
def timetable_from_text(text: str) -> tuple[TimetableSlot, ...]:
    """Read weekly slots as the store keeps them; many pupils share a timetable, so each is read once."""
    return tuple(
        TimetableSlot(
            weekday=slot["weekday"],
            starts=time.fromisoformat(slot["starts"]),
            ends=time.fromisoformat(slot["ends"]),
            mode=Mode(slot["mode"]),
            place=slot["place"],
            nature=Nature(slot["nature"]),
            subject=slot["subject"],
            staff=slot["staff"],
        )
        for slot in json.loads(text)
    )


def placement_of(row: Row[Any]) -> KeptPlacement:
    """Make a placement of its row."""
    value = Placement(
        ref=row.ref,
        pupil_ref=str(row.pupil_id),
        version=row.version,
        starts=row.starts_day,
        ends=row.ends_day,
        arranged_by=ArrangedBy(row.arranged_by),
        registration=Registration(row.registration),
        commissioner=row.commissioner,
        timetable=timetable_from_text(row.timetable),
        nature=Nature(row.nature),
        power=Power(row.power),
        attends_on_school_closure=row.attends_on_school_closure,
        risk_flag=row.risk_flag,
        standing=Standing(row.standing),
    )
    return KeptPlacement(row.placement_id, row.pupil_id, value)


def current_between(
    connection: Connection, provider_id: int, from_day: date, until_day: date, after: int, limit: int
) -> list[KeptPlacement]:
    """Give the next `limit` placements running in a stretch of days, by number, for work in batches.

    A placement that has ended belongs to them while anything of it still stands as due in these days.
    """
    still_due = (
        select(lessons.c.lesson_id)
        .where(
            lessons.c.provider_id == placements.c.provider_id,
            lessons.c.placement_id == placements.c.placement_id,
            lessons.c.day >= from_day,
            lessons.c.day < until_day,
            lessons.c.state == "owed",
        )
        .exists()
    )
    running = and_(
        placements.c.starts_day < until_day,
        or_(placements.c.ends_day.is_(None), placements.c.ends_day >= from_day),
    )
    chosen = (
        select(placements)
        .where(
            placements.c.provider_id == provider_id,
            placements.c.current,
            placements.c.placement_id > after,
            or_(running, still_due),
        )
        .order_by(placements.c.placement_id)
        .limit(limit)
    )
    return [placement_of(row) for row in read_many(connection, chosen)]


def by_ids(
    connection: Connection, provider_id: int, placement_ids: Sequence[int]
) -> dict[int, KeptPlacement]:
    """Give the current version of these placements."""
    chosen = select(placements).where(
        and_(
            placements.c.provider_id == provider_id,
            placements.c.current,
            placements.c.placement_id.in_(placement_ids),
        )
    )
    return {row.placement_id: placement_of(row) for row in read_many(connection, chosen)}


def recipients_of(
    connection: Connection, provider_id: int, kept: Sequence[KeptPlacement]
) -> dict[int, list[KeptRecipient]]:
    """Give the recipients of these placements, by placement."""
    refs = {one.placement_id: one.value.ref for one in kept}
    chosen = (
        select(recipients)
        .where(
            recipients.c.provider_id == provider_id,
            among(connection, recipients.c.placement_id, list(refs)),
        )
        .order_by(recipients.c.recipient_id)
    )
    found: dict[int, list[KeptRecipient]] = {}
    for row in read_many(connection, chosen):
        value = Recipient(
            placement_ref=refs[row.placement_id],
            organisation=row.organisation,
            purpose=Purpose(row.purpose),
            agreement=row.agreement,
            starts=row.starts_day,
            ends=row.ends_day,
        )
        found.setdefault(row.placement_id, []).append(
            KeptRecipient(row.recipient_id, row.placement_id, value)
        )
    return found
