"""Tell the old address that a way to a school is changed or taken out: whoever reads there notices what nobody asked for.

Nothing leaves by a new way before it is approved. The task stands in the transaction that changes the way; the notice
follows, by the old way and with its old settings, and ends the task. Where it cannot go, a person phones.
"""

from sqlalchemy import Connection

from aphub.api.adapters import DeliveryResult
from aphub.api.errors import DeliveryError
from aphub.domain.errors import AphubError
from aphub.domain.reports import Kind
from aphub.domain.wording import day_words
from aphub.logs import get_logger
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.letters import Letter
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.services.trial import HELPS_FOR, Adapters, send_at_once
from aphub.services.way import about, subject_of
from aphub.settings.models import OrganisationConfig
from aphub.store import channels, settling

TASK = "tell_old_address"
_MOVES = (
    "Our attendance reports have gone to this address. We have been asked to send them to another one.",
    "Nothing goes there before your school has read a code back to us by phone. Until then we phone.",
)
_ENDS = (
    "Our attendance reports have gone to this address. We have been asked to send none here any more.",
    "This is the last message that comes here.",
)
log = get_logger("moved")


def ask_to_tell(desk: Desk, connection: Connection, route: Route) -> None:
    """Give a person the old address to tell, in the transaction that changes a way which was approved."""
    words = (
        f"The way '{route.channel}' to {desk.config.organisations[route.organisation].name} has changed. Phone them at the "
        "number that you already have, and ask whether they wanted it."
    )
    open_task(desk, connection, TASK, subject_of(route), route.organisation, words[:300], desk.now)


def ask_to_tell_of_end(desk: Desk, connection: Connection, old: OrganisationConfig, channel: str) -> None:
    """Give a person a school to tell of an approved way that is taken out, in the transaction that does so."""
    words = (
        f"The way '{channel}' to {old.name} has been taken out. Phone them at the number that you already have, and ask "
        "whether they know, and how they hear of their pupils now."
    )
    subject = way_subject(old.slug, channel)
    # A school that is gone from the configuration altogether has no page of its own any more.
    organisation = old.slug if old.slug in desk.config.organisations else None
    open_task(desk, connection, TASK, subject, organisation, words[:300], desk.now)


def way_subject(organisation: str, channel: str) -> str:
    """Name a way as the ledger does, also where its route is no more."""
    return f"{organisation}/{channel}"[:40]


def tell_old_addresses(hub: Adapters, before: Desk, after: Desk) -> int:
    """Send a notice by each approved way whose destination has just changed or that is gone; give how many were told.

    What cannot be told so stays a person's task.
    """
    with after.store.reading() as connection:
        ways = {(row.organisation, row.name): row for row in channels.every(connection, after.provider_id)}
    told = 0
    for old in before.routes.everything():
        new = after.routes.one(old.organisation, old.channel)
        if (new is not None and new.destination == old.destination) or not old.adapter.takes_notices:
            continue
        row = ways.get((old.organisation, old.channel))
        if row is None or row.approved_destination != old.destination:
            continue
        if new is not None and row.state != "changed":
            continue
        try:
            reference, result = send_at_once(
                hub, before, old, _notice(before, _ENDS if new is None else _MOVES)
            )
        except (AphubError, DeliveryError, ValueError) as exc:
            log.warning("moved.old_address_not_told", channel=old.channel, error=type(exc).__name__)
            continue
        _keep(after, old, reference, result)
        told += 1
    return told


def _notice(desk: Desk, what: tuple[str, str]) -> Letter:
    now = desk.now
    [thread_ref] = desk.references(1)
    return Letter(
        thread_id=0,
        thread_ref=thread_ref,
        number=1,
        kind=Kind.NOTICE,
        period=desk.today.isoformat(),
        period_words=day_words(desk.today),
        due_by=now,
        useful_until=now + HELPS_FOR,
        reports=(),
        made_at=now,
        notes=(*what, f"Did your school not ask for this? Then phone us now: {desk.config.provider.phone}."),
    )


def _keep(desk: Desk, old: Route, reference: str, result: DeliveryResult) -> None:
    evidence = desk.vault.digest_json({**result.evidence, "reference": result.reference}).hex()
    with desk.store.transaction() as connection:
        settling.finish_tasks_of(
            connection, desk.provider_id, TASK, subject_of(old), desk.now, "the hub", f"told as {reference}"
        )
        fields = {**about(old), "dispatch": reference, "evidence": evidence}
        record(connection, desk, [Statement("old_address.told", reference, fields)])
