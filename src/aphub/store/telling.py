"""What must be looked at now, with everything needed to decide what to tell about it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, select

from aphub.domain.entries import Action, Entry, Fact
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import Lesson, Nature
from aphub.store.among import among
from aphub.store.bulk import read_many
from aphub.store.reading import Among, reading
from aphub.store.same import same, same_now
from aphub.store.tables import (
    channels,
    entries,
    lessons,
    owed_reports,
    placements,
    pupils,
    recipients,
    reports,
    threads,
)

TOLD_STATES = ("owed", "prepared", "met", "held")
_LOOKS_BACK = "withdrawn"
# A look reads hundreds of these: no more columns than it needs.
_OWED: tuple[Any, ...] = tuple(
    owed_reports.c[name]
    for name in [
        "owed_id",
        "ref",
        "thread_id",
        "recipient_id",
        "placement_id",
        "pupil_id",
        "first_day",
        "until_day",
        "half",
        "send_at",
        "due_by",
        "useful_until",
        "state",
        "because",
        "version",
        "summary",
    ]
)
_LESSON: tuple[Any, ...] = tuple(
    lessons.c[name]
    for name in [
        "lesson_id",
        "placement_id",
        "day",
        "starts_wall",
        "ends_wall",
        "starts_at",
        "ends_at",
        "mode",
        "nature",
        "place",
        "subject",
        "staff",
    ]
)


def lesson_in(row: Row[Any], placement_ref: str) -> Lesson:
    """Make the lesson of a row that `lessons_with_entries` gave, of the placement that it belongs to."""
    return Lesson(
        placement_ref=placement_ref,
        day=row.day,
        starts=time.fromisoformat(row.starts_wall),
        ends=time.fromisoformat(row.ends_wall),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        mode=Mode(row.mode),
        nature=Nature(row.nature),
        place=row.place,
        subject=row.subject,
        staff=row.staff,
    )


def entry_in(row: Row[Any], lesson: Lesson, note: str, word: str, actions: tuple[Action, ...]) -> Entry:
    """Make the entry in such a row, with what was sealed in it; only where there is one."""
    mode = Mode(row.entry_mode) if row.entry_mode else None
    fact = Fact(Outcome(row.outcome), ReasonKind(row.reason), row.minutes, note, word, mode)
    return Entry(lesson, row.version, fact, row.made_at, row.made_by, actions, row.taken_at)


def pressing_threads(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[int]:
    """Name the next threads in which something must be looked at, most pressing promise first."""
    chosen = (
        select(owed_reports.c.thread_id)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.look_at <= now,
            owed_reports.c.state.in_(TOLD_STATES),
            owed_reports.c.summary.is_(None),
        )
        .group_by(owed_reports.c.thread_id)
        .order_by(func.min(owed_reports.c.due_by), owed_reports.c.thread_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).scalars())


@reading("thread_id", "ref")
def _threads(among: Among) -> Select[Any]:
    return select(threads).where(
        threads.c.provider_id == bindparam("provider_id"), among(threads.c.thread_id, "ids")
    )


def threads_of(connection: Connection, provider_id: int, thread_ids: Sequence[int]) -> list[Row[Any]]:
    """Give threads in the order in which they are named, without those that are gone."""
    rows = _threads(connection, provider_id=provider_id, ids=list(thread_ids))
    found = {row.thread_id: row for row in rows}
    return [found[thread_id] for thread_id in thread_ids if thread_id in found]


@reading("owed_id", "ref", "placement_id", "pupil_id", "recipient_id", "placement_ref", "pupil_key_id")
def _owed_in(among: Among) -> Select[Any]:
    return (
        select(
            *_OWED,
            recipients.c.purpose,
            recipients.c.agreement,
            recipients.c.organisation,
            placements.c.ref.label("placement_ref"),
            placements.c.version.label("placement_version"),
            placements.c.arranged_by,
            placements.c.power,
            placements.c.registration,
            placements.c.nature,
            placements.c.risk_flag,
            placements.c.standing,
            recipients.c.starts_day.label("told_from"),
            recipients.c.ends_day.label("told_until"),
            pupils.c.key_id.label("pupil_key_id"),
            pupils.c.sealed.label("pupil_sealed"),
            pupils.c.suppressed,
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .join(placements, same_now(owed_reports, placements, "placement_id"))
        .join(pupils, same(owed_reports, pupils, "pupil_id"))
        .where(
            owed_reports.c.provider_id == bindparam("provider_id"),
            among(owed_reports.c.thread_id, "thread_ids"),
            owed_reports.c.state.in_(TOLD_STATES),
        )
        .order_by(owed_reports.c.thread_id, owed_reports.c.owed_id)
    )


def owed_in(connection: Connection, provider_id: int, thread_ids: Sequence[int]) -> list[Row[Any]]:
    """Give the owed reports of these threads with recipient, current placement and pupil beside each."""
    return _owed_in(connection, provider_id=provider_id, thread_ids=list(thread_ids))


@reading("lesson_id", "placement_id", "entry_id", "key_id", "version", "made_at", "made_by", "because")
def _lessons_with_entries(among: Among) -> Select[Any]:
    return (
        select(
            *_LESSON,
            entries.c.entry_id,
            entries.c.version,
            entries.c.outcome,
            entries.c.reason,
            entries.c.minutes,
            entries.c.mode.label("entry_mode"),
            entries.c.key_id,
            entries.c.sealed,
            entries.c.made_by,
            entries.c.because,
            entries.c.made_at,
            entries.c.taken_at,
        )
        .outerjoin(
            entries,
            and_(
                same_now(lessons, entries, "lesson_id"),
                # What was said ahead and taken back again is as if nobody had said it: the register is owed.
                lessons.c.state == "entered",
            ),
        )
        .where(
            lessons.c.provider_id == bindparam("provider_id"),
            lessons.c.day >= bindparam("from_day"),
            lessons.c.day < bindparam("until_day"),
            among(lessons.c.placement_id, "placement_ids"),
            lessons.c.state != _LOOKS_BACK,
        )
        .order_by(lessons.c.starts_at)
    )


def lessons_with_entries(
    connection: Connection, provider_id: int, placement_ids: Sequence[int], from_day: date, until_day: date
) -> dict[int, list[Row[Any]]]:
    """Give the lessons that are due, by placement, each with the columns of its current entry.

    Where the register has not been taken, `entry_id` is None. Nothing is made of the rows yet: they are a thousand a minute.
    """
    found: dict[int, list[Row[Any]]] = {}
    for row in _lessons_with_entries(
        connection,
        provider_id=provider_id,
        placement_ids=list(placement_ids),
        from_day=from_day,
        until_day=until_day,
    ):
        found.setdefault(row.placement_id, []).append(row)
    return found


def newest_reports(connection: Connection, provider_id: int, owed_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Give the newest report of each owed one that has any."""
    if not owed_ids:
        return {}
    newest = (
        select(reports.c.owed_id, func.max(reports.c.version).label("version"))
        .where(reports.c.provider_id == provider_id, among(connection, reports.c.owed_id, owed_ids))
        .group_by(reports.c.owed_id)
        .subquery()
    )
    chosen = select(reports).join(
        newest,
        and_(
            reports.c.provider_id == provider_id,
            reports.c.owed_id == newest.c.owed_id,
            reports.c.version == newest.c.version,
        ),
    )
    return {row.owed_id: row for row in connection.execute(chosen).all()}


def live_channels(
    connection: Connection, provider_id: int, organisations: Iterable[str]
) -> dict[tuple[str, str], Row[Any]]:
    """Give the channels over which pupils' data may leave to these organisations, by organisation and name."""
    chosen = select(channels).where(
        channels.c.provider_id == provider_id,
        channels.c.state == "live",
        among(connection, channels.c.organisation, sorted(set(organisations))),
    )
    return {(row.organisation, row.name): row for row in read_many(connection, chosen)}
