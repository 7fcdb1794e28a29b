"""Work out which summaries schools and councils are owed, and by when: a row for each pupil told about.

The rows stand beside those of the reports, so that a summary that was not sent is as visible as such a report. They are
made a fortnight ahead, and never for a time that has passed: what was never agreed cannot be late.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import Agreement
from aphub.domain.recurring import Occasion, occasions
from aphub.domain.stretches import Every, Stretch
from aphub.services.desk import Desk
from aphub.store import owed as owed_rows
from aphub.store import summing

AHEAD = timedelta(days=14)

USEFUL = {
    Every.DAY: timedelta(days=4),
    Every.WEEK: timedelta(days=10),
    Every.MONTH: timedelta(days=31),
    Every.TERM: timedelta(days=62),
}
"""How long after its promise a summary still helps: until about the one after the next."""

_BATCH = 500


def owe_summaries(desk: Desk) -> int:
    """Keep what is owed in summaries for a fortnight ahead; give how many rows are new."""
    total = 0
    for agreement, occasion in _agreed(desk):
        while True:
            with desk.store.transaction() as connection:
                fresh = _keep(desk, connection, agreement, occasion)
            total += fresh
            if fresh < _BATCH:
                break
    return total


def period_of(stretch: Stretch) -> str:
    """Name a summary's period, apart from the reports of the same days."""
    return f"S-{stretch.key.replace('term-', 'T')}"


def _agreed(desk: Desk) -> Iterator[tuple[Agreement, Occasion]]:
    """Give the occasions of every agreement that has summaries, each under the terms of its stretch's first day."""
    calendar = desk.config.provider.calendar()
    for slug, config in desk.config.agreements.items():
        versions = [terms.agreement(slug, frozenset()) for terms in config.versions]
        for terms in versions:
            until = min(
                (one.valid_from for one in versions if one.valid_from > terms.valid_from), default=None
            )
            for recurring in terms.summaries:
                for one in occasions(recurring, calendar, desk.now, desk.now + AHEAD):
                    # Terms that begin inside a stretch hold for it: what was agreed this week is for this week.
                    last = one.stretch.until_day - timedelta(days=1)
                    if terms.valid_from <= last and (until is None or last < until):
                        yield terms, one


def _keep(desk: Desk, connection: Connection, agreement: Agreement, occasion: Occasion) -> int:
    stretch = occasion.stretch
    period = period_of(stretch)
    times = {
        "send_at": occasion.due - agreement.lead,
        "due_by": occasion.due,
        "useful_until": occasion.due + USEFUL[stretch.every],
    }
    summing.move(connection, desk.provider_id, agreement.name, period, times)
    missing = summing.not_yet_owed(
        connection, desk.provider_id, agreement.name, period, stretch.first_day, stretch.until_day, _BATCH
    )
    if not missing:
        return 0
    keys = [(row.organisation, agreement.name, period) for row in missing]
    references = desk.references(2 * len(missing))
    threads = owed_rows.thread_ids(connection, desk.provider_id, keys, references[: len(missing)])
    rows = [
        _row(desk, row, stretch, times, thread_id=threads[key], ref=ref)
        for row, key, ref in zip(missing, keys, references[len(missing) :], strict=True)
    ]
    owed_rows.add_owed(connection, rows)
    desk.vault.data_keys(list({row["pupil_id"] for row in rows}), "report", desk.year())
    return len(rows)


def _row(
    desk: Desk, row: Row[Any], stretch: Stretch, times: dict[str, datetime], *, thread_id: int, ref: str
) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "ref": ref,
        "thread_id": thread_id,
        "recipient_id": row.recipient_id,
        "placement_id": row.placement_id,
        "pupil_id": row.pupil_id,
        "period": period_of(stretch),
        "first_day": stretch.first_day,
        "until_day": stretch.until_day,
        "half": "",
        "entry_due": times["send_at"],
        "state": "owed",
        "version": 0,
        "look_at": times["send_at"],
        "summary": stretch.every.value,
        **times,
    }
