"""The ledger's rows: numbered statements, complete tree nodes and signed checkpoints."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, bindparam, cast, func, insert, select

from aphub.domain.ledger.merkle import Frontier, Node, NodeKey, frontier_of
from aphub.store.among import among_pairs
from aphub.store.bulk import add_many
from aphub.store.tables import checkpoints, ledger_nodes, statements, verifying_keys

_BATCH = 5_000
_SUBJECTS = 500


_NEWEST = select(func.max(statements.c.number)).where(statements.c.provider_id == bindparam("provider"))
_NEWEST_CHECKPOINT = (
    select(checkpoints)
    .where(checkpoints.c.provider_id == bindparam("provider"))
    .order_by(checkpoints.c.size.desc())
    .limit(1)
)


def size(connection: Connection, provider_id: int) -> int:
    """Give the number of statements a provider's log holds."""
    newest = connection.execute(_NEWEST, {"provider": provider_id}).scalar_one_or_none()
    return 0 if newest is None else newest + 1


def nodes(connection: Connection, provider_id: int, keys: Sequence[NodeKey]) -> list[bytes]:
    """Give the hashes of complete nodes in the order of their keys; a missing one is an empty hash."""
    column = ledger_nodes.c
    chosen = select(column.level, column.position, column.hash).where(
        column.provider_id == provider_id, among_pairs(column.level, column.position, keys)
    )
    found = {(level, position): value for level, position, value in connection.execute(chosen)}
    return [found.get(key, b"") for key in keys]


def frontier(connection: Connection, provider_id: int) -> Frontier:
    """Give what must be known to go on appending."""
    return frontier_of(size(connection, provider_id), lambda keys: nodes(connection, provider_id, keys))


def add(
    connection: Connection, provider_id: int, rows: list[dict[str, Any]], complete: Sequence[Node]
) -> None:
    """Insert statements with the nodes they complete."""
    add_many(connection, statements, rows)
    rows_of_nodes = [
        {"provider_id": provider_id, "level": node.level, "position": node.position, "hash": node.hash}
        for node in complete
    ]
    add_many(connection, ledger_nodes, rows_of_nodes)


def add_checkpoint(
    connection: Connection, provider_id: int, tree_size: int, epoch: int, note: str, at: datetime
) -> None:
    """Insert a signed checkpoint."""
    row = {"provider_id": provider_id, "size": tree_size, "epoch": epoch, "note": note, "at": at}
    connection.execute(insert(checkpoints), row)


def newest_checkpoint(connection: Connection, provider_id: int) -> Row[Any] | None:
    """Give the newest signed checkpoint."""
    return connection.execute(_NEWEST_CHECKPOINT, {"provider": provider_id}).one_or_none()


def all_checkpoints(connection: Connection, provider_id: int) -> list[str]:
    """Give every signed checkpoint, oldest first."""
    chosen = (
        select(checkpoints.c.note)
        .where(checkpoints.c.provider_id == provider_id)
        .order_by(checkpoints.c.size)
    )
    return list(connection.execute(chosen).scalars())


def statements_from(connection: Connection, provider_id: int, number: int = 0) -> Iterator[Row[Any]]:
    """Give number, kind, subject and body of statements in order of their number, streaming.

    SQLite keeps a value of whatever type somebody wrote: what was made text there is read as its bytes, so that a check
    finds it changed.
    """
    body = cast(statements.c.body, LargeBinary).label("body")
    while True:
        chosen = (
            select(statements.c.number, statements.c.kind, statements.c.subject, body)
            .where(statements.c.provider_id == provider_id, statements.c.number >= number)
            .order_by(statements.c.number)
            .limit(_BATCH)
        )
        rows = connection.execute(chosen).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        number = rows[-1].number + 1


def statements_about(connection: Connection, provider_id: int, subjects: Sequence[str]) -> list[Row[Any]]:
    """Give the statements about these references, in order."""
    found: list[Row[Any]] = []
    unique = list(dict.fromkeys(subjects))
    for start in range(0, len(unique), _SUBJECTS):
        chosen = select(statements).where(
            statements.c.provider_id == provider_id,
            statements.c.subject.in_(unique[start : start + _SUBJECTS]),
        )
        found += connection.execute(chosen).all()
    return sorted(found, key=lambda row: int(row.number))


def statements_of(connection: Connection, provider_id: int, kind: str, since: datetime) -> list[Row[Any]]:
    """Give the statements of a kind from an instant on, in order."""
    chosen = select(statements).where(
        statements.c.provider_id == provider_id, statements.c.kind == kind, statements.c.at >= since
    )
    return list(connection.execute(chosen.order_by(statements.c.number)).all())


def leaf_hashes(connection: Connection, provider_id: int) -> Iterator[bytes]:
    """Give the stored hashes of the leaves in order of their position, streaming; a gap is an empty hash."""
    chosen = (
        select(ledger_nodes.c.position, cast(ledger_nodes.c.hash, LargeBinary).label("hash"))
        .where(ledger_nodes.c.provider_id == provider_id, ledger_nodes.c.level == 0)
        .order_by(ledger_nodes.c.position)
    )
    wanted = 0
    while True:
        rows = connection.execute(chosen.where(ledger_nodes.c.position >= wanted).limit(_BATCH)).all()
        for row in rows:
            yield from (b"" for _ in range(wanted, row.position))
            yield row.hash
            wanted = row.position + 1
        if len(rows) < _BATCH:
            return


def nodes_between(
    connection: Connection, provider_id: int, level: int, start: int, until: int
) -> dict[int, bytes]:
    """Give the stored nodes of a level by position, from `start` to before `until`."""
    stored = cast(ledger_nodes.c.hash, LargeBinary).label("hash")
    chosen = select(ledger_nodes.c.position, stored).where(
        ledger_nodes.c.provider_id == provider_id,
        ledger_nodes.c.level == level,
        ledger_nodes.c.position >= start,
        ledger_nodes.c.position < until,
    )
    return {row.position: row.hash for row in connection.execute(chosen)}


def covering_checkpoint(connection: Connection, provider_id: int, tree_size: int) -> str | None:
    """Give the first signed checkpoint over a log of at least this size."""
    chosen = (
        select(checkpoints.c.note)
        .where(checkpoints.c.provider_id == provider_id, checkpoints.c.size >= tree_size)
        .order_by(checkpoints.c.size)
        .limit(1)
    )
    return connection.execute(chosen).scalar_one_or_none()


def vkeys(connection: Connection, provider_id: int) -> list[str]:
    """Give every verifying key this log ever signed with; old ones are kept for ever."""
    chosen = (
        select(verifying_keys.c.vkey)
        .where(verifying_keys.c.provider_id == provider_id)
        .order_by(verifying_keys.c.since)
    )
    return list(connection.execute(chosen).scalars())


def add_vkey(connection: Connection, provider_id: int, vkey: str, since: datetime) -> None:
    """Remember a verifying key."""
    connection.execute(insert(verifying_keys), {"provider_id": provider_id, "vkey": vkey, "since": since})
