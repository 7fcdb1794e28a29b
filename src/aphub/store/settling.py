"""Rows that change when a person says what became of a message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from aphub.store.same import same
from aphub.store.tables import attempts, dispatch_reports, dispatches, owed_reports, recipients, tasks

_NOT_MET = ("owed", "prepared", "held")


def last_try(connection: Connection, provider_id: int, dispatch_id: int) -> datetime | None:
    """Give when a message was last tried."""
    chosen = select(func.max(attempts.c.started_at)).where(
        attempts.c.provider_id == provider_id, attempts.c.dispatch_id == dispatch_id
    )
    return connection.execute(chosen).scalar_one_or_none()


def meet(
    connection: Connection, provider_id: int, owed_ids: Sequence[int], at: datetime, how: str | None = None
) -> None:
    """Say of owed reports that they were handed over at an instant, unless that is known; `how` where no message did it."""
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.owed_id.in_(owed_ids),
            owed_reports.c.state.in_(_NOT_MET),
        )
        .values(state="met", because=how, handed_over_at=at)
    )


def withdraw(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> None:
    """Say of owed reports that a person withdrew them."""
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.owed_id.in_(owed_ids),
            owed_reports.c.state.in_(_NOT_MET),
        )
        .values(state="withdrawn", because="withdrawn by a person", look_at=None)
    )


def cancel(connection: Connection, provider_id: int, dispatch_ids: Sequence[int], because: str) -> None:
    """Cancel messages that have not left."""
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.dispatch_id.in_(dispatch_ids),
            dispatches.c.state.in_(("waiting", "held")),
        )
        .values(state="cancelled", because=because[:200], next_at=None)
    )


def clear_tasks(
    connection: Connection, provider_id: int, subject: str, now: datetime, by: str, result: str
) -> int:
    """End the open tasks about a reference; give how many there were."""
    return connection.execute(
        update(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.subject == subject, tasks.c.state == "open")
        .values(state="done", ended_at=now, ended_by=by[:80], result=result[:120])
    ).rowcount


def finish_tasks_of(
    connection: Connection, provider_id: int, kind: str, subject: str, now: datetime, by: str, result: str
) -> None:
    """End the open task of one kind about a reference."""
    connection.execute(
        update(tasks)
        .where(
            tasks.c.provider_id == provider_id,
            tasks.c.kind == kind,
            tasks.c.subject == subject,
            tasks.c.state == "open",
        )
        .values(state="done", ended_at=now, ended_by=by[:80], result=result[:120])
    )


def subjects_of_open(connection: Connection, provider_id: int, kind: str) -> set[str]:
    """Give what the open tasks of one kind are about."""
    chosen = select(tasks.c.subject).where(
        tasks.c.provider_id == provider_id, tasks.c.kind == kind, tasks.c.state == "open"
    )
    return set(connection.execute(chosen).scalars())


def prepare_again(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> None:
    """Say of owed reports that were held that a message about them is on its way again."""
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.owed_id.in_(owed_ids),
            owed_reports.c.state == "held",
        )
        .values(state="prepared", because=None)
    )


def owed_by_ref(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give what is owed by its reference."""
    chosen = select(owed_reports).where(owed_reports.c.provider_id == provider_id, owed_reports.c.ref == ref)
    return connection.execute(chosen.with_for_update()).one_or_none()


def held_with(connection: Connection, provider_id: int, thread_id: int, because: str) -> list[Row[Any]]:
    """Give what is held in a thread for the same reason."""
    chosen = select(owed_reports).where(
        owed_reports.c.provider_id == provider_id,
        owed_reports.c.thread_id == thread_id,
        owed_reports.c.state == "held",
        owed_reports.c.because == because,
    )
    return list(connection.execute(chosen.order_by(owed_reports.c.owed_id)).all())


def is_open_task(connection: Connection, provider_id: int, ref: str) -> bool:
    """Say whether a task of this reference is open."""
    chosen = select(tasks.c.task_id).where(
        tasks.c.provider_id == provider_id, tasks.c.ref == ref, tasks.c.state == "open"
    )
    return connection.execute(chosen).first() is not None


def finish_task(
    connection: Connection, provider_id: int, ref: str, now: datetime, by: str, result: str
) -> bool:
    """End one open task; False when there is none of that reference."""
    return bool(
        connection.execute(
            update(tasks)
            .where(tasks.c.provider_id == provider_id, tasks.c.ref == ref, tasks.c.state == "open")
            .values(state="done", ended_at=now, ended_by=by[:80], result=result[:120])
        ).rowcount
    )


def asked_about(connection: Connection, provider_id: int, ref: str) -> str | None:
    """Give what an open task to phone or to release is about, by the task's reference or by that itself."""
    chosen = select(tasks.c.subject).where(
        tasks.c.provider_id == provider_id,
        or_(tasks.c.ref == ref, tasks.c.subject == ref),
        tasks.c.kind.in_(("phone_school", "release")),
        tasks.c.state == "open",
    )
    return connection.execute(chosen.limit(1)).scalar_one_or_none()


def held_of_message(connection: Connection, provider_id: int, reference: str) -> list[int]:
    """Give the owed reports that a message carried and that are held."""
    chosen = (
        select(owed_reports.c.owed_id)
        .join(dispatch_reports, same(owed_reports, dispatch_reports, "owed_id"))
        .join(dispatches, same(dispatch_reports, dispatches, "dispatch_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.state == "held",
            dispatches.c.reference == reference,
        )
        .order_by(owed_reports.c.owed_id)
    )
    return list(connection.execute(chosen).scalars())


def held_like(connection: Connection, provider_id: int, recipient_id: int, because: str) -> list[Row[Any]]:
    """Give what is held for a reason and owed to the organisation of a recipient, oldest first."""
    whose = select(recipients.c.organisation).where(
        recipients.c.provider_id == provider_id, recipients.c.recipient_id == recipient_id
    )
    chosen = (
        select(owed_reports)
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.state == "held",
            owed_reports.c.because == because,
            recipients.c.organisation == whose.scalar_subquery(),
        )
        .order_by(owed_reports.c.due_by, owed_reports.c.owed_id)
    )
    return list(connection.execute(chosen).all())
