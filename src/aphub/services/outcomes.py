"""Write down what became of a burst: states, attempts, receipts, debts and proof, in one transaction."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.adapters import Answer, DeliveryResult, Repeat, ReportResult, Rung
from aphub.api.errors import (
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.domain.retries import Next, Outcome, Situation, Step, next_step
from aphub.services.desk import Desk, place_of
from aphub.services.fallback import Onward, next_route, send_onward
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.store import delivering
from aphub.store.engine import allocate, lock_ledger

FIRST_FOLLOW_UP = timedelta(seconds=2)
_NONE_TAKEN = "Their system took none of the reports."
_ABOVE_HANDED_OVER = frozenset({Rung.ACCEPTED, Rung.CONFIRMED})
_TAKEN = Answer.TAKEN
_ARRIVED = frozenset({Answer.TAKEN, Answer.ALREADY_THERE, Answer.PENDING})
_OUTCOMES: dict[type[DeliveryError], Outcome] = {
    TransientDeliveryError: Outcome.TRANSIENT,
    RefusedDeliveryError: Outcome.REFUSED,
    UncertainDeliveryError: Outcome.UNCERTAIN,
}


@dataclass(slots=True)
class Tried:
    """One dispatch's try by its number, with its reports as they really are, and what came of it."""

    row: Row[Any]
    carried: list[Row[Any]]
    number: int
    answer: DeliveryResult | DeliveryError | None = None
    fault: str = ""


@dataclass(slots=True)
class _Writing:
    """The rows that one burst's outcomes come to."""

    ends: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    arrived: dict[datetime, list[int]] = field(default_factory=lambda: defaultdict(list))
    receipts: list[dict[str, Any]] = field(default_factory=list)
    said: list[Statement] = field(default_factory=list)
    onward: list[Onward] = field(default_factory=list)


def record_outcomes(
    desk: Desk, connection: Connection, route: Route, tried: Sequence[Tried], by: str
) -> None:
    """Record a burst. A dispatch whose lease is no longer ours is left to whoever holds it now."""
    if not tried:
        return
    ours = delivering.still_ours(connection, desk.provider_id, [one.row.dispatch_id for one in tried], by)
    mine = [one for one in tried if one.row.dispatch_id in ours]
    if mine:
        settle(desk, connection, route, mine, desk.now)


def settle(
    desk: Desk,
    connection: Connection,
    route: Route,
    tried: Iterable[Tried],
    now: datetime,
    rests_until: datetime | None = None,
) -> None:
    """Write outcomes in the caller's transaction; `rests_until` is when a lane that failed is visited again.

    The ledger is locked first, as in every transaction that writes to it: two orders would be a deadlock.
    """
    lock_ledger(connection, desk.provider_id)
    writing = _Writing()
    for one in tried:
        if isinstance(one.answer, DeliveryResult):
            _handed_over(desk, writing, one, one.answer, now)
        else:
            _not_handed_over(desk, connection, writing, route, one, now, rests_until)
    _write(desk, connection, writing, now)


def _handed_over(desk: Desk, writing: _Writing, one: Tried, result: DeliveryResult, now: datetime) -> None:
    not_taken = [answer for answer in result.results if answer.answer is not _TAKEN]
    arrived, lost = one.carried, list[Row[Any]]()
    by_report: dict[str, ReportResult] = {}
    if not_taken:
        by_report = {answer.report: answer for answer in result.results}
        arrived = [report for report in one.carried if by_report[report.ref].answer in _ARRIVED]
        lost = [report for report in one.carried if by_report[report.ref].answer not in _ARRIVED]
    pending = any(answer.answer is Answer.PENDING for answer in not_taken)
    dispatch_id = one.row.dispatch_id
    at = min(result.at or now, now)
    state = (
        (result.rung.value if result.rung in _ABOVE_HANDED_OVER else "handed_over")
        if arrived or not one.carried
        else "refused"
    )
    writing.changes.append(
        {
            "key": dispatch_id,
            "state": state,
            "because": None if arrived or not one.carried else _NONE_TAKEN,
            "next_at": now + FIRST_FOLLOW_UP if pending else None,
            "rung": result.rung.value if state != "refused" else "prepared",
            "handed_over_at": at if state != "refused" else None,
            "far_reference": result.reference[:120],
            "lease_by": None,
        }
    )
    if not not_taken:
        writing.taken.append(dispatch_id)
    else:
        writing.answers += [
            {"key": dispatch_id, "report": report.report_id, "answer": by_report[report.ref].answer.value}
            for report in one.carried
        ]
    words = {answer.report: answer.words for answer in result.results if answer.words}
    evidence = {**result.evidence, **({"words": words} if words else {})}
    answers = {answer.report: answer.answer.value for answer in not_taken}
    turned_away = [answer for answer in not_taken if answer.answer is Answer.REFUSED]
    if arrived or not one.carried:
        writing.ends.append(_end(one, "taken", "", "", now))
        if one.row.kind != "alert":
            writing.arrived[at].append(dispatch_id)
        for rung in _rungs(result):
            writing.receipts.append(
                _receipt(desk, one, rung, result.reference, answers, result.hops, evidence, now)
            )
            if arrived:
                writing.said.append(_said(desk, f"dispatch.{rung}", one, arrived, evidence))
    else:
        # Their own words may name a pupil: they are sealed in the receipt, and a plain sentence stands in the log.
        code = next((answer.code for answer in turned_away if answer.code), "")
        writing.ends.append(_end(one, "refused", code, _NONE_TAKEN, now))
        writing.receipts.append(
            _receipt(desk, one, "refused", result.reference, answers, result.hops, evidence, now)
        )
        writing.said.append(_trouble(desk, one, Outcome.REFUSED, evidence))
    if lost:
        expressible = [report for report in lost if by_report[report.ref].answer is not Answer.DIFFERS]
        differing = [report for report in lost if by_report[report.ref].answer is Answer.DIFFERS]
        if expressible:
            why = "their system cannot take this report" if arrived else "their system rejected the message"
            writing.onward.append(Onward(one.row, expressible, why, refused=bool(turned_away)))
        if differing:
            why = "their register has another mark, which we left as it is"
            writing.onward.append(Onward(one.row, differing, why, differs=True))


def _rungs(result: DeliveryResult) -> list[str]:
    """Name the rungs that a delivery climbed."""
    return ["handed_over", *([result.rung.value] if result.rung in _ABOVE_HANDED_OVER else [])]


def _not_handed_over(
    desk: Desk,
    connection: Connection,
    writing: _Writing,
    route: Route,
    one: Tried,
    now: datetime,
    rests_until: datetime | None,
) -> None:
    error = one.answer if isinstance(one.answer, DeliveryError) else None
    outcome = _OUTCOMES[type(error)] if error is not None else Outcome.FAULT
    other = next_route(desk, connection, one.row, one.carried) if one.carried else None
    situation = Situation(
        now=now,
        tries=one.number,
        due_by=one.row.due_by,
        useful_until=one.row.useful_until,
        first_try=one.row.send_at,
        has_next_channel=other is not None,
        repeat=route.adapter.repeat.value if route.adapter.repeat else Repeat.HARMFUL.value,
        jitter=secrets.randbelow(1000) / 1000,
        retry_after=error.retry_after if isinstance(error, TransientDeliveryError) else None,
        uncertain_before=1 if one.row.rung == "uncertain" else 0,
        rests_until=rests_until,
    )
    step = next_step(outcome, situation)
    code = error.code if error is not None else ""
    words = error.words if error is not None else f"The adapter failed ({one.fault}). It is held."
    writing.ends.append(_end(one, outcome.value, code, words, now))
    doubtful = outcome in {Outcome.UNCERTAIN, Outcome.FAULT}
    writing.changes.append(
        {
            "key": one.row.dispatch_id,
            "state": _state_after(step, outcome),
            "because": words[:200],
            # A person tries again, not the clock.
            "next_at": None if route.adapter.asks_person else step.at,
            "rung": "uncertain" if doubtful else one.row.rung,
            "handed_over_at": None,
            "far_reference": one.row.far_reference,
            "lease_by": None,
        }
    )
    if outcome is not Outcome.TRANSIENT and one.carried:
        writing.said.append(_trouble(desk, one, outcome))
    if step.do in {Next.NEXT_CHANNEL, Next.NEXT_CHANNEL_UNCERTAIN}:
        doubt = step.do is Next.NEXT_CHANNEL_UNCERTAIN
        refused = outcome is Outcome.REFUSED
        writing.onward.append(Onward(one.row, one.carried, words, may_have_it=doubt, refused=refused))
    elif step.do is Next.EXPIRE:
        doubt = one.row.rung == "uncertain"
        writing.onward.append(Onward(one.row, one.carried, words, may_have_it=doubt, expired=True))


def _state_after(step: Step, outcome: Outcome) -> str:
    if step.do is Next.RETRY:
        return "waiting"
    if step.do is Next.NEXT_CHANNEL_UNCERTAIN:
        return "uncertain"
    if step.do is Next.EXPIRE:
        return "expired"
    return "refused" if outcome is Outcome.REFUSED else "replaced"


def _end(one: Tried, outcome: str, code: str, words: str, now: datetime) -> dict[str, Any]:
    return {
        "key": one.row.dispatch_id,
        "try": one.number,
        "ended_at": now,
        "outcome": outcome,
        "code": code[:120],
        "words": words[:300],
    }


def _receipt(
    desk: Desk,
    one: Tried,
    rung: str,
    reference: str,
    answers: dict[str, str],
    hops: str,
    evidence: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "dispatch_id": one.row.dispatch_id,
        "rung": rung,
        "far_reference": reference[:120],
        "reports": answers,
        "hops": hops[:200],
        "evidence": evidence,
        "at": now,
    }


def evidence_digest(desk: Desk, evidence: dict[str, Any]) -> str:
    """Give the keyed digest of a far side's words: what the ledger holds instead of them."""
    return desk.vault.digest_json(evidence).hex()


def _said(
    desk: Desk, kind: str, one: Tried, reports: Sequence[Row[Any]], evidence: dict[str, Any]
) -> Statement:
    fields: dict[str, Any] = {
        "dispatch": one.row.reference,
        "reports": [report.commitment for report in reports],
        "evidence": evidence_digest(desk, evidence),
    }
    if kind != "dispatch.confirmed":  # somebody's word, whichever try it was
        fields["attempt"] = one.number
    return Statement(kind, one.row.reference, fields)


def _trouble(desk: Desk, one: Tried, outcome: Outcome, evidence: dict[str, Any] | None = None) -> Statement:
    fields: dict[str, Any] = {
        "dispatch": one.row.reference,
        "reports": [report.commitment for report in one.carried],
        "attempt": one.number,
    }
    if outcome is Outcome.REFUSED:
        code = one.answer.code if isinstance(one.answer, DeliveryError) else ""
        fields["evidence"] = evidence_digest(desk, {"code": code} if evidence is None else evidence)
        return Statement("dispatch.refused", one.row.reference, {**fields, "cause": "far-side-refused"})
    cause = "answer-lost" if outcome is Outcome.UNCERTAIN else "adapter-failed"
    return Statement("dispatch.uncertain", one.row.reference, {**fields, "cause": cause})


def _write(desk: Desk, connection: Connection, writing: _Writing, now: datetime) -> None:
    provider_id = desk.provider_id
    delivering.end_attempts(connection, provider_id, writing.ends)
    delivering.change_dispatches(connection, provider_id, writing.changes)
    if writing.taken:
        delivering.answer_all(connection, provider_id, writing.taken, Answer.TAKEN.value)
    if writing.answers:
        delivering.answer_some(connection, provider_id, writing.answers)
    for at, some in writing.arrived.items():
        delivering.meet_debts(connection, provider_id, some, at)
    if writing.receipts:
        keep_receipts(desk, connection, writing.receipts)
    record(connection, desk, writing.said)
    for onward in writing.onward:
        send_onward(desk, connection, onward, now)


def keep_receipts(desk: Desk, connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Seal the far side's words of receipts, each under its own message's key, and insert them."""
    numbers = allocate(connection, "receipts", len(rows))
    keys = desk.vault.data_keys([row["dispatch_id"] for row in rows], "message", desk.year())
    for row, key, number, ref in zip(rows, keys, numbers, desk.references(len(rows)), strict=True):
        evidence = row.pop("evidence")
        place = place_of("receipts", desk.provider_id, number)
        row["reports"] = desk.vault.plain_json(row["reports"])
        row.update(
            receipt_id=number, ref=ref, key_id=key.key_id, sealed=desk.vault.seal_json(key, place, evidence)
        )
    delivering.add_receipts(connection, rows)
