"""Keep entries: versions of what the hub states about a lesson, of which one is current."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, case, exists, insert, literal, or_, select, update

from aphub.store.pupils import in_batches
from aphub.store.same import same_now
from aphub.store.tables import cases, entries, lessons, placements

_SHOWN = (
    entries.c.entry_id,
    entries.c.version,
    entries.c.outcome,
    entries.c.reason,
    entries.c.minutes,
    entries.c.mark_id,
    entries.c.by_person,
    entries.c.key_id.label("entry_key_id"),
    entries.c.sealed.label("entry_sealed"),
    entries.c.taken_at,
)


def lessons_on(
    connection: Connection, provider_id: int, placement_ids: Iterable[int], from_day: date, until_day: date
) -> dict[tuple[int, date], list[Row[Any]]]:
    """Give the lessons of placements that are due, by pupil and day, each with its current entry; both days count."""
    found: dict[tuple[int, date], list[Row[Any]]] = {}
    for part in in_batches(dict.fromkeys(placement_ids)):
        chosen = _with_entry().where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id.in_(part),
            lessons.c.day >= from_day,
            lessons.c.day <= until_day,
            lessons.c.state != "withdrawn",
        )
        for row in connection.execute(chosen.order_by(lessons.c.starts_at)).all():
            found.setdefault((row.pupil_id, row.day), []).append(row)
    return found


def lesson(connection: Connection, provider_id: int, lesson_id: int) -> Row[Any] | None:
    """Give one lesson with its current entry."""
    chosen = _with_entry().where(lessons.c.provider_id == provider_id, lessons.c.lesson_id == lesson_id)
    return connection.execute(chosen).one_or_none()


def lesson_at(
    connection: Connection, provider_id: int, placement_ref: str, day: date, starts_wall: str
) -> Row[Any] | None:
    """Give a placement's lesson of a day and start."""
    chosen = (
        _with_entry()
        .join(placements, same_now(lessons, placements, "placement_id"))
        .where(
            lessons.c.provider_id == provider_id,
            placements.c.ref == placement_ref,
            lessons.c.day == day,
            lessons.c.starts_wall == starts_wall,
        )
    )
    return connection.execute(chosen).one_or_none()


def starts_on(connection: Connection, provider_id: int, placement_id: int, day: date) -> list[str]:
    """Give when a placement's lessons of a day begin, such as 09:00."""
    chosen = (
        select(lessons.c.starts_wall)
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.placement_id == placement_id,
            lessons.c.day == day,
            lessons.c.state != "withdrawn",
        )
        .order_by(lessons.c.starts_wall)
    )
    return list(connection.scalars(chosen))


def _with_entry() -> Any:
    return select(lessons, *_SHOWN).outerjoin(entries, same_now(lessons, entries, "lesson_id"))


def add(
    connection: Connection, provider_id: int, rows: list[dict[str, Any]], *, look_at_all: bool = False
) -> None:
    """Add entries; the older ones of their lessons stop being current, and the lessons count as entered.

    What may need somebody to do something is to be looked at: news that is not simply "present", a changed entry, and
    whatever is said of a pupil with an open case. Or, with `look_at_all`, everything.
    """
    if not rows:
        return
    lesson_ids = list({row["lesson_id"] for row in rows})
    news = {
        row["lesson_id"] for row in rows if look_at_all or row["outcome"] != "present" or row["version"] > 1
    }
    followed = exists().where(
        cases.c.provider_id == provider_id,
        cases.c.pupil_id == lessons.c.pupil_id,
        cases.c.day == lessons.c.day,
        cases.c.state != "cleared",
    )
    made_at = rows[0]["made_at"]
    for part in in_batches(lesson_ids):
        connection.execute(
            update(entries)
            .where(entries.c.provider_id == provider_id, entries.c.lesson_id.in_(part), entries.c.current)
            .values(current=False)
        )
        connection.execute(
            update(lessons)
            .where(lessons.c.provider_id == provider_id, lessons.c.lesson_id.in_(part))
            .values(
                state="entered",
                look_at=case(
                    (
                        or_(lessons.c.lesson_id.in_([one for one in part if one in news]), followed),
                        literal(made_at, lessons.c.look_at.type),
                    ),
                    else_=lessons.c.look_at,
                ),
            )
        )
    connection.execute(insert(entries), rows)


def reopen(connection: Connection, provider_id: int, lesson_ids: Iterable[int]) -> None:
    """Let the registers of lessons be owed again, as if nobody had said anything ahead."""
    for part in in_batches(lesson_ids):
        connection.execute(
            update(lessons)
            .where(lessons.c.provider_id == provider_id, lessons.c.lesson_id.in_(part))
            .values(state="owed")
        )
