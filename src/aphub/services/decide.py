"""Decide what to tell now: alerts at once, routine reports when agreed, then updates and corrections.

A look reads everything, outside any writing transaction; composing follows; one transaction keeps the result. What
changed in between is left for the next look.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import Agreement, Send, urgent_by
from aphub.domain.calendar import london_day
from aphub.domain.entries import Action, Entry, Fact, Half, SessionEntry
from aphub.domain.fold import RecipientContext, fold_day
from aphub.domain.outcomes import Outcome
from aphub.domain.placements import ArrangedBy, Purpose, Registration
from aphub.domain.reports import Kind
from aphub.domain.threads import alert_lines, changes, gather_for, is_urgent_line, news_kind
from aphub.services.desk import Desk, place_of
from aphub.store import telling
from aphub.store.frozen import lines_from_data

RELEASED = "released by a person"
"""Why a report leaves however late it is."""

ASK_AFTER = timedelta(hours=2)
"""How late a routine report may be before a person is asked whether it still helps."""

ALERT_LEAD = timedelta(minutes=2)
"""How long before its promise of 15 minutes an alert about a missing register leaves."""


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told of one owed report so far; `said` may hold the free words that a line does not."""

    lines: tuple[SessionEntry, ...] = ()
    routine: bool = False


@dataclass(slots=True)
class Part:
    """One owed report's part of a message that is about to be made."""

    row: Row[Any]
    agreement: Agreement
    lines: list[SessionEntry]
    told: list[SessionEntry]
    changes: list[str]
    place: str
    staff: str
    urgent: bool


@dataclass(slots=True)
class Decision:
    """What one look decided: parts by thread and kind, and when to look at the others again."""

    parts: dict[tuple[int, Kind], list[Part]] = field(default_factory=lambda: defaultdict(list))
    looks: list[dict[str, Any]] = field(default_factory=list)
    suppressed: list[Row[Any]] = field(default_factory=list)
    stale: list[Row[Any]] = field(default_factory=list)


@dataclass(slots=True)
class Look:
    """All that one look at some threads reads from the store."""

    now: datetime
    threads: list[Row[Any]]
    owed: list[Row[Any]]
    lessons: dict[int, list[telling.KeptLesson]]
    told: dict[int, Told]
    sealed: dict[int, dict[str, Any]]
    folded: dict[tuple[Any, ...], list[SessionEntry]] = field(default_factory=dict)

    @classmethod
    def read(cls, desk: Desk, connection: Connection, now: datetime, limit: int) -> "Look":
        """Read the most pressing threads with their owed reports, lessons, entries and what was told."""
        threads = telling.threads_to_look_at(connection, desk.provider_id, now, limit)
        return cls.of(desk, connection, now, threads)

    @classmethod
    def of(cls, desk: Desk, connection: Connection, now: datetime, threads: list[Row[Any]]) -> "Look":
        """Read what these threads hold."""
        if not threads:
            return cls(now, [], [], {}, {}, {})
        owed = telling.owed_in(connection, desk.provider_id, [row.thread_id for row in threads])
        days = [day for row in owed for day in (row.first_day, row.until_day)]
        lessons = (
            telling.lessons_with_entries(
                connection, desk.provider_id, sorted({row.placement_id for row in owed}), min(days), max(days)
            )
            if owed
            else {}
        )
        newest = telling.newest_reports(
            connection, desk.provider_id, [row.owed_id for row in owed if row.version]
        )
        return cls(now, threads, owed, lessons, _told(desk, newest), _sealed_in_entries(desk, lessons))


def _told(desk: Desk, newest: dict[int, Row[Any]]) -> dict[int, Told]:
    rows = list(newest.values())
    opened = desk.vault.open_json_many(
        [(row.key_id, place_of("reports", desk.provider_id, row.report_id), row.sealed) for row in rows]
    )
    return {
        row.owed_id: Told(
            lines_from_data(data["lines"] if data["told"] is None else data["told"]),
            routine=row.kind != Kind.ALERT,
        )
        for row, data in zip(rows, opened, strict=True)
    }


def _sealed_in_entries(desk: Desk, lessons: dict[int, list[telling.KeptLesson]]) -> dict[int, dict[str, Any]]:
    rows = [
        one.entry for some in lessons.values() for one in some if one.entry is not None and one.entry.sealed
    ]
    opened = desk.vault.open_json_many(
        [(row.key_id, place_of("entries", desk.provider_id, row.entry_id), row.sealed) for row in rows]
    )
    return {row.entry_id: data for row, data in zip(rows, opened, strict=True)}


def decide(desk: Desk, look: Look) -> Decision:
    """Decide for every owed report of a look: its routine report, an alert, an update, a correction, or nothing."""
    decision = Decision()
    by_thread: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in look.owed:
        by_thread[row.thread_id].append(row)
    for rows in by_thread.values():
        waiting = [row for row in rows if row.state == "owed" and not row.suppressed]
        complete = all(_is_complete(look, row) for row in waiting)
        for row in rows:
            if row.suppressed:
                decision.suppressed.append(row)
            else:
                _decide_one(desk, look, decision, row, complete=complete)
    return decision


def _decide_one(desk: Desk, look: Look, decision: Decision, row: Row[Any], *, complete: bool) -> None:
    agreement = desk.config.agreement_on(row.agreement, row.organisation, row.first_day)
    if agreement is None:
        decision.looks.append({"key": row.owed_id, "look_at": None})
        return
    told = look.told.get(row.owed_id, Told())
    if row.state == "owed" or (row.state == "held" and not told.routine):
        early = agreement.send is Send.WHEN_COMPLETE and complete and london_day(look.now) >= row.first_day
        if look.now >= row.send_at or early:
            lines = _lines(desk, look, row, missing_after=timedelta())
            if lines and _is_stale(look, row, lines):
                decision.stale.append(row)
                return
            if alert_lines(told.lines, lines) and _may_write_register(desk, row, agreement):
                # A person reads it first; the routine report, which may go into a register, follows.
                _alert(look, decision, row, agreement, lines, told)
                return
            if lines:
                decision.parts[row.thread_id, Kind.ROUTINE].append(
                    _part(look, row, agreement, lines, told, lines)
                )
                return
            first = min((one.value.starts_at for one in _inside(look, row)), default=None)
            decision.looks.append(
                {"key": row.owed_id, "look_at": first and max(first, look.now + ALERT_LEAD)}
            )
            return
        lines = _lines(desk, look, row, missing_after=ALERT_LEAD)
        if alert_lines(told.lines, lines):
            _alert(look, decision, row, agreement, lines, told)
        else:
            decision.looks.append({"key": row.owed_id, "look_at": row.send_at})
        return
    lines = _lines(desk, look, row, missing_after=ALERT_LEAD)
    kind = news_kind(told.lines, lines) if lines else None
    if kind is None:
        decision.looks.append({"key": row.owed_id, "look_at": None})
        return
    ready = _newest_entry(look, row) + gather_for(kind, told.lines, lines)
    if ready > look.now:
        decision.looks.append({"key": row.owed_id, "look_at": ready})
        return
    decision.parts[row.thread_id, kind].append(_part(look, row, agreement, lines, told, lines))


def _alert(
    look: Look,
    decision: Decision,
    row: Row[Any],
    agreement: Agreement,
    lines: Sequence[SessionEntry],
    told: Told,
) -> None:
    urgent = alert_lines(told.lines, lines)
    cumulative = _merged(told.lines, urgent)
    decision.parts[row.thread_id, Kind.ALERT].append(_part(look, row, agreement, urgent, told, cumulative))


def _may_write_register(desk: Desk, row: Row[Any], agreement: Agreement) -> bool:
    return any(
        route.adapter.writes_register for route in desk.routes.of(row.organisation, agreement.channels)
    )


def _is_stale(look: Look, row: Row[Any], lines: Sequence[SessionEntry]) -> bool:
    """Say whether a person must agree before so late a report leaves; what concerns a child's safety always leaves."""
    if row.because == RELEASED or any(is_urgent_line(line) for line in lines):
        return False
    return bool(look.now > min(row.due_by + ASK_AFTER, row.useful_until))


def _part(
    look: Look,
    row: Row[Any],
    agreement: Agreement,
    lines: Sequence[SessionEntry],
    told: Told,
    cumulative: Sequence[SessionEntry],
) -> Part:
    inside = _inside(look, row)
    before = [line for line in told.lines if any(_same(line, now) for now in lines)]
    return Part(
        row=row,
        agreement=agreement,
        lines=list(lines),
        told=list(cumulative),
        changes=changes(before, lines) if before else [],
        place=", ".join(dict.fromkeys(one.value.place for one in inside if one.value.place)),
        staff=", ".join(dict.fromkeys(one.value.staff for one in inside if one.value.staff)),
        urgent=bool(alert_lines(told.lines, lines)),
    )


def _same(one: SessionEntry, other: SessionEntry) -> bool:
    return (one.day, one.half) == (other.day, other.half)


def _merged(told: Iterable[SessionEntry], lines: Sequence[SessionEntry]) -> list[SessionEntry]:
    kept = [line for line in told if not any(_same(line, now) for now in lines)]
    return sorted([*kept, *lines], key=lambda line: (line.day, list(Half).index(line.half)))


def _inside(look: Look, row: Row[Any]) -> list[telling.KeptLesson]:
    """Give the lessons of an owed report's days; a half day's own lines are cut out after folding."""
    return [
        one
        for one in look.lessons.get(row.placement_id, [])
        if row.first_day <= one.value.day < row.until_day
    ]


def _is_complete(look: Look, row: Row[Any]) -> bool:
    inside = _inside(look, row)
    if row.half:
        inside = [one for one in inside if one.value.starts_at <= row.due_by]
    return bool(inside) and all(one.entry is not None for one in inside)


def _newest_entry(look: Look, row: Row[Any]) -> datetime:
    made = [one.entry.made_at for one in _inside(look, row) if one.entry is not None]
    return max(made, default=look.now)


def _lines(desk: Desk, look: Look, row: Row[Any], *, missing_after: timedelta) -> list[SessionEntry]:
    """Fold an owed report's entries into lines, saying of each lesson that began: not yet taken.

    With `missing_after` of zero every lesson that began counts; otherwise a missing register counts when its alert's
    promise is that near.
    """
    entries: list[Entry] = []
    for one in _inside(look, row):
        if one.entry is not None:
            entries.append(_entry(look, one))
        else:
            due = urgent_by(one.value) - missing_after if missing_after else one.value.starts_at
            if due <= look.now:
                fact = Fact(Outcome.NOT_YET_TAKEN)
                entries.append(Entry(one.value, 0, fact, look.now, "the hub"))
    story = _story(row, entries)
    if story in look.folded:
        # Most pupils of a day have the same story: it is folded once.
        return look.folded[story]
    context = RecipientContext(
        ArrangedBy(row.arranged_by),
        Registration(row.registration),
        Purpose(row.purpose),
        provider_has_urn=bool(desk.config.provider.urn),
        register_closes=desk.config.provider.own_register_closes_minutes,
    )
    hours = desk.config.organisations[row.organisation].hours.hours()
    days = sorted({entry.lesson.day for entry in entries})
    lines = [
        line
        for day in days
        for line in fold_day(entries, hours=hours, day=day, context=context)
        if not row.half or line.half.value == row.half
    ]
    look.folded[story] = lines
    return lines


def _story(row: Row[Any], entries: Sequence[Entry]) -> tuple[Any, ...]:
    """Give all that the fold of these entries depends on, except whose they are."""
    told = tuple(
        (
            entry.lesson.starts_at,
            entry.lesson.ends_at,
            entry.lesson.mode,
            entry.lesson.nature,
            entry.fact,
            entry.actions,
            entry.taken_at,
        )
        for entry in entries
    )
    return row.organisation, row.purpose, row.arranged_by, row.registration, row.half, told


def _entry(look: Look, one: telling.KeptLesson) -> Entry:
    sealed = look.sealed.get(one.entry.entry_id, {}) if one.entry is not None else {}
    actions = tuple(
        Action(datetime.fromisoformat(at), kind, result) for at, kind, result in sealed.get("actions", [])
    )
    return telling.entry_of(one, sealed.get("note", ""), sealed.get("word", ""), actions)
