"""What is not due, listed for checking; and a school's own closures, which never make a lesson not due by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import Connection

from aphub.domain.absences import Stretch, Teller
from aphub.domain.calendar import WEEKDAYS, to_utc
from aphub.domain.entries import Fact
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.outcomes import Outcome
from aphub.domain.placements import Purpose
from aphub.domain.wording import day_words
from aphub.services.absences import Filled, News, keep_news
from aphub.services.desk import Desk, place_of
from aphub.services.way import named
from aphub.store import cancelling, dispatching, pupils
from aphub.store import placements as people
from aphub.store.engine import allocate

ATTENDS_ANYWAY = "attends_anyway"
AHEAD = timedelta(days=3)
_AROUND = timedelta(days=7)
_BATCH = 500


class ClosureError(NeedsCorrectionError):
    """This cannot be said of a school's closure."""


@dataclass(frozen=True, slots=True)
class NotDue:
    """One placement of which nothing is due on a day, and why."""

    pupil: str
    placement: str
    why: str


def not_due(desk: Desk, day: date) -> list[NotDue]:
    """List the placements around a day that have no lesson on it, each with the reason: a person looks once."""
    closed = desk.config.provider.calendar().why_closed(day)
    found: list[tuple[int, str, str]] = []
    after = 0
    with desk.store.reading() as connection:
        while batch := people.current_between(
            connection, desk.provider_id, day - _AROUND, day + _AROUND, after, _BATCH
        ):
            after = batch[-1].placement_id
            for one in batch:
                value = one.value
                if value.starts > day:
                    why = f"starts on {day_words(value.starts)}"
                elif value.ends is not None and value.ends < day:
                    why = f"ended on {day_words(value.ends)}"
                elif closed:
                    why = f"you are closed: {closed}"
                elif all(slot.weekday != day.weekday() for slot in value.timetable):
                    why = f"no lesson on a {WEEKDAYS[day.weekday()]}"
                else:
                    continue
                found.append((one.pupil_id, value.ref, why))
        rows = pupils.by_numbers(connection, desk.provider_id, {pupil_id for pupil_id, _, _ in found})
    opened = desk.vault.try_open_json_many(
        [
            (row.key_id, place_of("pupils", desk.provider_id, number), row.sealed)
            for number, row in rows.items()
        ]
    )
    names = {number: (data or {}).get("provider_ref", "") for number, data in zip(rows, opened, strict=True)}
    return [NotDue(names[pupil_id], ref, why) for pupil_id, ref, why in found]


def ask_about_closures(desk: Desk) -> int:
    """Ask, days ahead, who comes although their school is closed: one task a school and day; give how many there are.

    A placement that says "attends anyway" is not asked about.
    """
    raised = 0
    with desk.store.transaction() as connection:
        for ahead in range(1, AHEAD.days + 1):
            day = desk.today + timedelta(days=ahead)
            for organisation, count in _closed_for(desk, connection, day).items():
                raised += _ask(desk, connection, organisation, day, count)
    return raised


def answer_closure(
    desk: Desk, organisation: str, day: date, by: str, *, away: Iterable[str] = ()
) -> list[Filled]:
    """Keep who stays away on a day on which their school is closed; all others are due as always.

    Raises:
        ClosureError: The school is not closed then.
        NewsError: A pupil has no lesson on that day.
    """
    name, config = named(by), desk.config.organisations.get(organisation)
    why = config.calendar().why_closed(day) if config is not None else ""
    if not why:
        raise ClosureError(
            "This school is not closed on that day.",
            "Nothing was changed.",
            "Check the day, or add the closure to the school's file and run: aphub apply",
        )
    said = Fact(Outcome.NOT_EXPECTED, note=f"school closed: {why}")
    with desk.store.transaction() as connection:
        filled = [
            keep_news(
                desk,
                connection,
                News(pupil, said, Stretch(day, day), Teller.SCHOOL, words=f"school closed: {why}"),
                name,
            )
            for pupil in away
        ]
        result = f"{len(filled)} stay away" if filled else "all come"
        cancelling.finish_task(
            connection, desk.provider_id, ATTENDS_ANYWAY, f"{organisation} {day}", name, result, desk.now
        )
    desk.announce("tell")
    return filled


def _closed_for(desk: Desk, connection: Connection, day: date) -> dict[str, int]:
    """Count, for each school that is closed on a day, its pupils who are due and of whom nobody has said that they come."""
    closed = {
        slug
        for slug, one in desk.config.organisations.items()
        if one.kind == "school" and one.closures and one.calendar().why_closed(day)
    }
    if not closed:
        return {}
    lessons = cancelling.lessons_between(connection, desk.provider_id, day, "00:00", "24:00")
    asked: dict[int, Any] = {
        row.placement_id: row for row in lessons if not row.attends_on_school_closure and row.outcome is None
    }
    told = pupils.recipients_of(connection, desk.provider_id, asked)
    counts: dict[str, int] = {}
    for placement_id in asked:
        schools = {
            row.organisation
            for row in told.get(placement_id, [])
            if row.purpose == Purpose.HOME_SCHOOL and (row.ends_day is None or row.ends_day >= day)
        }
        for organisation in schools & closed:
            counts[organisation] = counts.get(organisation, 0) + 1
    return counts


def _ask(desk: Desk, connection: Connection, organisation: str, day: date, count: int) -> int:
    config = desk.config.organisations[organisation]
    [number], [ref] = allocate(connection, "tasks"), desk.references(1)
    who = "1 pupil is" if count == 1 else f"{count} pupils are"
    words = (
        f"{config.name} is closed on {day_words(day)} ({config.calendar().why_closed(day)}). {who} due here all the "
        f"same. Ask who comes, then: aphub attends {organisation} {day}"
    )
    task = {
        "provider_id": desk.provider_id,
        "task_id": number,
        "ref": ref,
        "kind": ATTENDS_ANYWAY,
        "subject": f"{organisation} {day}",
        "pupil_id": None,
        "organisation": organisation,
        "words": words[:300],
        "due_at": max(desk.now, to_utc(day - timedelta(days=1), time(12))),
        "state": "open",
        "raised_at": desk.now,
    }
    dispatching.open_tasks(connection, [task], lasting=True)
    return 1
