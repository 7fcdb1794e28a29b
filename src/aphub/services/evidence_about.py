"""What a folder of evidence is about: a message, a placement, a pupil, a school or council, a day, or a term."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.stretches import Every, stretch_around
from aphub.domain.wording import day_words
from aphub.services.desk import Desk
from aphub.services.evidence_check import NothingToShowError
from aphub.services.whose import UnknownPupilError, pupil_of
from aphub.store import delivering, lives, trails

_HEAD_OF_SUBJECT = 40
TERM = "term"


@dataclass(frozen=True, slots=True)
class Span:
    """The days that count, where somebody said which; the second is the first day after them."""

    first_day: date = date.min
    until_day: date = date.max


@dataclass(slots=True)
class About:
    """What a bundle is about: what was owed, the messages that told it, and what else the ledger may have said.

    `pupil_id` is set where it is about one pupil alone, `organisation` where it is about one school or council.
    """

    title: str
    owed: list[int]
    span: Span = field(default_factory=Span)
    whole_record: bool = False
    pupil_id: int = 0
    organisation: str = ""
    dispatches: list[Row[Any]] = field(default_factory=list)
    owed_rows: list[Row[Any]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    def subjects(self) -> list[str]:
        """Name everything about which the ledger may have said something."""
        ways = {f"{row.organisation}/{row.channel}"[:_HEAD_OF_SUBJECT] for row in self.dispatches}
        return [
            *(row.reference for row in self.dispatches),
            *(row.ref for row in self.owed_rows),
            *sorted(ways),
            *self.acts,
        ]


def about(desk: Desk, connection: Connection, what: str, span: Span) -> About:
    """Find what is meant; raises NothingToShowError."""
    found = _found(desk, connection, what.strip(), span)
    provider = desk.provider_id
    if found is None or not found.owed:
        raise NothingToShowError(
            f"We know nothing of {what}.",
            "Nothing was written.",
            "Name a message, a placement, a pupil by your own reference, a school, a day, or 'term'.",
        )
    found.dispatches = lives.dispatches_of_owed(connection, provider, found.owed)
    if found.organisation:
        found.dispatches = [row for row in found.dispatches if row.organisation == found.organisation]
    found.owed_rows = lives.owed_rows(connection, provider, found.owed)
    if found.whole_record:
        days = _days_of(found.span, found.owed_rows)
        found.span = days
        pupils: Sequence[int] = (
            [found.pupil_id] if found.pupil_id else sorted({row.pupil_id for row in found.owed_rows})
        )
        found.acts = trails.acts_about(connection, provider, pupils, days.first_day, days.until_day)
    return found


def _found(desk: Desk, connection: Connection, what: str, span: Span) -> About | None:
    provider, config = desk.provider_id, desk.config
    row = delivering.by_reference(connection, provider, what.upper())
    if row is not None:
        return About(
            f"Message {row.reference}", lives.owed_of_dispatches(connection, provider, [row.dispatch_id])
        )
    if day := _day(what):
        return About(day_words(day), lives.owed_on(connection, provider, day))
    if what.casefold() == TERM:
        stretch = stretch_around(
            Every.TERM,
            span.first_day if span.first_day > date.min else desk.today,
            config.provider.calendar().terms,
        )
        days = Span(stretch.first_day, stretch.until_day)
        return About(stretch.words, _within(connection, provider, days), days, whole_record=True)
    if what in config.organisations:
        owed = _within(connection, provider, span, organisation=what)
        return About(config.organisations[what].name, owed, span, whole_record=True, organisation=what)
    owed = lives.owed_of_placement(connection, provider, what.upper())
    if owed:
        return About(f"Placement {what.upper()}", owed)
    try:
        pupil = pupil_of(desk, connection, what)
    except UnknownPupilError:
        return None
    owed = _within(connection, provider, span, pupil_id=pupil.pupil_id)
    return About(f"Pupil {pupil.ref}", owed, span, whole_record=True, pupil_id=pupil.pupil_id)


def _within(
    connection: Connection, provider_id: int, span: Span, *, organisation: str = "", pupil_id: int = 0
) -> list[int]:
    return trails.owed_within(
        connection, provider_id, span.first_day, span.until_day, organisation=organisation, pupil_id=pupil_id
    )


def _days_of(span: Span, owed: Sequence[Row[Any]]) -> Span:
    """Close an open span by what was owed."""
    first = min(row.first_day for row in owed) if span.first_day == date.min else span.first_day
    until = max(row.until_day for row in owed) if span.until_day == date.max else span.until_day
    return Span(first, max(until, first + ONE_DAY))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
