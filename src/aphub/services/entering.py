"""Write entries: new versions of what the hub states about lessons, sealed where they hold words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.entries import Action, Fact
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services.desk import Desk, place_of
from aphub.store import entries as kept
from aphub.store import owed
from aphub.store.engine import allocate


@dataclass(slots=True)
class NewEntry:
    """What is to be stated about a lesson, and why.

    `because` is one of our own short phrases; `why` is what a person wrote, and stays sealed, like the role of who told
    us. One that `reopens` takes a statement back before its lesson: the register is owed again.
    """

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
    told_by: str = ""
    why: str = ""
    reopens: bool = False


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
        words: dict[str, Any] = {
            "note": one.fact.note,
            "word": one.fact.provider_word,
            "actions": [[action.at.isoformat(), action.kind, action.result] for action in one.actions],
        }
        words |= {name: text for name, text in (("from", one.told_by), ("why", one.why)) if text}
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
    kept.add(connection, desk.provider_id, rows, look_at_all=desk.config.provider.watches_returns())
    kept.reopen(connection, desk.provider_id, [number for number, one in newest.items() if one.reopens])
    owed.look_again(connection, desk.provider_id, list(newest), now)


def opened_entry(desk: Desk, row: Row[Any]) -> tuple[Fact, tuple[Action, ...]]:
    """Open a lesson's current entry, so that a next version can keep what it does not change.

    The row carries the entry's columns, its key and its sealed words as `entry_key_id` and `entry_sealed`.
    """
    fact = Fact(Outcome(row.outcome), ReasonKind(row.reason), row.minutes)
    if not row.entry_sealed:
        return fact, ()
    place = place_of("entries", desk.provider_id, row.entry_id)
    words = desk.vault.open_json(row.entry_key_id, place, row.entry_sealed)
    actions = tuple(Action(datetime.fromisoformat(at), kind, result) for at, kind, result in words["actions"])
    return replace(fact, note=words["note"], provider_word=words["word"]), actions
