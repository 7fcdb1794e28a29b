"""Tell a school or council by telephone what a message could not: the call that was answered counts as delivery."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import CALL_WORDS, VOICEMAIL_RULE, CallResult
from aphub.domain.how_far import BY_TELEPHONE
from aphub.domain.steps import Act
from aphub.services.calling import OFFICE, Call, check_call, keep_call
from aphub.services.case_acts import CannotFollowError, when
from aphub.services.desk import Desk
from aphub.services.held import held_together
from aphub.services.outcomes import keep_receipts
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed
from aphub.store import carrying, delivering, looking, settling
from aphub.store.engine import lock_ledger

_SENT = frozenset({"handed_over", "accepted", "confirmed"})


def is_message(desk: Desk, ref: str) -> bool:
    """Say whether this is the reference of a message, or of a task to phone about one or about what is owed."""
    with desk.store.reading() as connection:
        return _about(desk, connection, ref) is not None


def call_about_message(desk: Desk, ref: str, call: Call) -> str:
    """Keep a call by which a school or council was told, or was not, as `call_about_messages` does."""
    return "\n".join(call_about_messages(desk, [ref], call))


def call_about_messages(desk: Desk, refs: Sequence[str], call: Call) -> list[str]:
    """Keep one call about one or more messages to a school or council; give in words what it means for each.

    An answer counts as handed over, and as confirmed where they repeated the message. Anything else is kept, and the
    task stays open. All of it is kept, or nothing.

    Raises:
        CannotFollowError: One was sent already, they are not all to the same school or council, or nobody is named
            who answered.
    """
    name, at = named(call.by), when(desk, call.at)
    check_call(call)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        subjects = [_subject(desk, connection, ref) for ref in dict.fromkeys(refs)]
        called = {_whose(desk, connection, subject) for subject in subjects}
        if len(called) > 1:
            names = ", ".join(sorted(desk.name_of(one) for one in called))
            raise CannotFollowError(
                f"One call is to one school or council; these are for {names}.",
                "Nothing was kept.",
                "Keep a call to each.",
            )
        every = dict.fromkeys(one for subject in subjects for one in _together(desk, connection, subject))
        return [_called(desk, connection, subject, call, name, at) for subject in every]


def _subject(desk: Desk, connection: Connection, ref: str) -> str:
    subject = _about(desk, connection, ref)
    if subject is None:
        raise CannotFollowError(f"We know no message {ref}.", "Nothing was kept.", "See: aphub waiting")
    return subject


def _together(desk: Desk, connection: Connection, subject: str) -> list[str]:
    row = settling.owed_by_ref(connection, desk.provider_id, subject)
    return (
        [subject] if row is None else [one.ref for one in held_together(desk, connection, row)] or [subject]
    )


def _whose(desk: Desk, connection: Connection, subject: str) -> str:
    row = delivering.by_reference(connection, desk.provider_id, subject)
    if row is None:
        row = looking.owed_called(connection, desk.provider_id, subject)
    return row.organisation if row is not None else ""


def _called(desk: Desk, connection: Connection, subject: str, call: Call, name: str, at: datetime) -> str:
    row = delivering.by_reference(connection, desk.provider_id, subject)
    if row is not None and row.state in _SENT:
        raise CannotFollowError(
            f"{subject} was sent already.",
            "Nothing was kept.",
            f'To keep who has it: aphub confirm {subject} --by "Ms Example, Hill School"',
        )
    keep_call(desk, connection, subject, Act.PHONE_SCHOOL, call.whom or OFFICE, call, at)
    if row is not None and row.state == "waiting" and _by_person(desk, row):
        return _deliver(desk, connection, row, call, name)
    if call.result is not CallResult.ANSWERED:
        rule = f" {VOICEMAIL_RULE}" if call.result is CallResult.VOICEMAIL else ""
        return f"Kept: {CALL_WORDS[call.result]}.{rule} That does not count as told: try again."
    rung = "confirmed" if call.repeated else "handed_over"
    if row is not None:
        _told(desk, connection, row, call, at, rung)
    else:
        owed = settling.owed_by_ref(connection, desk.provider_id, subject)
        if owed is not None:
            settling.meet(connection, desk.provider_id, [owed.owed_id], at, BY_TELEPHONE)
    settling.clear_tasks(connection, desk.provider_id, subject, desk.now, name, f"told by phone: {rung}")
    return f"{subject} counts as {'confirmed' if call.repeated else 'sent'}: {call.answered_by} was told."


def _by_person(desk: Desk, row: Row[Any]) -> bool:
    adapter = desk.plugins.adapters.get(row.adapter)
    return adapter is not None and adapter.asks_person


def _deliver(desk: Desk, connection: Connection, row: Row[Any], call: Call, by: str) -> str:
    """Let the adapter of a telephone channel make of the call what it is: the hub tries the delivery now."""
    change = {"key": row.dispatch_id, "next_at": desk.now}
    delivering.change_dispatches(connection, desk.provider_id, [change])
    desk.announce(row.lane)
    if call.result is not CallResult.ANSWERED:
        rule = f" {VOICEMAIL_RULE}" if call.result is CallResult.VOICEMAIL else ""
        return f"Kept: {CALL_WORDS[call.result]}.{rule} That does not count as told: try again."
    settling.clear_tasks(connection, desk.provider_id, row.reference, desk.now, by, "told by phone")
    return f"Kept: {call.answered_by} was told. {row.reference} counts as {'confirmed' if call.repeated else 'sent'}."


def _about(desk: Desk, connection: Connection, ref: str) -> str | None:
    """Give the reference of the message, or of what is owed, that a reference or a task's reference means."""
    wanted = ref.strip().upper()
    if delivering.by_reference(connection, desk.provider_id, wanted) is not None:
        return wanted
    return settling.asked_about(connection, desk.provider_id, wanted)


def _told(desk: Desk, connection: Connection, row: Row[Any], call: Call, at: Any, rung: str) -> None:
    """Write down that a message's reports were told by voice: the debt is met, and what was to replace it stops."""
    provider = desk.provider_id
    carried = carrying.carried(connection, provider, [row.dispatch_id]).get(row.dispatch_id, [])
    newest = [one.owed_id for one in carried if one.version == one.newest_version]
    if row.state == "started":
        raise CannotFollowError(
            f"{row.reference} is being sent at this moment.", "Nothing was kept.", "Try in a minute."
        )
    delivering.change_dispatches(
        connection,
        provider,
        [
            {
                "key": row.dispatch_id,
                "state": rung,
                "rung": rung,
                "handed_over_at": at,
                "next_at": None,
                "lease_by": None,
                "because": BY_TELEPHONE,
            }
        ],
    )
    delivering.answer_all(connection, provider, [row.dispatch_id], "taken")
    if row.kind != "alert":
        settling.meet(connection, provider, newest, at)
    evidence = {"answered by": call.answered_by, "called by": call.by, "at": at.isoformat()}
    receipt = {
        "provider_id": provider,
        "dispatch_id": row.dispatch_id,
        "far_reference": "",
        "reports": {},
        "hops": BY_TELEPHONE,
        "evidence": evidence,
        "at": at,
    }
    keep_receipts(desk, connection, [{**receipt, "rung": rung}])
    fields = {
        "dispatch": row.reference,
        "reports": [one.commitment for one in carried],
        "evidence": desk.vault.digest_json(evidence).hex(),
        "by": signed(desk, call.by),
    }
    kind = "dispatch.confirmed" if call.repeated else "settled.by_person"
    if kind == "settled.by_person":
        fields["as"] = "handed_over"
    record(connection, desk, [Statement(kind, row.reference, fields)])
