"""How a day stands for each school and council, and what waits for a person: in the words that people read."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from aphub.domain.calendar import to_utc
from aphub.domain.wording import time_words
from aphub.services.desk import Desk
from aphub.store import standings as kept

RUNG_WORDS = {
    "handed_over": "sent, their server took it",
    "accepted": "their system has it",
    "confirmed": "confirmed by a person",
    "bounced": "came back",
}
WAY_WORDS = {
    "email": ("email", "emails"),
    **dict.fromkeys(("drop", "folder"), ("file", "files")),
    "phone": ("call", "calls"),
    **dict.fromkeys(("arbor", "rest", "wonde", "xporter"), ("into register", "into register")),
}
QUESTION_WORDS = {
    "unmapped": "a word that is not among your words",
    "retired": "a letter that stopped being used",
    "ambiguous": "a mark that can mean two things",
    "needs_reason": "an absence explained, but not how",
    "needs_minutes": "minutes are missing",
    "contradiction": "a mark that contradicts itself",
    "no_pupil": "a pupil whom we do not know",
    "not_placed": "a pupil who is not placed here on that day",
    "several_pupils": "a number or name that fits several pupils",
    "upn_differs": "a UPN that is not the one we have",
    "no_lesson": "no lesson at that time",
    "several_lessons": "several lessons that it could be about",
    "date": "a date that we cannot read",
    "row": "a row that we cannot read",
}


@dataclass(slots=True)
class Standing:
    """One organisation's day: reports owed and met, messages by way and how far they got."""

    organisation: str
    name: str
    owed: int = 0
    met: int = 0
    on_time: int = 0
    held: int = 0
    ways: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a person, and since or until when."""

    provider: str
    title: str
    words: str
    due: str = ""


def day_of(desk: Desk, day: date) -> list[Standing]:
    """Say how a day stands for every organisation of a provider that is owed something on it."""
    after, before = to_utc(day, time()), to_utc(day + timedelta(days=1), time())
    found: dict[str, Standing] = {}
    with desk.store.reading() as connection:
        for row in kept.owed_on(connection, desk.provider_id, day):
            found[row.organisation] = Standing(
                row.organisation,
                desk.name_of(row.organisation),
                row.owed,
                row.met,
                row.on_time,
                row.held,
            )
        for row in kept.sent_between(connection, desk.provider_id, after, before):
            one = found.setdefault(
                row.organisation,
                Standing(row.organisation, desk.name_of(row.organisation)),
            )
            one.ways[row.adapter, row.rung] += row.messages
    return list(found.values())


def waiting(desk: Desk) -> list[Open]:
    """Give everything that waits for a person at one provider: what to do, what to decide, what to answer."""
    name = desk.config.provider.name
    with desk.store.reading() as connection:
        tasks = kept.open_tasks(connection, desk.provider_id)
        holds = kept.open_holds(connection, desk.provider_id)
        questions = kept.open_questions(connection, desk.provider_id)
    return [
        *(Open(name, "To do", row.words, time_words(row.due_at)) for row in tasks),
        *(Open(name, "Waiting for you", row.words) for row in holds),
        *(Open(name, _marks(row.marks), _why_unread(row.kind)) for row in questions),
    ]


def way_words(adapter: str, count: int) -> str:
    """Say by what way and how often: "3 emails"."""
    one, many = WAY_WORDS.get(adapter, (f"by {adapter}", f"by {adapter}"))
    return f"{count} {one if count == 1 else many}"


def _marks(count: int) -> str:
    return f"{count} {'mark' if count == 1 else 'marks'} we could not read"


def _why_unread(kind: str) -> str:
    why = QUESTION_WORDS.get(kind, kind.replace("_", " "))
    return f"{why[0].upper()}{why[1:]}."


def merged(desks_days: list[list[Standing]]) -> list[Standing]:
    """Join the days of several providers by organisation, for whoever watches all of them."""
    joined: dict[str, Standing] = {}
    for one in (standing for day in desks_days for standing in day):
        known = joined.setdefault(one.organisation, Standing(one.organisation, one.name))
        known.owed += one.owed
        known.met += one.met
        known.on_time += one.on_time
        known.held += one.held
        known.ways += one.ways
    return sorted(joined.values(), key=lambda one: one.name)
