"""What people look at: a day by organisation, the log of messages, what is open, and one placement's day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, and_, case, cast, func, or_, select

from aphub.store.among import among
from aphub.store.bulk import read_many
from aphub.store.pupils import in_batches
from aphub.store.same import same, same_now
from aphub.store.tables import (
    channels,
    dispatches,
    entries,
    holds,
    lanes,
    lessons,
    owed_reports,
    placements,
    pupils,
    questions,
    recipients,
    tasks,
    threads,
)

_LONGEST_PERIOD = timedelta(days=7)

Rows = list[Row[Any]]


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which messages of the log are wanted; what is empty does not matter."""

    organisation: str = ""
    since: datetime | None = None
    until: datetime | None = None
    states: tuple[str, ...] = ()
    channel: str = ""
    late: bool = False
    limit: int = 100


def day_by_organisation(connection: Connection, provider_id: int, day: date, now: datetime) -> Rows:
    """Count what is owed for a day by organisation: all, met, on time, late, missing, held."""
    met = owed_reports.c.state == "met"
    late = and_(met, owed_reports.c.handed_over_at > owed_reports.c.due_by)
    missing = and_(~met, owed_reports.c.due_by < now)

    def number(condition: Any, name: str) -> Any:
        return func.sum(case((condition, 1), else_=0)).label(name)

    # First by thread, each of which is with one organisation: ten thousand groups to join, not a hundred thousand rows.
    by_thread = (
        select(
            owed_reports.c.thread_id,
            func.count().label("owed"),
            number(met, "met"),
            number(late, "late"),
            number(missing, "missing"),
            number(owed_reports.c.state == "held", "held"),
            func.min(case((~met, owed_reports.c.due_by), else_=None)).label("next_due"),
        )
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.first_day <= day,
            owed_reports.c.first_day > day - _LONGEST_PERIOD,
            owed_reports.c.until_day > day,
            owed_reports.c.state != "withdrawn",
            owed_reports.c.summary.is_(None),
        )
        .group_by(owed_reports.c.thread_id)
        .subquery("by_thread")
    )
    chosen = (
        select(
            threads.c.organisation,
            *(
                # A sum of large numbers has no end on PostgreSQL, and would come as a decimal.
                cast(func.sum(by_thread.c[name]), Integer).label(name)
                for name in ("owed", "met", "late", "missing", "held")
            ),
            func.min(by_thread.c.next_due).label("next_due"),
        )
        .join(by_thread, by_thread.c.thread_id == threads.c.thread_id)
        .where(threads.c.provider_id == provider_id)
        .group_by(threads.c.organisation)
        .order_by(threads.c.organisation)
    )
    return read_many(connection, chosen)


def messages(connection: Connection, provider_id: int, wanted: LogFilter) -> Rows:
    """Give messages of the log, newest first."""
    d = dispatches.c
    conditions: list[Any] = [d.provider_id == provider_id]
    if wanted.organisation:
        conditions.append(d.organisation == wanted.organisation)
    if wanted.since is not None:
        conditions.append(d.prepared_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(d.prepared_at < wanted.until)
    if wanted.states:
        conditions.append(or_(d.state.in_(wanted.states), d.rung.in_(wanted.states)))
    if wanted.channel:
        conditions.append(d.channel == wanted.channel)
    if wanted.late:
        conditions.append(d.handed_over_at > d.due_by)
    shown: list[Any] = [column for column in dispatches.c if column.name != "sealed"]
    chosen = select(*shown).where(*conditions).order_by(d.prepared_at.desc(), d.dispatch_id.desc())
    return list(connection.execute(chosen.limit(wanted.limit)).all())


def uncertain(connection: Connection, provider_id: int) -> Rows:
    """Give the messages that may have arrived, and of which nobody has said whether."""
    chosen: Any = select(dispatches.c.reference, dispatches.c.organisation, dispatches.c.due_by).where(
        dispatches.c.provider_id == provider_id, dispatches.c.state == "uncertain"
    )
    return list(connection.execute(chosen.order_by(dispatches.c.due_by)).all())


def open_questions(connection: Connection, provider_id: int, limit: int) -> Rows:
    """Give the oldest open questions."""
    chosen = (
        select(questions)
        .where(questions.c.provider_id == provider_id, questions.c.answered_at.is_(None))
        .order_by(questions.c.raised_at, questions.c.question_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def open_tasks(connection: Connection, provider_id: int, limit: int) -> Rows:
    """Give what a person still has to do, soonest first."""
    chosen = (
        select(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.state == "open")
        .order_by(tasks.c.due_at, tasks.c.task_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def open_holds(connection: Connection, provider_id: int, limit: int) -> Rows:
    """Give what is held until a person decides, each with its message's reference."""
    chosen = (
        select(holds, dispatches.c.reference, dispatches.c.organisation, dispatches.c.channel)
        .outerjoin(dispatches, same(holds, dispatches, "dispatch_id"))
        .where(holds.c.provider_id == provider_id, holds.c.settled_at.is_(None))
        .order_by(holds.c.raised_at, holds.c.hold_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def every_channel(connection: Connection, provider_id: int) -> Rows:
    """Give all channels, each with the trouble of its lane."""
    chosen = (
        select(channels, lanes.c.failures, lanes.c.open_until, lanes.c.since, lanes.c.words)
        .outerjoin(lanes, same(channels, lanes, "lane"))
        .where(channels.c.provider_id == provider_id)
        .order_by(channels.c.organisation, channels.c.name)
    )
    return list(connection.execute(chosen).all())


def owed_called(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give the first day of what is owed under a reference, to which organisation, and whether and why it is held."""
    chosen: Select[Any] = (
        select(
            owed_reports.c.first_day,
            owed_reports.c.recipient_id,
            owed_reports.c.state,
            owed_reports.c.because,
            recipients.c.organisation,
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(owed_reports.c.provider_id == provider_id, owed_reports.c.ref == ref)
    )
    return connection.execute(chosen).one_or_none()


def threads_of(connection: Connection, provider_id: int, organisation: str, day: date) -> Rows:
    """Give an organisation's threads in which something is still owed for a day, or is held."""
    owed = (
        select(owed_reports.c.thread_id)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.first_day <= day,
            owed_reports.c.first_day > day - _LONGEST_PERIOD,
            owed_reports.c.until_day > day,
            owed_reports.c.state.in_(("owed", "held")),
            owed_reports.c.summary.is_(None),
        )
        .distinct()
    )
    chosen = select(threads).where(
        threads.c.provider_id == provider_id,
        threads.c.organisation == organisation,
        threads.c.thread_id.in_(owed),
    )
    return list(connection.execute(chosen.order_by(threads.c.thread_id)).all())


# --- one placement's day ----------------------------------------------------------------------------------------------


def placement(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give a placement's current version, with whether its pupil must not be shared."""
    chosen = (
        select(placements, pupils.c.suppressed)
        .join(pupils, same(placements, pupils, "pupil_id"))
        .where(placements.c.provider_id == provider_id, placements.c.ref == ref, placements.c.current)
    )
    return connection.execute(chosen).one_or_none()


def placements_of(connection: Connection, provider_id: int, pupil_id: int) -> Rows:
    """Give the current placements of a pupil, with whether the pupil must not be shared."""
    chosen = (
        select(placements, pupils.c.suppressed)
        .join(pupils, same(placements, pupils, "pupil_id"))
        .where(
            placements.c.provider_id == provider_id, placements.c.pupil_id == pupil_id, placements.c.current
        )
        .order_by(placements.c.placement_id)
    )
    return list(connection.execute(chosen).all())


def recipients_of(connection: Connection, provider_id: int, placement_id: int) -> Rows:
    """Give who is told about a placement."""
    chosen = select(recipients).where(
        recipients.c.provider_id == provider_id, recipients.c.placement_id == placement_id
    )
    return list(connection.execute(chosen.order_by(recipients.c.recipient_id)).all())


def lessons_on(connection: Connection, provider_id: int, placement_id: int, day: date) -> Rows:
    """Give a placement's lessons of a day, withdrawn ones too, each with its current entry."""
    chosen = (
        select(lessons, entries.c.entry_id, entries.c.outcome, entries.c.made_at, entries.c.made_by)
        .outerjoin(entries, same_now(lessons, entries, "lesson_id"))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id == placement_id,
            lessons.c.day == day,
        )
        .order_by(lessons.c.starts_at)
    )
    return list(connection.execute(chosen).all())


def questions_about(connection: Connection, provider_id: int, lesson_ids: Sequence[int]) -> Rows:
    """Give the open questions about these lessons."""
    found: Rows = []
    for part in in_batches(lesson_ids):
        chosen = select(questions).where(
            questions.c.provider_id == provider_id,
            among(connection, questions.c.lesson_id, part),
            questions.c.answered_at.is_(None),
        )
        found += connection.execute(chosen).all()
    return found


def owed_for(connection: Connection, provider_id: int, placement_id: int, day: date) -> Rows:
    """Give what is owed for a placement and a day, with whom it is owed to."""
    chosen = (
        select(owed_reports, recipients.c.organisation)
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.placement_id == placement_id,
            owed_reports.c.first_day <= day,
            owed_reports.c.until_day > day,
        )
        .order_by(owed_reports.c.owed_id)
    )
    return list(connection.execute(chosen).all())
