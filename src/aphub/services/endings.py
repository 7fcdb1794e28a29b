"""What ways rest on and what will end: certificates, keys, somebody's word. Told from thirty days before on, not on the day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from aphub.api.papers import Ending
from aphub.domain.calendar import london_day
from aphub.domain.wording import day_words
from aphub.services.desk import Desk

WARN_DAYS = (30, 14, 7, 1)
"""How long before it is told, and then told more loudly (architecture.md section 8)."""


@dataclass(frozen=True, slots=True)
class EndsSoon:
    """One thing that ends within thirty days, or has ended: of which way, in words, and what to do."""

    way: str
    organisation: str
    words: str
    mend: str
    at: datetime


def ends_soon(desk: Desk) -> list[EndsSoon]:
    """Give what ends within thirty days at this provider, the soonest first; what several ways share stands once."""
    now, seen, found = desk.now, set(), []
    for way, organisation, one in _endings(desk):
        if one.at - now > timedelta(days=WARN_DAYS[0]) or (organisation, one) in seen:
            continue
        seen.add((organisation, one))
        found.append(EndsSoon(way, organisation, _words(one, now), one.mend, one.at))
    return sorted(found, key=lambda one: (one.at, one.way))


def _endings(desk: Desk) -> Iterator[tuple[str, str, Ending]]:
    for route in desk.routes.everything():
        for one in route.settings.endings():
            yield f"{route.organisation} {route.channel}", route.organisation, one
        for one in route.connection_settings.endings():
            yield f"connection {route.connection}", "", one


def _words(one: Ending, now: datetime) -> str:
    day = day_words(london_day(one.at))
    if one.at <= now:
        return f"{one.what} ended on {day}. Reports take the next way, or wait."
    days = (one.at - now).days
    when = "within a day" if days < 1 else f"in {days} {'day' if days == 1 else 'days'}"
    last = "Last reminder: " if days < WARN_DAYS[-1] + 1 else "Soon: " if days <= WARN_DAYS[-2] else ""
    text = f"{one.what} ends {when}, on {day}."
    return f"{last}{text}" if last else f"{text[0].upper()}{text[1:]}"
