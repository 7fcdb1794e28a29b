"""Every row that is about one pupil, in every table: for whoever asks what we hold, and for tests that nothing is left out."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Table, or_, select

from aphub.store.tables import metadata

LINKS: dict[str, tuple[str, str]] = {
    "accesses": ("access_id", "access_pupils"),
    "attempts": ("dispatch_id", "dispatch_reports"),
    "callbacks": ("dispatch_id", "dispatch_reports"),
    "calls": ("step_id", "steps"),
    "disclosures": ("dispatch_id", "dispatch_reports"),
    "dispatch_reports": ("report_id", "reports"),
    "dispatches": ("dispatch_id", "dispatch_reports"),
    "entries": ("lesson_id", "lessons"),
    "holds": ("owed_id", "owed_reports"),
    "intakes": ("intake_id", "marks"),
    "plans": ("placement_id", "placements"),
    "receipts": ("dispatch_id", "dispatch_reports"),
    "recipients": ("placement_id", "placements"),
    "steps": ("case_id", "cases"),
}
"""Tables without a pupil's number: by which column, and through which table, their rows are about a pupil."""

NOT_ABOUT_PUPILS = frozenset(
    {
        "cancellations",  # a morning that the provider cancelled; whom it concerned stands in cancelled_lessons
        "channels", "lanes", "listening",  # ways to schools, their troubles, and up to where answers were read
        "checkpoints", "ledger_nodes", "statements", "verifying_keys",  # proof: commitments and random references
        "counters", "facts", "providers", "snapshots",  # the hub itself, and its configuration
        "threads",  # the messages to one school for one period
    }
)  # fmt: skip
"""Tables that hold nothing of any pupil, with why."""


def rows_about(
    connection: Connection, provider_id: int, pupil_id: int
) -> Iterator[tuple[Table, list[Row[Any]]]]:
    """Give each table with its rows about a pupil, in order of their keys; tables without any are left out."""
    for table in metadata.sorted_tables:
        if table.name in NOT_ABOUT_PUPILS:
            continue
        chosen = _about(table, provider_id, pupil_id).order_by(*table.primary_key.columns)
        rows = list(connection.execute(chosen).all())
        if rows:
            yield table, rows


def calls_about(connection: Connection, provider_id: int, pupil_id: int) -> list[int]:
    """Give the numbers of the calls about a pupil, also of those about a message that told of others too."""
    calls = metadata.tables["calls"]
    chosen = _about(calls, provider_id, pupil_id).with_only_columns(calls.c.call_id)
    return list(connection.execute(chosen).scalars())


def is_reached(table: Table) -> bool:
    """Say whether we know which rows of a table are about which pupil."""
    return "pupil_id" in table.c or table.name in LINKS


def _about(table: Table, provider_id: int, pupil_id: int) -> Any:
    chosen = select(table).where(table.c.provider_id == provider_id)
    if "pupil_id" in table.c:
        return chosen.where(table.c.pupil_id == pupil_id)
    column, through = LINKS[table.name]
    parent = metadata.tables[through]
    linked = _about(parent, provider_id, pupil_id).with_only_columns(parent.c[column])
    if table.name != "calls":
        return chosen.where(table.c[column].in_(linked))
    # A call to a school is about no step: its subject is the message, or what was owed and has no message yet.
    told = [
        _about(metadata.tables[name], provider_id, pupil_id).with_only_columns(metadata.tables[name].c[ref])
        for name, ref in (("dispatches", "reference"), ("owed_reports", "ref"))
    ]
    return chosen.where(or_(table.c[column].in_(linked), *(table.c.subject.in_(some) for some in told)))
