"""What was said and done about pupils, school or council in some days: the correspondence, and its traces."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from aphub.store.pupils import in_batches
from aphub.store.same import same, same_now
from aphub.store.tables import (
    calls,
    cases,
    dispatches,
    entries,
    known_absences,
    lessons,
    owed_reports,
    questions,
    receipts,
    recipients,
    reports,
    school_decisions,
    steps,
)

Rows = list[Row[Any]]
_IN_CONTACT = ("present", "late", "left_early", "arrived_unexpected", "taught_at_home", "online")
"""Outcomes of a pupil whom somebody of ours saw or spoke with."""


def owed_within(
    connection: Connection,
    provider_id: int,
    first_day: date,
    until_day: date,
    *,
    organisation: str = "",
    pupil_id: int = 0,
) -> list[int]:
    """Give what was owed for these days, of one pupil or to one organisation where that is said."""
    chosen = (
        select(owed_reports.c.owed_id)
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.first_day < until_day,
            owed_reports.c.until_day > first_day,
        )
        .order_by(owed_reports.c.owed_id)
    )
    if organisation:
        chosen = chosen.where(recipients.c.organisation == organisation)
    if pupil_id:
        chosen = chosen.where(owed_reports.c.pupil_id == pupil_id)
    return list(connection.execute(chosen).scalars())


def cases_between(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], first_day: date, until_day: date
) -> Rows:
    """Give the cases of pupils in some days."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = select(cases).where(
            cases.c.provider_id == provider_id,
            cases.c.pupil_id.in_(part),
            cases.c.day >= first_day,
            cases.c.day < until_day,
        )
        found += connection.execute(chosen.order_by(cases.c.day, cases.c.case_id)).all()
    return found


def done_between(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], first_day: date, until_day: date
) -> Rows:
    """Give the steps of pupils' cases, each with its case, in order."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = (
            select(steps, cases.c.pupil_id, cases.c.day, cases.c.ref.label("case_ref"))
            .join(cases, same(steps, cases, "case_id"))
            .where(
                cases.c.provider_id == provider_id,
                cases.c.pupil_id.in_(part),
                cases.c.day >= first_day,
                cases.c.day < until_day,
            )
        )
        found += connection.execute(chosen.order_by(cases.c.day, steps.c.step_id)).all()
    return found


def calls_about(connection: Connection, provider_id: int, subjects: Sequence[str]) -> Rows:
    """Give the telephone calls about steps, messages or tasks, in order of time."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(subjects)):
        chosen = select(calls).where(calls.c.provider_id == provider_id, calls.c.subject.in_(part))
        found += connection.execute(chosen).all()
    return sorted(found, key=lambda row: (row.at, row.call_id))


def acts_about(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], first_day: date, until_day: date
) -> list[str]:
    """Give the references of what people did and decided about pupils in these days: the ledger has a word on each."""
    pupils = list(pupil_ids)
    refs = [row.ref for row in cases_between(connection, provider_id, pupils, first_day, until_day)]
    done = done_between(connection, provider_id, pupils, first_day, until_day)
    refs += [row.ref for row in done]
    for part in in_batches(pupils):
        chosen = select(school_decisions.c.ref).where(
            school_decisions.c.provider_id == provider_id,
            school_decisions.c.pupil_id.in_(part),
            school_decisions.c.starts_day < until_day,
            school_decisions.c.ends_day >= first_day,
        )
        refs += connection.execute(chosen).scalars()
    return refs


def told_absences(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], first_day: date, until_day: date
) -> Rows:
    """Give what was told ahead of pupils' absences."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = select(known_absences).where(
            known_absences.c.provider_id == provider_id,
            known_absences.c.pupil_id.in_(part),
            known_absences.c.starts_day < until_day,
            known_absences.c.ends_day >= first_day,
        )
        found += connection.execute(chosen.order_by(known_absences.c.absence_id)).all()
    return found


def receipts_of(connection: Connection, provider_id: int, dispatch_ids: Iterable[int]) -> Rows:
    """Give the receipts of messages, oldest first, each with its message's reference."""
    found: Rows = []
    for part in in_batches(dict.fromkeys(dispatch_ids)):
        chosen: Any = (
            select(
                receipts.c.rung,
                receipts.c.far_reference,
                receipts.c.hops,
                receipts.c.at,
                receipts.c.receipt_id,
                dispatches.c.reference,
                dispatches.c.adapter,
            )
            .join(dispatches, same(receipts, dispatches, "dispatch_id"))
            .where(receipts.c.provider_id == provider_id, receipts.c.dispatch_id.in_(part))
        )
        found += connection.execute(chosen).all()
    return sorted(found, key=lambda row: (row.at, row.receipt_id))


def questions_between(connection: Connection, provider_id: int, after: datetime, before: datetime) -> Rows:
    """Give the questions that were raised between two instants."""
    chosen = select(questions).where(
        questions.c.provider_id == provider_id, questions.c.raised_at >= after, questions.c.raised_at < before
    )
    return list(connection.execute(chosen.order_by(questions.c.raised_at)).all())


def messages_between(
    connection: Connection, provider_id: int, after: datetime, before: datetime, organisation: str = ""
) -> Rows:
    """Give the messages that were made between two instants, without their content."""
    shown = [column for column in dispatches.c if column.name != "sealed"]
    chosen = select(*shown).where(
        dispatches.c.provider_id == provider_id,
        dispatches.c.prepared_at >= after,
        dispatches.c.prepared_at < before,
    )
    if organisation:
        chosen = chosen.where(dispatches.c.organisation == organisation)
    return list(connection.execute(chosen.order_by(dispatches.c.prepared_at, dispatches.c.dispatch_id)).all())


def calls_between(connection: Connection, provider_id: int, after: datetime, before: datetime) -> Rows:
    """Give the telephone calls of some days with the case that each was about, where it was one."""
    chosen = (
        select(calls, cases.c.ref.label("case_ref"), cases.c.pupil_id)
        .outerjoin(steps, same(calls, steps, "step_id"))
        .outerjoin(cases, same(steps, cases, "case_id"))
        .where(calls.c.provider_id == provider_id, calls.c.at >= after, calls.c.at < before)
    )
    return list(connection.execute(chosen.order_by(calls.c.at, calls.c.call_id)).all())


def ended_between(connection: Connection, provider_id: int, after: datetime, before: datetime) -> Rows:
    """Give the steps that people ended between two instants, letters among them, each with its case."""
    chosen = (
        select(steps, cases.c.pupil_id, cases.c.day, cases.c.ref.label("case_ref"))
        .join(cases, same(steps, cases, "case_id"))
        .where(
            steps.c.provider_id == provider_id,
            steps.c.ended_at >= after,
            steps.c.ended_at < before,
            or_(steps.c.ended_by.is_not(None), steps.c.letter != ""),
        )
    )
    return list(connection.execute(chosen.order_by(steps.c.ended_at, steps.c.step_id)).all())


def newest_reports(connection: Connection, provider_id: int, owed_ids: Iterable[int]) -> Rows:
    """Give the newest report of each of these, with whom it told."""
    found: Rows = []
    for part in in_batches(owed_ids):
        chosen: Any = (
            select(reports.c.report_id, reports.c.key_id, reports.c.sealed, recipients.c.organisation)
            .join(owed_reports, same(reports, owed_reports, "owed_id"))
            .join(recipients, same(owed_reports, recipients, "recipient_id"))
            .where(
                reports.c.provider_id == provider_id,
                reports.c.owed_id.in_(part),
                reports.c.version == owed_reports.c.version,
            )
        )
        found += connection.execute(chosen).all()
    return found


def last_seen(
    connection: Connection, provider_id: int, placement_ids: Iterable[int], now: datetime
) -> dict[int, datetime]:
    """Give when placements' pupils were last here or took part, by the newest versions."""
    found: dict[int, datetime] = {}
    for part in in_batches(placement_ids):
        chosen = (
            select(lessons.c.placement_id, func.max(lessons.c.starts_at).label("at"))
            .join(entries, same_now(lessons, entries, "lesson_id"))
            .where(
                lessons.c.provider_id == provider_id,
                lessons.c.placement_id.in_(part),
                lessons.c.starts_at <= now,
                lessons.c.state != "withdrawn",
                entries.c.outcome.in_(_IN_CONTACT),
            )
            .group_by(lessons.c.placement_id)
        )
        found.update({row.placement_id: row.at for row in connection.execute(chosen).all()})
    return found


def last_answered(connection: Connection, provider_id: int, pupil_ids: Iterable[int]) -> dict[int, datetime]:
    """Give when somebody last answered a telephone call about these pupils."""
    found: dict[int, datetime] = {}
    for part in in_batches(pupil_ids):
        chosen = (
            select(cases.c.pupil_id, func.max(calls.c.at).label("at"))
            .join(steps, same(calls, steps, "step_id"))
            .join(cases, same(steps, cases, "case_id"))
            .where(
                calls.c.provider_id == provider_id, cases.c.pupil_id.in_(part), calls.c.result == "answered"
            )
            .group_by(cases.c.pupil_id)
        )
        found.update({row.pupil_id: row.at for row in connection.execute(chosen).all()})
    return found


def not_reporting(
    connection: Connection, provider_id: int, organisation: str, first_day: date, now: datetime
) -> Rows:
    """Give by day what is owed to an organisation and not sent though due: reports, and since when."""
    chosen = (
        select(
            owed_reports.c.first_day.label("day"),
            func.count().label("reports"),
            func.min(owed_reports.c.due_by).label("since"),
        )
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .where(
            owed_reports.c.provider_id == provider_id,
            recipients.c.organisation == organisation,
            owed_reports.c.summary.is_(None),
            owed_reports.c.first_day >= first_day,
            owed_reports.c.state.in_(("owed", "prepared", "held", "missed")),
            owed_reports.c.due_by <= now,
        )
        .group_by(owed_reports.c.first_day)
        .order_by(owed_reports.c.first_day)
    )
    return list(connection.execute(chosen).all())
