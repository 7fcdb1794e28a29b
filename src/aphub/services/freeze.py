"""Make messages of what was decided and keep them: frozen once, then only ever sent as they are.

The wrong-school guard stands here for the first time: the organisation of every report is read again, in the
transaction that keeps the message, and compared with the one it is going to.
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import URGENT_WITHIN
from aphub.domain.calendar import to_utc
from aphub.domain.errors import AphubError
from aphub.domain.ledger.canonical import commitment
from aphub.domain.ledger.fields import instant_text
from aphub.domain.placements import Pupil
from aphub.domain.reports import Kind, Report
from aphub.domain.threads import in_order
from aphub.domain.wording import period_words
from aphub.services.desk import Desk, place_of
from aphub.services.letters import Composed, Letter, compose, report_of
from aphub.services.recording import Statement, newest_checkpoint_line, record
from aphub.services.routes import Route
from aphub.services.tell import THREADS, Decision, Look, Part, decide
from aphub.store import dispatching, telling
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate
from aphub.store.frozen import lines_to_data, pack

PHONE_WITHIN = timedelta(minutes=10)


class WrongSchoolError(AphubError):
    """A message held a pupil who is not placed by the organisation it was going to."""


@dataclass(frozen=True, slots=True)
class TellResult:
    """What one round of telling did."""

    looked: int = 0
    messages: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A composed message with the parts it was made of, not yet kept."""

    thread_id: int
    letter: Letter
    route: Route
    parts: tuple[Part, ...]
    composed: Composed


def tell_now(desk: Desk, limit: int = THREADS) -> TellResult:
    """Tell what must be told now, up to `limit` threads; call again while `looked` equals it."""
    now = desk.now
    with desk.store.reading() as connection:
        look = Look.read(desk, connection, now, limit)
        if not look.threads:
            return TellResult()
        live = telling.live_channels(connection, desk.provider_id)
        checkpoint = newest_checkpoint_line(connection, desk)
    decision = decide(desk, look)
    pupils = pupils_of(desk, [part.row for parts in decision.parts.values() for part in parts])
    drafts: list[Draft] = []
    without_way: list[tuple[Part, str]] = []
    for thread in look.threads:
        number = thread.last_number
        kinds = in_order(kind for thread_id, kind in decision.parts if thread_id == thread.thread_id)
        for kind in kinds:
            by_route, lost = _by_route(desk, decision.parts[thread.thread_id, kind], kind, live, pupils)
            without_way += lost
            for route, some in by_route:
                number += 1
                letter = _letter(desk, thread, number, kind, some, look.now, checkpoint)
                password = _file_password(desk, live[route.organisation, route.channel])
                composed = compose(desk, letter, route, file_password=password)
                parts = tuple(part for part, _ in some)
                drafts.append(Draft(thread.thread_id, letter, route, parts, composed))
    with desk.store.transaction() as connection:
        kept = _keep(desk, connection, drafts, now)
        _look_later(desk, connection, decision)
        _hold(desk, connection, without_way, decision, now)
    for lane in {draft.route.lane for draft in kept}:
        desk.announce(lane)
    return TellResult(len(look.threads), len(kept), len(without_way))


def pupils_of(desk: Desk, rows: Sequence[Row[Any]]) -> dict[int, Pupil]:
    """Open the pupils of owed rows that carry `pupil_id`, `pupil_key_id` and `pupil_sealed`, each once."""
    unique = {row.pupil_id: row for row in rows}
    opened = desk.vault.open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in unique.values()
        ]
    )
    return {
        pupil_id: Pupil(
            ref=str(pupil_id),
            provider_ref=data["provider_ref"],
            given_name=data["given_name"],
            family_name=data["family_name"],
            upn=data["upn"],
            school_pupil_ref=data["school_pupil_ref"],
        )
        for pupil_id, data in zip(unique, opened, strict=True)
    }


def _by_route(
    desk: Desk,
    parts: Sequence[Part],
    kind: Kind,
    live: dict[tuple[str, str], Row[Any]],
    pupils: dict[int, Pupil],
) -> tuple[list[tuple[Route, list[tuple[Part, Report]]]], list[tuple[Part, str]]]:
    """Share parts out to the first way each can go: live, approved for this very place, and able to say it.

    An alert never goes into a register alone: it is for a person to read.
    """
    shared: dict[str, tuple[Route, list[tuple[Part, Report]]]] = {}
    lost: list[tuple[Part, str]] = []
    references = desk.references(len(parts))
    for part, ref in zip(parts, references, strict=True):
        report = report_of(
            part.row,
            pupils[part.row.pupil_id],
            part.lines,
            ref=ref,
            version=part.row.version + 1,
            changes=part.changes,
            agreement=part.agreement,
            place=part.place,
            supervised_by=part.staff,
        )
        reason = "no channel"
        for route in desk.routes.of(part.row.organisation, part.agreement.channels):
            channel = live.get((route.organisation, route.channel))
            if channel is None or channel.approved_destination != route.destination:
                reason = "no live channel"
                continue
            if kind is Kind.ALERT and route.adapter.writes_register:
                continue
            if why := route.adapter.can_express(report, part.agreement.may_write):
                reason = why
                continue
            shared.setdefault(route.channel, (route, []))[1].append((part, report))
            break
        else:
            lost.append((part, reason))
    return list(shared.values()), lost


def _letter(  # noqa: PLR0913, PLR0917 - one value
    desk: Desk,
    thread: Row[Any],
    number: int,
    kind: Kind,
    some: Sequence[tuple[Part, Report]],
    now: datetime,
    checkpoint: str,
) -> Letter:
    rows = [part.row for part, _ in some]
    first = rows[0]
    if kind is Kind.ROUTINE:
        due_by = min(row.due_by for row in rows)
    else:
        began = [
            to_utc(line.day, line.starts)
            for part, _ in some
            for line in part.lines
            if to_utc(line.day, line.starts) <= now
        ]
        due_by = (
            max([at + URGENT_WITHIN for at in began] or [now]) if kind is Kind.ALERT else now + URGENT_WITHIN
        )
        due_by = max(due_by, now) if kind is not Kind.ALERT else due_by
    notes = _school_closed_notes(desk, first.organisation, some)
    return Letter(
        thread_id=thread.thread_id,
        thread_ref=thread.ref,
        number=number,
        kind=kind,
        period=thread.period,
        period_words=period_words(first.first_day, first.until_day, first.half),
        due_by=due_by,
        useful_until=max(*(row.useful_until for row in rows), now + URGENT_WITHIN),
        reports=tuple(report for _, report in some),
        made_at=now,
        checkpoint=checkpoint,
        notes=notes,
    )


def _school_closed_notes(
    desk: Desk, organisation: str, some: Sequence[tuple[Part, Report]]
) -> tuple[str, ...]:
    """Name a school's own closure beside the report: it never makes a lesson not due."""
    calendar = desk.config.organisations[organisation].calendar()
    days = sorted({line.day for part, _ in some for line in part.lines})
    closed = [f"{day.day} {day:%B}: {why}" for day in days if (why := calendar.why_closed(day))]
    return (
        (f"Your calendar says closed ({'; '.join(closed)}). Our lessons took place as agreed.",)
        if closed
        else ()
    )


def _file_password(desk: Desk, channel: Row[Any]) -> str:
    if channel.sealed is None:
        return ""
    place = f"channels:{desk.provider_id}:{channel.organisation}/{channel.name}"
    return str(desk.vault.open_json(channel.key_id, place, channel.sealed).get("password", ""))


def _keep(desk: Desk, connection: Connection, drafts: Sequence[Draft], now: datetime) -> list[Draft]:
    """Keep the drafts whose owed reports and threads nobody has changed meanwhile."""
    if not drafts:
        return []
    owed_ids = [part.row.owed_id for draft in drafts for part in draft.parts]
    stand = dispatching.owed_now(connection, desk.provider_id, owed_ids)
    numbers = dispatching.thread_numbers(
        connection, desk.provider_id, sorted({draft.thread_id for draft in drafts})
    )
    kept: list[Draft] = []
    for draft in drafts:
        fresh = all(
            part.row.owed_id in stand
            and stand[part.row.owed_id].version == part.row.version
            and stand[part.row.owed_id].state == part.row.state
            for part in draft.parts
        )
        if not fresh or numbers[draft.thread_id] != draft.letter.number - 1:
            continue
        for part in draft.parts:
            if stand[part.row.owed_id].organisation != draft.route.organisation:
                raise WrongSchoolError(
                    "We stopped a message: it contained a pupil who is not placed by that school.",
                    "Nothing was sent.",
                    "Check the recipients of the placement.",
                )
        numbers[draft.thread_id] = draft.letter.number
        kept.append(draft)
    if not kept:
        return []
    report_rows, dispatch_rows, links, said = _rows_of(desk, connection, kept, now)
    dispatching.add_reports(connection, report_rows)
    dispatching.add_dispatches(connection, dispatch_rows, links)
    threads = {draft.thread_id: numbers[draft.thread_id] for draft in kept}
    dispatching.set_thread_numbers(connection, desk.provider_id, threads)
    owed_rows.change_owed(
        connection,
        desk.provider_id,
        [
            {
                "key": part.row.owed_id,
                "version": report.version,
                "state": "owed" if draft.letter.kind is Kind.ALERT else _after_routine(part.row.state),
                "look_at": part.row.send_at if draft.letter.kind is Kind.ALERT else None,
            }
            for draft in kept
            for part, report in zip(draft.parts, draft.letter.reports, strict=True)
        ],
    )
    later = [draft.thread_id for draft in kept if draft.letter.number > 1]
    if later:
        dispatching.cancel_superseded(connection, desk.provider_id, later, "replaced by a newer message")
    record(connection, desk, said)
    return kept


def _after_routine(state: str) -> str:
    return "prepared" if state == "owed" else state


def _rows_of(
    desk: Desk, connection: Connection, drafts: Sequence[Draft], now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], list[Statement]]:
    """Make the rows of reports, dispatches and their links, and what the ledger says of them."""
    year = desk.year()
    pairs = [
        (draft, part, report)
        for draft in drafts
        for part, report in zip(draft.parts, draft.letter.reports, strict=True)
    ]
    keys = desk.vault.data_keys([part.row.pupil_id for _, part, _ in pairs], "report", year)
    report_ids = allocate(connection, "reports", len(pairs))
    report_rows: list[dict[str, Any]] = []
    by_dispatch: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (draft, part, report), key, report_id in zip(pairs, keys, report_ids, strict=True):
        row = _report_row(desk, draft, part, report, key, report_id, now)
        report_rows.append(row)
        by_dispatch[id(draft)].append(row)
    dispatch_rows, links, said = [], [], []
    for draft, dispatch_id in zip(drafts, allocate(connection, "dispatches", len(drafts)), strict=True):
        carried = by_dispatch[id(draft)]
        row = dispatch_row(desk, draft.letter, draft.route, draft.composed, dispatch_id, now)
        dispatch_rows.append(row)
        links += [
            {
                "provider_id": desk.provider_id,
                "dispatch_id": dispatch_id,
                "report_id": one["report_id"],
                "owed_id": one["owed_id"],
            }
            for one in carried
        ]
        said.append(prepared(desk, row, [one["commitment"] for one in carried]))
    return report_rows, dispatch_rows, links, said


def _report_row(  # noqa: PLR0913, PLR0917 - one row
    desk: Desk, draft: Draft, part: Part, report: Report, key: Any, report_id: int, now: datetime
) -> dict[str, Any]:
    content = {
        "lines": lines_to_data(part.lines),
        "told": lines_to_data(part.told),
        "changes": list(report.changes),
        "next_step": report.next_step,
        "phone_us": report.phone_us,
        "place": report.place,
        "supervised_by": report.supervised_by,
    }
    plain = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
    digest = hashlib.sha256(plain)
    salt = secrets.token_bytes(16)
    return {
        "provider_id": desk.provider_id,
        "report_id": report_id,
        "ref": report.ref,
        "owed_id": part.row.owed_id,
        "version": report.version,
        "kind": draft.letter.kind.value,
        "pupil_id": part.row.pupil_id,
        "placement_version": part.row.placement_version,
        "snapshot": desk.snapshot,
        "key_id": key.key_id,
        "sealed": desk.vault.seal(key, place_of("reports", desk.provider_id, report_id), plain),
        "digest": digest.hexdigest(),
        "salt": salt,
        "commitment": commitment(salt, digest.digest()),
        "made_at": now,
    }


def dispatch_row(  # noqa: PLR0913, PLR0917 - one row
    desk: Desk, letter: Letter, route: Route, composed: Composed, dispatch_id: int, now: datetime
) -> dict[str, Any]:
    """Make the row of a dispatch that waits to be sent, its documents sealed."""
    [key] = desk.vault.data_keys([route.organisation], "message", desk.year())
    packed = pack(composed.documents, composed.rows, composed.row_reports)
    digest = hashlib.sha256()
    for document in composed.documents:
        digest.update(document.content)
    return {
        "provider_id": desk.provider_id,
        "dispatch_id": dispatch_id,
        "reference": composed.message.reference,
        "thread_id": letter.thread_id,
        "number": letter.number,
        "kind": letter.kind.value,
        "organisation": route.organisation,
        "channel": route.channel,
        "channel_rank": route.rank,
        "lane": route.lane,
        "adapter": route.adapter.name,
        "snapshot": desk.snapshot,
        "urgent": letter.kind is Kind.ALERT,
        "state": "waiting",
        "send_at": now,
        "due_by": letter.due_by,
        "useful_until": letter.useful_until,
        "next_at": now,
        "attempts": 0,
        "key_id": key.key_id,
        "sealed": desk.vault.seal(key, place_of("dispatches", desk.provider_id, dispatch_id), packed),
        "digest": digest.hexdigest(),
        "prepared_at": now,
        "rung": "prepared",
        "replaces_id": None,
    }


def prepared(desk: Desk, row: dict[str, Any], commitments: Sequence[str]) -> Statement:
    """Say that a message was prepared: over which reports, for whom, and by when it was promised."""
    return Statement(
        "report.prepared",
        row["reference"],
        {
            "dispatch": row["reference"],
            "reports": list(commitments),
            "organisation": row["organisation"],
            "channel": row["channel"],
            "due": instant_text(row["due_by"]),
            "documents": row["digest"],
            "snapshot": desk.snapshot,
        },
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
    """Name what cannot leave, and give a person the phone: nothing owed is silent."""
    stopped = [(part.row, f"no way to send: {reason}"[:120]) for part, reason in without_way]
    stopped += [(row, "do not share this pupil") for row in decision.suppressed]
    if not stopped:
        return
    owed_rows.change_owed(
        connection,
        desk.provider_id,
        [{"key": row.owed_id, "state": "held", "because": why, "look_at": None} for row, why in stopped],
    )
    refs = desk.references(len(stopped))
    phone = [(row, why, ref) for (row, why), ref in zip(stopped, refs, strict=True) if not row.suppressed]
    if not phone:
        return
    numbers = allocate(connection, "tasks", len(phone))
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": "phone_school",
                "subject": row.ref,
                "pupil_id": row.pupil_id,
                "organisation": row.organisation,
                "words": f"Phone this school or council: a report could not be sent ({why}).",
                "due_at": max(row.due_by, now + PHONE_WITHIN) if row.state == "owed" else now + PHONE_WITHIN,
                "state": "open",
                "raised_at": now,
            }
            for (row, why, ref), number in zip(phone, numbers, strict=True)
        ],
    )
