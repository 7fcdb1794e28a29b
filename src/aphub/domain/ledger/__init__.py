"""The ledger: an append-only list of statements that a third party can verify, also after personal data was erased.

Merkle tree after RFC 6962, signed notes, checkpoints and proofs after C2SP, leaves in RFC 8785 JSON. No I/O: stored
nodes come through a callable, keys as bytes.
"""

from aphub.domain.ledger.bundles import make_bundle, verify_bundle
from aphub.domain.ledger.canonical import canonical, commitment, digest, opens
from aphub.domain.ledger.errors import LedgerError, NoteError, ProofError, StatementError
from aphub.domain.ledger.fields import instant_text
from aphub.domain.ledger.merkle import (
    EMPTY,
    Frontier,
    Node,
    NodeKey,
    append,
    consistency_proof,
    extends,
    frontier_of,
    includes,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    node_hash,
    root_of,
)
from aphub.domain.ledger.notes import (
    Checkpoint,
    note_sign,
    note_verify,
    open_checkpoint,
    parse_checkpoint,
    parse_vkey,
    sign_checkpoint,
    verifying_key,
)
from aphub.domain.ledger.proofs import Proof, parse_proof, proof_text, verify_proof
from aphub.domain.ledger.statements import KINDS, leaf_bytes, read_statement
from aphub.domain.ledger.verdicts import Damage, Finding, Verdict
from aphub.domain.ledger.verify import verify_log

__all__ = [
    "EMPTY",
    "KINDS",
    "Checkpoint",
    "Damage",
    "Finding",
    "Frontier",
    "LedgerError",
    "Node",
    "NodeKey",
    "NoteError",
    "Proof",
    "ProofError",
    "StatementError",
    "Verdict",
    "append",
    "canonical",
    "commitment",
    "consistency_proof",
    "digest",
    "extends",
    "frontier_of",
    "includes",
    "inclusion_proof",
    "inclusion_proofs",
    "instant_text",
    "leaf_bytes",
    "leaf_hash",
    "make_bundle",
    "node_hash",
    "note_sign",
    "note_verify",
    "open_checkpoint",
    "opens",
    "parse_checkpoint",
    "parse_proof",
    "parse_vkey",
    "proof_text",
    "read_statement",
    "root_of",
    "sign_checkpoint",
    "verify_bundle",
    "verify_log",
    "verify_proof",
    "verifying_key",
]
