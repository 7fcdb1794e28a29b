"""Urgent news of a pupil who must not be shared: no message leaves, so the safeguarding lead hears it and decides who may."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.entries import SessionEntry
from aphub.domain.reports import OUTCOME_WORDS
from aphub.services.desk import Desk
from aphub.store import reminding
from aphub.store.engine import allocate

UNSHARED = "tell_named_person"
WITHIN = timedelta(minutes=10)


def ask_about_unshared(
    desk: Desk,
    connection: Connection,
    rows: Sequence[tuple[Row[Any], tuple[SessionEntry, ...]]],
    now: datetime,
) -> None:
    """Keep one task for each half day with urgent news, and take it back when the news is not urgent any more.

    It names no pupil and no school: the sender's name alone says where a child is.
    """
    if not rows:
        return
    calm = [row.ref for row, urgent in rows if not urgent]
    reminding.end(connection, desk.provider_id, UNSHARED, calm, now, "it is known where the pupil is")
    pressing = [(row, urgent) for row, urgent in rows if urgent]
    if not pressing:
        return
    numbers, refs = allocate(connection, "tasks", len(pressing)), desk.references(len(pressing))
    who = desk.config.provider.who("safeguarding lead")
    reminding.ask(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": UNSHARED,
                "subject": row.ref,
                "pupil_id": row.pupil_id,
                "organisation": None,
                "words": f"{who}: {_what(urgent)}, and this pupil must not be shared. Nothing was sent. Phone the one "
                "person agreed for the pupil, on their published number. Who it is: aphub cases",
                "due_at": now + WITHIN,
                "state": "open",
                "raised_at": now,
            }
            for (row, urgent), number, ref in zip(pressing, numbers, refs, strict=True)
        ],
    )


def _what(urgent: Sequence[SessionEntry]) -> str:
    return " and ".join(sorted({OUTCOME_WORDS[line.fact.outcome] for line in urgent}))
