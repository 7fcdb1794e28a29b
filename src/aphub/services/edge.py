"""The edge of the machine: the last look at a message before it leaves, and the holds for what must not."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, update

from aphub.api.adapters import Delivery
from aphub.services.desk import Desk, place_of
from aphub.services.outcomes import Tried
from aphub.store import dispatching, telling
from aphub.store.engine import allocate
from aphub.store.frozen import unpack
from aphub.store.tables import dispatches, holds

_HOLD_WORDS = {
    "wrong_school": "We stopped a message: it contained a pupil who is not placed by that school. Nothing was sent.",
    "do_not_share": "We stopped a message: a pupil in it must not be shared. Nothing was sent.",
    "content_erased": "The content of a message is no longer kept, so it could not be sent. Nothing was sent.",
    "channel_not_approved": "The way to this school is not approved as it is now. Nothing was sent.",
}


def at_the_edge(
    desk: Desk, connection: Connection, tried: Sequence[Tried]
) -> tuple[dict[str, Delivery], list[tuple[Tried, str]]]:
    """Open the frozen documents, and check a second time that only this organisation's pupils are in them.

    Gives the deliveries by reference, and what must not leave with the kind of hold that stops it.
    """
    live = telling.live_channels(connection, desk.provider_id, (one.row.organisation for one in tried))
    sealed = dispatching.sealed_of(connection, desk.provider_id, [one.row.dispatch_id for one in tried])
    opened = desk.vault.try_open_many(
        [
            (row.key_id, place_of("dispatches", desk.provider_id, row.dispatch_id), row.sealed)
            for row in sealed
        ]
    )
    contents = {row.dispatch_id: content for row, content in zip(sealed, opened, strict=True)}
    deliveries: dict[str, Delivery] = {}
    stopped: list[tuple[Tried, str]] = []
    for one in tried:
        content = contents.get(one.row.dispatch_id)
        way = desk.routes.one(one.row.organisation, one.row.channel)
        channel = live.get((one.row.organisation, one.row.channel))
        if way is None or channel is None or channel.approved_destination != way.destination:
            stopped.append((one, "channel_not_approved"))
            continue
        if content is None:
            stopped.append((one, "content_erased"))
            continue
        documents, rows, row_reports = unpack(content)
        if why := wrong_pupils(desk, one, rows, row_reports):
            stopped.append((one, why))
            continue
        first = one.carried[0]
        agreement = desk.config.agreement_on(first.agreement, first.organisation, first.first_day)
        deliveries[one.row.reference] = Delivery(
            key=one.row.reference,
            thread_ref=one.row.reference.rpartition("-")[0],
            deadline=one.row.useful_until,
            route=way.settings,
            documents=documents,
            rows=rows,
            reports=tuple([report.ref for report in one.carried]),
            row_reports=row_reports,
            may_write=agreement.may_write if agreement else frozenset(),
            attempt=one.number,
        )
    return deliveries, stopped


def wrong_pupils(desk: Desk, one: Tried, rows: Iterable[dict[str, str]], row_reports: Sequence[str]) -> str:
    """Say why a dispatch must not leave: a pupil of another organisation, a row of no report, or do-not-share."""
    index_of = {report.ref: report.upn_index for report in one.carried}
    if not index_of or set(row_reports) != index_of.keys():
        return "wrong_school"
    if {report.organisation for report in one.carried} != {one.row.organisation}:
        return "wrong_school"
    if any(report.suppressed for report in one.carried):
        return "do_not_share"
    named = [(row["upn"], index_of[ref]) for row, ref in zip(rows, row_reports, strict=True) if row["upn"]]
    if desk.vault.indexes("upn", [upn for upn, _ in named]) != [index for _, index in named]:
        return "wrong_school"
    return ""


def hold(desk: Desk, connection: Connection, stopped: Sequence[tuple[Tried, str]], now: datetime) -> int:
    """Hold what must not leave; no other channel takes over, since the message itself is what is wrong."""
    ids = [one.row.dispatch_id for one, _ in stopped]
    connection.execute(
        update(dispatches)
        .where(dispatches.c.provider_id == desk.provider_id, dispatches.c.dispatch_id.in_(ids))
        .values(state="held", lease_by=None, next_at=None)
    )
    numbers = allocate(connection, "holds", len(stopped))
    connection.execute(
        holds.insert(),
        [
            {
                "provider_id": desk.provider_id,
                "hold_id": number,
                "ref": ref,
                "kind": why,
                "dispatch_id": one.row.dispatch_id,
                "words": _HOLD_WORDS[why],
                "raised_at": now,
            }
            for (one, why), number, ref in zip(stopped, numbers, desk.references(len(stopped)), strict=True)
        ],
    )
    return len(stopped)
