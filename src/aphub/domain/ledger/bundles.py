"""Evidence bundles: statements, proofs and checkpoints as files that anybody can check without the hub."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aphub.domain.ledger.canonical import canonical, read_canonical
from aphub.domain.ledger.errors import LedgerError, NoteError, ProofError, StatementError
from aphub.domain.ledger.merkle import GetNodes, consistency_proof, includes, inclusion_proofs, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, VerifyingKey, open_checkpoint, parse_checkpoint
from aphub.domain.ledger.proofs import (
    Proof,
    extension_text,
    parse_proof,
    proof_text,
    verify_extension,
)
from aphub.domain.ledger.verdicts import Damage, Finding
from aphub.domain.ledger.verify import verify_log

CONTENTS = "contents.json"
HASHES = "leaf-hashes.txt"
_STATEMENT = re.compile(r"statements/([0-9]{9,18})\.json")
_PROOF = re.compile(r"proofs/([0-9]{9,18})\.tlog-proof")
_HASH_LINES = re.compile(rb"(?:[0-9a-f]{64}\n)*")
_CHECKPOINT = re.compile(r"checkpoints/([0-9]{9,18})\.txt")


def statement_file(index: int) -> str:
    """Name the file of a statement."""
    return f"statements/{index:09d}.json"


def proof_file(index: int) -> str:
    """Name the file of a statement's proof."""
    return f"proofs/{index:09d}.tlog-proof"


def checkpoint_file(size: int) -> str:
    """Name the file of a signed checkpoint."""
    return f"checkpoints/{size:09d}.txt"


def extension_file(old_size: int, size: int) -> str:
    """Name the file that proves that the later of two checkpoints goes on from the earlier."""
    return f"extensions/{old_size:09d}-{size:09d}.txt"


def make_bundle(
    statements: Mapping[int, bytes],
    checkpoints: Sequence[str],
    get_nodes: GetNodes,
    *,
    with_proofs: bool = True,
) -> dict[str, bytes]:
    """Make a bundle of some statements, or of a whole log, proved against the newest of `checkpoints`.

    A whole log needs no proof for each record (`with_proofs=False`): its checkpoints prove it together.
    The leaf hashes that travel along, in each proof's `extra` or in one file, tell a changed statement
    from a changed proof; they are believed only where they lead to a signed root.

    Raises:
        LedgerError: a statement lies beyond the newest checkpoint, or a stored node is missing.
    """
    notes = {parse_checkpoint(note.rpartition("\n\n")[0] + "\n").size: note for note in checkpoints}
    if not notes:
        message = "Evidence needs a signed checkpoint, and there is none yet."
        raise LedgerError(message)
    sizes, indexes = sorted(notes), sorted(statements)
    newest = sizes[-1]
    files = {
        CONTENTS: canonical(
            {"type": "evidence.bundle", "version": 1, "size": newest, "records": _runs(indexes)}
        )
    }
    for index in indexes:
        files[statement_file(index)] = statements[index]
    if with_proofs:
        for index, hashes in zip(indexes, inclusion_proofs(indexes, newest, get_nodes), strict=True):
            proof = Proof(index, tuple(hashes), notes[newest], leaf_hash(statements[index]))
            files[proof_file(index)] = proof_text(proof).encode()
    else:
        files[HASHES] = "".join(leaf_hash(statements[index]).hex() + "\n" for index in indexes).encode()
    for size, note in notes.items():
        files[checkpoint_file(size)] = note.encode()
    for old, new in pairwise(sizes):
        extension = extension_text(old, consistency_proof(old, new, get_nodes), notes[new])
        files[extension_file(old, new)] = extension.encode()
    return files


def _runs(indexes: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for index in indexes:
        if runs and sum(runs[-1]) == index:
            runs[-1][1] += 1
        else:
            runs.append([index, 1])
    return runs


def _gaps(start: int, until: int, there: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    for first, count in there:
        if first + count <= start:
            continue
        if first >= until:
            break
        if first > start:
            yield start, first
        start = max(start, first + count)
    if start < until:
        yield start, until


def verify_bundle(bundle: Mapping[str, bytes], vkeys: Sequence[str | VerifyingKey]) -> list[Finding]:
    """Check a bundle with nothing but the log's verifying keys; an empty list means that all of it is as signed.

    Findings come in the order of their records, those of the whole bundle first. A bundle proves what is in it; only a
    bundle of the whole log proves that nothing else was said.
    """
    check = _Check(bundle, vkeys)
    findings = [*check.contents(), *check.checkpoints(), *check.presence(), *check.records()]
    return sorted(findings, key=lambda finding: -1 if finding.record is None else finding.record)


@dataclass(slots=True)
class _Check:
    bundle: Mapping[str, bytes]
    vkeys: Sequence[str | VerifyingKey]
    _statements: dict[int, bytes] = field(init=False, repr=False)
    _proofs: dict[int, bytes] = field(init=False, repr=False)
    _states: dict[int, Checkpoint] = field(init=False, default_factory=dict)
    _opened: dict[str, Checkpoint | NoteError] = field(init=False, default_factory=dict)
    _by_leaf: dict[bytes, int] = field(init=False, repr=False, default_factory=dict)
    _size: int = field(init=False, default=0)
    _runs: list[tuple[int, int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._statements = self._numbered(_STATEMENT)
        self._proofs = self._numbered(_PROOF)
        for index, content in self._proofs.items():
            try:
                self._by_leaf.setdefault(parse_proof(content).extra, index)
            except ProofError:
                continue

    def _numbered(self, pattern: re.Pattern[str]) -> dict[int, bytes]:
        found = ((pattern.fullmatch(name), content) for name, content in self.bundle.items())
        return dict(sorted((int(match[1]), content) for match, content in found if match))

    def _listed(self, index: int) -> bool:
        return any(first <= index < first + count for first, count in self._runs)

    def contents(self) -> Iterator[Finding]:
        """Read what the bundle says is in it."""
        try:
            self._read_contents()
        except (StatementError, KeyError, TypeError, ValueError):
            words = f"The list of contents, {CONTENTS}, is missing or broken."
            yield Finding(None, Damage.DELETED, CONTENTS, words)

    def _read_contents(self) -> None:
        said = read_canonical(self.bundle.get(CONTENTS, b""))
        if said["type"] != "evidence.bundle" or said["version"] != 1:
            raise KeyError(CONTENTS)
        self._size = int(said["size"])
        self._runs = sorted((first, count) for first, count in said["records"] if first >= 0 and count > 0)

    def checkpoints(self) -> Iterator[Finding]:
        """Check every checkpoint's signature, and that each goes on from the one before."""
        for size, note in self._numbered(_CHECKPOINT).items():
            name = checkpoint_file(size)
            try:
                state = open_checkpoint(note, self.vkeys)
            except NoteError as error:
                yield Finding(None, Damage.CHECKPOINT, name, f"{name}: {error}")
                continue
            if state.size != size:
                yield Finding(
                    None, Damage.CHECKPOINT, name, f"{name} is the checkpoint of {state.size} records."
                )
                continue
            self._states[size] = state
        sizes = sorted(self._states)
        if self._size not in self._states:
            name = checkpoint_file(self._size)
            words = f"The checkpoint of {self._size} records, {name}, is missing or broken."
            yield Finding(None, Damage.CHECKPOINT, name, words)
        for old, new in pairwise(sizes):
            name = extension_file(old, new)
            try:
                newer = verify_extension(self.bundle.get(name, b""), self._states[old], self.vkeys)
                if newer != self._states[new]:
                    yield Finding(None, Damage.FORKED, name, f"The log signed two states of {new} records.")
            except (NoteError, ProofError) as error:
                yield Finding(None, Damage.REWRITTEN, name, f"{name}: {error}")

    def presence(self) -> Iterator[Finding]:
        """Compare what is there with what the list of contents says."""
        # By runs, not record by record: a list of contents can claim any number of records.
        there = _runs(list(self._statements))
        last = max(self._statements, default=-1)
        for first, count in self._runs:
            for start, until in _gaps(first, first + count, there):
                span = (
                    f"Record {start} is" if until - start == 1 else f"The records {start} to {until - 1} are"
                )
                cut = start > last
                words = f"{span} missing{': the end was cut off' if cut else ''}."
                yield Finding(start, Damage.CUT_OFF if cut else Damage.DELETED, statement_file(start), words)

    def records(self) -> Iterator[Finding]:
        """Check every statement by its proof, or all of them together where the bundle holds a whole log."""
        if not self._proofs and self._runs == [(0, self._size)]:
            yield from self._whole()
            return
        for index, leaf in self._statements.items():
            if not self._listed(index):
                words = f"Record {index} is not in the list of contents."
                yield Finding(index, Damage.ADDED, statement_file(index), words)
            proof = self._proofs.get(index)
            if proof is None:
                words = f"Record {index} has no proof, so no signed checkpoint covers it."
                yield Finding(index, Damage.UNSIGNED, statement_file(index), words)
                continue
            yield from self._record(index, leaf, proof)

    def _whole(self) -> Iterator[Finding]:
        if len(self._statements) < self._size:
            # Presence has named the gap, and the checkpoints cannot be met across it.
            return
        notes = [self.bundle[checkpoint_file(size)] for size in self._states]
        verdict = verify_log(self._statements.items(), self._leaf_hashes(), notes, self.vkeys)
        if not verdict.ok and verdict.first_bad_index is not None:
            name = statement_file(verdict.first_bad_index)
            yield Finding(verdict.first_bad_index, verdict.damage, name, verdict.words)

    def _leaf_hashes(self) -> list[bytes]:
        written = self.bundle.get(HASHES)
        if written is None:
            # The check is as strict without the file, and only names the damage less exactly.
            return [leaf_hash(leaf) for leaf in self._statements.values()]
        if not _HASH_LINES.fullmatch(written):
            return []
        return [bytes.fromhex(line.decode()) for line in written.split()]

    def _record(self, index: int, leaf: bytes, content: bytes) -> Iterator[Finding]:
        name = proof_file(index)
        try:
            proof = parse_proof(content)
            state = self._state(proof.checkpoint)
        except NoteError as error:
            yield Finding(index, Damage.CHECKPOINT, name, f"Record {index}: {error}")
            return
        except ProofError as error:
            yield Finding(index, Damage.HASH_CHANGED, name, f"Record {index}: {error}")
            return
        own = leaf_hash(leaf)
        if not includes(proof.hashes, proof.index, state.size, own, state.root):
            yield self._mismatch(index, own, proof)
            return
        if proof.index != index:
            words = f"What stands as record {index} was signed as record {proof.index}."
            yield Finding(index, Damage.SWAPPED, statement_file(index), words)
        if self._states.get(state.size, state) != state:
            yield Finding(index, Damage.FORKED, name, f"The log signed two states of {state.size} records.")

    def _mismatch(self, index: int, own: bytes, proof: Proof) -> Finding:
        other = self._by_leaf.get(own)
        if other is not None and other != index and self._proves(parse_proof(self._proofs[other]), own):
            words = f"What stands as record {index} was signed as record {other}."
            return Finding(index, Damage.SWAPPED, statement_file(index), words)
        # The hash beside the proof is only believed where the proof leads from it to the signed root.
        if proof.extra != own and self._proves(proof, proof.extra):
            words = f"Record {index} was changed after it was signed."
            return Finding(index, Damage.CHANGED, statement_file(index), words)
        words = f"The proof of record {index} is broken: it leads to no signed checkpoint."
        return Finding(index, Damage.HASH_CHANGED, proof_file(index), words)

    def _proves(self, proof: Proof, leaf: bytes) -> bool:
        try:
            state = self._state(proof.checkpoint)
        except NoteError:
            return False
        return includes(proof.hashes, proof.index, state.size, leaf, state.root)

    def _state(self, note: str) -> Checkpoint:
        # Thousands of proofs share one checkpoint; its signature is checked once.
        if note not in self._opened:
            try:
                self._opened[note] = open_checkpoint(note, self.vkeys)
            except NoteError as error:
                self._opened[note] = error
        found = self._opened[note]
        if isinstance(found, NoteError):
            raise found
        return found
