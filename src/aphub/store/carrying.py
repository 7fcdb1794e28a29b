"""The reports that dispatches carry, with whom they are really for: read anew from placement and recipient."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from aphub.store.among import among
from aphub.store.bulk import read_many
from aphub.store.same import same, same_now
from aphub.store.tables import dispatch_reports, owed_reports, placements, pupils, recipients, reports

Carried = dict[int, list[Row[Any]]]


def bound_for(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> Carried:
    """Give what the edge must know of the reports of dispatches: whose they are, and their commitment.

    A burst reads hundreds of these in the minute when reports are due, so it reads no more than that.
    """
    chosen = (
        select(
            dispatch_reports.c.dispatch_id,
            reports.c.report_id,
            reports.c.ref,
            reports.c.version,
            reports.c.commitment,
            owed_reports.c.owed_id,
            owed_reports.c.version.label("newest_version"),
            owed_reports.c.first_day,
            recipients.c.organisation,
            recipients.c.agreement,
            pupils.c.upn_index,
            pupils.c.suppressed,
        )
        .select_from(dispatch_reports)
        .join(reports, same(dispatch_reports, reports, "report_id"))
        .join(owed_reports, same(dispatch_reports, owed_reports, "owed_id"))
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .join(pupils, same(owed_reports, pupils, "pupil_id"))
        .where(
            dispatch_reports.c.provider_id == provider_id,
            among(connection, dispatch_reports.c.dispatch_id, dispatch_ids),
        )
        .order_by(dispatch_reports.c.dispatch_id, reports.c.report_id)
    )
    return _by_dispatch(read_many(connection, chosen))


def carried(connection: Connection, provider_id: int, dispatch_ids: Sequence[int]) -> Carried:
    """Give all that is needed to tell the reports of dispatches again."""
    chosen = (
        select(
            dispatch_reports.c.dispatch_id,
            dispatch_reports.c.answer,
            reports,
            owed_reports.c.ref.label("owed_ref"),
            owed_reports.c.version.label("newest_version"),
            owed_reports.c.due_by.label("owed_due_by"),
            owed_reports.c.send_at.label("owed_send_at"),
            recipients.c.organisation,
            recipients.c.agreement,
            recipients.c.purpose,
            owed_reports.c.first_day,
            owed_reports.c.until_day,
            owed_reports.c.half,
            pupils.c.upn_index,
            pupils.c.suppressed,
            pupils.c.key_id.label("pupil_key_id"),
            pupils.c.sealed.label("pupil_sealed"),
            placements.c.ref.label("placement_ref"),
            placements.c.arranged_by,
            placements.c.power,
            placements.c.nature,
            placements.c.risk_flag,
        )
        .select_from(dispatch_reports)
        .join(reports, same(dispatch_reports, reports, "report_id"))
        .join(owed_reports, same(dispatch_reports, owed_reports, "owed_id"))
        .join(recipients, same(owed_reports, recipients, "recipient_id"))
        .join(pupils, same(owed_reports, pupils, "pupil_id"))
        .join(placements, same_now(owed_reports, placements, "placement_id"))
        .where(
            dispatch_reports.c.provider_id == provider_id,
            among(connection, dispatch_reports.c.dispatch_id, dispatch_ids),
        )
        .order_by(dispatch_reports.c.dispatch_id, reports.c.report_id)
    )
    return _by_dispatch(read_many(connection, chosen))


def _by_dispatch(rows: Sequence[Any]) -> Carried:
    # Every selection above puts them in this order.
    return {number: list(some) for number, some in groupby(rows, attrgetter("dispatch_id"))}
