"""Figures counted by the database, in sets: from the newest versions, of lessons that began by an instant.

What each figure means stands in `domain.figures`; withdrawn lessons, and pupils who must not be shared, are in none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    distinct,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from aphub.domain.entries import Half
from aphub.domain.figures import AWAY, HALF_DAY_AS, IN_PERSON, MINUTES_AS, Days, Figures, HalfDays, Minutes
from aphub.domain.outcomes import COULD_NOT_COME
from aphub.domain.statistics import COUNTED_AS, PlacementCounts
from aphub.store.same import same, same_now
from aphub.store.tables import entries, lessons, placements, pupils, recipients

Key = tuple[Any, ...]
Spans = Mapping[Half, Sequence[tuple[frozenset[str], frozenset[str]]]]
"""For each half: commissioners (none means all the others) with the spans "09:00-12:00" that lie in that half."""

DAILY = frozenset(
    {
        "placement",
        "pupil",
        "day",
        "weekday",
        "organisation",
        "commissioner",
        "arranged_by",
        "registration",
        "kind",
    }
)
"""Groups that never cut a pupil's day or half day: only by these can days and half days be counted."""


@dataclass(frozen=True, slots=True)
class Counting:
    """Which lessons are counted: of which days, as they are known at `now`, of which placements, and told to whom.

    Without `placement_ids` all are meant; with none in it, none is.
    """

    first_day: date
    until_day: date
    now: datetime
    organisation: str = ""
    placement_ids: tuple[int, ...] | None = None
    commissioner: str = ""
    spans: Spans = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """The figures of one group, and of how many pupils."""

    key: Key
    figures: Figures
    pupils: int


def lesson_spans(connection: Connection, provider_id: int, counting: Counting) -> list[tuple[str, str]]:
    """Give the different beginnings and ends of lessons: some dozens, however many lessons there are."""
    chosen = (
        select(lessons.c.starts_wall, lessons.c.ends_wall)
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.day >= counting.first_day,
            lessons.c.day < counting.until_day,
        )
        .distinct()
    )
    return [(row.starts_wall, row.ends_wall) for row in connection.execute(chosen)]


@dataclass(frozen=True, slots=True)
class Planned:
    """The lesson time planned for a pupil in a stretch of days that begins on `first_day`, with one of the placements.

    `partly` where a placement begins or ends within these days.
    """

    pupil_id: int
    placement_id: int
    minutes: int
    first_day: date
    partly: bool = False


def planned_minutes(
    connection: Connection, provider_id: int, first_day: date, until_day: date
) -> list[Planned]:
    """Sum by pupil the lessons of a stretch of days that are due, begun or not."""
    length = _minutes(lessons.c.ends_wall) - _minutes(lessons.c.starts_wall)
    chosen = (
        select(
            lessons.c.pupil_id,
            func.min(lessons.c.placement_id).label("placement_id"),
            func.sum(length).label("minutes"),
            _number(
                or_(
                    placements.c.starts_day > first_day, placements.c.ends_day < until_day - timedelta(days=3)
                ),
                "cut",
            ),
        )
        .join(placements, same_now(lessons, placements, "placement_id"))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.day >= first_day,
            lessons.c.day < until_day,
            lessons.c.state != "withdrawn",
        )
        .group_by(lessons.c.pupil_id)
        .order_by(lessons.c.pupil_id)
    )
    rows = connection.execute(chosen).all()
    return [Planned(row.pupil_id, row.placement_id, int(row.minutes), first_day, row.cut > 0) for row in rows]


def counted(
    connection: Connection, provider_id: int, counting: Counting, by: Sequence[str] = ()
) -> dict[Key, Counted]:
    """Count lessons, minutes and lateness by groups; days and half days too where no group cuts a day.

    A pupil who is told to two organisations counts for each of them, where `by` has the organisation.
    """
    facts = _facts(provider_id, counting, by).subquery("facts")
    keys = [facts.c[name] for name in by]
    sums = [_number(facts.c.counted == name, name) for name in _FIELDS]
    sums += [
        _sum(facts.c.counted.in_(names), facts.c.length, f"minutes_{part}") for part, names in _PARTS.items()
    ]
    sums += [
        _number(facts.c.outcome == "late", "late"),
        _sum(facts.c.outcome == "late", func.coalesce(facts.c.late_by, 0), "late_minutes"),
        func.count(distinct(facts.c.pupil)).label("pupils"),
    ]
    found: dict[Key, Counted] = {}
    half_days: dict[Key, HalfDays] = {}
    days: dict[Key, Days] = {}
    if DAILY.issuperset(by):
        half_days = _half_days(connection, facts, by, counting)
        days = _days(connection, facts, by)
    for row in connection.execute(_grouped(select(*keys, *sums), keys)).all():
        key = tuple(row[: len(by)])
        if row.pupils or by:
            found[key] = Counted(key, _figures(row, half_days.get(key), days.get(key)), row.pupils)
    return found


_FIELDS = tuple(PlacementCounts.__slots__)
_PARTS = {part: [name for name, of in MINUTES_AS.items() if of == part] for part in Minutes.__slots__}


def _facts(provider_id: int, counting: Counting, by: Iterable[str]) -> Select[Any]:
    """Choose the lessons that began, each with what its current entry says; a register that is due is missing."""
    outcome = func.coalesce(entries.c.outcome, "not_yet_taken")
    told = "organisation" in by or counting.organisation
    chosen = (
        select(
            lessons.c.placement_id.label("placement"),
            lessons.c.pupil_id.label("pupil"),
            lessons.c.day.label("day"),
            cast(extract("dow", lessons.c.day), Integer).label("weekday"),
            lessons.c.starts_wall.label("starts"),
            (lessons.c.starts_wall + "-" + lessons.c.ends_wall).label("span"),
            lessons.c.subject.label("subject"),
            lessons.c.place.label("place"),
            lessons.c.mode.label("mode"),
            lessons.c.nature.label("nature"),
            lessons.c.staff.label("staff"),
            placements.c.nature.label("kind"),
            placements.c.arranged_by.label("arranged_by"),
            placements.c.registration.label("registration"),
            placements.c.commissioner.label("commissioner"),
            (recipients.c.organisation if told else placements.c.commissioner).label("organisation"),
            outcome.label("outcome"),
            func.coalesce(entries.c.reason, "").label("reason"),
            case(
                (and_(outcome == "absent", entries.c.reason.in_(_COULD_NOT_COME)), "could_not_come"),
                *((outcome == text, name) for text, name in COUNTED_AS_TEXT.items()),
                else_="register_missing",
            ).label("counted"),
            (_minutes(lessons.c.ends_wall) - _minutes(lessons.c.starts_wall)).label("length"),
            entries.c.minutes.label("late_by"),
        )
        .join(placements, same_now(lessons, placements, "placement_id"))
        .join(pupils, same(lessons, pupils, "pupil_id"))
        .outerjoin(entries, same_now(lessons, entries, "lesson_id"))
        .where(
            lessons.c.provider_id == provider_id,
            lessons.c.day >= counting.first_day,
            lessons.c.day < counting.until_day,
            lessons.c.state != "withdrawn",
            lessons.c.starts_at <= counting.now,
            or_(entries.c.entry_id.is_not(None), lessons.c.entry_due <= counting.now),
            ~pupils.c.suppressed,
        )
    )
    if told:
        chosen = chosen.join(recipients, _told_of(recipients))
        # One line a school, even where it is told of a placement for two purposes.
        other = recipients.alias("other")
        chosen = chosen.where(
            ~select(other.c.recipient_id)
            .where(
                _told_of(other),
                other.c.organisation == recipients.c.organisation,
                # With the sum, SQLite looks the placement up, instead of walking through all lesser numbers.
                other.c.recipient_id + 0 < recipients.c.recipient_id,
            )
            .correlate(lessons, recipients)
            .exists()
        )
    if counting.organisation:
        chosen = chosen.where(recipients.c.organisation == counting.organisation)
    if counting.placement_ids is not None:
        chosen = chosen.where(lessons.c.placement_id.in_(counting.placement_ids))
    if counting.commissioner:
        chosen = chosen.where(placements.c.commissioner == counting.commissioner)
    return chosen


_COULD_NOT_COME = sorted(one.value for one in COULD_NOT_COME)
COUNTED_AS_TEXT = {outcome.value: name for outcome, name in COUNTED_AS.items()}


def _told_of(who: Any) -> Any:
    """Say whether a recipient is told of a lesson."""
    return and_(
        same(lessons, who, "placement_id"),
        who.c.starts_day <= lessons.c.day,
        or_(who.c.ends_day.is_(None), who.c.ends_day >= lessons.c.day),
    )


def _half_days(
    connection: Connection, facts: Any, by: Sequence[str], counting: Counting
) -> dict[Key, HalfDays]:
    parts = []
    for half, spans in counting.spans.items():
        named = [one for some, _ in spans for one in some]
        lies = [
            and_(
                facts.c.span.in_(sorted(inside)),
                facts.c.commissioner.in_(sorted(some)) if some else facts.c.commissioner.not_in(named),
            )
            for some, inside in spans
            if inside
        ]
        if lies:
            parts.append(
                select(*_columns(facts, by), literal(half.value).label("half"), facts.c.counted).where(
                    or_(*lies)
                )
            )
    if not parts:
        return {}
    every = union_all(*parts).subquery("halves")
    each = [every.c.half, *(every.c[name] for name in dict.fromkeys(["pupil", "day", *by]))]
    kind = case(
        *((_number(every.c.counted.in_(sorted(kinds)), "") > 0, name) for kinds, name in HALF_DAY_AS),
        else_="",
    ).label("went")
    one = _grouped(select(*each, kind), each).subquery("half_days")
    keys = [one.c[name] for name in by]
    sums = [_number(one.c.went == name, name) for name in HalfDays.__slots__]
    rows = connection.execute(_grouped(select(*keys, *sums), keys)).all()
    return {tuple(row[: len(by)]): HalfDays(*(number or 0 for number in row[len(by) :])) for row in rows}


def _days(connection: Connection, facts: Any, by: Sequence[str]) -> dict[Key, Days]:
    each = [*_columns(facts, by)]
    due = _number(facts.c.counted.in_(sorted(MINUTES_AS)), "due")
    here = _number(facts.c.counted.in_(sorted(IN_PERSON | AWAY | {"register_missing"})), "here")
    absent = _number(facts.c.counted == "absent", "absent")
    one = _grouped(select(*each, due, here, absent), each).subquery("days")
    keys = [one.c[name] for name in by]
    sums = [
        _number(one.c.due > 0, "due"),
        _number(and_(one.c.absent > 0, one.c.here == 0), "missed"),
    ]
    rows = connection.execute(_grouped(select(*keys, *sums), keys)).all()
    return {tuple(row[: len(by)]): Days(row.due or 0, row.missed or 0) for row in rows}


def _columns(facts: Any, by: Sequence[str]) -> list[Any]:
    return [facts.c[name] for name in dict.fromkeys(["pupil", "day", *by])]


def _figures(row: Row[Any], half_days: HalfDays | None, days: Days | None) -> Figures:
    told = {name: getattr(row, name) or 0 for name in row._fields}
    return Figures(
        PlacementCounts(*(told[name] for name in _FIELDS)),
        half_days or HalfDays(),
        days or Days(),
        Minutes(*(told[f"minutes_{part}"] for part in Minutes.__slots__)),
        told["late"],
        told["late_minutes"],
    )


def _number(condition: ColumnElement[bool], name: str) -> Any:
    found = func.sum(case((condition, 1), else_=0))
    return found.label(name) if name else found


def _sum(condition: ColumnElement[bool], what: Any, name: str) -> Any:
    return func.sum(case((condition, what), else_=0)).label(name)


def _grouped(chosen: Select[Any], keys: Sequence[Any]) -> Select[Any]:
    return chosen.group_by(*keys) if keys else chosen


def _minutes(wall: Any) -> Any:
    """Give the minutes since midnight of a column such as "09:30"."""
    return cast(func.substr(wall, 1, 2), Integer) * 60 + cast(func.substr(wall, 4, 2), Integer)
