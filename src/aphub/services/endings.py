"""What ways rest on and what will end: certificates, keys, secrets, somebody's word. Told from thirty days before on.

It is a task, raised anew at 30, 14, 7 and 1 days before and when it has ended, and one at a time; whoever has done it is left
alone until the next of these, and it is cleared when what ends has been renewed.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from aphub.api.papers import Ending
from aphub.domain.calendar import london_day, to_utc
from aphub.domain.wording import day_words
from aphub.services.desk import Desk
from aphub.services.soundness import references
from aphub.store import dispatching, reminding
from aphub.store.engine import allocate

TASK = "ending"
_WAY = 100
WARN_DAYS = (30, 14, 7, 1)
"""How long before it is told, and then told more loudly."""


@dataclass(frozen=True, slots=True)
class EndsSoon:
    """One thing that ends within thirty days, or has ended: of which way, in words, and what to do."""

    way: str
    organisation: str
    what: str
    words: str
    mend: str
    at: datetime

    def subject(self, now: datetime) -> str:
        """Name it and how near it is, for its task: the name changes when it is to be told more loudly."""
        left = self.at - now
        stage = next((days for days in reversed(WARN_DAYS) if left <= timedelta(days=days)), WARN_DAYS[0])
        text = f"{self.what} {self.at.isoformat()}"
        which = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"{self.way[:_WAY]} {which}/{stage if left > timedelta() else 0}"


def ends_soon(desk: Desk) -> list[EndsSoon]:
    """Give what ends within thirty days at this provider, the soonest first; what several ways share stands once."""
    now, seen, found = desk.now, set(), []
    for way, organisation, one in _endings(desk):
        if one.at - now > timedelta(days=WARN_DAYS[0]) or (organisation, one) in seen:
            continue
        seen.add((organisation, one))
        found.append(EndsSoon(way, organisation, one.what, _words(one, now), one.mend, one.at))
    return sorted(found, key=lambda one: (one.at, one.way))


def _endings(desk: Desk) -> Iterator[tuple[str, str, Ending]]:
    for route in desk.routes.everything():
        for one in route.settings.endings():
            yield f"{route.organisation} {route.channel}", route.organisation, one
        for one in route.connection_settings.endings():
            yield f"connection {route.connection}", "", one

    ends = desk.vault.secret_ends()
    for name, connection in desk.config.provider.connections.items():
        for _, secret in references(connection.settings()):
            end = ends.get(secret)
            if end is not None:
                mend = f"Get a new one, then run: aphub secret set {secret}"
                yield f"connection {name}", "", Ending(f"the secret '{secret}'", to_utc(end, time()), mend)


def warn(desk: Desk) -> int:
    """Keep one open task for each of what will end, at its newest stage; give how many there are to be."""
    now, soon = desk.now, ends_soon(desk)
    wanted = {one.subject(now): one for one in soon}
    with desk.store.transaction() as connection:
        reminding.clear_others(connection, desk.provider_id, TASK, set(wanted), now)
        if not wanted:
            return 0
        numbers, refs = allocate(connection, "tasks", len(wanted)), desk.references(len(wanted))
        tasks = [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": TASK,
                "subject": subject,
                "pupil_id": None,
                "organisation": one.organisation or None,
                "words": f"{one.way}: {one.what} {_ends(one.at, now)}. {one.mend.rstrip('.')}."[:300],
                "due_at": max(one.at, now),
                "state": "open",
                "raised_at": now,
            }
            for (subject, one), number, ref in zip(wanted.items(), numbers, refs, strict=True)
        ]
        dispatching.open_tasks(connection, tasks, lasting=True)
    return len(wanted)


def _ends(at: datetime, now: datetime) -> str:
    return f"{'ended' if at <= now else 'ends'} on {day_words(london_day(at))}"


def _words(one: Ending, now: datetime) -> str:
    day = day_words(london_day(one.at))
    if one.at <= now:
        return f"{one.what} ended on {day}. Reports take the next way, or wait."
    days = (one.at - now).days
    when = "within a day" if days < 1 else f"in {days} {'day' if days == 1 else 'days'}"
    last = "Last reminder: " if days < WARN_DAYS[-1] + 1 else "Soon: " if days <= WARN_DAYS[-2] else ""
    text = f"{one.what} ends {when}, on {day}."
    return f"{last}{text}" if last else f"{text[0].upper()}{text[1:]}"
