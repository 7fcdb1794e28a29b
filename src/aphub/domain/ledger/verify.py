"""Checking a whole log against its signed checkpoints, in one pass and flat memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aphub.domain.ledger.errors import LedgerError, StatementError
from aphub.domain.ledger.merkle import EMPTY, Frontier, append, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, VerifyingKey, open_checkpoint, parse_vkey
from aphub.domain.ledger.statements import read_statement
from aphub.domain.ledger.verdicts import Damage, Verdict

_BATCH = 4096
_EPOCH_MARK = b'"type":"epoch.started"'


def verify_log(
    statements: Iterable[tuple[int, bytes]],
    stored_leaf_hashes: Iterable[bytes],
    checkpoints: Iterable[str | bytes],
    vkeys: Sequence[str | VerifyingKey],
) -> Verdict:
    """Check every statement, in order of its number, against stored hashes and signed checkpoints.

    Statements and hashes are read once, as streams. Checkpoints may come from the store, from mail headers and from
    witness mails together: one that somebody else kept is what shows that the end of a log was cut off.
    """
    states, broken = _signed_states(checkpoints, vkeys)
    walk = _Walk(states)
    hashes = iter(stored_leaf_hashes)
    for index, leaf in statements:
        while walk.records < index:
            stored = next(hashes, None)
            if stored is None:
                walk.jump(index)
                break
            walk.step(None, stored)
        if index < walk.records:
            walk.disorder()
            continue
        walk.step(leaf, next(hashes, None))
    for left_over in hashes:
        walk.step(None, left_over)
    walk.flush()
    return walk.verdict(broken)


def _signed_states(
    checkpoints: Iterable[str | bytes],
    vkeys: Sequence[str | VerifyingKey],
) -> tuple[list[Checkpoint], int]:
    keys = [key if isinstance(key, VerifyingKey) else parse_vkey(key) for key in vkeys]
    states: set[Checkpoint] = set()
    broken = 0
    for note in checkpoints:
        try:
            states.add(open_checkpoint(note, keys))
        except LedgerError:
            broken += 1
    return sorted(states, key=lambda state: (state.size, state.epoch, state.root)), broken


@dataclass(slots=True)
class _Difference:
    """The first place where a statement and its stored hash disagree, and what the places after it tell about it."""

    index: int
    text: bytes | None
    stored: bytes | None
    damage: Damage
    other: int | None = None
    # Which of the two the next signed checkpoint agreed with.
    agreed: Damage | None = None

    def learn(self, index: int, text: bytes | None, stored: bytes | None) -> None:
        """Tell a swap, a removal and an insertion from a plain change, by where the hashes turn up again."""
        if self.damage is not Damage.CHANGED or self.text is None or self.stored is None:
            return
        if text == self.stored and stored == self.text:
            self.damage, self.other = Damage.SWAPPED, index
        elif index == self.index + 1 and stored == self.text:
            self.damage = Damage.DELETED
        elif index == self.index + 1 and text == self.stored:
            self.damage = Damage.ADDED


class _Walk:
    """One pass over the log: two trees, one over the texts and one over the stored hashes, equal until they differ."""

    def __init__(self, states: Sequence[Checkpoint]) -> None:
        self.records = 0
        self._texts = 0
        self._epoch = 1
        self._waiting: Iterator[Checkpoint] = iter(states)
        self._next = next(self._waiting, None)
        self._signed = 0
        self._lost = False
        self._last: Checkpoint | None = None
        self._by_hash: Frontier = EMPTY
        self._by_text: Frontier | None = EMPTY
        self._hash_row: list[bytes] = []
        self._text_row: list[bytes] = []
        self._difference: _Difference | None = None
        self._covered = 0
        self._failed: Checkpoint | None = None
        self._forked = False
        self._set_aside = 0

    def step(self, leaf: bytes | None, stored: bytes | None) -> None:
        """Take the record at the next place: its text and its stored hash, either of which may be gone."""
        if self._next is not None and self.records >= self._next.size:
            self._meet_checkpoints()
        text = None if leaf is None else leaf_hash(leaf)
        if text is None or text != stored:
            self._differ(text, stored)
        if leaf is not None:
            self._texts = self.records + 1
            if _EPOCH_MARK in leaf:
                self._open_epoch(leaf)
        self.records += 1
        self._hash_row.append(stored or text or b"")
        if self._difference is not None:
            if text is None:
                self._by_text = None
            else:
                self._text_row.append(text)
        if len(self._hash_row) >= _BATCH:
            self._settle()

    def jump(self, index: int) -> None:
        """Go on at `index`, where neither text nor hash is left of the records before it."""
        self._differ(None, None)
        self._by_text, self._lost, self.records = None, True, index

    def disorder(self) -> None:
        """Note that a number came twice or out of order."""
        if self._difference is None:
            self._settle()
            self._difference = _Difference(self.records - 1, None, None, Damage.ADDED)

    def flush(self) -> None:
        """Take the end of the log into account."""
        self._meet_checkpoints()
        beyond = [] if self._next is None else [self._next, *self._waiting]
        current = [state.size for state in beyond if state.epoch >= self._epoch]
        self._set_aside += len(beyond) - len(current)
        self._signed = max(current, default=0)

    def _differ(self, text: bytes | None, stored: bytes | None) -> None:
        if self._difference is not None:
            self._difference.learn(self.records, text, stored)
            return
        self._settle()
        damage = Damage.DELETED if text is None else Damage.HASH_CHANGED if stored is None else Damage.CHANGED
        self._difference = _Difference(self.records, text, stored, damage)

    def _open_epoch(self, leaf: bytes) -> None:
        try:
            statement = read_statement(leaf)
        except StatementError:
            return
        if statement["type"] == "epoch.started":
            self._epoch = max(self._epoch, statement["epoch"])

    def _settle(self) -> None:
        self._by_hash, _ = append(self._by_hash, self._hash_row)
        if self._difference is None:
            self._by_text = self._by_hash
        elif self._by_text is not None:
            self._by_text, _ = append(self._by_text, self._text_row)
        self._hash_row, self._text_row = [], []

    def _meet_checkpoints(self) -> None:
        self._settle()
        while self._next is not None and self._next.size <= self.records:
            self._meet(self._next)
            self._next = next(self._waiting, None)

    def _meet(self, state: Checkpoint) -> None:
        if state.epoch < self._epoch:
            # Signed before the restore that opened this epoch: the log says itself that it lost what came after.
            self._set_aside += 1
            return
        by_hash = not self._lost and self._by_hash.root() == state.root
        by_text = self._by_text is not None and self._by_text.root() == state.root
        if by_hash or by_text:
            self._covered = state.size if self._failed is None else self._covered
            if (
                self._difference is not None
                and self._difference.agreed is None
                and self._difference.index < state.size
            ):
                self._difference.agreed = Damage.CHANGED if by_hash else Damage.HASH_CHANGED
        elif self._failed is None:
            self._failed = state
        before = self._last
        self._forked |= before is not None and before.size == state.size and before.root != state.root
        self._last = state

    def verdict(self, broken: int) -> Verdict:
        """Say what the pass found: the earliest damage, as exactly as the signatures let it be said."""
        index, damage, words = self._found()
        if broken:
            words += f" {broken} checkpoint(s) are broken or not signed by a trusted key."
            damage = Damage.CHECKPOINT if damage is Damage.NONE else damage
        if self._set_aside:
            words += f" {self._set_aside} checkpoint(s) were signed before a restore and were set aside."
        covered = self._covered if index is None else min(self._covered, index)
        return Verdict(
            damage is Damage.NONE, index, words.strip(), damage, self._texts, covered, self._set_aside
        )

    def _found(self) -> tuple[int | None, Damage, str]:
        difference, first = self._difference, self._covered
        if self._forked:
            return (
                first,
                Damage.FORKED,
                f"The log signed two different histories. Record {first} is the first in doubt.",
            )
        if difference is not None and difference.agreed is not None and difference.index < first:
            return _explain(difference, self._texts, self.records)
        if self._failed is not None:
            return self._rewritten(self._failed, first)
        if self._signed:
            return self._cut_off(first)
        return self._beyond_signatures(first)

    def _cut_off(self, first: int) -> tuple[int, Damage, str]:
        words = (
            f"The log ends after {self._texts} records, but {self._signed} were signed: the end was cut off."
        )
        if first < self._texts:
            words += f" Record {first} is the first that cannot be checked any more."
        return first, Damage.CUT_OFF, words

    def _beyond_signatures(self, first: int) -> tuple[int | None, Damage, str]:
        difference = self._difference
        if difference is not None:
            place = min(first, difference.index)
            return (
                place,
                difference.damage,
                f"Record {difference.index} does not fit its stored hash, and is not signed.",
            )
        if self.records > first:
            words = f"No signed checkpoint covers the records from {first} to {self.records - 1}."
            return first, Damage.UNSIGNED, words
        return None, Damage.NONE, f"All {self.records} records are as they were signed."

    def _rewritten(self, failed: Checkpoint, first: int) -> tuple[int, Damage, str]:
        gap = self._difference
        if gap is not None and gap.text is None and gap.damage is Damage.DELETED:
            words = f"Record {gap.index} is missing, so that no signed checkpoint covers the records from {first} on."
            return first, Damage.DELETED, words
        end = failed.size - 1
        span = f"record {first}" if end == first else f"one or more of the records {first} to {end}"
        words = (
            f"What stands as {span} is not what was signed: changed, removed, added or put in another order."
        )
        if self._signed:
            words += f" {self._signed} records were signed in all; {self._texts} are there."
        return first, Damage.REWRITTEN, words


def _explain(difference: _Difference, texts: int, records: int) -> tuple[int, Damage, str]:
    index, damage = difference.index, difference.damage
    if Damage.HASH_CHANGED in {damage, difference.agreed}:
        words = f"The stored hash of record {index} was changed or removed; its text is as signed."
        return index, Damage.HASH_CHANGED, words
    if damage is Damage.DELETED and difference.text is None and index >= texts:
        words = f"The log ends after {texts} records, but {records} were signed: the end was cut off."
        return index, Damage.CUT_OFF, words
    words = {
        Damage.DELETED: f"Record {index} was deleted after it was signed.",
        Damage.ADDED: f"Record {index} was not there when the log was signed: it was added or repeated.",
        Damage.SWAPPED: f"Records {index} and {difference.other} stand in each other's place.",
    }.get(damage, f"Record {index} was changed after it was signed.")
    return index, damage, words
