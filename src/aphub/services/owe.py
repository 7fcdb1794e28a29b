"""Work out which entries and reports must exist by when, and keep them as rows: the truth about what is owed.

Rows are never deleted. What is no longer due is withdrawn with a reason; what has started, been entered or prepared
is left as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import (
    Agreement,
    OwedReport,
    entry_due,
    owed_reports,
    useful_until,
    whole_periods,
)
from aphub.domain.calendar import Calendar, lessons_of
from aphub.domain.placements import Lesson
from aphub.services.absences import fill_new_lessons
from aphub.services.desk import Desk
from aphub.store import owed as kept
from aphub.store import placements as people

AHEAD = timedelta(days=14)
_BATCH = 600


@dataclass(frozen=True, slots=True)
class OweResult:
    """What a regeneration changed."""

    lessons_added: int = 0
    lessons_withdrawn: int = 0
    reports_added: int = 0
    reports_changed: int = 0
    reports_withdrawn: int = 0

    def __add__(self, other: "OweResult") -> "OweResult":
        """Add two results."""
        return OweResult(
            self.lessons_added + other.lessons_added,
            self.lessons_withdrawn + other.lessons_withdrawn,
            self.reports_added + other.reports_added,
            self.reports_changed + other.reports_changed,
            self.reports_withdrawn + other.reports_withdrawn,
        )


def regenerate(desk: Desk, from_day: date, until_day: date) -> OweResult:
    """Bring lessons and owed reports of a stretch of days in line with placements and agreements.

    The stretch is widened to whole weeks, so that a weekly report never misses a lesson; but nothing becomes owed
    for days before it: what was never agreed cannot be late.
    """
    first_day = from_day
    from_day = from_day - timedelta(days=from_day.weekday())
    until_day = until_day + timedelta(days=-until_day.weekday() % 7)
    calendar = desk.config.provider.calendar()
    total, after = OweResult(), 0
    while True:
        with desk.store.transaction() as connection:
            batch = people.current_between(connection, desk.provider_id, from_day, until_day, after, _BATCH)
            if not batch:
                break
            total += _one_batch(desk, connection, batch, calendar, (from_day, until_day), first_day)
        after = batch[-1].placement_id
    return total


def _one_batch(
    desk: Desk,
    connection: Connection,
    batch: Sequence[people.KeptPlacement],
    calendar: Calendar,
    days: tuple[date, date],
    first_day: date,
) -> OweResult:
    recipients = people.recipients_of(connection, desk.provider_id, batch)
    due: dict[int, list[Lesson]] = {one.placement_id: lessons_of(one.value, calendar, *days) for one in batch}
    wanted: list[tuple[people.KeptPlacement, people.KeptRecipient, Agreement, OwedReport]] = []
    entry_times: dict[tuple[int, datetime], datetime] = {}
    for one in batch:
        for recipient in recipients.get(one.placement_id, []):
            for agreement, lessons in _by_agreement(desk, recipient, due[one.placement_id]):
                for lesson in lessons:
                    key = (one.placement_id, lesson.starts_at)
                    at = entry_due(agreement, lesson)
                    entry_times[key] = min(at, entry_times.get(key, at))
                hours = desk.config.organisations[recipient.value.organisation].hours.hours()
                wanted.extend(
                    (one, recipient, agreement, owed)
                    for owed in owed_reports(recipient.value, agreement, lessons, hours)
                )
    ids = [one.placement_id for one in batch]
    have = kept.lessons_between(connection, desk.provider_id, ids, *days)
    lessons_added, lessons_withdrawn = _keep_lessons(
        desk, connection, batch, due, entry_times, have, first_day
    )
    fill_new_lessons(desk, connection, {one.pupil_id for one in batch}, (first_day, days[1]))
    have_owed = kept.owed_between(connection, desk.provider_id, ids, *days)
    reports = _keep_owed(desk, connection, wanted, due, have_owed, first_day)
    return OweResult(lessons_added, lessons_withdrawn, *reports)


def _by_agreement(
    desk: Desk, recipient: people.KeptRecipient, lessons: Iterable[Lesson]
) -> list[tuple[Agreement, list[Lesson]]]:
    """Split lessons by the terms that hold on the first day of their week, so that a period has one set of terms."""
    value = recipient.value
    due = list(lessons)
    if not due:
        return []
    monday = due[0].day - timedelta(days=due[0].day.weekday())
    first = desk.config.agreement_on(value.agreement, value.organisation, monday)
    if first is desk.config.agreement_on(value.agreement, value.organisation, due[-1].day):
        return [] if first is None else [(first, due)]  # newer terms only ever follow older ones
    parts = []
    for week, group in groupby(due, key=lambda lesson: lesson.day - timedelta(days=lesson.day.weekday())):
        agreement = desk.config.agreement_on(value.agreement, value.organisation, week)
        by_day = list(group)
        if agreement is None or not _is_weekly(agreement):
            for day, same_day in groupby(by_day, key=lambda lesson: lesson.day):
                terms = desk.config.agreement_on(value.agreement, value.organisation, day)
                if terms is not None:
                    parts.append((terms, list(same_day)))
        else:
            parts.append((agreement, by_day))
    joined: dict[int, tuple[Agreement, list[Lesson]]] = {}
    for terms, some in parts:
        joined.setdefault(id(terms), (terms, []))[1].extend(some)
    return list(joined.values())


def _is_weekly(agreement: Agreement) -> bool:
    day = date(2026, 1, 7)  # any Wednesday: a weekly cadence widens it to its Monday
    return whole_periods(agreement.cadence, day, day)[0] != day


def _keep_lessons(
    desk: Desk,
    connection: Connection,
    batch: Sequence[people.KeptPlacement],
    due: dict[int, list[Lesson]],
    entry_times: dict[tuple[int, datetime], datetime],
    have: Sequence[Row[Any]],
    first_day: date,
) -> tuple[int, int]:
    known = {(row.placement_id, row.starts_at): row for row in have}
    pupils = {one.placement_id: one.pupil_id for one in batch}
    new, again, gone, wanted = [], [], [], set()
    for placement_id, lessons in due.items():
        for lesson in lessons:
            key = (placement_id, lesson.starts_at)
            wanted.add(key)
            row = known.get(key)
            at = entry_times.get(key, lesson.starts_at)
            if row is None and lesson.day >= first_day:
                new.append(_lesson_row(desk, placement_id, pupils[placement_id], lesson, at))
            elif row is not None and _restorable(row, lesson, at):
                again.append(
                    {"key": row.lesson_id, "state": "owed", "withdrawn_because": None, **_details(lesson, at)}
                )
    for key, row in known.items():
        if key not in wanted and row.state == "owed" and row.starts_at > desk.now:
            gone.append(
                {"key": row.lesson_id, "state": "withdrawn", "withdrawn_because": _why_gone(desk, row)}
            )
    if new:
        kept.add_lessons(connection, new)
    if again:
        kept.change_lessons(connection, desk.provider_id, again)
    if gone:
        kept.change_lessons(connection, desk.provider_id, gone)
    return len(new), len(gone)


def _why_gone(desk: Desk, row: Row[Any]) -> str:
    closed = desk.config.provider.calendar().why_closed(row.day)
    return f"provider closed: {closed}"[:80] if closed else "placement or timetable changed"


def _details(lesson: Lesson, at: datetime) -> dict[str, Any]:
    return {
        "ends_wall": lesson.ends.isoformat("minutes"),
        "ends_at": lesson.ends_at,
        "mode": lesson.mode.value,
        "nature": lesson.nature.value,
        "place": lesson.place,
        "subject": lesson.subject,
        "staff": lesson.staff,
        "entry_due": at,
    }


def _restorable(row: Row[Any], lesson: Lesson, at: datetime) -> bool:
    return row.state == "withdrawn" or (row.state == "owed" and _differs(row, lesson, at))


def _differs(row: Row[Any], lesson: Lesson, at: datetime) -> bool:
    return any(getattr(row, name) != value for name, value in _details(lesson, at).items())


def _lesson_row(desk: Desk, placement_id: int, pupil_id: int, lesson: Lesson, at: datetime) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "placement_id": placement_id,
        "pupil_id": pupil_id,
        "day": lesson.day,
        "starts_wall": lesson.starts.isoformat("minutes"),
        "starts_at": lesson.starts_at,
        "state": "owed",
        **_details(lesson, at),
    }


def _keep_owed(
    desk: Desk,
    connection: Connection,
    wanted: Sequence[tuple[people.KeptPlacement, people.KeptRecipient, Agreement, OwedReport]],
    due: dict[int, list[Lesson]],
    have: Sequence[Row[Any]],
    first_day: date,
) -> tuple[int, int, int]:
    known = {(row.recipient_id, row.period): row for row in have}
    starts = {placement_id: [lesson.starts_at for lesson in lessons] for placement_id, lessons in due.items()}
    new_keys: list[tuple[str, str, str]] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one, recipient, agreement, owed in wanted:
        row = known.pop((recipient.recipient_id, owed.period.key), None)
        times = {
            "entry_due": owed.entry_due,
            "send_at": owed.send_at,
            "due_by": owed.due_by,
            "useful_until": _useful(owed, starts[one.placement_id], agreement),
        }
        if row is None and owed.period.until <= first_day:
            continue
        if row is None:
            new_keys.append((recipient.value.organisation, agreement.name, owed.period.key))
            new.append(_owed_row(desk, one, recipient, owed, times))
        elif row.version == 0 and (
            row.state == "withdrawn"
            or (row.state == "owed" and any(getattr(row, name) != at for name, at in times.items()))
        ):
            changed.append(
                {"key": row.owed_id, "state": "owed", "because": None, "look_at": owed.send_at, **times}
            )
    gone = [
        {
            "key": row.owed_id,
            "state": "withdrawn",
            "look_at": None,
            "because": "nothing is due any more in this period",
        }
        for row in known.values()
        if row.state == "owed" and row.version == 0 and row.send_at > desk.now
    ]
    if new:
        references = desk.references(2 * len(new))
        found = kept.thread_ids(connection, desk.provider_id, new_keys, references[: len(new)])
        for row_values, key, ref in zip(new, new_keys, references[len(new) :], strict=True):
            row_values["thread_id"] = found[key]
            row_values["ref"] = ref
        kept.add_owed(connection, new)
        # Keys are made days ahead, so that none has to be made in the minute when reports are due.
        desk.vault.data_keys(list({row["pupil_id"] for row in new}), "report", desk.year())
    if changed:
        kept.change_owed(connection, desk.provider_id, changed)
    if gone:
        kept.change_owed(connection, desk.provider_id, gone)
    return len(new), len(changed), len(gone)


def _useful(owed: OwedReport, starts: list[datetime], agreement: Agreement) -> datetime:
    later = next((at for at in starts if at > owed.due_by), None)
    return useful_until(owed, later, agreement.useful_for)


def _owed_row(
    desk: Desk,
    one: people.KeptPlacement,
    recipient: people.KeptRecipient,
    owed: OwedReport,
    times: dict[str, datetime],
) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "recipient_id": recipient.recipient_id,
        "placement_id": one.placement_id,
        "pupil_id": one.pupil_id,
        "period": owed.period.key,
        "first_day": owed.period.starts,
        "until_day": owed.period.until,
        "half": owed.period.half.value if owed.period.half else "",
        "state": "owed",
        "version": 0,
        "look_at": owed.send_at,
        **times,
    }
