"""What should be there by now and is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from aphub.store.same import same
from aphub.store.tables import dispatches, lessons, owed_reports, questions, recipients, tasks

_NOT_DONE = ("owed", "prepared", "held")
_ASKED = select(questions.c.question_id).where(
    questions.c.provider_id == lessons.c.provider_id, questions.c.lesson_id == lessons.c.lesson_id
)
"""A mark of the lesson that became a question."""


def registers_missing(
    connection: Connection, provider_id: int, began_by: datetime, began_after: datetime
) -> list[Row[Any]]:
    """Give lessons without a register that began in a stretch of time and that nobody has been told about."""
    chosen = select(lessons).where(
        lessons.c.provider_id == provider_id,
        lessons.c.state == "owed",
        lessons.c.starts_at <= began_by,
        lessons.c.starts_at > began_after,
        lessons.c.unregistered_told_at.is_(None),
    )
    return list(connection.execute(chosen).all())


def told_missing(connection: Connection, provider_id: int, lesson_ids: Sequence[int], now: datetime) -> None:
    """Remember that these missing registers have been noticed."""
    connection.execute(
        update(lessons)
        .where(lessons.c.provider_id == provider_id, lessons.c.lesson_id.in_(lesson_ids))
        .values(unregistered_told_at=now)
    )


def registers_due(
    connection: Connection, provider_id: int, due_by: datetime, due_after: datetime, began_by: datetime
) -> list[Row[Any]]:
    """Count the registers of lessons under way that are due soon and not there, by the instant of being due.

    A mark that came in and could not be read is a question, not a missing register.
    """
    chosen = (
        select(lessons.c.entry_due, func.count().label("pupils"))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.state == "owed",
            lessons.c.entry_due <= due_by,
            lessons.c.entry_due > due_after,
            lessons.c.starts_at <= began_by,
            ~_ASKED.exists(),
        )
        .group_by(lessons.c.entry_due)
    )
    return list(connection.execute(chosen).all())


def next_register(connection: Connection, provider_id: int, now: datetime) -> datetime | None:
    """Give the next instant at which a register is due that is not there."""
    chosen = select(func.min(lessons.c.entry_due)).where(
        lessons.c.provider_id == provider_id, lessons.c.state == "owed", lessons.c.entry_due > now
    )
    return connection.execute(chosen).scalar_one_or_none()


def clear_register_tasks(connection: Connection, provider_id: int, still_out: set[str], now: datetime) -> int:
    """Clear the open warnings about registers that have come in since; `still_out` are subjects that have not."""
    cleared = connection.execute(
        update(tasks)
        .where(
            tasks.c.provider_id == provider_id,
            tasks.c.kind == "take_register",
            tasks.c.state == "open",
            tasks.c.subject.not_in(still_out),
        )
        .values(state="cleared", ended_at=now, ended_by="the hub", result="the register came in")
    )
    return cleared.rowcount


def any_register_task(connection: Connection, provider_id: int) -> bool:
    """Say whether any warning about a register is open."""
    chosen = select(tasks.c.task_id).where(
        tasks.c.provider_id == provider_id, tasks.c.kind == "take_register", tasks.c.state == "open"
    )
    return connection.execute(chosen.limit(1)).first() is not None


def registers_out(
    connection: Connection, provider_id: int, due_by: datetime, due_after: datetime
) -> list[datetime]:
    """Give the instants in a stretch of time at which registers are due that have not come in."""
    chosen = (
        select(lessons.c.entry_due)
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.state == "owed",
            lessons.c.entry_due <= due_by,
            lessons.c.entry_due > due_after,
            ~_ASKED.exists(),
        )
        .distinct()
    )
    return list(connection.execute(chosen).scalars())


def missed(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Give reports whose promise has passed without being handed over, and of which the ledger says nothing yet."""
    chosen = (
        select(owed_reports, recipients.c.organisation)
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.state.in_(_NOT_DONE),
            owed_reports.c.due_by < now,
            owed_reports.c.missed_told_at.is_(None),
        )
        .order_by(owed_reports.c.due_by)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def told_missed(connection: Connection, provider_id: int, owed_ids: Sequence[int], now: datetime) -> None:
    """Remember that these missed promises stand in the ledger."""
    connection.execute(
        update(owed_reports)
        .where(owed_reports.c.provider_id == provider_id, owed_reports.c.owed_id.in_(owed_ids))
        .values(missed_told_at=now)
    )


def useless_now(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Give dispatches that still wait but would help nobody any more."""
    chosen = (
        select(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.state == "waiting",
            dispatches.c.useful_until < now,
        )
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def next_watch(
    connection: Connection,
    provider_id: int,
    now: datetime,
    *,
    alerted_after: timedelta,
    warned_before: timedelta,
    warned_after: timedelta,
) -> list[datetime]:
    """Give the instants at which a promise passes, a register is missed, or a warning about one is due next."""
    passes = select(func.min(owed_reports.c.due_by)).where(
        owed_reports.c.provider_id == provider_id,
        owed_reports.c.state.in_(_NOT_DONE),
        owed_reports.c.missed_told_at.is_(None),
        owed_reports.c.due_by >= now,
    )
    waiting = (lessons.c.provider_id == provider_id, lessons.c.state == "owed")
    began = select(func.min(lessons.c.starts_at)).where(
        *waiting, lessons.c.unregistered_told_at.is_(None), lessons.c.starts_at > now - alerted_after
    )
    due = select(func.min(lessons.c.entry_due)).where(*waiting, lessons.c.entry_due > now + warned_before)
    begins = select(func.min(lessons.c.starts_at)).where(*waiting, lessons.c.starts_at > now - warned_after)
    passed, start, entry, first = (
        connection.execute(chosen).scalar_one_or_none() for chosen in (passes, began, due, begins)
    )
    found = (
        passed,
        start + alerted_after if start else None,
        entry - warned_before if entry else None,
        first + warned_after if first else None,
    )
    return [at for at in found if at is not None]
