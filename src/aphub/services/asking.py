"""Deliveries that a person makes: a task with what to say and until when, and what came of the call."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from aphub.api.adapters import Delivery
from aphub.api.lent import PhoneCall
from aphub.domain.calls import CallResult
from aphub.domain.wording import time_words
from aphub.services.calling import open_calls
from aphub.services.desk import Desk
from aphub.store import calls, dispatching
from aphub.store.engine import allocate

NO_WAY = "a report could not be sent"
SINCE_RESTORE = "ask them whether they have this report. If they do not, release it."
"""What tasks about one report say, so that those of one school go in one call: the words for several are `for_many`."""


def for_many(words: str, count: int) -> str:
    """Say the words of a task about one report of several that go in one call."""
    several = "ask them whether they have these {count} reports. If they do not, release them."
    return words.replace(NO_WAY, f"{count} reports could not be sent").replace(
        SINCE_RESTORE, several.format(count=count)
    )


def ask_to_phone(desk: Desk, connection: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Give people the telephone for those of these new dispatches that a person delivers, in their transaction."""
    adapters = desk.plugins.adapters
    asked = [row for row in rows if row["adapter"] in adapters and adapters[row["adapter"]].asks_person]
    if not asked:
        return
    numbers = allocate(connection, "tasks", len(asked))
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": "phone_school",
                "subject": row["reference"],
                "pupil_id": None,
                "organisation": row["organisation"],
                "words": (
                    f"Phone {desk.name_of(row['organisation'], phone=True)} by {time_words(row['due_by'])}."
                )[:300],
                "due_at": max(row["due_by"], now),
                "state": "open",
                "raised_at": now,
            }
            for row, number, ref in zip(asked, numbers, desk.references(len(asked)), strict=True)
        ],
    )


def newest_call(desk: Desk, delivery: Delivery) -> PhoneCall | None:
    """Give what came of the newest call for a delivery; None while nobody has telephoned."""
    with desk.store.reading() as connection:
        made = calls.about(connection, desk.provider_id, [delivery.key])
    if not made:
        return None
    row = max(made, key=lambda one: one.call_id)  # the last one told of, whenever it was made
    [said] = open_calls(desk, [row])
    return PhoneCall(
        CallResult(row.result),
        row.made_by,
        row.at,
        str(said.get("answered_by", "")),
        repeated=bool(said.get("repeated", False)),
    )
