"""Ask far sides what became of what they took: a queue's answer is not the register's."""

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import Row

from aphub.api.adapters import Answer, AnyAdapter, Delivery, DeliveryResult
from aphub.api.errors import DeliveryError
from aphub.domain.reports import Kind
from aphub.logs import get_logger
from aphub.services.deliver import MakeAdapter
from aphub.services.desk import Desk, place_of
from aphub.services.fallback import Onward, raise_task, send_onward
from aphub.services.outcomes import evidence_digest, keep_receipts
from aphub.services.recording import Statement, record
from aphub.store import carrying, delivering
from aphub.store.engine import lock_ledger
from aphub.store.frozen import unpack

ASKED_ON = 3
"""How many times as long as agreed a far side is still asked: bad news that comes late is still news."""

_AT_ONCE = 200
_TURNED_AWAY = frozenset({Answer.REFUSED.value, Answer.NOT_EXPRESSIBLE.value, Answer.DIFFERS.value})
_STEP = timedelta(seconds=15)
log = get_logger("follow")


def follow_up(desk: Desk, make: MakeAdapter) -> int:
    """Ask after every dispatch whose time to be asked after has come; give how many were settled."""
    now = desk.now
    with desk.store.reading() as connection:
        rows = delivering.to_follow(connection, desk.provider_id, now, _AT_ONCE)
    by_lane: dict[str, list[Row[tuple[object, ...]]]] = defaultdict(list)
    for row in rows:
        by_lane[row.lane].append(row)
    return sum(_lane(desk, lane, some, make) for lane, some in by_lane.items())


def _lane(desk: Desk, lane: str, rows: list[Row[tuple[object, ...]]], make: MakeAdapter) -> int:
    route = desk.routes.lanes().get(lane)
    if route is None or not route.adapter.follows_up:
        return 0
    answers: dict[int, DeliveryResult | None] = dict.fromkeys((row.dispatch_id for row in rows), None)
    with desk.store.reading() as connection:
        carried = carrying.carried(connection, desk.provider_id, list(answers))
    adapter: AnyAdapter | None = None
    try:
        adapter = make(desk, route)
        adapter.open()
        for row in rows:
            answers[row.dispatch_id] = _asked(desk, adapter, row, carried[row.dispatch_id])
    except Exception as exc:  # noqa: BLE001 - whatever fails here, the messages stay open and are asked after again
        log.warning("follow.failed", lane=lane, error=type(exc).__name__)
    finally:
        if adapter is not None:
            with suppress(Exception):
                adapter.close()
    for row in rows:
        _settle(desk, row, carried[row.dispatch_id], answers[row.dispatch_id])
    return sum(answer is not None for answer in answers.values())


def _asked(
    desk: Desk, adapter: AnyAdapter, row: Row[tuple[object, ...]], carried: list[Row[tuple[object, ...]]]
) -> DeliveryResult | None:
    """Ask after one; when asking fails, it stays open and the others are still asked after."""
    try:
        answer = adapter.follow_up(_delivery(desk, row, carried), row.far_reference)
    except DeliveryError as exc:
        log.warning("follow.failed", lane=row.lane, code=exc.code)
        return None
    except Exception:
        log.exception("follow.adapter_failed", lane=row.lane)
        return None
    if answer is None or {one.report for one in answer.results} == {one.ref for one in carried}:
        return answer
    log.warning("follow.incomplete", lane=row.lane)
    return None


def _delivery(desk: Desk, row: Row[tuple[object, ...]], carried: list[Row[tuple[object, ...]]]) -> Delivery:
    [packed] = desk.vault.try_open_many(
        [(row.key_id, place_of("dispatches", desk.provider_id, row.dispatch_id), row.sealed)]
    )
    documents, rows, row_reports = unpack(packed) if packed else ((), (), ())
    way = desk.routes.one(row.organisation, row.channel)
    if way is None:
        raise DeliveryError("This way is no longer in the configuration.")
    first = carried[0]
    agreement = desk.config.agreement_on(first.agreement, first.organisation, first.first_day)
    return Delivery(
        key=row.reference,
        thread_ref=row.reference.rpartition("-")[0],
        deadline=row.useful_until,
        route=way.settings,
        documents=documents,
        rows=rows,
        reports=tuple(report.ref for report in carried),
        row_reports=row_reports,
        may_write=agreement.may_write if agreement else frozenset(),
        attempt=row.attempts,
    )


def _settle(
    desk: Desk,
    row: Row[tuple[object, ...]],
    carried: list[Row[tuple[object, ...]]],
    result: DeliveryResult | None,
) -> None:
    now = desk.now
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        if not delivering.still_followed(connection, desk.provider_id, row):
            return
        if result is None:
            since = now - (row.handed_over_at or now)
            way = desk.routes.one(row.organisation, row.channel)
            agreed = way.settings.answered_within() if way is not None else timedelta()
            if since >= agreed:
                what = "it is in the register" if way and way.adapter.writes_register else "it accepted it"
                words = f"{row.reference}: their system took it, but has not said that {what}."
                raise_task(desk, connection, row, "not_confirmed", words, now, lasting=True)
            later = max(_STEP, since / 2)
            if since < agreed:
                # Not past the time at which a person should be asked.
                later = min(later, agreed - since)
            over = since > agreed * ASKED_ON
            change = {"key": row.dispatch_id, "next_at": None if over else now + later}
            delivering.change_dispatches(connection, desk.provider_id, [change])
            return
        by_ref = {answer.report: answer for answer in result.results}
        good = [one for one in carried if by_ref[one.ref].answer in {Answer.TAKEN, Answer.ALREADY_THERE}]
        # What was turned away at delivery has gone another way already; to hear of it again is no news.
        open_still = [one for one in carried if one.answer not in _TURNED_AWAY]
        bad = [
            one for one in open_still if by_ref[one.ref].answer in {Answer.REFUSED, Answer.NOT_EXPRESSIBLE}
        ]
        differs = [one for one in open_still if by_ref[one.ref].answer is Answer.DIFFERS]
        state = "accepted" if good else "refused"
        change = {
            "key": row.dispatch_id,
            "next_at": None,
            "state": state,
            "rung": "accepted" if good else row.rung,
        }
        delivering.change_dispatches(connection, desk.provider_id, [change])
        delivering.answer_some(
            connection,
            desk.provider_id,
            [
                {"key": row.dispatch_id, "report": one.report_id, "answer": by_ref[one.ref].answer.value}
                for one in carried
            ],
        )
        evidence = {**result.evidence, "words": {ref: one.words for ref, one in by_ref.items() if one.words}}
        receipt = {
            "provider_id": desk.provider_id,
            "dispatch_id": row.dispatch_id,
            "rung": state,
            "far_reference": result.reference[:120] or row.far_reference,
            "reports": {ref: one.answer.value for ref, one in by_ref.items()},
            "hops": result.hops[:200],
            "evidence": evidence,
            "at": now,
        }
        keep_receipts(desk, connection, [receipt])
        told = good or bad or differs or carried
        fields = {
            "dispatch": row.reference,
            "reports": [one.commitment for one in told],
            "attempt": row.attempts,
            "evidence": evidence_digest(desk, evidence),
        }
        cause = {} if good else {"cause": "far-side-refused"}
        record(connection, desk, [Statement(f"dispatch.{state}", row.reference, {**fields, **cause})])
        if row.kind != Kind.ALERT and (
            turned := [one for one in bad + differs if one.version == one.newest_version]
        ):
            delivering.owe_again(connection, desk.provider_id, [one.owed_id for one in turned])
        if bad:
            refused = any(by_ref[one.ref].answer is Answer.REFUSED for one in bad)
            why = "their system rejected it later"
            send_onward(desk, connection, Onward(row, bad, why, refused=refused), now)
        if differs:
            why = "their register has another mark, which we left as it is"
            send_onward(desk, connection, Onward(row, differs, why, differs=True), now)
