"""Notice what is not there: registers not taken, promises passed, messages too late to help. Silence is an alarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from aphub.domain.agreements import URGENT_WITHIN
from aphub.domain.ledger.fields import instant_text
from aphub.domain.wording import time_words
from aphub.services.decide import ALERT_LEAD
from aphub.services.desk import Desk
from aphub.services.fallback import Onward, send_onward
from aphub.services.recording import Statement, record
from aphub.store import carrying, delivering, dispatching, watching
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate, lock_ledger

WARN_BEFORE = timedelta(minutes=10)
WARN_AFTER = timedelta(minutes=5)
"""How old a lesson is before anybody is warned about its register: where it is due at the start, nobody is late yet."""

ALERTED_AFTER = URGENT_WITHIN - ALERT_LEAD
_LOOK_BACK = timedelta(hours=12)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What one watch noticed."""

    registers_missing: int = 0
    registers_due: int = 0
    registers_came: int = 0
    promises_passed: int = 0
    expired: int = 0


def watch(desk: Desk) -> WatchResult:
    """Notice everything that should be there by now."""
    now = desk.now
    return WatchResult(
        _missing_registers(desk, now),
        _due_registers(desk, now),
        _clear_registers(desk, now),
        _passed_promises(desk, now),
        _expire(desk, now),
    )


def _missing_registers(desk: Desk, now: datetime) -> int:
    """Have every school told in time that a register was not taken: within 15 minutes of the lesson's start."""
    with desk.store.transaction() as connection:
        rows = watching.registers_missing(connection, desk.provider_id, now - ALERTED_AFTER, now - _LOOK_BACK)
        if rows:
            ids = [row.lesson_id for row in rows]
            for start in range(0, len(ids), _BATCH):
                part = ids[start : start + _BATCH]
                watching.told_missing(connection, desk.provider_id, part, now)
                owed_rows.look_again(connection, desk.provider_id, part, now)
    return len(rows)


def _due_registers(desk: Desk, now: datetime) -> int:
    """Warn a named person ten minutes before a register is due, once for each time, and never before the lesson."""
    with desk.store.transaction() as connection:
        rows = watching.registers_due(
            connection, desk.provider_id, now + WARN_BEFORE, now - ALERTED_AFTER, now - WARN_AFTER
        )
        if not rows:
            return 0
        numbers = allocate(connection, "tasks", len(rows))
        who = desk.config.provider.register_warning_to or "the office"
        dispatching.open_tasks(
            connection,
            [
                {
                    "provider_id": desk.provider_id,
                    "task_id": number,
                    "ref": ref,
                    "kind": "take_register",
                    "subject": instant_text(row.entry_due),
                    "words": (
                        f"{who}: nobody has taken the register due at {time_words(row.entry_due)} "
                        f"for {row.pupils} {'pupil' if row.pupils == 1 else 'pupils'}."
                    ),
                    "due_at": row.entry_due,
                    "state": "open",
                    "raised_at": now,
                    "pupil_id": None,
                    "organisation": None,
                }
                for row, number, ref in zip(rows, numbers, desk.references(len(rows)), strict=True)
            ],
            lasting=True,
        )
    return len(rows)


def _clear_registers(desk: Desk, now: datetime) -> int:
    """Take back the warning about a register that has come in: a list of done things hides what is not done."""
    with desk.store.reading() as connection:
        if not watching.any_register_task(connection, desk.provider_id):
            return 0
    with desk.store.transaction() as connection:
        out = watching.registers_out(connection, desk.provider_id, now + WARN_BEFORE, now - _LOOK_BACK)
        return watching.clear_register_tasks(
            connection, desk.provider_id, {instant_text(at) for at in out}, now
        )


def _passed_promises(desk: Desk, now: datetime) -> int:
    """Write "owed and not handed over" into the ledger: a missing receipt must be as provable as a receipt."""
    total = 0
    while True:
        with desk.store.transaction() as connection:
            lock_ledger(connection, desk.provider_id)
            rows = watching.missed(connection, desk.provider_id, now, _BATCH)
            if not rows:
                return total
            watching.told_missed(connection, desk.provider_id, [row.owed_id for row in rows], now)
            record(
                connection,
                desk,
                [
                    Statement(
                        "report.missed",
                        row.ref,
                        {"owed": row.ref, "due": instant_text(row.due_by), "organisation": row.organisation},
                    )
                    for row in rows
                ],
            )
            total += len(rows)


def _expire(desk: Desk, now: datetime) -> int:
    """Stop trying what would help nobody any more, and give a person the phone instead."""
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        rows = watching.useless_now(connection, desk.provider_id, now, _BATCH)
        if rows:
            carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
            delivering.change_dispatches(
                connection,
                desk.provider_id,
                [
                    {
                        "key": row.dispatch_id,
                        "state": "expired",
                        "because": "too late to help",
                        "next_at": None,
                    }
                    for row in rows
                ],
            )
            for row in rows:
                reports = carried.get(row.dispatch_id, [])
                send_onward(desk, connection, _too_late(row, reports), now)
    return len(rows)


def _too_late(row: Row[Any], reports: Sequence[Row[Any]]) -> Onward:
    doubt = row.rung == "uncertain"
    return Onward(row, reports, "too late to help", may_have_it=doubt, expired=True)
