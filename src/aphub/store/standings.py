"""How one day stands: owed and met by organisation, messages by way, and what is open for people."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select

from aphub.store.bulk import read_many
from aphub.store.same import same
from aphub.store.tables import dispatches, holds, owed_reports, questions, recipients, tasks

_MET = "met"


def owed_on(connection: Connection, provider_id: int, day: date) -> list[Row[Any]]:
    """Count the reports owed for periods that end on `day`, by organisation: all, met, on time, held."""
    met = owed_reports.c.state == _MET
    on_time = and_(met, owed_reports.c.handed_over_at <= owed_reports.c.due_by)
    chosen = (
        select(
            recipients.c.organisation,
            func.count().label("owed"),
            func.sum(case((met, 1), else_=0)).label("met"),
            func.sum(case((on_time, 1), else_=0)).label("on_time"),
            func.sum(case((owed_reports.c.state == "held", 1), else_=0)).label("held"),
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.first_day == day,
            owed_reports.c.state != "withdrawn",
        )
        .group_by(recipients.c.organisation)
        .order_by(recipients.c.organisation)
    )
    return list(connection.execute(chosen))


def sent_between(
    connection: Connection, provider_id: int, after: datetime, before: datetime
) -> list[Row[Any]]:
    """Count the messages handed over in a stretch of time, by organisation, way and how far each got."""
    chosen = (
        select(
            dispatches.c.organisation,
            dispatches.c.adapter,
            dispatches.c.channel_rank,
            dispatches.c.rung,
            func.count().label("messages"),
        )
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.kind != "test",
            dispatches.c.handed_over_at >= after,
            dispatches.c.handed_over_at < before,
        )
        .group_by(
            dispatches.c.organisation, dispatches.c.adapter, dispatches.c.channel_rank, dispatches.c.rung
        )
        .order_by(dispatches.c.organisation, dispatches.c.channel_rank, dispatches.c.rung)
    )
    return read_many(connection, chosen)


def open_questions(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Count the marks that wait for an answer, by why they could not be read."""
    chosen = (
        select(questions.c.kind, func.count().label("marks"))
        .where(questions.c.provider_id == provider_id, questions.c.answered_at.is_(None))
        .group_by(questions.c.kind)
        .order_by(questions.c.kind)
    )
    return list(connection.execute(chosen))


def open_tasks(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give what a person still has to do, soonest first."""
    chosen = (
        select(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.state == "open")
        .order_by(tasks.c.due_at, tasks.c.task_id)
    )
    return list(connection.execute(chosen))


def open_holds(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give what is held until a person decides."""
    chosen = select(holds).where(holds.c.provider_id == provider_id, holds.c.settled_at.is_(None))
    return list(connection.execute(chosen.order_by(holds.c.raised_at)))
