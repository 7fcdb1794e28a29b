"""What people do about cases: acknowledge one, do a step or say that it is not needed, and find a pupil safe."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.cases import SAFE, StepState
from aphub.domain.errors import AphubError
from aphub.domain.ladders import Trigger
from aphub.domain.steps import Act
from aphub.domain.wording import time_words
from aphub.services.cases import follow_cases
from aphub.services.contacts import check_act
from aphub.services.desk import Desk, place_of
from aphub.services.persons import person_of
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.store import following, pupil_days
from aphub.store.engine import lock_ledger

LONGEST = 2000
"""How long what somebody wrote down may be."""

_NOT_BEFORE = timedelta(days=7)


class CannotFollowError(AphubError):
    """This cannot be done about it as it stands."""


def acknowledge(desk: Desk, ref: str, by: str) -> str:
    """Say that somebody has seen a case and takes it on; give in words what happens."""
    name = named(by)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        case = case_of(desk, connection, ref)
        if case.state != "raised":
            raise CannotFollowError(f"Case {case.ref} is {case.state} already.", "Nothing was changed.")
        change = {"key": case.case_id, "state": "acknowledged", "acknowledged_at": desk.now}
        following.change_cases(connection, desk.provider_id, [{**change, "acknowledged_by": name}])
        fields = {"case": case.ref, "by": signed(desk, name)}
        record(connection, desk, [Statement("case.acknowledged", case.ref, fields)])
    return f"Case {case.ref} is yours, {name.partition(',')[0]}."


def do_step(
    desk: Desk, ref: str, by: str, said: str = "", at: datetime | None = None, despite: str = ""
) -> str:
    """Keep that a step was done, by whom, when, and what was written down about it.

    Raises:
        ContactRestrictedError: It reaches a home that must not be reached, and nobody decided so.
        CannotFollowError: There is no open step of that reference, or a letter must be read and released first.
    """
    name = named(by)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        step = step_of(desk, connection, ref)
        if Act(step.act) is Act.LETTER_HOME:
            raise CannotFollowError(
                "A letter is read and released by a person.",
                "Nothing was changed.",
                f"Read it: aphub letter {step.ref}",
            )
        _check_contact(desk, connection, step, despite)
        if despite:
            said = f"{said}\nDecided by {despite}, though contact is restricted.".strip()
        end_step(desk, connection, step, name, said=said, at=when(desk, at))
    follow_cases(desk)
    desk.announce("cases")
    return f"Step {step.ref} is done."


def skip_step(desk: Desk, ref: str, by: str, because: str) -> str:
    """Keep that a person decided that a step is not needed, and why.

    Raises:
        CannotFollowError: There is no open step of that reference, or no reason was given.
    """
    name = named(by)
    if not because.strip():
        raise CannotFollowError(
            "A step that is left out needs its reason.", "Nothing was changed.", "Say why."
        )
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        step = step_of(desk, connection, ref)
        end_step(
            desk, connection, step, name, said=because, state=StepState.CLEARED, result="a person left it out"
        )
    follow_cases(desk)
    return f"Step {step.ref} is not needed: your name stands beside it."


def found_safe(desk: Desk, ref: str, by: str, at: datetime | None = None, said: str = "") -> str:
    """Keep that a pupil who left the site was found; the same people hear of it, by the same routes.

    Raises:
        CannotFollowError: Nobody said of this pupil that they left the site.
    """
    name = named(by)
    found_at = when(desk, at)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        case = case_of(desk, connection, ref)
        steps = following.steps_of(connection, desk.provider_id, [case.case_id]).get(case.case_id, [])
        if not any(step.trigger == Trigger.LEFT_SITE for step in steps):
            raise CannotFollowError(
                "Nobody said of this pupil that they left the site.",
                "Nothing was changed.",
                "Correct the register if the pupil is here.",
            )
        if case.found_at is not None:
            raise CannotFollowError(
                f"This pupil was found at {time_words(case.found_at)}.", "Nothing was changed."
            )
        sealed = _sealed(
            desk, "cases", case.case_id, case.pupil_id, {"said": typed("What was said", said, LONGEST)}
        )
        change = {
            "key": case.case_id,
            "found_at": found_at,
            "found_by": name,
            "look_at": desk.now,
            **sealed,
        }
        following.change_cases(connection, desk.provider_id, [change])
        fields = {"case": case.ref, "step": case.ref, "evidence": _evidence(desk, SAFE, name, found_at, said)}
        record(connection, desk, [Statement("step.done", case.ref, {**fields, "by": signed(desk, name)})])
        pupil_days.tell_again(connection, desk.provider_id, case.pupil_id, case.day, desk.now)
    follow_cases(desk)
    desk.announce("cases")
    return f"Found safe at {time_words(found_at)}. The school is told by the same routes; see: aphub case {case.ref}"


def case_of(desk: Desk, connection: Connection, ref: str) -> Row[Any]:
    """Give a case by its own reference, or by that of one of its steps.

    Raises:
        CannotFollowError: There is none.
    """
    row = following.case_by_ref(connection, desk.provider_id, ref.strip().upper())
    if row is None:
        raise CannotFollowError(f"There is no case {ref}.", "Nothing was changed.", "See: aphub cases")
    return row


def step_of(desk: Desk, connection: Connection, ref: str) -> Row[Any]:
    """Give a step that is still to be done; for a case's reference, its one open step.

    Raises:
        CannotFollowError: There is none, or a case has several.
    """
    wanted = ref.strip().upper()
    row = following.step_by_ref(connection, desk.provider_id, wanted)
    if row is None:
        case = case_of(desk, connection, ref)
        steps = following.steps_of(connection, desk.provider_id, [case.case_id]).get(case.case_id, [])
        still = [step for step in steps if step.state == StepState.OPEN]
        if len(still) != 1:
            raise CannotFollowError(
                f"Case {wanted} has {len(still) or 'no'} open steps.",
                "Nothing was changed.",
                f"Name the step: aphub case {wanted}",
            )
        row = still[0]
    if row.state not in {StepState.LATER, StepState.OPEN}:
        raise CannotFollowError(f"Step {row.ref} is over.", "Nothing was changed.", "See: aphub cases")
    return row


def end_step(
    desk: Desk,
    connection: Connection,
    step: Row[Any],
    by: str,
    *,
    said: str = "",
    at: datetime | None = None,
    state: StepState = StepState.DONE,
    result: str = "done",
) -> None:
    """End a step in the caller's transaction, which holds the ledger's lock, and have its case looked at."""
    ended = at or desk.now
    case = following.case_by_id(connection, desk.provider_id, step.case_id)
    change = {
        "key": step.step_id,
        "state": state.value,
        "ended_at": ended,
        "ended_by": by,
        "result": result[:120],
    }
    if said.strip():
        change |= _sealed(
            desk, "steps", step.step_id, case.pupil_id, {"said": typed("What was said", said, LONGEST)}
        )
    following.change_steps(connection, desk.provider_id, [change])
    following.change_cases(connection, desk.provider_id, [{"key": case.case_id, "look_at": desk.now}])
    fields = {
        "case": case.ref,
        "step": step.ref,
        "evidence": _evidence(desk, f"{state.value} {result}", by, ended, said),
        "by": signed(desk, by),
    }
    record(connection, desk, [Statement("step.done", case.ref, fields)])


def when(desk: Desk, at: datetime | None) -> datetime:
    """Give the instant that a person named, or now.

    Raises:
        CannotFollowError: It lies in the future, or long ago.
    """
    if at is None:
        return desk.now
    if not desk.now - _NOT_BEFORE <= at <= desk.now:
        raise CannotFollowError(
            "That time has not come yet, or is more than a week ago.", "Nothing was changed.", "Check it."
        )
    return at


def _check_contact(desk: Desk, connection: Connection, step: Row[Any], despite: str) -> None:
    case = following.case_by_id(connection, desk.provider_id, step.case_id)
    if case.pupil_id is not None:
        mend = f'Ask {{lead}}. If it was done, add: --despite "who decided so". If not: aphub step {step.ref} --not-needed'
        check_act(desk, person_of(desk, connection, case.pupil_id), Act(step.act), despite, mend)


def _sealed(desk: Desk, table: str, number: int, pupil_id: int | None, content: Any) -> dict[str, Any]:
    [key] = desk.vault.data_keys([pupil_id if pupil_id is not None else "registers"], "case", desk.year())
    place = place_of(table, desk.provider_id, number)
    return {"key_id": key.key_id, "sealed": desk.vault.seal_json(key, place, content)}


def _evidence(desk: Desk, what: str, by: str, at: datetime, said: str) -> str:
    return desk.vault.digest_json({"what": what, "by": by, "at": at.isoformat(), "said": said}).hex()
