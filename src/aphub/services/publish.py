"""Publish a validated configuration as numbered snapshots, and say beforehand what changes for whom."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk
from aphub.services.moved import ask_to_tell, ask_to_tell_of_end, way_subject
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.services.taking_back import why_taken_back
from aphub.services.way import about, subject_of
from aphub.settings.models import Snapshot
from aphub.store import leaving
from aphub.store.lanes import move_waiting
from aphub.store.tables import channels, providers, snapshots


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a new snapshot changes, for one provider."""

    provider: str
    about: str
    words: str


def snapshot_body(snapshot: Snapshot) -> tuple[str, str]:
    """Give a snapshot's canonical text and its digest: equal configurations give equal digests."""
    content = snapshot.model_dump(mode="json", by_alias=True)
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return body, hashlib.sha256(body.encode()).hexdigest()


def newest_snapshot(connection: Connection, provider_id: int) -> Row[Any] | None:
    """Give a provider's snapshot in force."""
    chosen = (
        select(snapshots)
        .where(snapshots.c.provider_id == provider_id)
        .order_by(snapshots.c.number.desc())
        .limit(1)
    )
    return connection.execute(chosen).one_or_none()


def newest_number(connection: Connection, provider_id: int) -> int | None:
    """Give the number of a provider's snapshot in force; None before the first."""
    chosen = select(func.max(snapshots.c.number)).where(snapshots.c.provider_id == provider_id)
    number: int | None = connection.execute(chosen).scalar_one()
    return number


def snapshot_text(connection: Connection, provider_id: int, number: int) -> str:
    """Give a snapshot's canonical text."""
    chosen = select(snapshots.c.body).where(
        snapshots.c.provider_id == provider_id, snapshots.c.number == number
    )
    return str(connection.execute(chosen).scalar_one())


def published_by(connection: Connection, provider_id: int, number: int) -> str:
    """Say who published a snapshot."""
    chosen = select(snapshots.c.published_by).where(
        snapshots.c.provider_id == provider_id, snapshots.c.number == number
    )
    return str(connection.execute(chosen).scalar_one())


def provider_numbers(connection: Connection) -> dict[str, int]:
    """Give the number of every provider by its short name."""
    rows = connection.execute(
        select(providers.c.slug, providers.c.provider_id).order_by(providers.c.provider_id)
    )
    return {row.slug: row.provider_id for row in rows}


def refuse_closed(connection: Connection, slugs: Iterable[str]) -> None:
    """Refuse to publish anything for a provider that has left: its ledger is closed for good.

    Raises:
        AphubError: There is one among them.
    """
    gone = leaving.closed(connection)
    for slug in slugs:
        if slug in gone:
            raise AphubError(
                f"The provider '{slug}' has left, and its ledger is closed.",
                "Nothing was changed.",
                "Remove its file, or give it another short name.",
            )


def add_provider(connection: Connection, slug: str, now: datetime) -> int:
    """Give a new provider its number; it keeps it for ever."""
    numbers = provider_numbers(connection)
    number = max(numbers.values(), default=0) + 1
    connection.execute(insert(providers), {"provider_id": number, "slug": slug, "since": now})
    return number


def changes_of(slug: str, old: Snapshot | None, new: Snapshot) -> list[Change]:
    """Say what a new snapshot changes, organisation by organisation and agreement by agreement."""
    if old is None:
        said = [Change(slug, "provider", f"{new.provider.name} is new.")]
        said += [Change(slug, name, f"{one.name} is new.") for name, one in new.organisations.items()]
        return said + [Change(slug, name, "Agreement is new.") for name in new.agreements]
    said = []
    fields = [
        name
        for name in type(new.provider).model_fields
        if getattr(old.provider, name) != getattr(new.provider, name)
    ]
    if fields:
        said.append(Change(slug, "provider", f"Changed: {', '.join(fields)}."))
    for title, before, after in (
        ("School or council", old.organisations, new.organisations),
        ("Agreement", old.agreements, new.agreements),
    ):
        for name in sorted({*before, *after}):
            if name not in after:
                said.append(Change(slug, name, f"{title} is removed."))
            elif name not in before:
                said.append(Change(slug, name, f"{title} is new."))
            elif before[name] != after[name]:
                fields = [
                    field
                    for field in type(after[name]).model_fields
                    if getattr(before[name], field) != getattr(after[name], field)
                ]
                said.append(Change(slug, name, f"{title} changes: {', '.join(fields)}."))
    return said


def publish(desk: Desk, by: str) -> int:
    """Publish the desk's configuration as the next snapshot; give its number. Nothing changed publishes nothing.

    A live channel whose destination changed goes back to waiting for approval, and its old approval no longer counts;
    likewise one of which something else changed that was approved with it (`taking_back`).
    """
    body, digest = snapshot_body(desk.config)
    now = desk.now
    with desk.store.transaction() as connection:
        newest = newest_snapshot(connection, desk.provider_id)
        said = []
        number = newest.number if newest is not None else 0
        if newest is None or newest.digest != digest:
            number += 1
            connection.execute(
                insert(snapshots),
                {
                    "provider_id": desk.provider_id,
                    "number": number,
                    "body": body,
                    "digest": digest,
                    "published_at": now,
                    "published_by": by,
                },
            )
            said.append(
                Statement("snapshot.published", f"snapshot-{number}", {"number": number, "content": digest})
            )
        before = Snapshot.model_validate_json(newest.body) if newest is not None else desk.config
        said += _keep_channels(desk, connection, desk.routes.everything(), before)
        record(connection, desk, said)
    return number


def _keep_channels(
    desk: Desk, connection: Connection, routes: Sequence[Route], before: Snapshot
) -> list[Statement]:
    chosen = select(channels).where(channels.c.provider_id == desk.provider_id)
    known = {(row.organisation, row.name): row for row in connection.execute(chosen)}
    said = []
    for route in routes:
        row = known.get((route.organisation, route.channel))
        where = (
            channels.c.provider_id == desk.provider_id,
            channels.c.organisation == route.organisation,
            channels.c.name == route.channel,
        )
        values = {"adapter": route.adapter.name, "lane": route.lane, "destination": route.destination}
        if row is None:
            connection.execute(
                insert(channels),
                {
                    "provider_id": desk.provider_id,
                    "organisation": route.organisation,
                    "name": route.channel,
                    "state": "draft",
                    **values,
                },
            )
        elif row.destination == route.destination:
            why = why_taken_back(before, desk.config, route) if row.state != "draft" else ""
            if why:
                values |= {"state": "changed" if row.approved_destination else "draft", "because": why}
                said += [_changed(route, row.destination)] if row.approved_destination else []
            connection.execute(update(channels).where(*where).values(**values))
            if row.lane != route.lane:
                move_waiting(
                    connection, desk.provider_id, route.organisation, route.channel, row.lane, route.lane
                )
        else:
            state = "changed" if row.approved_destination else "draft"
            because = "its destination changed" if row.approved_destination else None
            connection.execute(update(channels).where(*where).values(state=state, because=because, **values))
            if row.approved_destination:
                ask_to_tell(desk, connection, route)
                said.append(_changed(route, row.destination))
    return said + _taken_out(desk, connection, known, before)


def _taken_out(
    desk: Desk, connection: Connection, known: Mapping[tuple[str, str], Row[Any]], before: Snapshot
) -> list[Statement]:
    """Give a person each school to tell whose approved way this configuration leaves out, and the one before did not."""
    said = []
    for (organisation, channel), row in sorted(known.items()):
        old = before.organisations.get(organisation)
        if old is None or old.channel(channel) is None or not row.approved_destination:
            continue
        if desk.routes.one(organisation, channel) is None:
            ask_to_tell_of_end(desk, connection, old, channel)
            fields = {"organisation": organisation, "channel": channel, "destination": row.destination}
            said.append(Statement("channel.removed", way_subject(organisation, channel), fields))
    return said


def _changed(route: Route, before: str) -> Statement:
    return Statement("channel.changed", subject_of(route), {**about(route), "before": before})
