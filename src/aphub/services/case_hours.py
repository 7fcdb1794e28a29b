"""Weekly hours: who has more or fewer lessons planned than the provider's limit, judged each evening for the next week.

What is planned is counted, so that a limit is noticed before the week, and not when its hours have been taught.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.ladders import Ladder, Trigger
from aphub.domain.papers import Hours
from aphub.services.case_keeping import StepNow
from aphub.services.case_raising import Low, clear_where
from aphub.services.desk import Desk
from aphub.services.figures import week_of
from aphub.store import figures, following
from aphub.store.figures import Planned

AGAIN_AFTER = timedelta(days=28)
"""A timetable past a limit stays so: it is raised again only after this long."""

_MENDED = "the hours are within the limit"
_WEEK = timedelta(weeks=1)
_SCHOOL_DAYS = 5


def hours_passed(desk: Desk, connection: Connection, day: date) -> list[Low]:
    """Give whose hours planned for the next week are past a limit, and were not lately raised."""
    found = []
    for ladder, planned in _judged(desk, connection, day):
        past = {one.pupil_id: one for one in planned if _is_past(ladder, one)}
        since = day - AGAIN_AFTER
        before = following.raised_since(
            connection, desk.provider_id, past, [ladder.name], since, mended=_MENDED
        )
        known = {pupil_id for pupil_id, _, _ in before}
        found += [
            Low(ladder, one.pupil_id, one.placement_id, _words(one))
            for one in past.values()
            if one.pupil_id not in known
        ]
    return found


def clear_hours(desk: Desk, connection: Connection, day: date) -> None:
    """Clear the steps of pupils whose hours have been brought within the limit since."""
    within = {
        (ladder.name, one.pupil_id)
        for ladder, planned in _judged(desk, connection, day)
        for one in planned
        if not ladder.passed(one.minutes)
    }

    def because(case: Row[Any], step: StepNow) -> str:
        return _MENDED if (step.ladder, case.pupil_id) in within else ""

    if within:
        clear_where(desk, connection, Trigger.WEEKLY_HOURS, desk.today - AGAIN_AFTER, because)


def _judged(desk: Desk, connection: Connection, day: date) -> list[tuple[Ladder, list[Planned]]]:
    """Give the ladders that can be judged for the next week, each with what is planned."""
    ladders = [one for one in desk.config.provider.every_ladder() if one.when is Trigger.WEEKLY_HOURS]
    if not ladders:
        return []
    monday, until = week_of(day + _WEEK)
    calendar = desk.config.provider.calendar()
    whole = all(calendar.is_open(monday + timedelta(days=number)) for number in range(_SCHOOL_DAYS))
    planned = figures.planned_minutes(connection, desk.provider_id, monday, until)
    # A closure makes every week short, and nobody can mend that.
    return [(ladder, planned) for ladder in ladders if whole or ladder.fewer_than is None]


def _is_past(ladder: Ladder, one: Planned) -> bool:
    """Say whether a pupil's hours are past the limit; who begins or ends in the week has fewer for that reason alone."""
    return ladder.passed(one.minutes) and not (one.partly and ladder.fewer_than is not None)


def _words(one: Planned) -> str:
    return f"{Hours(one.minutes)} planned in the week of {one.first_day.day} {one.first_day:%B}"
