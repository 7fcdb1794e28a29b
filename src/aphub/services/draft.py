"""What an organisation would be sent now: a draft, made as the real message is made, and kept nowhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, Row

from aphub.api.adapters import Document
from aphub.domain.errors import AphubError
from aphub.domain.placements import Pupil
from aphub.domain.reports import Kind, Report
from aphub.domain.wording import day_words, period_words
from aphub.services.accesses import What, note
from aphub.services.decide import RELEASED, Part, decide
from aphub.services.desk import Desk
from aphub.services.letters import Letter, compose
from aphub.services.look import Look
from aphub.services.share_out import report_on
from aphub.services.tell import pupils_of
from aphub.store import channels as channel_rows
from aphub.store import looking, settling


class NoWayError(AphubError):
    """What is owed cannot be made into a message."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One message as it would be now, by the channel that would carry it if all were live."""

    channel: str
    period: str
    documents: tuple[Document, ...]


def meant(desk: Desk, reference: str) -> tuple[str, list[date]] | str:
    """Give whose drafts of which days are meant by the reference of what is owed, or of a task about it.

    Where it is held, all days are meant that the same school or council is held for the same reason: what a person
    decides or tells at once. Where that task is about a message, or it is no such reference at all, a message's
    reference is given.
    """
    ref = reference.strip().upper()
    with desk.store.reading() as connection:
        about = settling.asked_about(connection, desk.provider_id, ref) or ref
        owed = looking.owed_called(connection, desk.provider_id, about)
        if owed is None:
            return about
        days = {owed.first_day}
        if owed.state == "held":
            like = settling.held_like(connection, desk.provider_id, owed.recipient_id, owed.because)
            days |= {one.first_day for one in like}
    return owed.organisation, sorted(days)


def drafts(desk: Desk, organisation: str, day: date | None = None, by: str = "") -> list[Draft]:
    """Make the routine messages that an organisation would be sent for a day, from what is known now; what is held too.

    Lessons whose register is not in stand as "register not yet taken". Nothing is kept, and nothing is sent. Where
    somebody is named, it is noted that they saw these pupils.

    Raises:
        AphubError: There is no such organisation, or it has no channel.
        NoWayError: None of its channels can carry what is owed.
    """
    day = day or desk.today
    routes = desk.routes.of(organisation)
    if not routes:
        known = ", ".join(sorted(desk.config.organisations)) or "none"
        raise AphubError(f"There is no way to '{organisation}'.", "", f"Schools and councils: {known}.")
    with desk.store.reading() as connection:
        threads = looking.threads_of(connection, desk.provider_id, organisation, day)
        look = _look(desk, connection, threads)
        ways = {row.name: row for row in channel_rows.every(connection, desk.provider_id, organisation)}
    if look is None:
        return []
    decision = decide(desk, look)
    pupils = pupils_of(desk, [part.row for parts in decision.parts.values() for part in parts])
    _note_who_looks(desk, organisation, day, by, pupils)
    made = []
    for thread in threads:
        for kind in (Kind.ALERT, Kind.ROUTINE):
            parts = [
                part
                for part in decision.parts.get((thread.thread_id, kind), [])
                if part.row.pupil_id in pupils
            ]
            by_channel = _by_channel(desk, organisation, kind, parts, pupils)
            for route in (route for route in routes if route.channel in by_channel):
                password = desk.file_password(ways[route.channel]) or "draft"
                letter = _letter(desk, thread, kind, by_channel[route.channel])
                composed = compose(desk, letter, route, file_password=password)
                made.append(Draft(route.channel, letter.period_words, composed.documents))
    if not made and decision.parts:
        raise NoWayError(
            f"No way to {desk.name_of(organisation)} can carry what is owed for {day_words(day)}.",
            "",
            "See what is wrong: aphub channels, and what is known of a pupil's day: aphub explain",
        )
    return made


def _by_channel(
    desk: Desk, organisation: str, kind: Kind, parts: Iterable[Part], pupils: Mapping[int, Pupil]
) -> dict[str, list[tuple[Part, Report]]]:
    """Share parts out to the first way of each that can carry it; what is urgent to one that a person reads."""
    found: dict[str, list[tuple[Part, Report]]] = {}
    for part in parts:
        report = report_on(part, pupils[part.row.pupil_id], desk.references(1)[0])
        for route in desk.routes.of(organisation, part.agreement.channels):
            read = kind is not Kind.ALERT or not route.adapter.writes_register
            if read and not route.why_not(report, part.agreement.may_write, desk.now):
                found.setdefault(route.channel, []).append((part, report))
                break
    return found


def _note_who_looks(desk: Desk, organisation: str, day: date, by: str, pupils: Iterable[int]) -> None:
    if by and pupils:
        note(desk, What.DOCUMENTS, f"draft for {organisation} {day.isoformat()}", by, pupils)


def _look(desk: Desk, connection: Connection, threads: list[Row[Any]]) -> Look | None:
    """Look at what is still owed in these threads as if its time had come."""
    look = Look.of(desk, connection, desk.now, threads)
    # As if somebody had released what is held: whoever must decide or phone reads what it would say.
    look.owed = [
        cast("Row[Any]", SimpleNamespace(**{**row._asdict(), "state": "owed", "because": RELEASED}))
        for row in look.owed
        if row.state in {"owed", "held"}
    ]
    if not look.owed:
        return None
    look.now = max(desk.now, *(row.send_at for row in look.owed))
    return look


def _letter(desk: Desk, thread: Row[Any], kind: Kind, some: Sequence[tuple[Part, Report]]) -> Letter:
    rows = [part.row for part, _ in some]
    return Letter(
        thread_id=thread.thread_id,
        thread_ref=thread.ref,
        number=thread.last_number + 1,
        kind=kind,
        period=thread.period,
        period_words=period_words(rows[0].first_day, rows[0].until_day, rows[0].half),
        due_by=min(row.due_by for row in rows),
        useful_until=max(row.useful_until for row in rows),
        reports=tuple(report for _, report in some),
        made_at=desk.now,
    )
