"""Keep telephone calls that people made: about a step of a case, or in place of a message that did not arrive."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import CALL_WORDS, VOICEMAIL_RULE, CallMade, CallResult, NextCall, Stop, next_call
from aphub.domain.cases import StepState
from aphub.domain.ladders import Trigger
from aphub.domain.outcomes import ReasonKind
from aphub.domain.steps import AT_HOME, BY_PHONE, Act
from aphub.domain.wording import time_words
from aphub.services.case_acts import LONGEST, CannotFollowError, case_of, end_step, step_of, when
from aphub.services.cases import follow_cases
from aphub.services.contacts import check_act
from aphub.services.desk import Desk, place_of
from aphub.services.persons import person_of
from aphub.services.reasons import explain_day
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.store import calls as kept
from aphub.store import following
from aphub.store.engine import allocate, lock_ledger

OFFICE = "the office"
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """One call as a person tells of it; `whom` was to be reached, `answered_by` is who did answer.

    `safe` says that whoever answered knows that the pupil is safe. `repeated` says that somebody at a school or council
    repeated the message. `despite` is who decided on a call to a home that must not be called.
    """

    result: CallResult
    by: str
    whom: str = field(repr=False, default="")
    answered_by: str = field(repr=False, default="")
    said: str = field(repr=False, default="")
    at: datetime | None = None
    safe: bool = False
    repeated: bool = False
    reason: ReasonKind | None = None
    despite: str = ""


def call_about_step(desk: Desk, ref: str, call: Call) -> str:
    """Keep a call about a step of a case; give in words what comes next.

    Raises:
        CannotFollowError: There is no open step that is a call, or nobody is named who answered.
    """
    name = named(call.by)
    at = when(desk, call.at)
    check_call(call)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        step = _step_by_phone(desk, connection, ref)
        act = Act(step.act)
        case = following.case_by_id(connection, desk.provider_id, step.case_id)
        if case.pupil_id is not None:
            mend = f'Ask {{lead}}. If a call was made, add: --despite "who decided so". If not: aphub step {step.ref} --not-needed'
            check_act(desk, person_of(desk, connection, case.pupil_id), act, call.despite, mend)
        rule = desk.config.provider.calls.rule()
        before = [one for one in kept.about(connection, desk.provider_id, [step.ref]) if act in AT_HOME]
        made = [
            CallMade(opened["whom"], row.at, CallResult(row.result))
            for row, opened in zip(before, open_calls(desk, before), strict=True)
        ]
        following_up = next_call(rule, made, at) if act in AT_HOME else None
        whom = call.whom or (following_up.whom if following_up else OFFICE)
        keep_call(desk, connection, step.ref, act, whom, call, at, case.pupil_id, step.step_id)
        made.append(CallMade(whom, at, call.result))
        after = next_call(rule, made, at) if act in AT_HOME else NextCall(OFFICE, at)
        answered = call.result is CallResult.ANSWERED
        # Who is told that a pupil left, or that a lesson is cancelled, need not know where the pupil is.
        asks = rule.stop is Stop.EXPLAINED and step.trigger == Trigger.UNEXPLAINED_ABSENCE and act in AT_HOME
        others = _together(desk, connection, step, case) if answered else []
        for one, pupil_id in others:
            keep_call(desk, connection, one.ref, act, whom, call, at, pupil_id, one.step_id)
            end_step(desk, connection, one, name, at=at, result=CALL_WORDS[call.result])
        ended = answered and (call.safe or call.reason is not None or not asks)
        if ended:
            end_step(desk, connection, step, name, at=at, result=CALL_WORDS[call.result])
        elif after is None:
            nobody = (
                "nobody knew"
                if asks and any(one.result is CallResult.ANSWERED for one in made)
                else "nobody answered"
            )
            end_step(desk, connection, step, name, at=at, result=f"everybody was tried, {nobody}")
        told = _what_next(call, after, ended=ended)
        if others:
            told = f"{told} It counts for {len(others) + 1} pupils."
        if call.reason is not None and answered:
            # With the call that ends the chase, so that no crash ends the chase and loses the reason.
            explain_day(desk, connection, case, call.reason, f"{name}, told by {call.answered_by}")
            told = f"{told} The register says so now."
    follow_cases(desk)
    desk.announce("cases")
    return told


def _together(
    desk: Desk, connection: Connection, step: Row[Any], case: Row[Any]
) -> list[tuple[Row[Any], int]]:
    """Give the same open step of the day's other pupils, where one call is about all of them: a bus, not a child."""
    ladders = (one for one in desk.config.provider.every_ladder() if one.name == step.ladder)
    if not any(one.together for ladder in ladders for one in ladder.steps if one.name == step.name):
        return []
    cases = {
        one.case_id: one
        for one in following.listed(connection, desk.provider_id, case.day, over=False, limit=_MOST)
    }
    cases.pop(case.case_id, None)
    same = (
        (one, cases[number].pupil_id)
        for number, some in following.steps_of(connection, desk.provider_id, cases).items()
        for one in some
        if (one.ladder, one.name, one.state) == (step.ladder, step.name, StepState.OPEN)
    )
    return [(one, pupil_id) for one, pupil_id in same if pupil_id is not None]


def keep_call(
    desk: Desk,
    connection: Connection,
    subject: str,
    act: Act,
    whom: str,
    call: Call,
    at: datetime,
    pupil_id: int | None = None,
    step_id: int | None = None,
) -> dict[str, Any]:
    """Keep one call and say so in the ledger, in the caller's transaction, which holds the ledger's lock.

    A call about a message with several pupils has a key of its own, so that it can go with any of them.
    """
    [number], [ref] = allocate(connection, "calls", 1), desk.references(1)
    whose = pupil_id if pupil_id is not None else kept.key_subject(number)
    [key] = desk.vault.data_keys([whose], "case", desk.year())
    content = {
        "whom": whom,
        "answered_by": call.answered_by,
        "said": typed("What was said", call.said, LONGEST),
        "safe": call.safe,
        "repeated": call.repeated,
        **({"despite": typed("Who decided so", call.despite, LONGEST)} if call.despite else {}),
    }
    name = named(call.by)
    row = {
        "provider_id": desk.provider_id,
        "call_id": number,
        "ref": ref,
        "subject": subject,
        "step_id": step_id,
        "act": act.value,
        "result": call.result.value,
        "at": at,
        "made_by": name,
        "key_id": key.key_id,
        "sealed": desk.vault.seal_json(key, place_of("calls", desk.provider_id, number), content),
        "kept_at": desk.now,
    }
    kept.add(connection, row)
    proof = {**content, "result": call.result.value, "at": at.isoformat(), "by": name}
    fields = {
        "call": ref,
        "about": subject,
        "evidence": desk.vault.digest_json(proof).hex(),
        "by": signed(desk, name),
    }
    record(connection, desk, [Statement("call.made", subject, fields)])
    return row


def open_calls(desk: Desk, rows: list[Row[Any]]) -> list[dict[str, Any]]:
    """Open what was written down about calls; of a pupil who was erased nothing is left."""
    places = [(row.key_id, place_of("calls", desk.provider_id, row.call_id), row.sealed) for row in rows]
    opened = desk.vault.try_open_many(places)
    nothing = dict.fromkeys(("whom", "answered_by", "said"), "")
    return [nothing if one is None else json.loads(one) for one in opened]


def check_call(call: Call) -> None:
    """Refuse a call that says two things; raises CannotFollowError."""
    answered = call.result is CallResult.ANSWERED
    if answered and not call.answered_by.strip():
        raise CannotFollowError(
            "An answer needs a name: who answered, and what they are to the pupil or school.",
            "Nothing was kept.",
            'Add: --answered-by "Ms Example, mother"',
        )
    if not answered and (call.safe or call.reason or call.repeated):
        raise CannotFollowError(
            "Nobody answered, so nobody said that.", "Nothing was kept.", "Say who answered: --answered-by"
        )


def _step_by_phone(desk: Desk, connection: Connection, ref: str) -> Row[Any]:
    """Give the step of a call; for a case's reference, the one open step of it that is a call."""
    wanted = ref.strip().upper()
    case = case_of(desk, connection, wanted)
    if wanted != case.ref:
        step = step_of(desk, connection, wanted)
        if Act(step.act) not in BY_PHONE:
            raise CannotFollowError(
                "This step is not a telephone call.",
                "Nothing was kept.",
                f"When it is done: aphub step {step.ref}",
            )
        return step
    steps = following.steps_of(connection, desk.provider_id, [case.case_id]).get(case.case_id, [])
    still = [step for step in steps if Act(step.act) in BY_PHONE and step.state == "open"]
    if len(still) == 1:
        return still[0]
    raise CannotFollowError(
        f"Case {case.ref} has {len(still) or 'no'} open calls.",
        "Nothing was kept.",
        f"Name the step: aphub case {case.ref}",
    )


def _what_next(call: Call, after: NextCall | None, *, ended: bool) -> str:
    if ended:
        return "Kept: somebody answered."
    words = f"Kept: {CALL_WORDS[call.result]}."
    if call.result is CallResult.ANSWERED:
        words = f"{words} They do not know where the pupil is, so the calls go on."
    if call.result is CallResult.VOICEMAIL:
        words = f"{words} {VOICEMAIL_RULE}"
    if after is None:
        return f"{words} Everybody was tried: go on with the next step."
    if after.whom == OFFICE:
        return f"{words} That does not count as told: try again."
    return f"{words} Next: {after.whom}, from {time_words(after.not_before)}."
