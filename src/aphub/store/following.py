"""Cases and their steps: what must be looked at, what is known of a pupil's days, and what people did."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from aphub.store.among import among
from aphub.store.pupils import in_batches
from aphub.store.tables import (
    cases,
    lessons,
    plans,
    steps,
)

Rows = list[dict[str, Any]]
_NOT_OVER = ("later", "open")


def cases_of_pupils(
    connection: Connection,
    provider_id: int,
    pupil_ids: Iterable[int],
    from_day: date,
    until_day: date | None = None,
) -> list[Row[Any]]:
    """Give the cases of pupils from a day on, up to and with another where it is given."""
    found: list[Row[Any]] = []
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = select(cases).where(
            cases.c.provider_id == provider_id,
            among(connection, cases.c.pupil_id, part),
            cases.c.day >= from_day,
        )
        if until_day is not None:
            chosen = chosen.where(cases.c.day <= until_day)
        found += connection.execute(chosen.order_by(cases.c.day)).all()
    return found


def cases_to_look_at(connection: Connection, provider_id: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Give cases in which a step opens or is overdue by now."""
    chosen = (
        select(cases)
        .where(cases.c.provider_id == provider_id, cases.c.look_at <= now)
        .order_by(cases.c.look_at)
        .limit(limit)
    )
    return list(connection.execute(chosen))


def next_look(connection: Connection, provider_id: int) -> list[datetime]:
    """Give the earliest instants at which a lesson's follow-up, or a case, must be looked at."""
    asked = (
        select(func.min(lessons.c.look_at)).where(
            lessons.c.provider_id == provider_id, lessons.c.look_at.is_not(None)
        ),
        select(func.min(cases.c.look_at)).where(
            cases.c.provider_id == provider_id, cases.c.look_at.is_not(None)
        ),
    )
    found = (connection.execute(chosen).scalar_one_or_none() for chosen in asked)
    return [at for at in found if at is not None]


def by_subject(connection: Connection, provider_id: int, subjects: Sequence[str]) -> dict[str, Row[Any]]:
    """Give cases by what they are about."""
    chosen = select(cases).where(cases.c.provider_id == provider_id, cases.c.subject.in_(subjects))
    return {row.subject: row for row in connection.execute(chosen).all()}


def steps_of(connection: Connection, provider_id: int, case_ids: Iterable[int]) -> dict[int, list[Row[Any]]]:
    """Give the steps of cases, in their order."""
    found: dict[int, list[Row[Any]]] = {}
    for part in in_batches(dict.fromkeys(case_ids)):
        chosen = select(steps).where(
            steps.c.provider_id == provider_id, among(connection, steps.c.case_id, part)
        )
        for row in connection.execute(chosen.order_by(steps.c.step_id)).all():
            found.setdefault(row.case_id, []).append(row)
    return found


def listed(
    connection: Connection, provider_id: int, day: date | None, *, over: bool, limit: int
) -> list[Row[Any]]:
    """Give cases, those of a day or of every day; with `over`, also those that are cleared. Oldest first."""
    chosen = select(cases).where(cases.c.provider_id == provider_id)
    if day is not None:
        chosen = chosen.where(cases.c.day == day)
    if not over:
        chosen = chosen.where(cases.c.state.in_(("raised", "acknowledged")))
    return list(connection.execute(chosen.order_by(cases.c.raised_at, cases.c.case_id).limit(limit)))


def open_registers(connection: Connection, provider_id: int) -> list[Row[Any]]:
    """Give the cases about registers that are not over."""
    chosen = select(cases).where(
        cases.c.provider_id == provider_id,
        cases.c.state.in_(("raised", "acknowledged")),
        cases.c.pupil_id.is_(None),
    )
    return list(connection.execute(chosen))


def case_by_ref(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give a case by its reference, or by that of one of its steps, locked."""
    step = select(steps.c.case_id).where(steps.c.provider_id == provider_id, steps.c.ref == ref)
    chosen = select(cases).where(
        cases.c.provider_id == provider_id, or_(cases.c.ref == ref, cases.c.case_id.in_(step))
    )
    return connection.execute(chosen).one_or_none()


def case_by_id(connection: Connection, provider_id: int, case_id: int) -> Row[Any]:
    """Give a case by its number."""
    chosen = select(cases).where(cases.c.provider_id == provider_id, cases.c.case_id == case_id)
    return connection.execute(chosen).one()


def step_by_ref(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give a step by its reference."""
    chosen = select(steps).where(steps.c.provider_id == provider_id, steps.c.ref == ref)
    return connection.execute(chosen).one_or_none()


def add_cases(connection: Connection, rows: Rows) -> None:
    """Insert cases in one batch."""
    if rows:
        connection.execute(insert(cases), rows)


def add_steps(connection: Connection, rows: Rows) -> None:
    """Insert steps in one batch."""
    if rows:
        connection.execute(insert(steps), rows)


def change_cases(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Set columns of cases named by `key`; every change has the same columns."""
    _change(connection, cases, cases.c.case_id, provider_id, changes)


def change_steps(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Set columns of steps named by `key`; every change has the same columns."""
    _change(connection, steps, steps.c.step_id, provider_id, changes)


def end_or_open(connection: Connection, provider_id: int, changes: Rows) -> None:
    """Open or clear steps named by `key`; whatever a person has done meanwhile stands."""
    if not changes:
        return
    connection.execute(
        update(steps)
        .where(
            steps.c.provider_id == provider_id,
            steps.c.step_id == bindparam("key"),
            or_(*(steps.c.state == state for state in _NOT_OVER)),
        )
        .values(
            state=bindparam("state"),
            overdue_told_at=bindparam("overdue_told_at"),
            result=bindparam("result"),
            ended_at=bindparam("cleared_at"),
        ),
        changes,
    )


def _change(connection: Connection, table: Any, key: Any, provider_id: int, changes: Rows) -> None:
    if not changes:
        return
    names = [name for name in changes[0] if name != "key"]
    connection.execute(
        update(table)
        .where(table.c.provider_id == provider_id, key == bindparam("key"))
        .values({name: bindparam(name) for name in names}),
        changes,
    )


def plans_on(
    connection: Connection, provider_id: int, placement_ids: Iterable[int], day: date
) -> dict[int, str]:
    """Give the ladder of the plan that a placement has on a day."""
    found: dict[int, str] = {}
    for part in in_batches(dict.fromkeys(placement_ids)):
        chosen = select(plans.c.placement_id, plans.c.ladder).where(
            plans.c.provider_id == provider_id,
            among(connection, plans.c.placement_id, part),
            plans.c.starts_day <= day,
            plans.c.ends_day >= day,
            plans.c.ended_at.is_(None),
        )
        found.update({row.placement_id: row.ladder for row in connection.execute(chosen).all()})
    return found


def open_of_trigger(
    connection: Connection, provider_id: int, trigger: str, since: date
) -> list[tuple[Row[Any], list[Row[Any]]]]:
    """Give the cases since a day in which a step of this trigger is not over, each with all its steps."""
    waiting = select(steps.c.case_id).where(
        steps.c.provider_id == provider_id, steps.c.trigger == trigger, steps.c.state.in_(("later", "open"))
    )
    chosen = select(cases).where(
        cases.c.provider_id == provider_id, cases.c.day >= since, cases.c.case_id.in_(waiting)
    )
    rows = list(connection.execute(chosen.order_by(cases.c.case_id)).all())
    every = steps_of(connection, provider_id, [row.case_id for row in rows])
    return [(row, every.get(row.case_id, [])) for row in rows]


def raised_since(
    connection: Connection,
    provider_id: int,
    pupil_ids: Iterable[int],
    ladder_names: Sequence[str],
    day: date,
    *,
    mended: str = "",
) -> set[tuple[int, str, date]]:
    """Say which ladders were raised for pupils from a day on, each with its day; not those `mended`, as a step says."""
    found: set[tuple[int, str, date]] = set()
    over: set[tuple[int, str, date]] = set()
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = (
            select(cases.c.pupil_id, steps.c.ladder, cases.c.day, steps.c.result)
            .join(steps, and_(steps.c.provider_id == provider_id, steps.c.case_id == cases.c.case_id))
            .where(
                cases.c.provider_id == provider_id,
                among(connection, cases.c.pupil_id, part),
                cases.c.day >= day,
                steps.c.ladder.in_(ladder_names),
            )
            .distinct()
        )
        for row in connection.execute(chosen).all():
            (over if mended and row.result == mended else found).add((row.pupil_id, row.ladder, row.day))
    return found - over
