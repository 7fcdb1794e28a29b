"""Keep composed messages: frozen once, then only ever sent as they are.

The wrong-school guard stands here for the first time: the organisation of every report is read again, in the
transaction that keeps the message, and compared with the one it is going to.
"""

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from aphub.domain.ledger.canonical import commitment
from aphub.domain.ledger.fields import instant_text
from aphub.domain.paper_data import paper_to_data
from aphub.domain.reports import Kind, Report
from aphub.services.asking import ask_to_phone
from aphub.services.decide import Part
from aphub.services.desk import Desk, place_of
from aphub.services.letters import Composed, Letter
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.store import dispatching
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate, lock_ledger
from aphub.store.frozen import lines_to_data, pack

_SALT = 16
_besides = attrgetter("changes", "next_step", "phone_us", "place", "supervised_by", "figures", "restated")
_as_text = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Draft:
    """A composed message with the parts it was made of, not yet kept."""

    thread_id: int
    letter: Letter
    route: Route
    parts: tuple[Part, ...]
    composed: Composed


class _Frozen:
    """Writes down what reports say, once for all that say the same; whose they are stands beside it."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], tuple[bytes, bytes]] = {}

    def of(self, part: Part, report: Report) -> tuple[bytes, bytes]:
        """Give a report's frozen content with its SHA-256."""
        # The parts live as long as we do, so lines are the same where their identity is.
        key = (id(part.lines), id(part.told), _besides(report))
        found = self._made.get(key)
        if found is None:
            plain = _as_text(_content(part, report)).encode()
            found = self._made[key] = plain, hashlib.sha256(plain).digest()
        return found


def _content(part: Part, report: Report) -> dict[str, Any]:
    return {
        "lines": lines_to_data(part.lines),
        # Only after an alert has more been told than this report itself says.
        "told": None if part.told == part.lines else lines_to_data(part.told),
        "changes": list(report.changes),
        "next_step": report.next_step,
        "phone_us": report.phone_us,
        "place": report.place,
        "supervised_by": report.supervised_by,
        **({"figures": report.figures, "restated": report.restated} if report.figures else {}),
    }


def keep(
    desk: Desk, connection: Connection, drafts: Sequence[Draft], now: datetime
) -> tuple[list[Draft], list[Part]]:
    """Keep the drafts whose owed reports and threads nobody has changed meanwhile.

    Gives them, and the parts of those that were stopped: a pupil in them is not placed by the organisation they were
    going to.
    """
    if not drafts:
        return [], []
    lock_ledger(connection, desk.provider_id)
    owed_ids = [part.row.owed_id for draft in drafts for part in draft.parts]
    stand = dispatching.owed_now(connection, desk.provider_id, owed_ids)
    numbers = dispatching.thread_numbers(
        connection, desk.provider_id, sorted({draft.thread_id for draft in drafts})
    )
    kept: list[Draft] = []
    stopped: list[Part] = []
    for draft in drafts:
        now_there = [stand.get(part.row.owed_id) for part in draft.parts]
        fresh = all(
            there is not None and there.version == part.row.version and there.state == part.row.state
            for part, there in zip(draft.parts, now_there, strict=True)
        )
        if not fresh or numbers[draft.thread_id] != draft.letter.number - 1:
            continue
        if wrong := [
            part for part in draft.parts if stand[part.row.owed_id].organisation != draft.route.organisation
        ]:
            # The others of this message are looked at again, without these.
            stopped += wrong
            continue
        numbers[draft.thread_id] = draft.letter.number
        kept.append(draft)
    if not kept:
        return [], stopped
    report_rows, dispatch_rows, links, said = _rows_of(desk, connection, kept, now)
    dispatching.add_reports(connection, report_rows)
    dispatching.add_dispatches(connection, dispatch_rows, links)
    ask_to_phone(desk, connection, dispatch_rows, now)
    threads = {draft.thread_id: numbers[draft.thread_id] for draft in kept}
    dispatching.set_thread_numbers(connection, desk.provider_id, threads)
    owed_rows.change_owed(
        connection,
        desk.provider_id,
        [
            {
                "key": part.row.owed_id,
                "version": report.version,
                "state": "owed" if alert else _after_routine(part.row.state),
                "because": part.row.because if alert else None,
                "look_at": part.row.send_at if alert else None,
            }
            for draft, alert in ((draft, draft.letter.kind is Kind.ALERT) for draft in kept)
            for part, report in zip(draft.parts, draft.letter.reports, strict=True)
        ],
    )
    later = [draft.thread_id for draft in kept if draft.letter.number > 1]
    if later:
        dispatching.cancel_superseded(connection, desk.provider_id, later, "replaced by a newer message")
    record(connection, desk, said)
    return kept, stopped


def _after_routine(state: str) -> str:
    return "met" if state == "met" else "prepared"


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
    salts = secrets.token_bytes(_SALT * len(pairs))
    frozen = _Frozen()
    report_rows: list[dict[str, Any]] = []
    by_dispatch: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for place, ((draft, part, report), key, report_id) in enumerate(
        zip(pairs, keys, report_ids, strict=True)
    ):
        salt = salts[_SALT * place : _SALT * (place + 1)]
        row = _report_row(desk, draft, part, report, key, report_id, salt, frozen)
        report_rows.append(row)
        by_dispatch[id(draft)].append(row)
    # Each message has a key of its own, so that it can be erased alone; made in one go, then found in memory.
    numbers = allocate(connection, "dispatches", len(drafts))
    desk.vault.data_keys(numbers, "message", year)
    dispatch_rows, links, said = [], [], []
    for draft, dispatch_id in zip(drafts, numbers, strict=True):
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


def _report_row(
    desk: Desk,
    draft: Draft,
    part: Part,
    report: Report,
    key: Any,
    report_id: int,
    salt: bytes,
    frozen: _Frozen,
) -> dict[str, Any]:
    plain, digest = frozen.of(part, report)
    return {
        "provider_id": desk.provider_id,
        "report_id": report_id,
        "ref": report.ref,
        "owed_id": part.row.owed_id,
        "version": report.version,
        "kind": str(draft.letter.kind),
        "pupil_id": part.row.pupil_id,
        "placement_version": part.row.placement_version,
        "snapshot": desk.snapshot,
        "key_id": key.key_id,
        "sealed": desk.vault.seal(key, place_of("reports", desk.provider_id, report_id), plain),
        "digest": digest.hex(),
        "salt": salt,
        "commitment": commitment(salt, digest),
        "made_at": draft.letter.made_at,
    }


def dispatch_row(
    desk: Desk, letter: Letter, route: Route, composed: Composed, dispatch_id: int, now: datetime
) -> dict[str, Any]:
    """Make the row of a dispatch that waits to be sent, its documents sealed."""
    [key] = desk.vault.data_keys([dispatch_id], "message", desk.year())
    papers = [paper_to_data(one) for one in letter.papers]
    packed = pack(composed.documents, composed.rows, composed.row_reports, papers)
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
        "next_at": None if route.adapter.asks_person else now,
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
