"""Empty what was sealed, and cut what could still lead to a pupil; the rows that figures count stay, without a name."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, exists, func, or_, select, update

from aphub.domain.outcomes import ReasonKind
from aphub.store.same import same
from aphub.store.tables import (
    access_pupils,
    calls,
    cases,
    dispatch_reports,
    dispatches,
    entries,
    far_pupils,
    intakes,
    legal_holds,
    lessons,
    marks,
    metadata,
    owed_reports,
    placements,
    pupils,
    questions,
    receipts,
    recipients,
    reports,
    steps,
    tasks,
)

_KEYS = 10_000
"""Key numbers in one statement: SQLite takes 32,766 parameters, and each statement reads the table once."""
ERASED = "the pupil's record was erased"


def sealed_tables() -> list[Table]:
    """Name every table that holds something sealed under a key of its own row."""
    return [table for table in metadata.sorted_tables if "key_id" in table.c and sealed_columns(table)]


def sealed_columns(table: Table) -> list[str]:
    """Name the columns of a table that hold sealed content."""
    return [column.name for column in table.c if column.name.startswith("sealed")]


def empty_by_keys(
    connection: Connection, provider_id: int, key_ids: Iterable[int], tables: Sequence[Table] = ()
) -> int:
    """Empty all that these keys sealed and give how many rows that were; only in `tables`, where some are named."""
    listed = list(key_ids)
    emptied = 0
    for start in range(0, len(listed), _KEYS):
        part = listed[start : start + _KEYS]
        for table in tables or sealed_tables():
            emptied += connection.execute(
                update(table)
                .where(table.c.provider_id == provider_id, table.c.key_id.in_(part))
                .values(_nothing(table))
            ).rowcount
    return emptied


def empty_of_pupil(connection: Connection, provider_id: int, pupil_id: int) -> None:
    """Empty every row that names a pupil, also where its key has gone before it."""
    for table in sealed_tables():
        if "pupil_id" in table.c:
            connection.execute(
                update(table)
                .where(table.c.provider_id == provider_id, table.c.pupil_id == pupil_id)
                .values(_nothing(table))
            )


def empty_content(
    connection: Connection,
    provider_id: int,
    table: Table,
    numbers: Sequence[int],
) -> None:
    """Empty messages or registers themselves, whatever became of their keys before."""
    key = dispatches.c.dispatch_id if table is dispatches else intakes.c.intake_id
    for start in range(0, len(numbers), _KEYS):
        part = numbers[start : start + _KEYS]
        connection.execute(
            update(table).where(table.c.provider_id == provider_id, key.in_(part)).values(_nothing(table))
        )


def _nothing(table: Table) -> dict[str, Any]:
    values: dict[str, Any] = {name: None if table.c[name].nullable else b"" for name in sealed_columns(table)}
    # What somebody could try guesses against goes with the content.
    values |= {column.name: None for column in table.c if column.name.endswith("_index") and column.nullable}
    if table is reports:
        values |= {"salt": None, "digest": ""}
    if table is marks:
        values |= {"slot": b"", "word": b""}
    if table is far_pupils:
        values |= {"place_index": None}
    return values


def held_pupils(provider_id: int) -> Any:
    """Select the numbers of pupils of whom nothing may go."""
    return select(legal_holds.c.pupil_id).where(
        legal_holds.c.provider_id == provider_id, legal_holds.c.ended_at.is_(None)
    )


# --- one pupil ------------------------------------------------------------------------------------------------------


def placed_after(connection: Connection, provider_id: int, pupil_id: int, day: date) -> bool:
    """Say whether a placement of this pupil goes on after a day."""
    chosen = select(placements.c.placement_id).where(
        placements.c.provider_id == provider_id,
        placements.c.pupil_id == pupil_id,
        placements.c.current,
        or_(placements.c.ends_day.is_(None), placements.c.ends_day > day),
    )
    return connection.execute(chosen).first() is not None


def messages_with(connection: Connection, provider_id: int, pupil_id: int) -> dict[bool, list[int]]:
    """Give the messages that told of a pupil and still have their content; True: another pupil in them is held."""
    mine = carrying_report(reports.c.pupil_id == pupil_id)
    others = carrying_report(
        and_(reports.c.pupil_id != pupil_id, reports.c.pupil_id.in_(held_pupils(provider_id)))
    )
    chosen = select(dispatches.c.dispatch_id, others.label("held")).where(
        dispatches.c.provider_id == provider_id, func.length(dispatches.c.sealed) > 0, mine
    )
    return _shared_out(connection.execute(chosen).all())


def calls_with(connection: Connection, provider_id: int, pupil_id: int) -> list[int]:
    """Give the calls by which schools were told of a pupil; not those about a message in which another pupil is held."""
    others = and_(reports.c.pupil_id != pupil_id, reports.c.pupil_id.in_(held_pupils(provider_id)))
    told = select(dispatches.c.reference).where(
        dispatches.c.provider_id == provider_id,
        carrying_report(reports.c.pupil_id == pupil_id),
        ~carrying_report(others),
    )
    owed = select(owed_reports.c.ref).where(
        owed_reports.c.provider_id == provider_id, owed_reports.c.pupil_id == pupil_id
    )
    chosen = select(calls.c.call_id).where(
        calls.c.provider_id == provider_id, or_(calls.c.subject.in_(told), calls.c.subject.in_(owed))
    )
    return list(connection.execute(chosen).scalars())


def empty_calls(connection: Connection, provider_id: int, call_ids: Sequence[int]) -> None:
    """Empty what was said in calls, whatever keys sealed it."""
    chosen = update(calls).where(calls.c.provider_id == provider_id, calls.c.call_id.in_(call_ids))
    connection.execute(chosen.values(_nothing(calls)))


def registers_with(connection: Connection, provider_id: int, pupil_id: int) -> dict[bool, list[int]]:
    """Give the registers with a row of a pupil that are kept as they came in; True: another pupil in them is held."""
    mine = with_mark(marks.c.pupil_id == pupil_id)
    others = with_mark(and_(marks.c.pupil_id != pupil_id, marks.c.pupil_id.in_(held_pupils(provider_id))))
    chosen = select(intakes.c.intake_id, others.label("held")).where(
        intakes.c.provider_id == provider_id, func.length(intakes.c.sealed) > 0, mine
    )
    return _shared_out(connection.execute(chosen).all())


def registers_kept(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give every register that is kept as it came in; `held` says that a pupil in it is held."""
    held = with_mark(marks.c.pupil_id.in_(held_pupils(provider_id)))
    chosen = select(intakes, held.label("held")).where(
        intakes.c.provider_id == provider_id, func.length(intakes.c.sealed) > 0
    )
    return list(connection.execute(chosen).all())


def _shared_out(rows: Sequence[Row[Any]]) -> dict[bool, list[int]]:
    found: dict[bool, list[int]] = {False: [], True: []}
    for row in rows:
        found[bool(row.held)].append(row[0])
    return found


def carrying_report(which: Any) -> Any:
    """Say of a message whether any of its reports is like this."""
    return exists(
        select(1)
        .select_from(dispatch_reports)
        .join(reports, same(dispatch_reports, reports, "report_id"))
        .where(
            dispatch_reports.c.provider_id == dispatches.c.provider_id,
            dispatch_reports.c.dispatch_id == dispatches.c.dispatch_id,
            which,
        )
    )


def with_mark(which: Any) -> Any:
    """Say of a register whether any of its marks is like this."""
    return exists(
        select(1).where(
            marks.c.provider_id == intakes.c.provider_id, marks.c.intake_id == intakes.c.intake_id, which
        )
    )


def cut_loose(
    connection: Connection, provider_id: int, pupil_id: int, refs: Iterator[str], now: datetime, today: date
) -> None:
    """Take from a pupil's rows all that could lead back: indexes, references, timetable, reasons, what is still due.

    `refs` gives fresh random references, so that none that ever left the hub leads to what stays.
    """
    mine = (pupils.c.provider_id == provider_id, pupils.c.pupil_id == pupil_id)
    connection.execute(
        update(pupils)
        .where(*mine)
        .values(
            ref=next(refs), ref_index=None, upn_index=None, name_index=None, suppressed=True,
            erased_at=now, changed_at=now,
        )
    )  # fmt: skip
    of_pupil = (placements.c.provider_id == provider_id, placements.c.pupil_id == pupil_id)
    numbers = list(
        connection.execute(select(placements.c.placement_id).where(*of_pupil).distinct()).scalars()
    )
    for number in numbers:
        connection.execute(
            update(placements)
            .where(*of_pupil, placements.c.placement_id == number)
            .values(ref=next(refs), timetable="[]", risk_flag=False)
        )
    connection.execute(
        update(recipients)
        .where(
            recipients.c.provider_id == provider_id,
            recipients.c.placement_id.in_(numbers),
            or_(recipients.c.ends_day.is_(None), recipients.c.ends_day > today),
        )
        .values(ends_day=today, changed_at=now)
    )
    of_lessons = (lessons.c.provider_id == provider_id, lessons.c.pupil_id == pupil_id)
    connection.execute(
        update(entries)
        .where(
            entries.c.provider_id == provider_id,
            entries.c.lesson_id.in_(select(lessons.c.lesson_id).where(*of_lessons)),
        )
        .values(reason=ReasonKind.NOT_APPLICABLE.value, minutes=None, sealed=None)
    )
    connection.execute(
        update(lessons)
        .where(*of_lessons, lessons.c.state == "owed")
        .values(state="withdrawn", withdrawn_because=ERASED)
    )
    connection.execute(
        update(owed_reports)
        .where(
            owed_reports.c.provider_id == provider_id,
            owed_reports.c.pupil_id == pupil_id,
            or_(owed_reports.c.state.in_(("owed", "prepared", "held")), owed_reports.c.look_at.is_not(None)),
        )
        .values(state="withdrawn", because=ERASED, look_at=None)
    )
    _cut_reasons(connection, provider_id, pupil_id)
    _close_open(connection, provider_id, pupil_id, now)


def _cut_reasons(connection: Connection, provider_id: int, pupil_id: int) -> None:
    """Take the reason of every absence, known or decided: it may say that a child was ill."""
    for table in metadata.sorted_tables:
        if "pupil_id" in table.c and "reason" in table.c:
            connection.execute(
                update(table)
                .where(table.c.provider_id == provider_id, table.c.pupil_id == pupil_id)
                .values(reason=ReasonKind.NOT_APPLICABLE.value)
            )


def _close_open(connection: Connection, provider_id: int, pupil_id: int, now: datetime) -> None:
    connection.execute(
        update(tasks)
        .where(tasks.c.provider_id == provider_id, tasks.c.pupil_id == pupil_id, tasks.c.state == "open")
        .values(state="cleared", ended_at=now, ended_by="the hub", result=ERASED)
    )
    connection.execute(
        update(questions)
        .where(
            questions.c.provider_id == provider_id,
            questions.c.pupil_id == pupil_id,
            questions.c.answered_at.is_(None),
        )
        .values(answered_at=now, answered_by="the hub", answer="erased")
    )
    mine = select(cases.c.case_id).where(cases.c.provider_id == provider_id, cases.c.pupil_id == pupil_id)
    connection.execute(
        update(steps)
        .where(
            steps.c.provider_id == provider_id,
            steps.c.case_id.in_(mine),
            steps.c.state.in_(("later", "open")),
        )
        .values(state="cleared", ended_at=now, ended_by="the hub", result=ERASED)
    )
    connection.execute(
        update(cases)
        .where(cases.c.provider_id == provider_id, cases.c.pupil_id == pupil_id, cases.c.cleared_at.is_(None))
        .values(state="cleared", cleared_at=now, cleared_because=ERASED, look_at=None)
    )
    connection.execute(
        delete(access_pupils).where(
            access_pupils.c.provider_id == provider_id, access_pupils.c.pupil_id == pupil_id
        )
    )


def stop_messages(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> None:
    """Let nothing more be tried of messages whose content goes; what is already with an adapter ends as it ends."""
    connection.execute(
        update(dispatches)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.dispatch_id.in_(dispatch_ids),
            dispatches.c.state.in_(("waiting", "held")),
        )
        .values(state="cancelled", because="its content is no longer kept", next_at=None)
    )


MESSAGE_TABLES = (dispatches, receipts)
REGISTER_TABLES = (intakes, marks, questions)
