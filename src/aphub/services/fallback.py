"""Send reports on by the next capable channel, or give a person the phone: nothing owed ends in silence."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.domain.paper_data import paper_from_data
from aphub.domain.papers import Paper
from aphub.domain.placements import ArrangedBy, Nature, Power, Pupil, Purpose
from aphub.domain.reports import Kind, Report
from aphub.services.asking import ask_to_phone
from aphub.services.catching_up import span_words
from aphub.services.desk import Desk, place_of
from aphub.services.freeze import dispatch_row, prepared
from aphub.services.letters import Letter, compose
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.store import carrying, dispatching, lanes, telling
from aphub.store import owed as owed_rows
from aphub.store.engine import allocate
from aphub.store.frozen import lines_from_data, unpack_papers

PHONE_WITHIN = timedelta(minutes=10)
_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Onward:
    """Reports of one dispatch that must go another way, and why."""

    row: Row[Any]
    reports: Sequence[Row[Any]]
    why: str
    may_have_it: bool = False
    differs: bool = False
    expired: bool = False
    refused: bool = False


def send_onward(desk: Desk, connection: Connection, onward: Onward, now: datetime) -> None:
    """Make a new dispatch of the same report versions for the next live channel that can say them.

    Where a school's register has another mark, the school is told of the difference, and a person too. Where there is
    no channel left, or nothing would help any more, a person is given a task and the ledger says so. An earlier
    version is not sent on when a newer one exists already.
    """
    row = onward.row
    current = [report for report in onward.reports if report.version == report.newest_version]
    if onward.may_have_it:
        raise_task(
            desk,
            connection,
            row,
            "settle",
            f"{row.reference} may have arrived. Ask them, then settle it.",
            now,
        )
    if onward.refused:
        words = f"Their system refused {row.reference} ({onward.why}). Check the way to them."
        raise_task(desk, connection, row, "fix_channel", words, now)
    if onward.differs:
        raise_task(desk, connection, row, "register_differs", f"{row.reference}: {onward.why}.", now)
    if not current:
        return
    too_late = onward.expired or now > row.useful_until
    routes = [] if too_late else list(_next_routes(desk, connection, row, current))
    resting = lanes.resting(connection, desk.provider_id, now)
    routes.sort(key=lambda route: route.lane in resting)
    if not routes:
        _give_to_person(desk, connection, onward, current, now)
        return
    going = {report.report_id for report in current}
    everything = carrying.carried(connection, desk.provider_id, [row.dispatch_id])[row.dispatch_id]
    current = [report for report in everything if report.report_id in going]
    notes = (f"You may already have {row.reference}.",) if onward.may_have_it else ()
    if onward.differs:
        # The difference is theirs to settle: their mark stands, and they read what we saw.
        notes = ("Your register has another mark here. We left it as it is.", *notes)
    for route in routes:
        # What one way cannot carry, the next one may.
        with suppress(AphubError, ValueError):
            carry(desk, connection, row, current, route, now, notes=notes)
            return
    _give_to_person(desk, connection, onward, current, now)


def carry(
    desk: Desk,
    connection: Connection,
    row: Row[Any],
    current: Sequence[Row[Any]],
    route: Route,
    now: datetime,
    *,
    notes: tuple[str, ...] = (),
    useful_until: datetime | None = None,
) -> str:
    """Make a new dispatch of the same report versions, in the same thread, for a route; give its reference.

    Raises:
        AphubError: The message cannot be made for this route.
        ValueError: Likewise.
    """
    pupils = _pupils(desk, current)
    contents = desk.vault.open_json_many(
        [(one.key_id, place_of("reports", desk.provider_id, one.report_id), one.sealed) for one in current]
    )
    reports = tuple(
        _report(one, pupils[one.pupil_id], content) for one, content in zip(current, contents, strict=True)
    )
    first = current[0]
    agreement = desk.config.agreement_on(first.agreement, row.organisation, first.first_day)
    may_write = agreement.may_write if agreement else frozenset[str]()
    for report in reports:
        if why := route.why_not(report, may_write, now, summary=row.kind == Kind.SUMMARY):
            raise AphubError(why)
    papers = _papers(desk, connection, row) if row.kind == Kind.SUMMARY else ()
    numbers = dispatching.thread_numbers(connection, desk.provider_id, [row.thread_id])
    number = numbers[row.thread_id] + 1
    letter = Letter(
        thread_id=row.thread_id,
        thread_ref=row.reference.split("-")[1],
        number=number,
        kind=Kind(row.kind),
        period=_period_of(first),
        period_words=span_words(current),
        papers=papers,
        due_by=row.due_by,
        useful_until=useful_until or row.useful_until,
        reports=reports,
        made_at=now,
        notes=notes,
        instead_of=row.number,
    )
    live = telling.live_channels(connection, desk.provider_id, [route.organisation])
    channel = live[route.organisation, route.channel]
    composed = compose(desk, letter, route, file_password=desk.file_password(channel))
    [dispatch_id] = allocate(connection, "dispatches", 1)
    fresh = {
        **dispatch_row(desk, letter, route, composed, dispatch_id, now),
        "replaces_id": row.dispatch_id,
        "urgent": row.urgent,
    }
    links = [
        {
            "provider_id": desk.provider_id,
            "dispatch_id": dispatch_id,
            "report_id": one.report_id,
            "owed_id": one.owed_id,
        }
        for one in current
    ]
    dispatching.add_dispatches(connection, [fresh], links)
    ask_to_phone(desk, connection, [fresh], now)
    dispatching.set_thread_numbers(connection, desk.provider_id, {row.thread_id: number})
    record(connection, desk, [prepared(desk, fresh, [one.commitment for one in current])])
    desk.announce(route.lane)
    return composed.message.reference


def next_route(
    desk: Desk, connection: Connection, row: Row[Any], current: Sequence[Row[Any]]
) -> Route | None:
    """Give the next live way, in the agreed order, that a person reads; None where there is none."""
    return next(_next_routes(desk, connection, row, current), None)


def _next_routes(
    desk: Desk, connection: Connection, row: Row[Any], current: Sequence[Row[Any]]
) -> Iterator[Route]:
    live = telling.live_channels(connection, desk.provider_id, [row.organisation])
    first = current[0]
    agreement = desk.config.agreement_on(first.agreement, row.organisation, first.first_day)
    routes = desk.routes.of(row.organisation, agreement.channels if agreement else ())
    places = [route.channel for route in routes]
    after = places.index(row.channel) + 1 if row.channel in places else 0
    for route in routes[after:]:
        channel = live.get((route.organisation, route.channel))
        if channel is None or channel.approved_destination != route.destination:
            continue
        if route.adapter.writes_register:
            continue
        if row.kind == Kind.SUMMARY and not route.settings.takes_summaries():
            continue
        yield route


def _give_to_person(
    desk: Desk, connection: Connection, onward: Onward, current: Sequence[Row[Any]], now: datetime
) -> None:
    row = onward.row
    what = "may not have arrived" if onward.may_have_it else "could not be sent"
    words = (
        f"Phone {desk.name_of(row.organisation, phone=True)} about {row.reference}: it {what} ({onward.why})."
    )
    raise_task(desk, connection, row, "phone_school", words, now)
    if row.kind == Kind.ALERT:
        # The routine report of these pupils is still owed, and may find the way open again.
        _say_expired(desk, connection, onward, current)
        return
    owed_rows.change_owed(
        connection,
        desk.provider_id,
        [
            {"key": one.owed_id, "state": "held", "because": f"not sent: {onward.why}"[:120], "look_at": None}
            for one in current
        ],
    )
    _say_expired(desk, connection, onward, current)


def _say_expired(desk: Desk, connection: Connection, onward: Onward, current: Sequence[Row[Any]]) -> None:
    row = onward.row
    if onward.expired:
        fields = {
            "dispatch": row.reference,
            "reports": [one.commitment for one in current],
            "cause": "too-late-to-help",
        }
        record(connection, desk, [Statement("dispatch.expired", row.reference, fields)])


def raise_task(
    desk: Desk,
    connection: Connection,
    row: Row[Any],
    kind: str,
    words: str,
    now: datetime,
    *,
    apart: str = "",
    lasting: bool = False,
) -> None:
    """Give a person something to do about a message; one that is open stays as it is, unless this is set `apart`."""
    subject = f"{row.reference}/{apart}" if apart else row.reference
    open_task(desk, connection, kind, subject, row.organisation, words, now, lasting=lasting)


def open_task(
    desk: Desk,
    connection: Connection,
    kind: str,
    subject: str,
    organisation: str | None,
    words: str,
    now: datetime,
    *,
    lasting: bool = False,
) -> None:
    """Give a person something to do; one that is open stays as it is.

    `lasting` says that the same trouble is seen at each look: where a person has ended the task, it is not raised again.
    """
    [number] = allocate(connection, "tasks", 1)
    [ref] = desk.references(1)
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": kind,
                "subject": subject,
                "pupil_id": None,
                "organisation": organisation,
                "words": words[:300],
                "due_at": now + PHONE_WITHIN,
                "state": "open",
                "raised_at": now,
            }
        ],
        lasting=lasting,
    )


def _papers(desk: Desk, connection: Connection, row: Row[Any]) -> tuple[Paper, ...]:
    """Give what a summary was made of, as it was frozen: it is never counted anew under the same version."""
    [sealed] = dispatching.sealed_of(connection, desk.provider_id, [row.dispatch_id])
    [packed] = desk.vault.open_many(
        [(sealed.key_id, place_of("dispatches", desk.provider_id, row.dispatch_id), sealed.sealed)]
    )
    return tuple(paper_from_data(one) for one in unpack_papers(packed))


def _pupils(desk: Desk, rows: Sequence[Row[Any]]) -> dict[int, Pupil]:
    opened = desk.vault.open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in rows
        ]
    )
    return {
        row.pupil_id: Pupil(ref=str(row.pupil_id), **data) for row, data in zip(rows, opened, strict=True)
    }


def _report(row: Row[Any], pupil: Pupil, content: dict[str, Any]) -> Report:
    """Make a report again from what was frozen of it."""
    return Report(
        ref=row.ref,
        version=row.version,
        placement_ref=row.placement_ref,
        purpose=Purpose(row.purpose),
        sessions=lines_from_data(content["lines"]),
        nature=Nature(row.nature),
        arranged_by=ArrangedBy(row.arranged_by),
        power=Power(row.power),
        place=content["place"],
        supervised_by=content["supervised_by"],
        pupil_name=pupil.name,
        upn=pupil.upn,
        school_pupil_ref=pupil.school_pupil_ref,
        changes=tuple(content["changes"]),
        next_step=content["next_step"],
        phone_us=content["phone_us"],
        figures=_figures(content.get("figures", ())),
        restated=tuple((key, _figures(some)) for key, some in content.get("restated", ())),
    )


def _figures(data: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in data)


def _period_of(row: Row[Any]) -> str:
    days = (row.until_day - row.first_day).days
    if days > _A_WEEK:
        return str(row.first_day)
    if days > 1:
        year, week, _ = row.first_day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{row.first_day.isoformat()}{'-' + row.half if row.half else ''}"
