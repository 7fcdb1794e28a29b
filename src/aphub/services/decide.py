"""Decide what to tell now: alerts at once, routine reports when agreed, then updates and corrections.

A look reads everything, outside any writing transaction; composing follows; one transaction keeps the result. What
changed in between is left for the next look.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from aphub.domain.agreements import Agreement, Send
from aphub.domain.calendar import london_day
from aphub.domain.entries import Half, SessionEntry
from aphub.domain.reports import Kind
from aphub.domain.threads import alert_lines, changes, gather_for, is_found, is_urgent_line, news_kind
from aphub.services.desk import Desk
from aphub.services.look import NOT_TOLD, Look, Story, Told, is_complete, lessons_of, newest_entry, story_of
from aphub.services.provenance import sourced_changes

RELEASED = "released by a person"
"""Why a report leaves however late it is."""

MAY_HAVE_IT = "released by a person; they may have it already"
"""Why a report leaves whose fate a restore left unknown: its message says so."""

UNKNOWN = "unknown since a restore"
"""Why a report waits for a person: it may have been sent between a backup and the loss of what came after it."""

TOO_LATE = "more than two hours late"
"""Why a report is held until a person says that it still helps."""

ASK_AFTER = timedelta(hours=2)
"""How late a routine report may be before a person is asked whether it still helps."""

_ROUTINE = Kind.ROUTINE  # looked up once: an enumeration is slow to give its members

ALERT_LEAD = timedelta(minutes=2)
"""How long before its promise of 15 minutes an alert about a missing register leaves."""


@dataclass(slots=True)
class Part:
    """One owed report's part of a message that is about to be made; in a calm one no line is urgent."""

    row: Row[Any]
    agreement: Agreement
    lines: tuple[SessionEntry, ...]
    told: tuple[SessionEntry, ...]
    changes: list[str]
    place: str
    staff: str
    urgent: bool
    calm: bool = False

    def urgent_lines(self) -> list[SessionEntry]:
        """Give the lines that somebody must act on now: not of a pupil who was found."""
        if self.calm:
            return []
        return [line for line in self.lines if is_urgent_line(line) and not is_found(line)]


@dataclass(slots=True)
class Decision:
    """What one look decided: parts by thread and kind, and when to look at the others again."""

    parts: dict[tuple[int, Kind], list[Part]] = field(default_factory=lambda: defaultdict(list))
    looks: list[dict[str, Any]] = field(default_factory=list)
    suppressed: list[tuple[Row[Any], tuple[SessionEntry, ...]]] = field(default_factory=list)
    stale: list[Row[Any]] = field(default_factory=list)
    unknown: list[Row[Any]] = field(default_factory=list)


def decide(desk: Desk, look: Look) -> Decision:
    """Decide for every owed report of a look: its routine report, an alert, an update, a correction, or nothing."""
    decision = Decision()
    by_thread: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in look.owed:
        by_thread[row.thread_id].append(row)
    for rows in by_thread.values():
        waiting = [row for row in rows if row.state == "owed" and not row.suppressed]
        # Only what may leave before its time asks whether every register of the thread has been taken.
        complete = any(look.now < row.send_at for row in waiting) and all(
            is_complete(look, row) for row in waiting
        )
        for row in rows:
            if row.suppressed:
                # It never leaves, but what is urgent must reach a person who may tell it.
                story = story_of(desk, look, row, lessons_of(look, row), missing_after=ALERT_LEAD)
                decision.suppressed.append((row, story.news_since(())))
            else:
                _decide_one(desk, look, decision, row, complete=complete)
    for parts in decision.parts.values():
        for part in parts:
            if part.changes:
                part.changes = sourced_changes(desk, look, part.row, part.lines)
    return decision


def _decide_one(desk: Desk, look: Look, decision: Decision, row: Row[Any], *, complete: bool) -> None:
    agreement = look.agreement(desk, row)
    if agreement is None:
        decision.looks.append(_no_look(row))
        return
    told = look.told.get(row.owed_id, NOT_TOLD)
    inside = lessons_of(look, row)
    if row.state == "held" and row.because == UNKNOWN:
        # Nothing leaves blindly; but news that concerns a child's safety reaches them by phone.
        if story_of(desk, look, row, inside, missing_after=ALERT_LEAD).news_since(told.lines):
            decision.unknown.append(row)
        else:
            decision.looks.append(_no_look(row))
        return
    if row.state == "owed" or (row.state == "held" and not told.routine):
        early = complete and agreement.send is Send.WHEN_COMPLETE and london_day(look.now) >= row.first_day
        if look.now >= row.send_at or early:
            _routine(desk, look, decision, row, agreement, told, inside)
            return
        story = story_of(desk, look, row, inside, missing_after=ALERT_LEAD)
        if urgent := story.news_since(told.lines):
            _alert(decision, row, agreement, told, story, urgent)
        else:
            decision.looks.append({"key": row.owed_id, "look_at": row.send_at})
        return
    story = story_of(desk, look, row, inside, missing_after=ALERT_LEAD)
    kind = news_kind(told.lines, story.lines) if story.lines else None
    if kind is None:
        decision.looks.append(_no_look(row))
        return
    ready = newest_entry(look, inside) + gather_for(kind, told.lines, story.lines)
    if ready > look.now:
        decision.looks.append({"key": row.owed_id, "look_at": ready})
        return
    decision.parts[row.thread_id, kind].append(_part(row, agreement, told, story, story.lines, story.lines))


def _no_look(row: Row[Any]) -> dict[str, Any]:
    return {"key": row.owed_id, "look_at": None}


def _routine(
    desk: Desk,
    look: Look,
    decision: Decision,
    row: Row[Any],
    agreement: Agreement,
    told: Told,
    inside: Sequence[Row[Any]],
) -> None:
    """Decide about a report whose time has come."""
    story = story_of(desk, look, row, inside, missing_after=timedelta())
    if not story.lines:
        first = min((one.starts_at for one in inside), default=None)
        decision.looks.append({"key": row.owed_id, "look_at": first and max(first, look.now + ALERT_LEAD)})
        return
    if _is_stale(look, row, story):
        decision.stale.append(row)
        return
    urgent = story.news_since(told.lines)
    if urgent and _may_write_register(desk, row, agreement):
        # A person reads it first; the routine report, which may go into a register, follows.
        _alert(decision, row, agreement, told, story, urgent)
        return
    decision.parts[row.thread_id, _ROUTINE].append(
        _part(row, agreement, told, story, story.lines, story.lines)
    )


def _alert(
    decision: Decision,
    row: Row[Any],
    agreement: Agreement,
    told: Told,
    story: Story,
    urgent: tuple[SessionEntry, ...],
) -> None:
    cumulative = _merged(told.lines, urgent)
    decision.parts[row.thread_id, Kind.ALERT].append(_part(row, agreement, told, story, urgent, cumulative))


def _may_write_register(desk: Desk, row: Row[Any], agreement: Agreement) -> bool:
    return any(
        route.adapter.writes_register for route in desk.routes.of(row.organisation, agreement.channels)
    )


def _is_stale(look: Look, row: Row[Any], story: Story) -> bool:
    """Say whether a person must agree before so late a report leaves; what concerns a child's safety always leaves."""
    if look.now <= row.due_by or row.because in {RELEASED, MAY_HAVE_IT} or story.urgent:
        return False
    return bool(look.now > min(row.due_by + ASK_AFTER, row.useful_until))


def _part(
    row: Row[Any],
    agreement: Agreement,
    told: Told,
    story: Story,
    lines: tuple[SessionEntry, ...],
    cumulative: tuple[SessionEntry, ...],
) -> Part:
    before = [line for line in told.lines if any(_same(line, now) for now in lines)]
    return Part(
        row=row,
        agreement=agreement,
        lines=lines,
        told=cumulative,
        changes=changes(before, lines) if before else [],
        place=story.place,
        staff=story.staff,
        urgent=story.urgent and bool(alert_lines(told.lines, lines)),
        calm=not story.urgent,
    )


def _same(one: SessionEntry, other: SessionEntry) -> bool:
    return (one.day, one.half) == (other.day, other.half)


def _merged(told: Iterable[SessionEntry], lines: Sequence[SessionEntry]) -> tuple[SessionEntry, ...]:
    kept = [line for line in told if not any(_same(line, now) for now in lines)]
    return tuple(sorted([*kept, *lines], key=lambda line: (line.day, list(Half).index(line.half))))
