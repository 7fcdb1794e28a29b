"""Keep originals, the marks in them, and the questions that they raise."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from aphub.store.pupils import in_batches
from aphub.store.same import same
from aphub.store.tables import intakes, marks, questions

Rows = list[dict[str, Any]]


def by_digest(connection: Connection, provider_id: int, digest: bytes) -> Row[Any] | None:
    """Give the intake of an original that is already here, byte for byte."""
    chosen = select(intakes).where(intakes.c.provider_id == provider_id, intakes.c.file_digest == digest)
    return connection.execute(chosen).one_or_none()


def by_ref(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give an intake by its public reference."""
    chosen = select(intakes).where(intakes.c.provider_id == provider_id, intakes.c.ref == ref)
    return connection.execute(chosen).first()


def lock(connection: Connection, provider_id: int, intake_id: int) -> Row[Any]:
    """Give an intake, which nobody else takes in until this transaction ends."""
    chosen = select(intakes).where(intakes.c.provider_id == provider_id, intakes.c.intake_id == intake_id)
    return connection.execute(chosen.with_for_update()).one()


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an intake."""
    connection.execute(insert(intakes), row)


def change(connection: Connection, provider_id: int, intake_id: int, **values: Any) -> None:
    """Change an intake."""
    connection.execute(
        update(intakes)
        .where(intakes.c.provider_id == provider_id, intakes.c.intake_id == intake_id)
        .values(**values)
    )


def last_row(connection: Connection, provider_id: int, intake_id: int) -> int:
    """Give the last row of an original that was taken in; 0 before the first."""
    chosen = select(func.max(marks.c.row)).where(
        marks.c.provider_id == provider_id, marks.c.intake_id == intake_id
    )
    return connection.execute(chosen).scalar_one_or_none() or 0


def counts(connection: Connection, provider_id: int, intake_id: int) -> dict[str, int]:
    """Count an original's rows by what became of them."""
    chosen = (
        select(marks.c.result, func.count().label("rows"))
        .where(marks.c.provider_id == provider_id, marks.c.intake_id == intake_id)
        .group_by(marks.c.result)
    )
    return {row.result: row.rows for row in connection.execute(chosen).all()}


def last_words(
    connection: Connection, provider_id: int, source: str, slots: Iterable[bytes]
) -> dict[bytes, Row[Any]]:
    """Give what a source said last about each slot: the newest mark that was news."""
    found: dict[bytes, Row[Any]] = {}
    for part in in_batches(dict.fromkeys(slots)):
        newest = (
            select(func.max(marks.c.mark_id).label("mark_id"))
            .where(
                marks.c.provider_id == provider_id,
                marks.c.source == source,
                marks.c.slot.in_(part),
                marks.c.result != "unchanged",
            )
            .group_by(marks.c.slot)
            .subquery()
        )
        chosen = select(marks.c.slot, marks.c.word, marks.c.result, marks.c.mark_id).join(
            newest, and_(marks.c.provider_id == provider_id, marks.c.mark_id == newest.c.mark_id)
        )
        found.update({row.slot: row for row in connection.execute(chosen).all()})
    return found


def add_marks(connection: Connection, rows: Rows) -> None:
    """Add marks."""
    if rows:
        connection.execute(insert(marks), rows)


def mark(connection: Connection, provider_id: int, mark_id: int) -> Row[Any]:
    """Give one mark."""
    chosen = select(marks).where(marks.c.provider_id == provider_id, marks.c.mark_id == mark_id)
    return connection.execute(chosen).one()


def add_questions(connection: Connection, rows: Rows) -> None:
    """Add questions."""
    if rows:
        connection.execute(insert(questions), rows)


def question(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give a question by its public reference."""
    chosen = select(questions).where(questions.c.provider_id == provider_id, questions.c.ref == ref)
    return connection.execute(chosen).one_or_none()


def open_among(connection: Connection, provider_id: int, mark_ids: Iterable[int]) -> set[int]:
    """Give those of these marks whose question is still open."""
    found: set[int] = set()
    for part in in_batches(dict.fromkeys(mark_ids)):
        chosen = select(questions.c.mark_id).where(
            questions.c.provider_id == provider_id,
            questions.c.mark_id.in_(part),
            questions.c.answered_at.is_(None),
        )
        found.update(connection.execute(chosen).scalars().all())
    return found


def settle_questions(
    connection: Connection,
    provider_id: int,
    *,
    now: datetime,
    by: str,
    answer: str,
    mark_ids: Sequence[int] = (),
    lesson_ids: Sequence[int] = (),
    question_id: int | None = None,
) -> None:
    """Close open questions about these marks, these lessons, or one by number."""
    wanted: list[ColumnElement[bool]] = [
        *(questions.c.mark_id.in_(part) for part in in_batches(mark_ids)),
        *(questions.c.lesson_id.in_(part) for part in in_batches(lesson_ids)),
    ]
    if question_id is not None:
        wanted.append(questions.c.question_id == question_id)
    for condition in wanted:
        connection.execute(
            update(questions)
            .where(questions.c.provider_id == provider_id, questions.c.answered_at.is_(None), condition)
            .values(answered_at=now, answered_by=by, answer=answer)
        )


def questions_of(connection: Connection, provider_id: int, intake_id: int) -> list[Row[Any]]:
    """Give the questions that an original raised, in the order of its rows."""
    chosen = (
        select(questions, marks.c.row)
        .join(marks, same(questions, marks, "mark_id"))
        .where(questions.c.provider_id == provider_id, marks.c.intake_id == intake_id)
        .order_by(marks.c.row)
    )
    return list(connection.execute(chosen).all())


def by_number(connection: Connection, provider_id: int, intake_id: int) -> Row[Any]:
    """Give an intake by its number."""
    chosen = select(intakes).where(intakes.c.provider_id == provider_id, intakes.c.intake_id == intake_id)
    return connection.execute(chosen).one()
