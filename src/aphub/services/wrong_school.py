"""A report went to a wrong school: stop the way, keep when it was noticed, and lead a person through what must be done.

The order is that of the child's safety: the safeguarding lead first, then deletion, then the right school, then the
regulator within 72 hours of becoming aware (UK GDPR article 33(1)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.domain.ledger.fields import instant_text
from aphub.domain.outcomes import ReasonKind
from aphub.domain.wording import moment_words, period_words
from aphub.services import approve
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.life import message
from aphub.services.recording import Statement, record
from aphub.services.way import LONGEST_NAME, named, signed, typed
from aphub.services.wrong_school_words import Facts, drafts
from aphub.store import carrying, channels, disclosing, dispatching, lives, settling
from aphub.store.engine import allocate

CLOCK = timedelta(hours=72)
SPECIAL = {
    "health": {ReasonKind.ILL, ReasonKind.MEDICAL, ReasonKind.PUBLIC_HEALTH},
    "religion": {ReasonKind.RELIGIOUS},
    "custody": {ReasonKind.DETAINED},
    "possibly ethnicity": {ReasonKind.PARENT_TRAVELLING},
}
"""Reasons that are special category or criminal offence data (UK GDPR articles 9 and 10)."""
_LEAD, _DELETE, _TELL, _DECIDE = "breach_lead", "breach_delete", "breach_tell", "breach_decide"


class WrongSchoolError(AphubError):
    """This cannot be recorded so."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of a disclosure, and the drafts by file name."""

    ref: str
    report_by: datetime
    pupils: int
    reports: int
    paused: tuple[str, ...]
    drafts: dict[str, str]


def went_wrong(desk: Desk, reference: str, by: str, aware_at: datetime | None = None) -> Recorded:
    """Record that a message reached a wrong school; every way to that school is stopped before anything else.

    Again for the same message gives the same record and fresh drafts: the clock runs from when it was first noticed.

    Raises:
        WrongSchoolError: It never left, or the time given lies ahead.
        UnknownReferenceError: There is no such message.
    """
    name, now = named(by), desk.now
    aware = aware_at or now
    if aware > now:
        raise WrongSchoolError("That time lies ahead.", "Nothing was changed.")
    with desk.store.reading() as connection:
        row = message(desk, connection, reference)
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
        known = disclosing.of_dispatch(connection, desk.provider_id, row.dispatch_id)
    if row.state in {"waiting", "held", "cancelled"} and row.handed_over_at is None and not row.attempts:
        raise WrongSchoolError(
            f"{row.reference} has not left, so nobody has it.",
            "Nothing was changed.",
            f"To keep it from leaving: aphub pause {row.organisation} {row.channel}",
        )
    paused = tuple(_stop(desk, row.organisation, name))
    note(desk, What.WRONG_SCHOOL, row.reference, name, (one.pupil_id for one in carried))
    if known is None:
        with desk.store.transaction() as connection:
            known = _keep(desk, connection, row, carried, name, aware)
    facts = _facts(desk, row, carried, known)
    return Recorded(known.ref, known.report_by, facts.pupils, len(facts.reports), paused, drafts(facts))


def deleted(desk: Desk, reference: str, by: str, who: str) -> str:
    """Keep that a named person at the wrong school said that it is deleted."""
    said_by = typed("A name with its role", who, LONGEST_NAME)
    if not said_by:
        raise WrongSchoolError("Who said so?", "Nothing was changed.", 'Give a name: --deleted "name, role"')
    with desk.store.transaction() as connection:
        row, kept = _known(desk, connection, reference)
        disclosing.change(
            connection, desk.provider_id, kept.disclosure_id, deleted_at=desk.now, deleted_by=said_by
        )
        _state(desk, connection, "disclosure.deleted", kept.ref, by)
        _done(desk, connection, _DELETE, row.reference, by, "deleted")
    return f"It is kept that {row.reference} was deleted there. The rest: aphub waiting"


def decided(desk: Desk, reference: str, by: str, *, reported: bool, because: str = "") -> str:
    """Keep the decision whether the ICO was told; why not must be said (article 33(5))."""
    why = typed("The reason", because, 300)
    if not reported and not why:
        raise WrongSchoolError("Why not?", "Nothing was changed.", 'Give a reason: --not-reported "why"')
    with desk.store.transaction() as connection:
        row, kept = _known(desk, connection, reference)
        disclosing.change(
            connection,
            desk.provider_id,
            kept.disclosure_id,
            decided_at=desk.now,
            decided_by=named(by),
            decision="reported" if reported else "not reported",
            because=why or None,
        )
        how = {"as": "reported" if reported else "not_reported"}
        _state(desk, connection, "disclosure.decided", kept.ref, by, how)
        _done(desk, connection, _DECIDE, row.reference, by, "reported" if reported else "not reported")
    late = desk.now > kept.report_by
    return f"It is kept: {'reported' if reported else 'not reported'}{', later than 72 hours: say why' if late else ''}."


def _stop(desk: Desk, organisation: str, by: str) -> Iterable[str]:
    with desk.store.reading() as connection:
        live = [
            row.name
            for row in channels.every(connection, desk.provider_id, organisation)
            if row.state == "live"
        ]
    for name in live:
        approve.pause(desk, organisation, name, by, "a report went to the wrong school")
        yield name


def _keep(
    desk: Desk, connection: Connection, row: Row[Any], carried: list[Row[Any]], by: str, aware: datetime
) -> Row[Any]:
    [number] = allocate(connection, "disclosures")
    ref, report_by = desk.references(1)[0], aware + CLOCK
    disclosing.add(
        connection,
        {
            "provider_id": desk.provider_id,
            "disclosure_id": number,
            "ref": ref,
            "dispatch_id": row.dispatch_id,
            "organisation": row.organisation,
            "aware_at": aware,
            "report_by": report_by,
            "noted_at": desk.now,
            "noted_by": by,
            "pupils": len({one.pupil_id for one in carried}),
            "reports": len(carried),
        },
    )
    fields = {
        "disclosure": ref,
        "dispatch": row.reference,
        "reports": [one.commitment for one in carried],
        "organisation": row.organisation,
        "aware": instant_text(aware),
        "report_by": instant_text(report_by),
        "by": signed(desk, by),
    }
    record(connection, desk, [Statement("disclosure.recorded", row.reference, fields)])
    dispatching.open_tasks(connection, list(_tasks(desk, connection, row, report_by)))
    kept = disclosing.of_dispatch(connection, desk.provider_id, row.dispatch_id)
    if kept is None:
        message = "a row that was just inserted is there"
        raise LookupError(message)
    return kept


def _tasks(
    desk: Desk, connection: Connection, row: Row[Any], report_by: datetime
) -> Iterable[dict[str, Any]]:
    lead = desk.config.provider.safeguarding
    now = desk.now
    asked = (
        (_LEAD, now + timedelta(minutes=10), f"Phone {lead.name}, {lead.role}: is a child at risk, since a wrong school knows?"),
        (_DELETE, now + timedelta(hours=1), "Phone the wrong school: ask them to delete it, and to say so by name."),
        (_TELL, now + timedelta(hours=4), "Tell the right school or council what happened."),
        (_DECIDE, report_by, f"Decide with your data protection officer about the ICO, by {moment_words(report_by)}."),
    )  # fmt: skip
    numbers = allocate(connection, "tasks", len(asked))
    for (kind, due, words), number, ref in zip(asked, numbers, desk.references(len(asked)), strict=True):
        yield {
            "provider_id": desk.provider_id,
            "task_id": number,
            "ref": ref,
            "kind": kind,
            "subject": row.reference,
            "pupil_id": None,
            "organisation": row.organisation,
            "words": f"{row.reference}: {words}"[:300],
            "due_at": due,
            "state": "open",
            "raised_at": now,
        }


def _facts(desk: Desk, row: Row[Any], carried: list[Row[Any]], kept: Row[Any]) -> Facts:
    provider, school = desk.config.provider, desk.config.organisations.get(row.organisation)
    with desk.store.reading() as connection:
        hops = [
            one.hops for one in lives.receipts_of(connection, desk.provider_id, row.dispatch_id) if one.hops
        ]
    return Facts(
        ref=kept.ref,
        reference=row.reference,
        provider=provider.name,
        phone=provider.phone,
        lead=provider.safeguarding.name,
        lead_phone=provider.safeguarding.phone,
        school=school.name if school else row.organisation,
        school_phone=school.phone if school else "",
        sent_at=row.handed_over_at,
        aware_at=kept.aware_at,
        report_by=kept.report_by,
        by=kept.noted_by,
        pupils=len({one.pupil_id for one in carried}),
        reports=tuple(one.ref for one in carried),
        placements=tuple(dict.fromkeys(one.placement_ref for one in carried)),
        periods=tuple(dict.fromkeys(period_words(one.first_day, one.until_day, one.half) for one in carried)),
        kinds=_kinds(desk, carried),
        way=f"{row.channel} ({row.adapter})",
        protection="; ".join(dict.fromkeys(hops)) or "not known",
    )


def _kinds(desk: Desk, carried: list[Row[Any]]) -> tuple[str, ...]:
    """Name the kinds of data in the reports; where they cannot be read any more, the worst is assumed."""
    opened = desk.vault.try_open_json_many(
        [(one.key_id, place_of("reports", desk.provider_id, one.report_id), one.sealed) for one in carried]
    )
    kinds = ["names or initials, school's pupil numbers", "attendance by session"]
    if any(content is None for content in opened):
        return (*kinds, "reasons that we cannot read any more")
    reasons = {line["reason"] for content in opened for line in content["lines"]}
    kinds += [kind for kind, some in SPECIAL.items() if reasons & {one.value for one in some}]
    return tuple(kinds)


def _known(desk: Desk, connection: Connection, reference: str) -> tuple[Row[Any], Row[Any]]:
    row = message(desk, connection, reference)
    kept = disclosing.of_dispatch(connection, desk.provider_id, row.dispatch_id)
    if kept is None:
        raise WrongSchoolError(
            f"Nothing is recorded about {row.reference}.",
            "Nothing was changed.",
            f"First: aphub wrong-school {row.reference}",
        )
    return row, kept


def _state(
    desk: Desk, connection: Connection, kind: str, ref: str, by: str, more: dict[str, str] | None = None
) -> None:
    fields = {"disclosure": ref, "by": signed(desk, named(by)), **(more or {})}
    record(connection, desk, [Statement(kind, ref, fields)])


def _done(desk: Desk, connection: Connection, kind: str, subject: str, by: str, result: str) -> None:
    settling.finish_tasks_of(connection, desk.provider_id, kind, subject, desk.now, named(by), result)
