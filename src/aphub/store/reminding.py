"""Tasks of what comes round: those that were ever raised about a period, and since when a provider is here."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from aphub.store.engine import insert_ignoring
from aphub.store.pupils import in_batches
from aphub.store.tables import snapshots, tasks


def tasks_about(
    connection: Connection, provider_id: int, kinds: Sequence[str], subjects: Sequence[str]
) -> dict[tuple[str, str], Row[Any]]:
    """Give the newest task of each kind and subject, done ones too."""
    chosen = (
        select(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.kind.in_(kinds), tasks.c.subject.in_(subjects))
        .order_by(tasks.c.task_id)
    )
    return {(row.kind, row.subject): row for row in connection.execute(chosen).all()}


def agreed_since(connection: Connection, provider_id: int) -> datetime | None:
    """Give when the configuration in force was published."""
    chosen = select(func.max(snapshots.c.published_at)).where(snapshots.c.provider_id == provider_id)
    return connection.execute(chosen).scalar_one_or_none()


def ask(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep one open task for each kind and subject of a provider, in the newest words and due as they say.

    What a person ended comes back only when its words are others, such as an absence that is a school day older.
    """
    if not rows:
        return
    known, answered = _open_and_answered(connection, rows)
    fresh, older = [], []
    for row in rows:
        is_open = known.get((row["kind"], row["subject"]))
        if is_open is not None and is_open[1] != row["words"]:
            older.append({"key": is_open[0], "new_words": row["words"], "new_due": row["due_at"]})
        elif is_open is None and (row["kind"], row["subject"], row["words"]) not in answered:
            fresh.append(row)
    if older:
        chosen = update(tasks).where(
            tasks.c.provider_id == rows[0]["provider_id"], tasks.c.task_id == bindparam("key")
        )
        connection.execute(chosen.values(words=bindparam("new_words"), due_at=bindparam("new_due")), older)
    if fresh:
        connection.execute(insert_ignoring(connection, tasks), fresh)


def _open_and_answered(
    connection: Connection, rows: Sequence[dict[str, Any]]
) -> tuple[dict[tuple[str, str], tuple[int, str]], set[tuple[str, str, str]]]:
    """Give the open tasks about what these rows are about, and the words that people have dealt with."""
    kinds, provider_id = {row["kind"] for row in rows}, rows[0]["provider_id"]
    known: dict[tuple[str, str], tuple[int, str]] = {}
    answered: set[tuple[str, str, str]] = set()
    for part in in_batches(sorted({row["subject"] for row in rows})):
        about = select(tasks.c.task_id, tasks.c.kind, tasks.c.subject, tasks.c.words, tasks.c.state).where(
            tasks.c.provider_id == provider_id, tasks.c.kind.in_(kinds), tasks.c.subject.in_(part)
        )
        for one in connection.execute(about):
            if one.state == "open":
                known[one.kind, one.subject] = one.task_id, one.words
            elif one.state == "done":
                answered.add((one.kind, one.subject, one.words))
    return known, answered


def end(
    connection: Connection,
    provider_id: int,
    kind: str,
    subjects: Sequence[str],
    now: datetime,
    result: str = "it was done",
) -> None:
    """Clear open tasks of a kind, since what they chased is done."""
    if subjects:
        connection.execute(
            update(tasks)
            .where(
                tasks.c.provider_id == provider_id,
                tasks.c.kind == kind,
                tasks.c.subject.in_(subjects),
                tasks.c.state == "open",
            )
            .values(state="cleared", ended_at=now, ended_by="the hub", result=result)
        )


def clear_others(
    connection: Connection, provider_id: int, kind: str, still_open: Collection[str], now: datetime
) -> None:
    """Clear the open tasks of a kind whose subjects are no longer as they were."""
    open_now = (tasks.c.provider_id == provider_id, tasks.c.kind == kind, tasks.c.state == "open")
    found = connection.execute(select(tasks.c.task_id, tasks.c.subject).where(*open_now))
    gone = [row.task_id for row in found if row.subject not in still_open]
    if gone:
        connection.execute(
            update(tasks)
            .where(*open_now, tasks.c.task_id.in_(gone))
            .values(state="cleared", ended_at=now, ended_by="the hub", result="it is not so any more")
        )
