"""The ledger: an append-only list of statements that a third party can verify, also after personal data was erased.

Merkle tree after RFC 6962, signed notes, checkpoints and proofs after C2SP, leaves in RFC 8785 JSON. No I/O: stored
nodes come through a callable, keys as bytes.
"""
