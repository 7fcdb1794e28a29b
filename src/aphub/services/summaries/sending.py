"""Send the summaries that are due: composed from the newest versions, frozen once, delivered like any report.

A row that nothing can be said about is withdrawn with its reason; one that has no way is held, and a person is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.agreements import Agreement
from aphub.domain.calendar import ONE_DAY
from aphub.domain.errors import AphubError
from aphub.domain.placements import Pupil
from aphub.domain.reports import Kind
from aphub.domain.stretches import Every, Stretch, stretch_around
from aphub.logs import get_logger
from aphub.services.decide import Part
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.freeze import Draft, keep
from aphub.services.letters import Letter, compose, report_of
from aphub.services.recording import newest_checkpoint_line
from aphub.services.routes import Route
from aphub.services.summaries.for_organisation import Told, told_in
from aphub.services.tell import pupils_of
from aphub.store import owed as owed_rows
from aphub.store import summing, telling

THREADS = 20
HELPS_STILL = timedelta(days=1)
log = get_logger("summaries")


@dataclass(slots=True)
class _Undone:
    """Rows about which no summary is sent now: their state, and why."""

    state: str
    because: str
    rows: list[Row[Any]]


def send_summaries(desk: Desk, limit: int = THREADS) -> int:
    """Send what is due in up to `limit` threads; give how many messages were made or rows put aside."""
    now = desk.now
    with desk.store.reading() as connection:
        threads = summing.threads_due(connection, desk.provider_id, now, limit)
        if not threads:
            return 0
        owed = telling.owed_in(connection, desk.provider_id, [row.thread_id for row in threads])
        live = telling.live_channels(connection, desk.provider_id, (row.organisation for row in threads))
        checkpoint = newest_checkpoint_line(connection, desk)
        pupils = pupils_of(desk, owed)
        drafts: list[Draft] = []
        undone: list[_Undone] = []
        for thread in threads:
            mine = [row for row in owed if row.thread_id == thread.thread_id and row.state == "owed"]
            draft = _draft(desk, connection, thread, mine, pupils, live, checkpoint, undone)
            if draft is not None:
                drafts.append(draft)
    with desk.store.transaction() as connection:
        kept, stopped = keep(desk, connection, drafts, now)
        undone.append(
            _Undone(
                "held", "no way to send: this pupil is now told to somebody else", [p.row for p in stopped]
            )
        )
        _put_aside(desk, connection, undone)
    desk.boundary("summaries.kept")
    for lane in {draft.route.lane for draft in kept}:
        desk.announce(lane)
    return len(kept) + sum(len(one.rows) for one in undone)


def _draft(
    desk: Desk,
    connection: Connection,
    thread: Row[Any],
    rows: Sequence[Row[Any]],
    pupils: dict[int, Pupil],
    live: dict[tuple[str, str], Row[Any]],
    checkpoint: str,
    undone: list[_Undone],
) -> Draft | None:
    """Compose a thread's summary; what cannot be told of is added to `undone`."""
    terms = desk.config.agreement_on(thread.agreement, thread.organisation, rows[0].until_day - ONE_DAY)
    if terms is None or rows[0].summary not in {one.every.value for one in terms.summaries}:
        undone.append(_Undone("withdrawn", "this summary is not agreed any more", list(rows)))
        return None
    hidden = [row for row in rows if row.suppressed]
    moved = [row for row in rows if not row.suppressed and row.organisation != thread.organisation]
    erased = [row for row in rows if row.pupil_id not in pupils and row not in hidden and row not in moved]
    apart = {row.owed_id for row in [*hidden, *moved, *erased]}
    undone += [
        _Undone("held", "do not share this pupil", hidden),
        _Undone("withdrawn", "this pupil is now told to somebody else", moved),
        _Undone("withdrawn", "this pupil's record cannot be read any more", erased),
    ]
    going = [row for row in rows if row.owed_id not in apart]
    if not going:
        return None
    stretch = _stretch(desk, going[0])
    told = told_in(desk, connection, stretch, going, pupils)
    undone.append(_Undone("withdrawn", "no lesson was due in these days", told.nothing))
    if not told.rows:
        return None
    route = _route(desk, terms, thread.organisation, live)
    if route is None:
        undone.append(_Undone("held", "no way to send: no live channel takes summaries", list(told.rows)))
        return None
    parts, letter = _letter(desk, thread, terms, stretch, told, pupils, checkpoint)
    try:
        password = desk.file_password(live[route.organisation, route.channel])
        composed = compose(desk, letter, route, file_password=password)
    except (AphubError, ValueError) as exc:
        # One message that cannot be made must not keep the others from leaving.
        log.warning("summaries.cannot_compose", channel=route.channel, error=type(exc).__name__)
        why = "no way to send: the summary could not be made as agreed"
        undone.append(_Undone("held", why, list(told.rows)))
        return None
    return Draft(thread.thread_id, letter, route, parts, composed)


def _stretch(desk: Desk, row: Row[Any]) -> Stretch:
    """Give the stretch of an owed summary as it was when it became owed, whatever terms are written now."""
    every = Every(row.summary)
    if every is not Every.TERM:
        return stretch_around(every, row.first_day)
    term = next((one for one in desk.config.provider.calendar().terms if one.starts == row.first_day), None)
    name = term.name if term is not None and term.name else "term"
    return Stretch(every, row.first_day, row.until_day, name, f"term-{row.first_day.isoformat()}")


def _route(
    desk: Desk, agreement: Agreement, organisation: str, live: dict[tuple[str, str], Row[Any]]
) -> Route | None:
    """Give the first way, in the agreed order, that is live, approved for this very place, and takes summaries."""
    for route in desk.routes.of(organisation, agreement.channels):
        channel = live.get((route.organisation, route.channel))
        if channel is None or channel.approved_destination != route.destination:
            continue
        if route.settings.takes_summaries() and not any(route.settings.complaints(desk.now)):
            return route
    return None


def _letter(
    desk: Desk,
    thread: Row[Any],
    agreement: Agreement,
    stretch: Stretch,
    told: Told,
    pupils: dict[int, Pupil],
    checkpoint: str,
) -> tuple[tuple[Part, ...], Letter]:
    now = desk.now
    parts, reports = [], []
    for row, ref in zip(told.rows, desk.references(len(told.rows)), strict=True):
        report = report_of(
            row, pupils[row.pupil_id], (), ref=ref, version=row.version + 1, changes=(), agreement=agreement,
            place="", supervised_by="", figures=told.figures[row.owed_id],
            restated=tuple((one.key, one.now) for one in told.changed.get(row.recipient_id, ())),
        )  # fmt: skip
        reports.append(report)
        parts.append(Part(row, agreement, (), (), changes=[], place="", staff="", urgent=False))
    letter = Letter(
        thread_id=thread.thread_id,
        thread_ref=thread.ref,
        number=thread.last_number + 1,
        kind=Kind.SUMMARY,
        period=stretch.key,
        period_words=stretch.words,
        due_by=min(row.due_by for row in told.rows),
        useful_until=max(*(row.useful_until for row in told.rows), now + HELPS_STILL),
        reports=tuple(reports),
        made_at=now,
        checkpoint=checkpoint,
        papers=told.papers,
    )
    return tuple(parts), letter


def _put_aside(desk: Desk, connection: Connection, undone: Sequence[_Undone]) -> None:
    """Name why a summary does not leave; where a way is missing a person is asked, once for each thread."""
    changes = [
        {"key": row.owed_id, "state": one.state, "because": one.because[:120], "look_at": None}
        for one in undone
        for row in one.rows
    ]
    if changes:
        owed_rows.change_owed(connection, desk.provider_id, changes)
    asked: set[int] = set()
    for one in undone:
        for row in one.rows:
            if one.because.startswith("no way to send") and row.thread_id not in asked:
                asked.add(row.thread_id)
                words = f"A summary for {desk.name_of(row.organisation)} could not be sent ({one.because}). Give it another way."
                open_task(desk, connection, "send_summary", row.ref, row.organisation, words, desk.now)
