"""Telephone calls that people made: about a step of a case, a message, or a task."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from aphub.store.pupils import in_batches
from aphub.store.tables import calls


def key_subject(call_id: int) -> str:
    """Name whom the key of a call is for that is about no one pupil: the call itself."""
    return f"call-{call_id}"


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Keep one call."""
    connection.execute(insert(calls), row)


def about(connection: Connection, provider_id: int, subjects: Iterable[str]) -> list[Row[Any]]:
    """Give the calls about steps, messages or tasks, in order of time."""
    found: list[Row[Any]] = []
    for part in in_batches(dict.fromkeys(subjects)):
        chosen = select(calls).where(calls.c.provider_id == provider_id, calls.c.subject.in_(part))
        found += connection.execute(chosen.order_by(calls.c.at, calls.c.call_id)).all()
    return found


def answered_steps(connection: Connection, provider_id: int, step_ids: Iterable[int]) -> set[int]:
    """Say at which of these steps somebody answered."""
    found: set[int] = set()
    for part in in_batches(dict.fromkeys(step_ids)):
        chosen = select(calls.c.step_id).where(
            calls.c.provider_id == provider_id, calls.c.step_id.in_(part), calls.c.result == "answered"
        )
        found.update(number for number in connection.execute(chosen).scalars() if number is not None)
    return found
