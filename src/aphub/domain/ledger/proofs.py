"""C2SP `tlog-proof` files: one small text that proves one statement offline (c2sp.org/tlog-proof@v1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aphub.domain.ledger.errors import NoteError, ProofError
from aphub.domain.ledger.merkle import HASH_BYTES, extends, includes, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, VerifyingKey, from_base64, open_checkpoint, to_base64

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")
_MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof with the signed checkpoint that it leads to.

    `extra` travels along and is not authenticated: nothing may be believed because it stands there.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = field(default=b"")


def proof_text(proof: Proof) -> str:
    """Write a proof as a `.tlog-proof` file."""
    lines = [HEADER]
    if proof.extra:
        lines.append(f"extra {to_base64(proof.extra)}")
    lines += [f"index {proof.index}", *map(to_base64, proof.hashes), "", proof.checkpoint]
    return "\n".join(lines)


def parse_proof(text: str | bytes) -> Proof:
    """Read a `.tlog-proof` file; its checkpoint is kept as it stands, and is not checked here.

    Raises:
        ProofError: the file is not of this form.
    """
    head, checkpoint = _cut(text)
    if head.pop(0) != HEADER or not head:
        message = "This is not a tlog-proof file."
        raise ProofError(message)
    extra = b""
    if head[0].startswith("extra "):
        extra = _bytes(head.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(head.pop(0)) if head else None
    if index is None:
        message = "The proof does not say which record it is for."
        raise ProofError(message)
    return Proof(int(index[1]), _hashes(head), checkpoint, extra)


def verify_proof(leaf: bytes, proof: Proof | str | bytes, vkeys: Sequence[str | VerifyingKey]) -> Checkpoint:
    """Check that a log signed a state that holds `leaf`; needs nothing but these three.

    Raises:
        NoteError: the checkpoint is not signed by the log, or was changed.
        ProofError: the proof is malformed, or does not lead from this statement to the signed root.
    """
    if not isinstance(proof, Proof):
        proof = parse_proof(proof)
    checkpoint = open_checkpoint(proof.checkpoint, vkeys)
    if not includes(proof.hashes, proof.index, checkpoint.size, leaf_hash(leaf), checkpoint.root):
        message = (
            f"The proof does not lead from this statement, as record {proof.index}, to the signed checkpoint."
        )
        raise ProofError(message)
    return checkpoint


def extension_text(old_size: int, hashes: Sequence[bytes], checkpoint: str) -> str:
    """Write a proof that the log of a signed checkpoint begins with the log of `old_size`.

    The form is the request body of c2sp.org/tlog-witness (`add-checkpoint`), so that a witness can take it as it is.
    """
    return "\n".join([f"old {old_size}", *map(to_base64, hashes), "", checkpoint])


def verify_extension(text: str | bytes, older: Checkpoint, vkeys: Sequence[str | VerifyingKey]) -> Checkpoint:
    """Check that the log went on from `older` without rewriting it; gives the newer checkpoint.

    Raises:
        NoteError: the newer checkpoint is not signed by the log.
        ProofError: the newer log does not begin with the older one.
    """
    head, note = _cut(text)
    old = _OLD.fullmatch(head.pop(0))
    hashes = _hashes(head)
    newer = open_checkpoint(note, vkeys)
    fits = old is not None and int(old[1]) == older.size and newer.origin == older.origin
    if not fits or not extends(hashes, older.size, older.root, newer.size, newer.root):
        message = f"The log of {newer.size} records does not begin with the log of {older.size} that was signed before."
        raise ProofError(message)
    return newer


def _cut(text: str | bytes) -> tuple[list[str], str]:
    try:
        whole = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        whole = ""
    head, blank, checkpoint = whole.partition("\n\n")
    if not blank or not checkpoint:
        message = "This is not a proof: it has no checkpoint."
        raise ProofError(message)
    return head.split("\n"), checkpoint


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(map(_bytes, lines))
    if len(hashes) > _MOST_HASHES or any(len(value) != HASH_BYTES for value in hashes):
        message = "The proof's hashes are not 32 bytes each."
        raise ProofError(message)
    return hashes


def _bytes(encoded: str) -> bytes:
    try:
        return from_base64(encoded)
    except NoteError:
        message = "The proof holds a line that is not base64."
        raise ProofError(message) from None
