"""The provider cancels lessons in one step: every school told at once, homes and transport as tasks, answers taken.

A cancelled lesson is no absence: the child was expected and is not in the building, so somebody must know where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.cases import StepState
from aphub.domain.entries import Action, Fact
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.ladders import Trigger, ladders_for
from aphub.domain.outcomes import Outcome
from aphub.domain.steps import AT_HOME, TOLD_CANCELLED, Act
from aphub.domain.wording import day_words, time_words
from aphub.services.case_acts import end_step
from aphub.services.case_keeping import OVER, subject_of
from aphub.services.cases import follow_cases
from aphub.services.desk import Desk, place_of
from aphub.services.entering import NewEntry, enter, opened_entry
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed
from aphub.store import cancelling as kept
from aphub.store import dispatching, following
from aphub.store.engine import allocate, lock_ledger

TELL_HOME, TELL_TRANSPORT = "tell_home", "tell_transport"
SOON = timedelta(minutes=15)
"""Homes and transport are told within this, or before the first cancelled lesson if that is sooner."""

_NOTHING = "Nothing was changed."
_MAY_BE_CANCELLED = frozenset({None, Outcome.NOT_YET_TAKEN, Outcome.ABSENT, Outcome.NOT_EXPECTED})


class CancelError(NeedsCorrectionError):
    """These lessons cannot be cancelled so."""


class Because(StrEnum):
    """Why lessons are cancelled: a kind, never somebody's illness in words."""

    STAFF = "staff ill"
    PREMISES = "premises"
    WEATHER = "weather"
    OTHER = "other"


class Instead(StrEnum):
    """Where a pupil is instead, as home or school says."""

    BACK_TO_SCHOOL = "goes to school instead"
    STAYS_HOME = "stays at home"
    ELSEWHERE = "is elsewhere, as agreed"
    NOT_REACHED = "no answer"


@dataclass(frozen=True, slots=True)
class Which:
    """Which lessons: a day, a stretch of London times in which they start, and what narrows them."""

    day: date
    from_time: time = time(0)
    until_time: time = time(23, 59)
    staff: str = ""
    place: str = ""
    placements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was cancelled: its reference, lessons and pupils, the schools told, and lessons left as they are."""

    ref: str
    lessons: int
    pupils: int
    organisations: tuple[str, ...]
    left: int = 0


@dataclass(frozen=True, slots=True)
class CancelledPupil:
    """One pupil of a cancellation: by the provider's own reference, the lessons' starts, and where it is instead."""

    pupil: str
    starts: str
    commissioner: str
    instead: str
    by: str


def which_lessons(desk: Desk, which: Which) -> Cancelled:
    """Count what would be cancelled; nothing is changed."""
    with desk.store.reading() as connection:
        rows, left = _lessons(desk, connection, which)
    return _counted("", rows, left)


def cancel_lessons(desk: Desk, which: Which, because: Because, by: str) -> Cancelled:
    """Cancel lessons in one step; schools are told at once, however far ahead, and tasks are raised for the rest.

    Raises:
        CancelError: There is no such lesson, or all of them have been held or cancelled.
    """
    name, now = named(by), desk.now
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        rows, left = _lessons(desk, connection, which)
        if not rows:
            raise CancelError(
                "These lessons were held, or are cancelled already." if left else "No lesson fits this.",
                _NOTHING,
                "Check the day, the times and who teaches.",
            )
        [number], [ref] = allocate(connection, "cancellations"), desk.references(1)
        own = {"provider_id": desk.provider_id, "cancellation_id": number}
        header = {**own, "ref": ref, "day": which.day, "because": because.value, "made_by": name}
        kept.add(
            connection,
            {**header, "made_at": now},
            [{**own, "lesson_id": row.lesson_id, "pupil_id": row.pupil_id, "answer": None} for row in rows],
        )
        enter(desk, connection, [_entry(row, because, name, ref) for row in rows])
        _raise_tasks(desk, connection, ref, rows, now)
        fields = {"cancellation": ref, "lessons": len(rows), "by": signed(desk, name)}
        record(connection, desk, [Statement("lessons.cancelled", ref, fields)])
    desk.announce("tell")
    return _counted(ref, rows, left)


def cancelled(desk: Desk, ref: str) -> list[CancelledPupil]:
    """List the pupils of a cancellation and where each is instead.

    Raises:
        CancelError: There is none of that reference.
    """
    with desk.store.reading() as connection:
        rows = _of(desk, connection, ref)
    return [
        CancelledPupil(
            pupil,
            ", ".join(row.starts_wall for row in some),
            some[0].commissioner,
            some[0].answer or "not known yet",
            some[0].answered_by or "",
        )
        for pupil, some in _by_pupil(desk, rows).items()
    ]


def take_answer(desk: Desk, ref: str, pupil: str, instead: Instead, by: str) -> str:
    """Keep where a pupil is instead; its school hears it in its next update. Give in words what happens.

    Nobody reached is an answer too: it is told, and the task stays.

    Raises:
        CancelError: The cancellation has no such pupil.
    """
    name, now = named(by), desk.now
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        some = _by_pupil(desk, _of(desk, connection, ref)).get(pupil.strip().casefold())
        if some is None:
            raise CancelError(
                "No lesson of this pupil was cancelled so.", _NOTHING, f"See: aphub cancelled {ref}"
            )
        new = []
        for row in some:
            if row.outcome != Outcome.CANCELLED:
                continue
            fact, actions = opened_entry(desk, row)
            done = (*actions, Action(now, TOLD_CANCELLED, instead.value))
            new.append(replace(_entry(row, None, name, ref), fact=fact, actions=done))
        enter(desk, connection, new)
        kept.answer(connection, desk.provider_id, [row.lesson_id for row in some], instead.value, name, now)
        if instead is not Instead.NOT_REACHED:
            subject = _subject(ref, some[0])
            kept.finish_task(connection, desk.provider_id, TELL_HOME, subject, name, instead.value, now)
            _end_steps(desk, connection, some[0].pupil_id, some[0].day, name, instead)
    follow_cases(desk)
    desk.announce("tell")
    if instead is Instead.NOT_REACHED:
        return "Noted. Try the next number: the task stays until somebody was reached."
    return "Noted. The school is told with its next update."


def _lessons(desk: Desk, connection: Connection, which: Which) -> tuple[list[Row[Any]], int]:
    found = kept.lessons_between(
        connection,
        desk.provider_id,
        which.day,
        f"{which.from_time:%H:%M}",
        f"{which.until_time:%H:%M}",
        staff=which.staff,
        place=which.place,
        placement_refs=which.placements,
    )
    rows = [row for row in found if row.outcome in _MAY_BE_CANCELLED and row.ends_at > desk.now]
    return rows, len(found) - len(rows)


def _of(desk: Desk, connection: Connection, ref: str) -> list[Row[Any]]:
    rows = kept.of_ref(connection, desk.provider_id, ref.strip().upper())
    if not rows:
        raise CancelError("We know no cancellation of that reference.", _NOTHING, "See: aphub cancelled")
    return rows


def _by_pupil(desk: Desk, rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Group lessons by the provider's own reference of their pupil, folded as people may type it."""
    unique = {row.pupil_id: row for row in rows}
    opened = desk.vault.open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in unique.values()
        ]
    )
    names = {
        pupil_id: str(data["provider_ref"] or row.pupil_ref).casefold()
        for (pupil_id, row), data in zip(unique.items(), opened, strict=True)
    }
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(names[row.pupil_id], []).append(row)
    return found


def _counted(ref: str, rows: Sequence[Row[Any]], left: int) -> Cancelled:
    told = tuple(sorted({row.commissioner for row in rows}))
    return Cancelled(ref, len(rows), len({row.pupil_id for row in rows}), told, left)


def _entry(row: Row[Any], because: Because | None, by: str, ref: str) -> NewEntry:
    note = f"cancelled: {because.value}" if because else ""
    return NewEntry(
        lesson_id=row.lesson_id,
        pupil_id=row.pupil_id,
        version=(row.version or 0) + 1,
        fact=Fact(Outcome.CANCELLED, note=note),
        made_by=by,
        because=f"cancelled by us {ref}",
        by_person=True,
        taken_at=row.taken_at,
    )


def _raise_tasks(
    desk: Desk, connection: Connection, ref: str, rows: Sequence[Row[Any]], now: datetime
) -> None:
    """Raise one task for each home, and one for whoever drives; a list of names is behind the reference.

    Where the provider's own ladder has home told, its step is that task.
    """
    first: dict[int, Row[Any]] = {}
    for row in rows:
        first.setdefault(row.pupil_id, row)
    day = day_words(rows[0].day)
    wanted = [
        (
            TELL_HOME,
            _subject(ref, row),
            row.pupil_id,
            row.starts_at,
            _home_words(row, day, ref),
        )
        for row in (() if _ladder_asks_home(desk) else first.values())
    ]
    who = "1 pupil" if len(first) == 1 else f"{len(first)} pupils"
    words = f"Tell transport that {who} must not be brought on {day}: aphub cancelled {ref}"
    wanted.append((TELL_TRANSPORT, ref, None, min(row.starts_at for row in rows), words))
    numbers, refs = allocate(connection, "tasks", len(wanted)), desk.references(len(wanted))
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": task,
                "kind": kind,
                "subject": subject,
                "pupil_id": pupil_id,
                "organisation": None,
                "words": text,
                "due_at": max(now, min(now + SOON, starts)),
                "state": "open",
                "raised_at": now,
            }
            for (kind, subject, pupil_id, starts, text), number, task in zip(
                wanted, numbers, refs, strict=True
            )
        ],
    )


def _ladder_asks_home(desk: Desk) -> bool:
    ladders = ladders_for(desk.config.provider.every_ladder(), Trigger.LESSON_CANCELLED)
    return any(step.do in AT_HOME and not step.only for ladder in ladders for step in ladder.steps)


def _end_steps(
    desk: Desk, connection: Connection, pupil_id: int, day: date, by: str, instead: Instead
) -> None:
    """End the steps that ask the same of the same home."""
    case = following.by_subject(connection, desk.provider_id, [subject_of(pupil_id, day)]).get(
        subject_of(pupil_id, day)
    )
    steps = following.steps_of(connection, desk.provider_id, [case.case_id]) if case is not None else {}
    for step in (step for some in steps.values() for step in some):
        asks = step.trigger == Trigger.LESSON_CANCELLED and Act(step.act) in AT_HOME
        if asks and StepState(step.state) not in OVER:
            end_step(
                desk,
                connection,
                step,
                by,
                state=StepState.CLEARED,
                result=f"home was told: {instead.value}",
            )


def _home_words(row: Row[Any], day: str, ref: str) -> str:
    at = time_words(time.fromisoformat(row.starts_wall))
    return (
        f"Tell home that we cancelled the lesson at {at} on {day}, and ask where the pupil will be. "
        f"Then: aphub stays {ref}"
    )


def _subject(ref: str, row: Row[Any]) -> str:
    return f"{ref.strip().upper()} {row.pupil_ref}"
