"""Keep known absences and schools' decisions, and find the lessons they speak of."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, and_, bindparam, insert, or_, select, update

from aphub.domain.absences import Evidence, KnownAbsence, SchoolDecision, Stretch, Teller
from aphub.domain.entries import Fact, Half
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.store.among import among
from aphub.store.engine import allocate
from aphub.store.pupils import in_batches
from aphub.store.reading import Among, reading
from aphub.store.same import same_now
from aphub.store.tables import entries, known_absences, lessons, placements, school_decisions

GOES_ON = timedelta(days=92)
"""How long before some days a suspension is looked for that may go on in them: a summer lies between two school days."""


def stretch_of(row: Row[Any]) -> Stretch:
    """Make the days of a known absence or a decision."""
    weekdays = frozenset(int(day) for day in row.weekdays.split(",") if day)
    return Stretch(row.starts_day, row.ends_day, Half(row.half) if row.half else None, weekdays)


def stretch_columns(stretch: Stretch) -> dict[str, Any]:
    """Give the columns of some days."""
    return {
        "starts_day": stretch.starts,
        "ends_day": stretch.ends,
        "half": stretch.half.value if stretch.half else "",
        "weekdays": ",".join(str(day) for day in sorted(stretch.weekdays)),
    }


def absence_of(row: Row[Any]) -> KnownAbsence:
    """Make a known absence of its row."""
    fact = Fact(Outcome(row.outcome), ReasonKind(row.reason))
    return KnownAbsence(
        *(row.absence_id, row.ref, row.pupil_id, stretch_of(row), fact),
        *(Teller(row.told_by), Evidence(row.evidence), row.recorded_by),
    )


def add_absence(connection: Connection, row: dict[str, Any]) -> None:
    """Keep a known absence; its row carries its number already, since that is part of what seals it."""
    connection.execute(insert(known_absences), row)


def number(connection: Connection, what: str) -> int:
    """Give one number of `known_absences` or `school_decisions`."""
    return allocate(connection, what)[0]


def absences_of(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], from_day: date, until_day: date
) -> dict[int, list[KnownAbsence]]:
    """Give what is known of pupils for some days, both of which count, by pupil, oldest first.

    Earlier suspensions are among it: one may go on in another.
    """
    found: dict[int, list[KnownAbsence]] = {}
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = (
            select(known_absences)
            .where(
                known_absences.c.provider_id == provider_id,
                among(connection, known_absences.c.pupil_id, part),
                or_(
                    known_absences.c.ends_day >= from_day,
                    and_(
                        known_absences.c.reason == ReasonKind.SUSPENDED.value,
                        known_absences.c.ends_day >= from_day - GOES_ON,
                    ),
                ),
                known_absences.c.starts_day <= until_day,
                known_absences.c.ends_day >= known_absences.c.starts_day,
            )
            .order_by(known_absences.c.absence_id)
        )
        for row in connection.execute(chosen).all():
            found.setdefault(row.pupil_id, []).append(absence_of(row))
    return found


def told_between(
    connection: Connection, provider_id: int, after: datetime, before: datetime
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Give the known absences and the decisions that were kept between two instants, without what was said."""
    return (
        _kept_between(connection, known_absences, provider_id, after, before),
        _kept_between(connection, school_decisions, provider_id, after, before),
    )


def _kept_between(
    connection: Connection, table: Table, provider_id: int, after: datetime, before: datetime
) -> list[Row[Any]]:
    shown = [column for column in table.c if column.name != "sealed"]
    chosen = select(*shown).where(
        table.c.provider_id == provider_id, table.c.recorded_at >= after, table.c.recorded_at < before
    )
    return list(connection.execute(chosen.order_by(table.c.recorded_at, *table.primary_key.columns)).all())


def absence(connection: Connection, provider_id: int, ref: str) -> Row[Any] | None:
    """Give one known absence by reference, to be changed."""
    chosen = select(known_absences).where(
        known_absences.c.provider_id == provider_id, known_absences.c.ref == ref
    )
    return connection.execute(chosen.with_for_update()).one_or_none()


def running(connection: Connection, provider_id: int, from_day: date, limit: int) -> list[Row[Any]]:
    """Give the known absences that are not over before a day, soonest first."""
    chosen = (
        select(known_absences)
        .where(
            known_absences.c.provider_id == provider_id,
            known_absences.c.ends_day >= from_day,
            known_absences.c.ends_day >= known_absences.c.starts_day,
        )
        .order_by(known_absences.c.starts_day, known_absences.c.absence_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def end_absence(
    connection: Connection, provider_id: int, absence_id: int, last_day: date, by: str, now: datetime
) -> None:
    """Bring an absence's last day forward; a day before its first means that it never was."""
    connection.execute(
        update(known_absences)
        .where(known_absences.c.provider_id == provider_id, known_absences.c.absence_id == absence_id)
        .values(ends_day=last_day, ended_by=by[:80], ended_at=now)
    )


def add_decision(connection: Connection, row: dict[str, Any]) -> None:
    """Keep a school's decision."""
    connection.execute(insert(school_decisions), row)


def withdraw_decision(
    connection: Connection, provider_id: int, ref: str, by: str, now: datetime
) -> Row[Any] | None:
    """Take a decision back; None when there is none of that reference that stands."""
    standing = and_(
        school_decisions.c.provider_id == provider_id,
        school_decisions.c.ref == ref,
        school_decisions.c.withdrawn_at.is_(None),
    )
    row = connection.execute(select(school_decisions).where(standing).with_for_update()).one_or_none()
    if row is not None:
        connection.execute(
            update(school_decisions).where(standing).values(withdrawn_at=now, withdrawn_by=by[:80])
        )
    return row


@reading("decision_id", "ref", "pupil_id")
def _decisions(among: Among) -> Select[Any]:
    kept = school_decisions.c
    return (
        select(
            *(kept.decision_id, kept.ref, kept.pupil_id, kept.organisation, kept.reason),
            *(kept.starts_day, kept.ends_day, kept.half, kept.weekdays),
        )
        .where(
            kept.provider_id == bindparam("provider_id"),
            among(kept.pupil_id, "pupil_ids"),
            or_(
                kept.ends_day >= bindparam("from_day"),
                and_(kept.reason == ReasonKind.SUSPENDED.value, kept.ends_day >= bindparam("suspended_from")),
            ),
            kept.starts_day <= bindparam("until_day"),
            kept.withdrawn_at.is_(None),
        )
        .order_by(kept.decision_id)
    )


def decisions_of(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], from_day: date, until_day: date
) -> dict[int, list[SchoolDecision]]:
    """Give the decisions that stand for pupils on some days, both of which count, by pupil, oldest first.

    Earlier suspensions are among them: one may go on in another.
    """
    found: dict[int, list[SchoolDecision]] = {}
    ids = list(dict.fromkeys(pupil_ids))
    for row in _decisions(
        connection,
        provider_id=provider_id,
        pupil_ids=ids,
        from_day=from_day,
        suspended_from=from_day - GOES_ON,
        until_day=until_day,
    ):
        one = SchoolDecision(row.ref, row.pupil_id, row.organisation, ReasonKind(row.reason), stretch_of(row))
        found.setdefault(row.pupil_id, []).append(one)
    return found


def standing_decisions(
    connection: Connection, provider_id: int, from_day: date, limit: int
) -> list[Row[Any]]:
    """Give the decisions that stand and are not over before a day."""
    chosen = (
        select(school_decisions)
        .where(
            school_decisions.c.provider_id == provider_id,
            school_decisions.c.ends_day >= from_day,
            school_decisions.c.withdrawn_at.is_(None),
        )
        .order_by(school_decisions.c.starts_day, school_decisions.c.decision_id)
        .limit(limit)
    )
    return list(connection.execute(chosen).all())


def lessons_of_pupils(
    connection: Connection, provider_id: int, pupil_ids: Iterable[int], from_day: date, until_day: date
) -> list[Row[Any]]:
    """Give the lessons of pupils that are due on some days, both of which count, each with its current entry."""
    found: list[Row[Any]] = []
    for part in in_batches(dict.fromkeys(pupil_ids)):
        chosen = (
            select(
                lessons,
                placements.c.ref.label("placement_ref"),
                placements.c.commissioner,
                entries.c.entry_id,
                entries.c.version,
                entries.c.outcome,
                entries.c.reason,
                entries.c.minutes,
                entries.c.mode.label("entry_mode"),
                entries.c.key_id.label("entry_key_id"),
                entries.c.sealed.label("entry_sealed"),
                entries.c.made_by,
                entries.c.because,
                entries.c.taken_at,
            )
            .join(placements, same_now(lessons, placements, "placement_id"))
            .outerjoin(entries, same_now(lessons, entries, "lesson_id"))
            .where(
                lessons.c.provider_id == provider_id,
                among(connection, lessons.c.pupil_id, part),
                lessons.c.day >= from_day,
                lessons.c.day <= until_day,
                lessons.c.state != "withdrawn",
            )
            .order_by(lessons.c.starts_at, lessons.c.lesson_id)
        )
        found += connection.execute(chosen).all()
    return found


def is_decision(connection: Connection, provider_id: int, ref: str) -> bool:
    """Say whether a reference is a school's decision that stands."""
    chosen = select(school_decisions.c.decision_id).where(
        school_decisions.c.provider_id == provider_id,
        school_decisions.c.ref == ref,
        school_decisions.c.withdrawn_at.is_(None),
    )
    return connection.execute(chosen).first() is not None
