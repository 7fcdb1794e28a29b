"""Tell what must be told now: read, decide, compose, and keep the result in one transaction.

A look reads and composes outside any writing transaction. What changed in between is left for the next look.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import URGENT_WITHIN
from aphub.domain.calendar import to_utc
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome
from aphub.domain.placements import Pupil
from aphub.domain.reports import Kind, Report
from aphub.domain.threads import in_order
from aphub.logs import get_logger
from aphub.services import left_in_registers
from aphub.services.asking import NO_WAY
from aphub.services.catching_up import fold_late, hold_behind, span_words
from aphub.services.decide import MAY_HAVE_IT, TOO_LATE, UNKNOWN, Decision, Part, decide
from aphub.services.desk import Desk, place_of
from aphub.services.freeze import Draft, keep
from aphub.services.letters import Letter, compose
from aphub.services.look import Look
from aphub.services.recording import newest_checkpoint_line
from aphub.services.share_out import Ways, share_out
from aphub.services.unshared import ask_about_unshared
from aphub.store import dispatching, lanes, telling
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate

PHONE_WITHIN = timedelta(minutes=10)
_ERASED = "this pupil's record cannot be read any more"
_MOVED = "this pupil is now told to somebody else"
FIRST_THREADS = 50
THREADS = 100
"""How many threads one look takes."""
PRESSING = 20 * THREADS
"""How many threads are looked at before what has become pressing meanwhile is asked for."""

log = get_logger("tell")


@dataclass(frozen=True, slots=True)
class TellResult:
    """What one round of telling did."""

    looked: int = 0
    messages: int = 0
    held: int = 0


def tell_all(desk: Desk, kept: Callable[[], object]) -> int:
    """Tell all that must be told now, and give how many messages that made; `kept` is called as soon as some wait.

    The first look is small, so that the first messages leave while the others are put together.
    """
    messages, take = 0, FIRST_THREADS
    while True:
        pressing = _pressing(desk, PRESSING)
        at = 0
        while at < len(pressing):
            told = _tell(desk, pressing[at : at + take])
            at, take = at + take, THREADS
            messages += told.messages
            if told.messages:
                kept()
        if len(pressing) < PRESSING:
            return messages


def tell_now(desk: Desk, limit: int = THREADS) -> TellResult:
    """Tell what must be told now in one look, up to `limit` threads; call again while `looked` equals it."""
    return _tell(desk, _pressing(desk, limit))


def _pressing(desk: Desk, limit: int) -> list[int]:
    with desk.store.reading() as connection:
        return telling.pressing_threads(connection, desk.provider_id, desk.now, limit)


def _tell(desk: Desk, thread_ids: Sequence[int]) -> TellResult:
    """Look at these threads, and tell what they come to."""
    if not thread_ids:
        return TellResult()
    now = desk.now
    with desk.store.reading() as connection:
        threads = telling.threads_of(connection, desk.provider_id, thread_ids)
        look = Look.of(desk, connection, now, threads)
        live = telling.live_channels(
            connection, desk.provider_id, (thread.organisation for thread in look.threads)
        )
        checkpoint = newest_checkpoint_line(connection, desk)
        resting = lanes.resting(connection, desk.provider_id, now)
    decision = decide(desk, look)
    with desk.store.reading() as connection:
        left = left_in_registers.standing(desk, connection, decision)
    fold_late(look, decision)
    carried_in = hold_behind(desk, look, decision)
    pupils = pupils_of(desk, [part.row for parts in decision.parts.values() for part in parts])
    drafts: list[Draft] = []
    without_way: list[tuple[Part, str]] = []
    ways = Ways(desk, live, resting, now)
    kinds: dict[int, list[Kind]] = defaultdict(list)
    for thread_id, kind in decision.parts:
        kinds[thread_id].append(kind)
    for thread in look.threads:
        number = thread.last_number
        for kind in in_order(kinds[thread.thread_id]):
            parts_here = decision.parts[thread.thread_id, kind]
            ours, lost = _for_whom(thread, parts_here, pupils)
            without_way += lost
            by_route, lost = share_out(desk, ways, ours, kind, pupils)
            without_way += lost
            for route, some in by_route:
                letter = _letter(desk, thread, number + 1, kind, some, look.now, checkpoint, carried_in)
                notes = left_in_registers.notes_for(route, [part for part, _ in some], left)
                letter = replace(letter, notes=(*letter.notes, *notes)) if notes else letter
                password = desk.file_password(live[route.organisation, route.channel])
                parts = tuple(part for part, _ in some)
                try:
                    composed = compose(desk, letter, route, file_password=password)
                except (AphubError, ValueError) as exc:
                    # One message that cannot be made must not keep a hundred others from leaving.
                    log.warning("tell.cannot_compose", channel=route.channel, error=type(exc).__name__)
                    without_way += [(part, "the message could not be made as agreed") for part in parts]
                    continue
                number += 1
                drafts.append(Draft(thread.thread_id, letter, route, parts, composed))
    desk.boundary("tell.composed")
    with desk.store.transaction() as connection:
        kept, stopped = keep(desk, connection, drafts, now)
        without_way += [(part, _MOVED) for part in stopped]
        left_in_registers.ask_people(desk, connection, kept, left)
        _look_later(desk, connection, decision)
        _hold(desk, connection, without_way, decision, now)
    desk.boundary("tell.kept")
    for lane in {draft.route.lane for draft in kept}:
        desk.announce(lane)
    return TellResult(len(look.threads), len(kept), len(without_way))


def _for_whom(
    thread: Row[Any], parts: Sequence[Part], pupils: Mapping[int, Pupil]
) -> tuple[list[Part], list[tuple[Part, str]]]:
    """Give the parts that are this thread's to tell, and the others with why they are not."""
    ours: list[Part] = []
    lost: list[tuple[Part, str]] = []
    for part in parts:
        if part.row.organisation != thread.organisation:
            lost.append((part, _MOVED))
        elif part.row.pupil_id not in pupils:
            lost.append((part, _ERASED))
        else:
            ours.append(part)
    return ours, lost


def pupils_of(desk: Desk, rows: Sequence[Row[Any]]) -> dict[int, Pupil]:
    """Open the pupils of owed rows that carry `pupil_id`, `pupil_key_id` and `pupil_sealed`, each once.

    One whose key has been erased is missing in the answer: the others' news must not wait for it.
    """
    unique = {row.pupil_id: row for row in rows}
    opened = desk.vault.try_open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in unique.values()
        ]
    )
    return {
        pupil_id: Pupil(ref=str(pupil_id), **data)
        for pupil_id, data in zip(unique, opened, strict=True)
        if data is not None
    }


def _letter(
    desk: Desk,
    thread: Row[Any],
    number: int,
    kind: Kind,
    some: Sequence[tuple[Part, Report]],
    now: datetime,
    checkpoint: str,
    carried_in: Mapping[int, str],
) -> Letter:
    rows = [part.row for part, _ in some]
    first = rows[0]
    if kind in {Kind.ROUTINE, Kind.CATCH_UP}:
        due_by = min(row.due_by for row in rows)
    else:
        began = [
            to_utc(line.day, line.starts)
            for part, _ in some
            for line in part.lines
            if to_utc(line.day, line.starts) <= now
        ]
        # Promised from the lesson's start, or from the event where one came later or before the lesson.
        event = not began or any(
            line.fact.outcome in {Outcome.LEFT_SITE, Outcome.CANCELLED}
            for part, _ in some
            for line in part.lines
        )
        due_by = now + URGENT_WITHIN if kind is not Kind.ALERT or event else max(began) + URGENT_WITHIN
    notes = _school_closed_notes(desk, first.organisation, some)
    if any(row.because == MAY_HAVE_IT for row in rows):
        notes = (
            "You may already have this: we went back to a backup, and do not know what had left.",
            *notes,
        )
    return Letter(
        thread_id=thread.thread_id,
        thread_ref=thread.ref,
        number=number,
        kind=kind,
        period=thread.period,
        period_words=span_words(rows),
        due_by=due_by,
        useful_until=max(*(row.useful_until for row in rows), now + URGENT_WITHIN),
        reports=tuple(report for _, report in some),
        made_at=now,
        checkpoint=checkpoint,
        notes=notes,
        adds_to=next((carried_in[row.owed_id] for row in rows if row.owed_id in carried_in), ""),
    )


def _school_closed_notes(
    desk: Desk, organisation: str, some: Sequence[tuple[Part, Report]]
) -> tuple[str, ...]:
    """Name a school's own closure beside the report: it never makes a lesson not due."""
    calendar = desk.config.organisations[organisation].calendar()
    told = {id(part.lines): part.lines for part, _ in some}
    days = sorted({line.day for lines in told.values() for line in lines})
    closed = [f"{day.day} {day:%B}: {why}" for day in days if (why := calendar.why_closed(day))]
    return (
        (f"Your calendar says closed ({'; '.join(closed)}). Our lessons took place as agreed.",)
        if closed
        else ()
    )


def _look_later(desk: Desk, connection: Connection, decision: Decision) -> None:
    if decision.looks:
        owed_rows.change_owed(connection, desk.provider_id, decision.looks)


def _hold(
    desk: Desk,
    connection: Connection,
    without_way: Sequence[tuple[Part, str]],
    decision: Decision,
    now: datetime,
) -> None:
    """Name what cannot leave, and give it to a person: nothing owed is silent."""
    stopped = [(part.row, f"no way to send: {reason}"[:120], "phone_school") for part, reason in without_way]
    stopped += [(row, "do not share this pupil", "") for row, _ in decision.suppressed]
    stopped += [(row, TOO_LATE, "release") for row in decision.stale]
    stopped += [(row, UNKNOWN, "phone_school") for row in decision.unknown]
    if not stopped:
        return
    ask_about_unshared(desk, connection, decision.suppressed, now)
    owed_rows.change_owed(
        connection,
        desk.provider_id,
        [{"key": row.owed_id, "state": "held", "because": why, "look_at": None} for row, why, _ in stopped],
    )
    # After an outage a person is asked once a school, not once a pupil: releasing one releases all.
    first_late = {row.organisation: row.owed_id for row in reversed(decision.stale)}
    asked = [
        one
        for one in stopped
        if one[2] and (one[2] != "release" or first_late[one[0].organisation] == one[0].owed_id)
    ]
    if not asked:
        return
    numbers = allocate(connection, "tasks", len(asked))
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": kind,
                "subject": row.ref,
                "pupil_id": row.pupil_id,
                "organisation": row.organisation,
                "words": _TASK_WORDS[kind].format(
                    why=why,
                    ref=row.ref,
                    name=desk.name_of(row.organisation),
                    phone=desk.name_of(row.organisation, phone=True),
                ),
                "due_at": max(row.due_by, now + PHONE_WITHIN),
                "state": "open",
                "raised_at": now,
            }
            for (row, why, kind), number, ref in zip(asked, numbers, desk.references(len(asked)), strict=True)
        ],
    )


_TASK_WORDS = {
    "phone_school": f"Phone {{phone}}: {NO_WAY} ({{why}}).",
    "release": (
        "What {name} is owed is more than two hours late. If it still helps, release it: all of it leaves."
    ),
}
