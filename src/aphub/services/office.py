"""Mail our own office what waits for a person, so that nobody has to go and look for it, and figures when they are due.

What is new leaves at once where its time is near, else together with what comes in the next quarter of an hour; each thing
is told once when it comes up and once more when it is overdue. No pupil is named or pointed at. A message that cannot
leave is tried again, and stands among what waits until it has left.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from sqlalchemy import Connection

from aphub.api.errors import DeliveryError
from aphub.domain.calendar import LONDON
from aphub.domain.errors import AphubError
from aphub.domain.papers import Paper
from aphub.domain.recurring import Occasion, occasions
from aphub.domain.reports import Kind
from aphub.domain.wording import day_words, moment_words
from aphub.logs import get_logger
from aphub.services.beside import going_round
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.letters import Letter
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.services.summaries.for_office import figures_for_office
from aphub.services.trial import HELPS_FOR, Adapters, send_at_once
from aphub.services.waits import Open, waiting
from aphub.store import settling
from aphub.store.engine import recall, remember

TASK = "mail_office"
TOGETHER = timedelta(minutes=15)
"""How long what is not pressing waits for company, and how near the time of a pressing thing is."""
FROM, UNTIL = time(7), time(20)
"""Outside these hours, London time, only what presses is mailed: a reminder helps nobody at half past three."""
FIGURES_FOR = timedelta(days=3)
"""How long after their time figures are still mailed: over a weekend on which the hub was off."""
MOST = 20
"""How many things a message describes; the others it counts."""
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15))
"""When a message is tried again that could not leave: after the first failure, the second, and so on."""
_SUBJECT = "our own office"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LOOK_SECONDS = 15.0
log = get_logger("office")


class NoOfficeError(AphubError):
    """There is no way to our own office."""


class Desks(Adapters, Protocol):
    """Gives the desks too."""

    def serving(self) -> list[Desk]:
        """Give a desk for every provider that is served."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the office knows: the things and the figures it was told, and from when it may be told of things again."""

    things: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()
    next_at: datetime = _LONG_AGO
    failures: int = 0

    @classmethod
    def kept(cls, connection: Connection, desk: Desk) -> "_Told | None":
        text = recall(connection, _fact(desk))
        if text is None:
            return None
        kept = json.loads(text)
        return cls(
            frozenset(kept["things"]),
            frozenset(kept["figures"]),
            datetime.fromisoformat(kept["next_at"]),
            kept["failures"],
        )

    def keep(self, connection: Connection, desk: Desk) -> None:
        kept = {
            "things": sorted(self.things),
            "figures": sorted(self.figures),
            "next_at": self.next_at.isoformat(),
            "failures": self.failures,
        }
        remember(connection, _fact(desk), json.dumps(kept))


@dataclass(frozen=True, slots=True)
class _Due:
    """A letter that is due, and what the office knows once it has left; `things` counts those of a letter of things."""

    letter: Letter
    then: _Told
    things: int = 0


def tell_office(hub: Adapters, desk: Desk) -> str:
    """Mail the office the next thing that is due, what waits before figures; give the message's reference, or nothing."""
    route, now = desk.routes.office, desk.now
    if route is None:
        return ""
    told = _known(desk)
    if told.failures and now < told.next_at:
        return ""
    due = _news(desk, told) or _figures(desk, told)
    if due is None:
        return ""
    with desk.store.transaction() as connection:
        if _Told.kept(connection, desk) != told:
            return ""  # another daemon is telling it
        # Whoever dies from here on has it told again a minute later: rather twice than never.
        failures = max(told.failures, 1)
        replace(told, next_at=now + AGAIN[0], failures=failures).keep(connection, desk)
    try:
        return _send(hub, desk, route, due)
    except (AphubError, DeliveryError, ValueError) as exc:
        log.warning("office.not_told", error=type(exc).__name__, failures=told.failures + 1)
        words = exc.words if isinstance(exc, DeliveryError) else "The message could not be made."
        with desk.store.transaction() as connection:
            pause = AGAIN[min(told.failures, len(AGAIN) - 1)]
            replace(told, next_at=now + pause, failures=told.failures + 1).keep(connection, desk)
            words = f"Our own office could not be mailed what waits. {words} Look here yourselves, and mend [office]."
            open_task(desk, connection, TASK, _SUBJECT, None, words, now)
        return ""


def mail_all_of_it(hub: Adapters, desk: Desk) -> str:
    """Mail the office all that waits, whatever it was told before; give the message's reference, or nothing.

    Raises:
        NoOfficeError: There is no way to it.
        AphubError: The message could not be made.
        DeliveryError: It was not taken.
    """
    route = desk.routes.office
    if route is None:
        raise NoOfficeError(
            f"{desk.config.provider.name} has no way to its own office.",
            "Nothing was sent.",
            "Add [office] to the provider's file, and run: aphub apply",
        )
    told, things = _known(desk), _things(desk)
    return _send(hub, desk, route, _told_of(desk, told, things, things))


def _known(desk: Desk) -> _Told:
    """Give what the office knows; at the first look, figures that were due before there was a way to it count as known."""
    with desk.store.reading() as connection:
        told = _Told.kept(connection, desk)
    if told is None:
        told = _Told(figures=frozenset(one.stretch.key for one in _occasions(desk)))
        with desk.store.transaction() as connection:
            told.keep(connection, desk)
    return told


def _send(hub: Adapters, desk: Desk, route: Route, due: _Due) -> str:
    reference, result = send_at_once(hub, desk, route, due.letter)
    fields = {
        "dispatch": reference,
        "destination": route.destination,
        **({"things": due.things} if due.things else {}),
        "evidence": desk.vault.digest_json({**result.evidence, "reference": result.reference}).hex(),
    }
    with desk.store.transaction() as connection:
        due.then.keep(connection, desk)
        settling.finish_tasks_of(
            connection, desk.provider_id, TASK, _SUBJECT, desk.now, "the hub", f"told as {reference}"
        )
        record(connection, desk, [Statement("office.told", reference, fields)])
    return reference


def _things(desk: Desk) -> list[Open]:
    """Give what waits, the nearest first; that the office cannot be told is not for this message to say."""
    last = datetime.max.replace(tzinfo=UTC)
    waits = (one for one in waiting(desk, for_mail=True) if one.kind != TASK)
    return sorted(waits, key=lambda one: one.due or last)


def _news(desk: Desk, told: _Told) -> _Due | None:
    """Give what waits and is new, when it is time for it."""
    now, things = desk.now, _things(desk)
    fresh = [one for one in things if not _keys(one, now) <= told.things]
    can_wait = now < told.next_at or not FROM <= now.astimezone(LONDON).time() < UNTIL
    if not fresh or (can_wait and not any(_presses(one, now) for one in fresh)):
        return None
    return _told_of(desk, told, fresh, things)


def _told_of(desk: Desk, told: _Told, fresh: Sequence[Open], things: Sequence[Open]) -> _Due:
    lines = [line for one in fresh[:MOST] for line in _lines(one)]
    if len(fresh) > MOST:
        lines.append(f"And {len(fresh) - MOST} more.")
    older = len(things) - len(fresh)
    told_before = f", beside {older} of which you know" if older else ""
    many = {0: "Nothing waits", 1: "1 thing waits"}.get(len(fresh), f"{len(fresh)} things wait")
    notes = (f"{many} for a person{told_before}.", *lines, "See them all: aphub waiting")
    letter = _letter(desk, Kind.TASKS, desk.today.isoformat(), day_words(desk.today), notes=notes)
    keys = frozenset(key for one in things for key in _keys(one, desk.now))
    return _Due(letter, _Told(keys, told.figures, desk.now + TOGETHER), len(fresh))


def _figures(desk: Desk, told: _Told) -> _Due | None:
    """Give the next figures that are due."""
    due = [one.stretch for one in _occasions(desk)]
    stretch = next((one for one in due if one.key not in told.figures), None)
    if stretch is None:
        return None
    paper = figures_for_office(desk, stretch)
    letter = _letter(desk, Kind.FIGURES, stretch.key, stretch.words, papers=(paper, paper))
    known = {one.key for one in due} & told.figures | {stretch.key}
    return _Due(letter, replace(told, figures=frozenset(known), failures=0))


def _occasions(desk: Desk) -> list[Occasion]:
    office, calendar = desk.config.provider.office, desk.config.provider.calendar()
    return [
        one
        for terms in (office.summaries if office is not None else ())
        for one in occasions(terms.recurring(), calendar, desk.now - FIGURES_FOR, desk.now)
    ]


def _letter(
    desk: Desk,
    kind: Kind,
    key: str,
    words: str,
    *,
    notes: tuple[str, ...] = (),
    papers: tuple[Paper, ...] = (),
) -> Letter:
    [thread_ref], now = desk.references(1), desk.now
    return Letter(
        thread_id=0,
        thread_ref=thread_ref,
        number=1,
        kind=kind,
        period=key,
        period_words=words,
        due_by=now,
        useful_until=now + HELPS_FOR,
        reports=(),
        made_at=now,
        notes=notes,
        papers=papers,
    )


def _lines(one: Open) -> Iterator[str]:
    by = f" By {moment_words(one.due)}." if one.due else ""
    yield f"{one.ref}: {one.words}{by}"
    if one.mend:
        yield f"  {one.mend}"


def _keys(one: Open, now: datetime) -> frozenset[str]:
    """Name a thing as it stands: it is another one to tell of when its time has passed."""
    late = "!" if one.due is not None and one.due <= now else ""
    return frozenset(f"{ref}{late}" for ref in one.refs)


def _presses(one: Open, now: datetime) -> bool:
    return one.due is not None and abs(one.due - now) <= TOGETHER


def _fact(desk: Desk) -> str:
    return f"office {desk.provider_id}"


def tell_offices(hub: Desks) -> None:
    """Mail every provider's office what is new, when it is time."""
    for desk in hub.serving():
        try:
            tell_office(hub, desk)
        except Exception:
            # One provider's trouble must not keep another's office from hearing.
            log.exception("office.failed")


def telling_offices(
    hub: Desks, stop: threading.Event, *, wanted: bool = True
) -> AbstractContextManager[None]:
    """Do so again and again while the daemon runs."""
    return going_round("office", _LOOK_SECONDS, stop, lambda _: tell_offices(hub), wanted=wanted)
