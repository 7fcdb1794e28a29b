"""N must not stay N: absences without a reason grow old in the school's own days, are chased, and escalate in time."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import Calendar, school_days_between, to_utc
from aphub.domain.wording import day_words
from aphub.services.desk import Desk, place_of
from aphub.services.whom import calendars_of
from aphub.store import reminding, unexplained
from aphub.store.engine import allocate

FIND, ESCALATE = "find_reason", "reason_too_old"
LOOK_BACK = timedelta(days=60)
_BY = time(12)


@dataclass(frozen=True, slots=True)
class OpenReason:
    """One pupil's day without a reason: how old it is in school days, and how old it may become."""

    pupil: str
    placement: str
    day: date
    school_days: int
    limit: int
    escalated: bool


def without_reason(desk: Desk) -> list[OpenReason]:
    """List the absences that nobody has explained, oldest first."""
    with desk.store.reading() as connection:
        rows = unexplained.absences(connection, desk.provider_id, desk.today - LOOK_BACK, desk.today)
        ages = ages_of(desk, connection, rows)
    opened = desk.vault.try_open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in rows
        ]
    )
    limit = desk.config.provider.reason_limit_school_days
    return [
        OpenReason(
            str((data or {}).get("provider_ref", "")),
            row.placement_ref,
            row.day,
            age,
            limit,
            _escalates(age, limit),
        )
        for row, age, data in zip(rows, ages, opened, strict=True)
    ]


def chase_reasons(desk: Desk) -> int:
    """Ask each school day for the reason of each pupil's oldest absence that has none, and tell somebody in time.

    One task a pupil, not one a lesson or a day: an open one grows old with the absence and is due anew each school day,
    and one that a person ended comes back on the next while the reason is still not there. It is cleared when the
    reasons have come. Give how many tasks are asked for.
    """
    now = desk.now
    with desk.store.transaction() as connection:
        yesterday = desk.today - timedelta(days=1)
        rows = unexplained.absences(connection, desk.provider_id, desk.today - LOOK_BACK, yesterday)
        ages = ages_of(desk, connection, rows)
        oldest: dict[int, tuple[Row[Any], int]] = {}
        for row, age in zip(rows, ages, strict=True):
            if age >= 1:
                oldest.setdefault(row.placement_id, (row, age))
        still = {_subject(row) for row, _ in oldest.values()}
        unexplained.clear_tasks(connection, desk.provider_id, (FIND, ESCALATE), still, now)
        limit = desk.config.provider.reason_limit_school_days
        wanted = [(FIND, row, age) for row, age in oldest.values()]
        wanted += [(ESCALATE, row, age) for row, age in oldest.values() if _escalates(age, limit)]
        if not wanted:
            return 0
        numbers, refs = allocate(connection, "tasks", len(wanted)), desk.references(len(wanted))
        tasks = [
            _task(desk, kind, row, age, number, ref, now)
            for (kind, row, age), number, ref in zip(wanted, numbers, refs, strict=True)
        ]
        reminding.ask(connection, tasks)
    return len(wanted)


def ages_of(desk: Desk, connection: Connection, rows: list[Row[Any]]) -> list[int]:
    """Count school days: in the home school's calendar, or the council's for a pupil on no roll."""
    calendars = calendars_of(desk, connection, {row.placement_id for row in rows})
    counted: dict[tuple[int, date], int] = {}
    ages = []
    for row in rows:
        calendar = calendars.get(row.placement_id, Calendar())
        key = (id(calendar), row.day)
        if key not in counted:
            counted[key] = school_days_between(calendar, row.day, desk.today)
        ages.append(counted[key])
    return ages


def _escalates(age: int, limit: int) -> bool:
    """Say whether somebody above must hear of it: a school day before the limit, so that there is one left to act."""
    return age >= limit - 1


def _subject(row: Row[Any]) -> str:
    return f"{row.placement_ref} {row.day.isoformat()}"


def _task(
    desk: Desk, kind: str, row: Row[Any], age: int, number: int, ref: str, now: datetime
) -> dict[str, Any]:
    provider = desk.config.provider
    days = "1 school day" if age == 1 else f"{age} school days"
    if kind == FIND:
        words = f"Ask home, then the school: one pupil's absence of {day_words(row.day)} has no reason after {days}. Then: aphub absence"
    else:
        who = provider.who(provider.reason_escalates_to)
        words = (
            f"{who}: one pupil's absence of {day_words(row.day)} still has no reason after {days}. "
            f"At {provider.reason_limit_school_days} the school must decide. See: aphub reasons"
        )
    return {
        "provider_id": desk.provider_id,
        "task_id": number,
        "ref": ref,
        "kind": kind,
        "subject": _subject(row),
        "pupil_id": row.pupil_id,
        "organisation": None,
        "words": words,
        "due_at": max(now, to_utc(desk.today, _BY)),
        "state": "open",
        "raised_at": now,
    }
