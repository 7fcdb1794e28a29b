"""Figures of a stretch of days, counted by the database, with half days as the commissioners' hours have them."""

from collections.abc import Sequence
from datetime import date, time, timedelta

from sqlalchemy import Connection

from aphub.domain.entries import Half
from aphub.domain.halves import SchoolHours, halves_between
from aphub.services.desk import Desk
from aphub.store import figures as kept
from aphub.store.figures import Counted, Counting, Key, Spans


def counting_of(
    desk: Desk,
    connection: Connection,
    first_day: date,
    until_day: date,
    *,
    organisation: str = "",
    commissioner: str = "",
    placement_ids: Sequence[int] | None = None,
) -> Counting:
    """Say what is counted: the lessons of these days that began, as they are known now.

    Half days are those of whom is told, where one organisation is; else of who commissioned each placement.
    """
    some = None if placement_ids is None else tuple(placement_ids)
    bare = Counting(first_day, until_day, desk.now, organisation, some, commissioner)
    spans = kept.lesson_spans(connection, desk.provider_id, bare)
    return Counting(
        first_day, until_day, desk.now, organisation, some, commissioner,
        _spans(desk, spans, organisation),
    )  # fmt: skip


def counted(
    desk: Desk, connection: Connection, counting: Counting, by: Sequence[str] = ()
) -> dict[Key, Counted]:
    """Count by groups; the key of the whole is ()."""
    return kept.counted(connection, desk.provider_id, counting, by)


def _spans(desk: Desk, spans: Sequence[tuple[str, str]], organisation: str) -> Spans:
    """Sort the spans of lessons into halves, for each kind of hours that commissioners have."""
    usual = SchoolHours()
    by_hours: dict[SchoolHours, set[str]] = {}
    if organisation and organisation in desk.config.organisations:
        usual = desk.config.organisations[organisation].hours.hours()
    else:
        for slug, one in desk.config.organisations.items():
            if (hours := one.hours.hours()) != usual:
                by_hours.setdefault(hours, set()).add(slug)
    kinds = [*((frozenset(some), hours) for hours, some in by_hours.items()), (frozenset[str](), usual)]
    return {
        half: [
            (
                some,
                frozenset(
                    f"{starts}-{ends}"
                    for starts, ends in spans
                    if half in halves_between(time.fromisoformat(starts), time.fromisoformat(ends), hours)
                ),
            )
            for some, hours in kinds
        ]
        for half in (Half.AM, Half.PM)
    }


def week_of(day: date) -> tuple[date, date]:
    """Give a week's Monday, and the Monday after it."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)
