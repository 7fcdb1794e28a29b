"""Write entries: new versions of what the hub states about lessons, sealed where they hold words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from aphub.domain.entries import Action, Fact
from aphub.services.desk import Desk, place_of
from aphub.store import entries as kept
from aphub.store import owed
from aphub.store.engine import allocate


@dataclass(slots=True)
class NewEntry:
    """What is to be stated about a lesson, and why."""

    lesson_id: int
    pupil_id: int
    version: int
    fact: Fact
    made_by: str
    because: str = ""
    mark_id: int | None = None
    by_person: bool = False
    taken_at: datetime | None = None
    actions: tuple[Action, ...] = ()
    current: bool = True


def enter(desk: Desk, connection: Connection, new: Sequence[NewEntry]) -> None:
    """Keep entries, the last of each lesson as its current one, and ask for a look at who is told of them."""
    if not new:
        return
    newest = {one.lesson_id: one for one in new}
    for one in new:
        one.current = newest[one.lesson_id] is one
    keys = desk.vault.data_keys([one.pupil_id for one in new], "entry", desk.year())
    rows: list[dict[str, Any]] = []
    now = desk.now
    for one, key, entry_id in zip(new, keys, allocate(connection, "entries", len(new)), strict=True):
        words = {
            "note": one.fact.note,
            "word": one.fact.provider_word,
            "actions": [[action.at.isoformat(), action.kind, action.result] for action in one.actions],
        }
        place = place_of("entries", desk.provider_id, entry_id)
        rows.append(
            {
                "provider_id": desk.provider_id,
                "entry_id": entry_id,
                "lesson_id": one.lesson_id,
                "version": one.version,
                "outcome": one.fact.outcome.value,
                "reason": one.fact.reason.value,
                "minutes": one.fact.minutes,
                "mode": one.fact.mode.value if one.fact.mode else None,
                "key_id": key.key_id,
                "sealed": desk.vault.seal_json(key, place, words) if any(words.values()) else None,
                "mark_id": one.mark_id,
                "by_person": one.by_person,
                "made_by": one.made_by,
                "because": one.because,
                "made_at": now,
                "taken_at": one.taken_at,
                "current": one.current,
            }
        )
    kept.add(connection, desk.provider_id, rows)
    owed.look_again(connection, desk.provider_id, list(newest), now)
