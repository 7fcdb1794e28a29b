"""A provider that leaves: what of it is counted, closed, and deleted for good."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from aphub.store.tables import dispatches, metadata, providers, pupils

PROOF = frozenset({"statements", "ledger_nodes", "checkpoints", "verifying_keys", "providers"})
"""What stays of a provider: its ledger, and its short name."""


def counts(connection: Connection, provider_id: int) -> tuple[int, int]:
    """Give how many pupils and messages there are."""
    both = []
    for table in (pupils, dispatches):
        chosen = select(func.count()).select_from(table).where(table.c.provider_id == provider_id)
        both.append(int(connection.execute(chosen).scalar_one()))
    return both[0], both[1]


def close(connection: Connection, provider_id: int, now: datetime) -> None:
    """Note that a provider has left: nothing is taken in or sent for it any more."""
    connection.execute(update(providers).where(providers.c.provider_id == provider_id).values(closed_at=now))


def closed(connection: Connection) -> dict[str, int]:
    """Give the providers that have left, by short name."""
    chosen = select(providers.c.slug, providers.c.provider_id).where(providers.c.closed_at.is_not(None))
    return {row.slug: row.provider_id for row in connection.execute(chosen)}


def delete_all_but_proof(connection: Connection, provider_id: int) -> None:
    """Delete every row of a provider but its ledger."""
    for table in metadata.sorted_tables:
        if "provider_id" in table.c and table.name not in PROOF:
            connection.execute(delete(table).where(table.c.provider_id == provider_id))
