"""Summaries that are owed to schools and councils, a row for each pupil told about, beside the reports."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, or_, select, update

from aphub.store.bulk import read_many
from aphub.store.pupils import in_batches
from aphub.store.same import same
from aphub.store.tables import lessons, owed_reports, recipients, reports, threads

Rows = list[Row[Any]]


def not_yet_owed(
    connection: Connection,
    provider_id: int,
    agreement: str,
    period: str,
    first_day: date,
    until_day: date,
    limit: int,
) -> Rows:
    """Give who is told under an agreement of a lesson of these days, and is not owed this summary yet."""
    taught = exists().where(
        lessons.c.provider_id == recipients.c.provider_id,
        lessons.c.placement_id == recipients.c.placement_id,
        lessons.c.state != "withdrawn",
        lessons.c.day >= first_day,
        lessons.c.day < until_day,
        lessons.c.day >= recipients.c.starts_day,
        or_(recipients.c.ends_day.is_(None), lessons.c.day <= recipients.c.ends_day),
    )
    owed = exists().where(
        owed_reports.c.provider_id == recipients.c.provider_id,
        owed_reports.c.recipient_id == recipients.c.recipient_id,
        owed_reports.c.period == period,
    )
    pupil = (
        select(lessons.c.pupil_id)
        .where(
            lessons.c.provider_id == recipients.c.provider_id,
            lessons.c.placement_id == recipients.c.placement_id,
            lessons.c.day >= first_day,
            lessons.c.day < until_day,
        )
        .limit(1)
        .scalar_subquery()
    )
    chosen = (
        select(
            recipients.c.recipient_id,
            recipients.c.placement_id,
            recipients.c.organisation,
            pupil.label("pupil_id"),
        )
        .where(
            recipients.c.provider_id == provider_id,
            recipients.c.agreement == agreement,
            recipients.c.starts_day < until_day,
            or_(recipients.c.ends_day.is_(None), recipients.c.ends_day >= first_day),
            taught,
            ~owed,
        )
        .order_by(recipients.c.recipient_id)
        .limit(limit)
    )
    return read_many(connection, chosen)


def move(
    connection: Connection, provider_id: int, agreement: str, period: str, times: dict[str, datetime]
) -> int:
    """Set the times of a summary that nobody has sent yet, where what was agreed has changed."""
    under = exists().where(
        recipients.c.provider_id == owed_reports.c.provider_id,
        recipients.c.recipient_id == owed_reports.c.recipient_id,
        recipients.c.agreement == agreement,
    )
    changed = connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.period == period,
            owed_reports.c.summary.is_not(None),
            owed_reports.c.state == "owed",
            owed_reports.c.version == 0,
            owed_reports.c.due_by != times["due_by"],
            under,
        )
        .values(**times, look_at=times["send_at"])
    )
    return changed.rowcount


def threads_due(connection: Connection, provider_id: int, now: datetime, limit: int) -> Rows:
    """Give the next threads whose summary leaves now, most pressing promise first."""
    pressing = (
        select(owed_reports.c.thread_id, func.min(owed_reports.c.due_by).label("due_by"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.look_at <= now,
            owed_reports.c.state == "owed",
            owed_reports.c.summary.is_not(None),
        )
        .group_by(owed_reports.c.thread_id)
        .order_by("due_by", owed_reports.c.thread_id)
        .limit(limit)
        .subquery()
    )
    chosen = select(threads).join(
        pressing, and_(threads.c.thread_id == pressing.c.thread_id, threads.c.provider_id == provider_id)
    )
    return list(connection.execute(chosen.order_by(pressing.c.due_by, threads.c.thread_id)).all())


def told_before(
    connection: Connection,
    provider_id: int,
    recipient_ids: Sequence[int],
    every: str,
    before: date,
    since: date,
) -> Rows:
    """Give the newest version of each earlier summary that these recipients were sent, oldest first."""
    found: Rows = []
    for part in in_batches(recipient_ids):
        chosen = (
            select(
                reports.c.report_id,
                reports.c.key_id,
                reports.c.sealed,
                owed_reports.c.recipient_id,
                owed_reports.c.placement_id,
                owed_reports.c.first_day,
                owed_reports.c.until_day,
            )
            .join(
                owed_reports,
                and_(same(reports, owed_reports, "owed_id"), owed_reports.c.version == reports.c.version),
            )
            .where(
                owed_reports.c.provider_id == provider_id,
                owed_reports.c.recipient_id.in_(part),
                owed_reports.c.summary == every,
                owed_reports.c.first_day < before,
                owed_reports.c.first_day >= since,
                owed_reports.c.state.in_(("met", "prepared")),
            )
        )
        found += read_many(connection, chosen)
    return sorted(found, key=lambda row: (row.first_day, row.recipient_id))


def due_on(
    connection: Connection, provider_id: int, after: datetime, before: datetime, now: datetime
) -> Rows:
    """Count the summaries due in a stretch of time, and older ones still not sent, by organisation and kind."""
    met = owed_reports.c.state == "met"
    chosen = (
        select(
            recipients.c.organisation,
            owed_reports.c.summary,
            owed_reports.c.first_day,
            owed_reports.c.until_day,
            owed_reports.c.state,
            func.count().label("pupils"),
            func.min(owed_reports.c.due_by).label("due_by"),
            func.max(owed_reports.c.handed_over_at).label("handed_over_at"),
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.summary.is_not(None),
            owed_reports.c.state != "withdrawn",
            owed_reports.c.due_by < before,
            or_(owed_reports.c.due_by >= after, and_(~met, owed_reports.c.due_by < now)),
        )
        .group_by(
            recipients.c.organisation,
            owed_reports.c.summary,
            owed_reports.c.first_day,
            owed_reports.c.until_day,
            owed_reports.c.state,
        )
        .order_by(
            recipients.c.organisation, owed_reports.c.first_day, owed_reports.c.summary, owed_reports.c.state
        )
    )
    return list(connection.execute(chosen).all())
