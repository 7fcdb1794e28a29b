"""The record itself, lesson by lesson and version by version, and how timely registers and reports were."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select

from aphub.store.pupils import in_batches
from aphub.store.same import same
from aphub.store.tables import entries, lessons, owed_reports, placements, pupils, recipients

Rows = list[Row[Any]]
LessonRow = Row[Any]
_NOT_SENT = ("owed", "prepared", "held", "missed")


def placements_between(
    connection: Connection,
    provider_id: int,
    first_day: date,
    until_day: date,
    *,
    organisation: str = "",
    commissioner: str = "",
    pupil_id: int = 0,
) -> Rows:
    """Give the current placements that lie in these days, each with its pupil; of whom an organisation is told."""
    chosen = (
        select(
            placements,
            pupils.c.ref.label("pupil_ref"),
            pupils.c.key_id.label("pupil_key_id"),
            pupils.c.sealed.label("pupil_sealed"),
            pupils.c.suppressed,
        )
        .join(pupils, same(placements, pupils, "pupil_id"))
        .where(
            placements.c.provider_id == provider_id,
            placements.c.current,
            placements.c.starts_day < until_day,
            or_(placements.c.ends_day.is_(None), placements.c.ends_day >= first_day),
        )
        .order_by(placements.c.placement_id)
    )
    if organisation:
        told = select(recipients.c.recipient_id).where(
            same(placements, recipients, "placement_id"),
            recipients.c.organisation == organisation,
            recipients.c.starts_day < until_day,
            or_(recipients.c.ends_day.is_(None), recipients.c.ends_day >= first_day),
        )
        chosen = chosen.where(told.correlate(placements).exists())
    if commissioner:
        chosen = chosen.where(placements.c.commissioner == commissioner)
    if pupil_id:
        chosen = chosen.where(placements.c.pupil_id == pupil_id)
    return list(connection.execute(chosen).all())


def lessons_between(
    connection: Connection, provider_id: int, placement_ids: Iterable[int], first_day: date, until_day: date
) -> Rows:
    """Give lessons with their current entries, in order; withdrawn ones too."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(placement_ids)):
        found += connection.execute(
            _lessons(provider_id, part, first_day, until_day, entries.c.current)
        ).all()
    return sorted(found, key=lambda row: (row.starts_at, row.lesson_id))


def versions_between(
    connection: Connection, provider_id: int, placement_ids: Iterable[int], first_day: date, until_day: date
) -> Rows:
    """Give lessons with every version of their entries, in order."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(placement_ids)):
        found += connection.execute(_lessons(provider_id, part, first_day, until_day, True)).all()  # noqa: FBT003 - private, and its own name says which
    return sorted(found, key=lambda row: (row.starts_at, row.lesson_id, row.version or 0))


def _lessons(
    provider_id: int, placement_ids: Sequence[int], first_day: date, until_day: date, which: Any
) -> Select[Any]:
    told = (
        entries.c.entry_id, entries.c.version, entries.c.outcome, entries.c.reason, entries.c.minutes, entries.c.by_person,
        entries.c.made_by, entries.c.made_at, entries.c.because, entries.c.taken_at, entries.c.current,
    )  # fmt: skip
    return (
        select(lessons, *told)
        .outerjoin(entries, and_(same(lessons, entries, "lesson_id"), which))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id.in_(placement_ids),
            lessons.c.day >= first_day,
            lessons.c.day < until_day,
        )
    )


def registers(
    connection: Connection,
    provider_id: int,
    first_day: date,
    until_day: date,
    now: datetime,
    placement_ids: Sequence[int] | None = None,
) -> Rows:
    """Count the registers that were due by now, and the changes to them, by day and by when they were due and came.

    A register came when it was taken, where its source says so, else when it came in; `came_at` is None where none did.
    """
    first = entries.alias("first")
    later = (
        select(entries.c.lesson_id, (func.max(entries.c.version) - 1).label("changes"))
        .where(entries.c.provider_id == provider_id, entries.c.version > 1)
        .group_by(entries.c.lesson_id)
        .subquery("later")
    )
    came_at = func.coalesce(first.c.taken_at, first.c.made_at).label("came_at")
    chosen = (
        select(
            lessons.c.day,
            lessons.c.starts_at,
            lessons.c.entry_due,
            came_at,
            func.count().label("lessons"),
            func.sum(func.coalesce(later.c.changes, 0)).label("changes"),
        )
        .outerjoin(first, and_(same(lessons, first, "lesson_id"), first.c.version == 1))
        .outerjoin(later, later.c.lesson_id == lessons.c.lesson_id)
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.day >= first_day,
            lessons.c.day < until_day,
            lessons.c.state != "withdrawn",
            lessons.c.entry_due <= now,
        )
        .group_by(lessons.c.day, lessons.c.starts_at, lessons.c.entry_due, came_at)
        .order_by(lessons.c.day, lessons.c.starts_at)
    )
    if placement_ids is not None:
        chosen = chosen.where(lessons.c.placement_id.in_(placement_ids))
    return list(connection.execute(chosen).all())


def timeliness(
    connection: Connection, provider_id: int, first_day: date, until_day: date, now: datetime, *,
    organisation: str = "", placement_ids: Sequence[int] | None = None, by: str = "day",
) -> Rows:  # fmt: skip
    """Count by day or by organisation how reports left: in time, late, not sent though due; of all placements or of some."""
    key = recipients.c.organisation if by == "organisation" else owed_reports.c.first_day
    met = owed_reports.c.state == "met"
    chosen = (
        select(
            key.label("key"),
            _number(and_(met, owed_reports.c.handed_over_at <= owed_reports.c.due_by)).label("in_time"),
            _number(and_(met, owed_reports.c.handed_over_at > owed_reports.c.due_by)).label("late"),
            _number(owed_reports.c.state.in_(_NOT_SENT)).label("not_sent"),
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.first_day >= first_day,
            owed_reports.c.first_day < until_day,
            owed_reports.c.state != "withdrawn",
            owed_reports.c.summary.is_(None),
            owed_reports.c.due_by <= now,
        )
        .group_by(key)
        .order_by(key)
    )
    if organisation:
        chosen = chosen.where(recipients.c.organisation == organisation)
    if placement_ids is not None:
        chosen = chosen.where(owed_reports.c.placement_id.in_(placement_ids))
    return list(connection.execute(chosen).all())


def _number(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))
