"""What a folder of evidence is about: a message, a placement, a pupil, a school or council, a day, or a term."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.stretches import Every, stretch_around
from aphub.domain.wording import day_words
from aphub.services.desk import Desk
from aphub.services.evidence_check import NothingToShowError
from aphub.services.whose import WHAT_TO_TYPE, is_upn, pupils_called, unknown_words
from aphub.store import delivering, following, lives, trails

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

    `name` is how it is called in what we keep of who saw it, and so never a UPN. `pupil_id` is set where it is about one pupil alone, `organisation` where it is about one school or council.
    """

    title: str
    name: str
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
    if not found.owed:
        raise NothingToShowError(
            f"{found.title}: nothing was due to be told in these days.",
            "Nothing was written.",
            "Give other days, or another pupil, school or message.",
        )
    found.dispatches = lives.dispatches_of_owed(connection, provider, found.owed)
    if found.organisation:
        found.dispatches = [row for row in found.dispatches if row.organisation == found.organisation]
    found.owed_rows = lives.owed_rows(connection, provider, found.owed)
    if found.whole_record:
        days = _days_of(found.span, found.owed_rows, desk.today)
        found.span = days
        pupils: Sequence[int] = (
            [found.pupil_id] if found.pupil_id else sorted({row.pupil_id for row in found.owed_rows})
        )
        found.acts = trails.acts_about(connection, provider, pupils, days.first_day, days.until_day)
    return found


def _found(desk: Desk, connection: Connection, what: str, span: Span) -> About:
    provider, config = desk.provider_id, desk.config
    row = delivering.by_reference(connection, provider, what.upper())
    if row is not None:
        return About(
            f"Message {row.reference}",
            row.reference,
            lives.owed_of_dispatches(connection, provider, [row.dispatch_id]),
        )
    if day := _day(what):
        return About(day_words(day), day.isoformat(), lives.owed_on(connection, provider, day))
    if what.casefold() == TERM:
        stretch = stretch_around(
            Every.TERM,
            span.first_day if span.first_day > date.min else desk.today,
            config.provider.calendar().terms,
        )
        days = Span(stretch.first_day, stretch.until_day)
        return About(stretch.words, TERM, _within(connection, provider, days), days, whole_record=True)
    if organisation := _organisation(desk, what):
        owed = _within(connection, provider, span, organisation=organisation)
        name = config.organisations[organisation].name
        return About(name, organisation, owed, span, whole_record=True, organisation=organisation)
    owed = lives.owed_of_placement(connection, provider, what.upper())
    if owed:
        return About(f"Placement {what.upper()}", what.upper(), owed)
    rows = pupils_called(desk, connection, what)
    if len(rows) != 1:
        words = "This reference fits two pupils." if rows else unknown_words(what)
        raise NothingToShowError(words, "Nothing was written.", _what_to_type(desk, what))
    [pupil] = rows
    case = following.case_by_ref(connection, provider, what.upper())
    if case is not None and span == Span():
        span = Span(case.day, case.day + ONE_DAY)
    owed = _within(connection, provider, span, pupil_id=pupil.pupil_id)
    called = pupil.ref if is_upn(what) else what
    return About(f"Pupil {pupil.ref}", called, owed, span, whole_record=True, pupil_id=pupil.pupil_id)


def _organisation(desk: Desk, what: str) -> str:
    """Give the one school or council meant by its short name, its name, its URN or its council's number."""
    said = what.casefold()
    fits = [
        slug
        for slug, one in desk.config.organisations.items()
        if said in {slug, one.name.casefold(), one.urn, one.la_code}
    ]
    return fits[0] if said and len(fits) == 1 else ""


def _what_to_type(desk: Desk, what: str) -> str:
    """Say what can be typed, and which school is written nearly like this."""
    near = get_close_matches(what.casefold().replace(" ", "-"), desk.config.organisations)
    meant = f"If you mean a school: {' or '.join(near)}. Otherwise give" if near else "Give"
    return (
        f"{meant} {WHAT_TO_TYPE}, aphub log; a school (aphub channels), a day such as {desk.today}, or 'term'. "
        f"This is {desk.config.provider.name}; for another provider: --provider."
    )


def _within(
    connection: Connection, provider_id: int, span: Span, *, organisation: str = "", pupil_id: int = 0
) -> list[int]:
    return trails.owed_within(
        connection, provider_id, span.first_day, span.until_day, organisation=organisation, pupil_id=pupil_id
    )


def _days_of(span: Span, owed: Sequence[Row[Any]], today: date) -> Span:
    """Close an open span by what was owed, and at today: of later days there is no record yet."""
    first = min(row.first_day for row in owed) if span.first_day == date.min else span.first_day
    until = span.until_day
    if until == date.max:
        until = min(max(row.until_day for row in owed), today + ONE_DAY)
    return Span(first, max(until, first + ONE_DAY))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
