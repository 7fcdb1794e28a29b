"""All tables. `provider_id` stands in each and comes first in every unique key, so nothing mixes two providers.

Sealed columns (LargeBinary named `sealed*`) hold personal data under a data key named by the `key_id` beside them;
blind indexes (`*_index`) find a row without showing what is in it. Times are instants unless their name says `day`
or `wall`. Keys are BIGINTs from `store.engine.allocate`; only `ref` columns ever leave the hub.
"""

from aphub.store.tables.base import metadata
from aphub.store.tables.called import callbacks
from aphub.store.tables.came_in import intakes, marks, questions
from aphub.store.tables.far import far_pupils
from aphub.store.tables.following import calls, cases, plans, steps
from aphub.store.tables.hub_itself import counters, facts, providers, snapshots
from aphub.store.tables.kept import (
    access_pupils,
    accesses,
    disclosures,
    erasures,
    legal_holds,
    record_notes,
)
from aphub.store.tables.known import cancellations, cancelled_lessons, known_absences, school_decisions
from aphub.store.tables.owed import entries, lessons, owed_reports, threads
from aphub.store.tables.proof import checkpoints, ledger_nodes, statements, verifying_keys
from aphub.store.tables.said import attempts, dispatch_reports, dispatches, receipts, reports
from aphub.store.tables.waiting import channels, holds, lanes, listening, tasks
from aphub.store.tables.who import placements, pupils, recipients

__all__ = [
    "access_pupils",
    "accesses",
    "attempts",
    "callbacks",
    "calls",
    "cancellations",
    "cancelled_lessons",
    "cases",
    "channels",
    "checkpoints",
    "counters",
    "disclosures",
    "dispatch_reports",
    "dispatches",
    "entries",
    "erasures",
    "facts",
    "far_pupils",
    "holds",
    "intakes",
    "known_absences",
    "lanes",
    "ledger_nodes",
    "legal_holds",
    "lessons",
    "listening",
    "marks",
    "metadata",
    "owed_reports",
    "placements",
    "plans",
    "providers",
    "pupils",
    "questions",
    "receipts",
    "recipients",
    "record_notes",
    "reports",
    "school_decisions",
    "snapshots",
    "statements",
    "steps",
    "tasks",
    "threads",
    "verifying_keys",
]
