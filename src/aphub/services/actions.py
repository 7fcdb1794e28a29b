"""What a person may do to what was said or is owed; every door calls these, and each says in words what happens now."""

from datetime import timedelta

from sqlalchemy import Connection

from aphub.domain.errors import AphubError
from aphub.services.again import tell_again
from aphub.services.answering import SET_ASIDE, answer_question, correct_entry
from aphub.services.approve import approve, check, pause, read_back, resume, test_report
from aphub.services.decide import MAY_HAVE_IT, RELEASED, UNKNOWN
from aphub.services.desk import Desk
from aphub.services.held import held_about, held_together
from aphub.services.life import message
from aphub.services.receipts import confirm, settle
from aphub.services.way import named, row_of, typed
from aphub.store import carrying, delivering, lanes, settling
from aphub.store import owed as owed_rows

__all__ = [
    "SET_ASIDE",
    "CannotDoError",
    "answer_question",
    "approve",
    "check",
    "confirm",
    "correct_entry",
    "finish_task",
    "is_task",
    "pause",
    "read_back",
    "release",
    "resume",
    "retry",
    "send_again",
    "settle",
    "test_report",
]

WITHDRAWN = "withdrawn"
_HELPS = timedelta(minutes=15)
_RETRIED = frozenset({"waiting", "refused", "expired", "replaced", "bounced"})


class CannotDoError(AphubError):
    """This cannot be done to it as it stands."""


def retry(desk: Desk, reference: str, by: str) -> str:
    """Send the same message again, now: the same bytes under the same identity; give in words what happens.

    Raises:
        CannotDoError: It was sent, may have arrived, or is overtaken by a newer one.
    """
    named(by)
    with desk.store.transaction() as connection:
        row = message(desk, connection, reference)
        if row.state == "uncertain" or (row.rung == "uncertain" and row.state != "waiting"):
            raise CannotDoError(
                f"{row.reference} may have arrived.",
                "Nothing was changed.",
                f"Ask them, then run: aphub settle {row.reference} --arrived (or --not-arrived)",
            )
        if row.state not in _RETRIED:
            held = row.state == "held"
            raise CannotDoError(
                f"{row.reference} {'is held' if held else 'is sent, or was replaced'}.",
                "Nothing was changed.",
                "See what waits for you: aphub waiting" if held else f"See: aphub show {row.reference}",
            )
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
        newest = [one.owed_id for one in carried if one.version == one.newest_version]
        if not newest:
            raise CannotDoError(f"A newer message has overtaken {row.reference}.", "Nothing was changed.")
        useful = max(row.useful_until, desk.now + _HELPS)
        change = {"key": row.dispatch_id, "state": "waiting", "next_at": desk.now, "useful_until": useful}
        delivering.change_dispatches(connection, desk.provider_id, [change])
        if row.kind != "alert":
            settling.prepare_again(connection, desk.provider_id, newest)
        lanes.lane_works(connection, desk.provider_id, row.lane)
    desk.announce(row.lane)
    return f"{row.reference} is tried again now."


def send_again(desk: Desk, reference: str, by: str, channel: str = "") -> str:
    """Send the same reports in a new message, to the address that is approved now; give its reference.

    `channel` names another way to the same organisation.

    Raises:
        CannotDoError: There is no live way, it is not over yet, or a newer message has overtaken it.
    """
    named(by)
    now = desk.now
    with desk.store.transaction() as connection:
        row = message(desk, connection, reference)
        if row.state in {"waiting", "started"}:
            raise CannotDoError(
                f"{row.reference} has not been sent yet.",
                "Nothing was changed.",
                f"To try it now: aphub retry {row.reference}",
            )
        route = desk.routes.one(row.organisation, channel or row.channel)
        if route is None or route.adapter.writes_register:
            raise CannotDoError(
                "There is no such way for a message.", "Nothing was changed.", "See: aphub channels"
            )
        way = row_of(desk, connection, route)
        if way.state != "live" or way.approved_destination != route.destination:
            raise CannotDoError(
                f"The way '{route.channel}' is not live.",
                "Nothing was sent.",
                f"Run: aphub check {route.organisation} {route.channel}",
            )
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
        reached = row.state in {"handed_over", "accepted", "confirmed", "uncertain"}
        notes = (f"You may already have {row.reference}.",) if reached else ()
        fresh = tell_again(desk, connection, row, carried, route, now, notes)
        if not fresh:
            raise CannotDoError(f"A newer message has overtaken {row.reference}.", "Nothing was changed.")
        newest = [one.owed_id for one in carried if one.version == one.newest_version]
        if row.kind != "alert":
            settling.prepare_again(connection, desk.provider_id, newest)
        settling.clear_tasks(connection, desk.provider_id, row.reference, now, by, f"sent again as {fresh}")
    desk.announce(route.lane)
    return fresh


def release(desk: Desk, ref: str, by: str) -> str:
    """Let a report that was held leave, however late it is; give in words what happens.

    `ref` is the reference of what is owed, of a task about it, or of a held message. What is merely late leaves together
    with all else that the same school or council is owed and that is late.

    Raises:
        CannotDoError: It is not held, or holds what must not leave.
    """
    name, now, ref = named(by), desk.now, ref.strip().upper()
    with desk.store.transaction() as connection:
        ref = settling.asked_about(connection, desk.provider_id, ref) or ref
        row = settling.owed_by_ref(connection, desk.provider_id, ref)
        if row is None:
            return _release_message(desk, connection, ref)
        if row.state != "held":
            raise CannotDoError(f"{ref} is not held.", "Nothing was changed.")
        if row.because == "do not share this pupil":
            raise CannotDoError(
                "This pupil must not be shared.",
                "Nothing was sent.",
                "Only the safeguarding lead decides this.",
            )
        also = held_together(desk, connection, row)
        because = MAY_HAVE_IT if row.because == UNKNOWN else RELEASED
        owed_rows.change_owed(
            connection,
            desk.provider_id,
            [{"key": one.owed_id, "state": "owed", "because": because, "look_at": now} for one in also],
        )
        for one in also:
            settling.clear_tasks(connection, desk.provider_id, one.ref, now, name, "released")
    desk.announce("tell")
    return f"{ref} leaves now." if len(also) == 1 else f"{len(also)} reports leave now."


def _release_message(desk: Desk, connection: Connection, ref: str) -> str:
    row = message(desk, connection, ref)
    if row.state != "held":
        raise CannotDoError(f"{row.reference} is not held.", "Nothing was changed.")
    raise CannotDoError(
        f"{row.reference} was stopped, and a person's word alone does not free it.",
        "Nothing was sent.",
        f"Mend what stopped it (aphub waiting), or approve the way: aphub check {row.organisation} {row.channel}",
    )


def finish_task(desk: Desk, ref: str, by: str, result: str = "done") -> str:
    """Say that a task is done, and what came of it; `WITHDRAWN` ends what is held with it.

    Raises:
        CannotDoError: There is no open task of that reference, or nobody has been told of what it is about.
    """
    name, result, wanted = named(by), typed("What came of it", result, 120), ref.strip().upper()
    with desk.store.transaction() as connection:
        held = held_about(desk, connection, wanted)
        if held and result != WITHDRAWN:
            raise CannotDoError(
                "Nobody there has been told of it yet.",
                "Nothing was changed.",
                f'Phone them, and keep it: aphub call {wanted} --answered-by "Ms Example, Hill School". '
                f"Or let it leave: aphub release {wanted}. Or end it: aphub settle {wanted} --withdraw",
            )
        settling.withdraw(connection, desk.provider_id, held)
        if not settling.finish_task(connection, desk.provider_id, wanted, desk.now, name, result):
            raise CannotDoError(f"There is no open task {ref}.", "Nothing was changed.", "See: aphub waiting")
    return f"Task {ref} is done."


def is_task(desk: Desk, ref: str) -> bool:
    """Say whether this is the reference of an open task."""
    with desk.store.reading() as connection:
        return settling.is_open_task(connection, desk.provider_id, ref.strip().upper())
