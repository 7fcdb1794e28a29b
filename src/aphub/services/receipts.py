"""Receipts and their proof: check the ledger, settle a doubt, and keep what a person at the school confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, Row

from aphub.domain.errors import AphubError
from aphub.domain.how_far import ARRIVED
from aphub.domain.ledger import EMPTY, Damage, Node, Verdict, append, parse_checkpoint, root_of, verify_log
from aphub.services.desk import Desk
from aphub.services.evidence import Checked, evidence, verify_folder
from aphub.services.outcomes import keep_receipts
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed
from aphub.store import carrying, delivering, lives, pupil_days, settling
from aphub.store import ledger as kept
from aphub.store import owed as owed_rows
from aphub.store.engine import Store

__all__ = ["CannotSettleError", "Checked", "How", "confirm", "evidence", "settle", "verify", "verify_folder"]

How = Literal["handed_over", "not_handed_over", "withdrawn"]
_BATCH = 4096
_SENT = frozenset({"handed_over", "accepted"})


class CannotSettleError(AphubError):
    """There is nothing to settle or confirm about this message."""


# --- the ledger -----------------------------------------------------------------------------------------------------


def verify(desk: Desk, seen: Iterable[str] = ()) -> Verdict:
    """Check a provider's whole ledger, as `verify_of` does."""
    return verify_of(desk.store, desk.provider_id, seen)


def verify_of(store: Store, provider: int, seen: Iterable[str] = ()) -> Verdict:
    """Check a whole ledger, also of a provider that has left: every statement, every stored hash, every checkpoint.

    `seen` are checkpoints that somebody kept elsewhere, as a mail's `X-Aphub-Checkpoint` header has them ("name size
    root") or as signed notes. Only such a one shows that the end was cut off together with its checkpoints.
    """
    with store.reading() as connection:
        notes = kept.all_checkpoints(connection, provider)
        lines: list[str] = []
        for one in seen:
            (notes if "\n\n" in one else lines).append(one)
        verdict = verify_log(
            ((row.number, bytes(row.body)) for row in kept.statements_from(connection, provider)),
            kept.leaf_hashes(connection, provider),
            notes,
            kept.vkeys(connection, provider),
        )
        if verdict.ok:
            verdict = _check_nodes(connection, provider, verdict)
        if verdict.ok:
            verdict = _check_seen(connection, provider, verdict, lines)
    return verdict


def _check_nodes(connection: Connection, provider: int, verdict: Verdict) -> Verdict:
    """Work out every stored node anew: proofs and later checkpoints are made of them."""
    frontier = EMPTY
    leaves = iter(kept.leaf_hashes(connection, provider))
    while batch := list(islice(leaves, _BATCH)):
        frontier, nodes = append(frontier, batch)
        wrong = _differing(connection, provider, nodes)
        if wrong is not None:
            return _node_words(verdict, wrong)
    return verdict


def _differing(connection: Connection, provider: int, nodes: Iterable[Node]) -> int | None:
    """Give the first record under a stored node that is not what the leaves below it say; None when all are right."""
    by_level: dict[int, dict[int, bytes]] = {}
    for node in nodes:
        by_level.setdefault(node.level, {})[node.position] = node.hash
    firsts = []
    for level, some in by_level.items():
        stored = kept.nodes_between(connection, provider, level, min(some), max(some) + 1)
        firsts += [position << level for position, value in some.items() if stored.get(position) != value]
    return min(firsts, default=None)


def _node_words(verdict: Verdict, index: int) -> Verdict:
    words = (
        f"A stored hash above record {index} was changed or removed; the records themselves are as signed."
    )
    return replace(
        verdict, ok=False, first_bad_index=index, words=words, damage=Damage.HASH_CHANGED, covered=index
    )


def _check_seen(connection: Connection, provider: int, verdict: Verdict, lines: Sequence[str]) -> Verdict:
    for line in lines:
        checkpoint = parse_checkpoint("\n".join(line.split()) + "\n")
        size = checkpoint.size
        if size > verdict.records:
            words = f"The log ends after {verdict.records} records, but one of {size} was seen: the end was cut off."
            return replace(
                verdict, ok=False, first_bad_index=verdict.records, words=words, damage=Damage.CUT_OFF
            )
        root = root_of(size, lambda keys: kept.nodes(connection, provider, keys))
        if root != checkpoint.root:
            words = f"The first {size} records are not those of the checkpoint that was seen: the log was rewritten."
            return replace(verdict, ok=False, first_bad_index=0, words=words, damage=Damage.FORKED, covered=0)
    return verdict


# --- what people say about a message --------------------------------------------------------------------------------


def confirm(desk: Desk, reference: str, by: str, words: str) -> None:
    """Keep that a named person at the school or council said that they have a message.

    Raises:
        CannotSettleError: It has not been sent, may not have arrived, or is confirmed already.
    """
    name, now = named(by), desk.now
    with desk.store.transaction() as connection:
        row = _message(desk, connection, reference)
        if row.state == "confirmed":
            raise CannotSettleError(f"{reference} is confirmed already.", "Nothing was changed.")
        if row.state not in _SENT:
            doubt = row.rung == "uncertain" or row.state == "uncertain"
            raise CannotSettleError(
                f"{reference} {'may not have arrived' if doubt else 'has not been sent'}.",
                "Nothing was changed.",
                f"If they have it, run: aphub settle {reference} --arrived" if doubt else "",
            )
        said = {"words": typed("What they said", " ".join(words.split()), 300), "by": name}
        change = {"key": row.dispatch_id, "state": "confirmed", "rung": "confirmed", "next_at": None}
        delivering.change_dispatches(connection, desk.provider_id, [change])
        keep_receipts(desk, connection, [_receipt(desk, row, "confirmed", said, now)])
        fields = {
            "dispatch": row.reference,
            "reports": _commitments(desk, connection, row),
            "evidence": desk.vault.digest_json(said).hex(),
            "by": signed(desk, name),
        }
        record(connection, desk, [Statement("dispatch.confirmed", row.reference, fields)])
        settling.clear_tasks(connection, desk.provider_id, row.reference, now, name, "confirmed")
        pupil_days.confirmed_now(connection, desk.provider_id, row.dispatch_id, now)
    desk.announce("cases")


def settle(desk: Desk, reference: str, how: How, by: str) -> str:
    """Say what became of a message that may have arrived; give in words what happens now.

    It arrived: the debt is met, and what was to replace it and has not left is cancelled. It did not: it is tried
    again, unless another way took over. Withdrawn: nothing more is sent of it.

    Raises:
        CannotSettleError: There is no doubt about it.
    """
    name, now = named(by), desk.now
    with desk.store.transaction() as connection:
        row = _message(desk, connection, reference)
        if row.state != "uncertain" and row.rung != "uncertain":
            raise CannotSettleError(
                f"There is no doubt about {reference}.",
                "Nothing was changed.",
                f"See what became of it: aphub show {reference}",
            )
        if row.state == "started":
            raise CannotSettleError(
                f"{reference} is being sent at this moment.", "Nothing was changed.", "Try in a minute."
            )
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id])[row.dispatch_id]
        others = lives.replacements_of(connection, desk.provider_id, row.dispatch_id)
        words = _settled(desk, connection, row, carried, others, how, now)
        fields = {
            "dispatch": row.reference,
            "reports": [one.commitment for one in carried],
            "as": how,
            "by": signed(desk, name),
        }
        record(connection, desk, [Statement("settled.by_person", row.reference, fields)])
        settling.clear_tasks(connection, desk.provider_id, row.reference, now, name, f"settled: {how}")
    desk.announce(row.lane)
    return words


def _settled(
    desk: Desk,
    connection: Connection,
    row: Row[Any],
    carried: Sequence[Row[Any]],
    others: Sequence[Row[Any]],
    how: How,
    now: datetime,
) -> str:
    provider = desk.provider_id
    waiting = [one.dispatch_id for one in others if one.state in {"waiting", "held"}]
    newest = [one.owed_id for one in carried if one.version == one.newest_version]
    change: dict[str, Any] = {"key": row.dispatch_id, "next_at": None, "lease_by": None}
    if how == "handed_over":
        at = row.handed_over_at or settling.last_try(connection, provider, row.dispatch_id) or now
        change |= {"state": "handed_over", "rung": "handed_over", "handed_over_at": at}
        change["because"] = ARRIVED
        delivering.answer_all(connection, provider, [row.dispatch_id], "taken")
        settling.meet(connection, provider, newest if row.kind != "alert" else [], at)
        settling.cancel(connection, provider, waiting, f"{row.reference} arrived")
        receipt = _receipt(desk, row, "handed_over", {"settled": "by a person"}, at)
        keep_receipts(desk, connection, [{**receipt, "hops": ARRIVED}])
        words = "It counts as sent."
    elif how == "withdrawn":
        change |= {"state": "cancelled", "because": "withdrawn by a person"}
        settling.cancel(connection, provider, waiting, "withdrawn by a person")
        settling.withdraw(connection, provider, newest)
        words = "Nothing more is sent of it."
    elif others or not newest:
        change |= {"state": "refused", "rung": "prepared", "because": "a person said that it did not arrive"}
        words = "Another message has taken over."
    else:
        change |= {"state": "waiting", "rung": "prepared", "because": None, "next_at": now}
        if row.kind != "alert":
            prepared = [{"key": one, "state": "prepared", "because": None} for one in newest]
            owed_rows.change_owed(connection, provider, prepared)
        words = "It is sent again now, the same message."
    delivering.change_dispatches(connection, provider, [change])
    return words


def _message(desk: Desk, connection: Connection, reference: str) -> Row[Any]:
    row = delivering.by_reference(connection, desk.provider_id, reference.strip().upper())
    if row is None:
        raise AphubError(
            f"We know no message {reference}.", "Nothing was changed.", "Check the reference: aphub log"
        )
    return row


def _commitments(desk: Desk, connection: Connection, row: Row[Any]) -> list[str]:
    carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id])
    return [one.commitment for one in carried.get(row.dispatch_id, [])]


def _receipt(desk: Desk, row: Row[Any], rung: str, said: dict[str, str], at: datetime) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "dispatch_id": row.dispatch_id,
        "rung": rung,
        "far_reference": row.far_reference or "",
        "reports": {},
        "hops": "",
        "evidence": said,
        "at": at,
    }
