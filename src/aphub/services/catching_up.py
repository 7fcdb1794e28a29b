"""After downtime: urgent news first, each in its own thread; what is only late folds into one message a school.

Three mornings of presence that could not be sent are one thing to read, not three. The one message stands in the thread
of the newest period; a later correction of any of them names it as what it adds to.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row

from aphub.domain.entries import Half
from aphub.domain.reports import Kind
from aphub.domain.threads import is_urgent_line
from aphub.domain.wording import period_words
from aphub.services.decide import Decision, Part
from aphub.services.desk import Desk
from aphub.services.look import NOT_TOLD, Look
from aphub.store import dispatching

WAIT = timedelta(seconds=30)
"""How long a correction waits for the catch-up message before it, which stands in another thread."""

_UNDER_WAY = frozenset({"waiting", "started"})


def fold_late(look: Look, decision: Decision) -> None:
    """Move late reports of several periods, to one organisation by the same ways, into one catch-up message."""
    late: dict[tuple[str, tuple[str, ...]], list[tuple[int, Part]]] = defaultdict(list)
    for (thread_id, kind), parts in decision.parts.items():
        if kind is not Kind.ROUTINE:
            continue
        for part in parts:
            if look.now > part.row.due_by and not part.urgent and not any(map(is_urgent_line, part.lines)):
                late[part.row.organisation, part.agreement.channels].append((thread_id, part))
    for some in late.values():
        if len({thread_id for thread_id, _ in some}) < 2:  # noqa: PLR2004 - one period is simply late
            continue
        newest = max(some, key=lambda one: (one[1].row.due_by, one[0]))[0]
        moved = {id(part) for _, part in some}
        for thread_id, _ in some:
            if (thread_id, Kind.ROUTINE) in decision.parts:
                decision.parts[thread_id, Kind.ROUTINE] = [
                    part for part in decision.parts[thread_id, Kind.ROUTINE] if id(part) not in moved
                ]
        decision.parts[newest, Kind.CATCH_UP] += [part for _, part in sorted(some, key=_in_order)]


def _in_order(one: tuple[int, Part]) -> tuple[Any, ...]:
    row = one[1].row
    return row.first_day, row.half, row.due_by, row.owed_id


def hold_behind(desk: Desk, look: Look, decision: Decision) -> dict[int, str]:
    """Let news wait for the catch-up message that it adds to; give that message's reference by owed report."""
    behind = {
        part.row.owed_id
        for (_, kind), parts in decision.parts.items()
        if kind in {Kind.UPDATE, Kind.CORRECTION}
        for part in parts
        if look.told.get(part.row.owed_id, NOT_TOLD).catch_up
    }
    if not behind:
        return {}
    with desk.store.reading() as connection:
        carriers = dispatching.newest_carriers(connection, desk.provider_id, sorted(behind))
    waits = {owed_id for owed_id, row in carriers.items() if row.state in _UNDER_WAY}
    for parts in decision.parts.values():
        decision.looks += [
            {"key": part.row.owed_id, "look_at": look.now + WAIT}
            for part in parts
            if part.row.owed_id in waits
        ]
        parts[:] = [part for part in parts if part.row.owed_id not in waits]
    return {owed_id: row.reference for owed_id, row in carriers.items() if owed_id not in waits}


def span_words(rows: Sequence[Row[Any]]) -> str:
    """Write the periods that a catch-up message stands for: from the first to the last."""
    periods: list[tuple[date, date, str]] = sorted(
        {(row.first_day, row.until_day, row.half) for row in rows},
        key=lambda one: (one[0], list(Half).index(Half(one[2])) if one[2] else 0),
    )
    first, last = period_words(*periods[0]), period_words(*periods[-1])
    return first if len(periods) == 1 else f"{first} to {last}"
