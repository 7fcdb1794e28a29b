"""What has been kept long enough: messages, registers and pupils whose time is over, and who is not held."""

from datetime import date, datetime

from sqlalchemy import Connection, exists, func, not_, select

from aphub.store.erasing import carrying_report, held_pupils, with_mark
from aphub.store.same import same
from aphub.store.tables import dispatches, intakes, marks, placements, pupils, questions, reports


def old_messages(connection: Connection, provider_id: int, until: datetime, limit: int) -> list[int]:
    """Give messages prepared before an instant that still have their content; none with a pupil who is held."""
    chosen = (
        select(dispatches.c.dispatch_id)
        .where(
            dispatches.c.provider_id == provider_id,
            dispatches.c.prepared_at < until,
            dispatches.c.state.not_in(("waiting", "started")),
            func.length(dispatches.c.sealed) > 0,
            not_(carrying_report(reports.c.pupil_id.in_(held_pupils(provider_id)))),
        )
        .order_by(dispatches.c.dispatch_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).scalars())


def old_registers(connection: Connection, provider_id: int, until: datetime, limit: int) -> list[int]:
    """Give registers that came in before an instant, are settled and still there; none with a pupil who is held."""
    asked = exists(
        select(1)
        .select_from(marks)
        .join(questions, same(marks, questions, "mark_id"))
        .where(
            marks.c.provider_id == intakes.c.provider_id,
            marks.c.intake_id == intakes.c.intake_id,
            questions.c.answered_at.is_(None),
        )
    )
    chosen = (
        select(intakes.c.intake_id)
        .where(
            intakes.c.provider_id == provider_id,
            intakes.c.received_at < until,
            intakes.c.state != "stored",
            func.length(intakes.c.sealed) > 0,
            not_(asked),
            not_(with_mark(marks.c.pupil_id.in_(held_pupils(provider_id)))),
        )
        .order_by(intakes.c.intake_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).scalars())


def pupils_gone_since(connection: Connection, provider_id: int, until: date) -> list[int]:
    """Give pupils whose last placement ended before a day, and who are neither held nor erased."""
    last = (
        select(placements.c.pupil_id)
        .where(placements.c.provider_id == provider_id, placements.c.current)
        .group_by(placements.c.pupil_id)
        # One that has no end yet counts as the latest of all.
        .having(func.max(func.coalesce(placements.c.ends_day, date.max)) < until)
    )
    chosen = (
        select(pupils.c.pupil_id)
        .where(
            pupils.c.provider_id == provider_id,
            pupils.c.erased_at.is_(None),
            pupils.c.pupil_id.in_(last),
            pupils.c.pupil_id.not_in(held_pupils(provider_id)),
        )
        .order_by(pupils.c.pupil_id)
    )
    return list(connection.execute(chosen).scalars())
