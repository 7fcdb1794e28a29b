"""What can be wrong with a ledger, a proof or a statement.

LedgerError              the ledger cannot answer
├── NoteError            a signed note is broken, or no trusted key signed it
├── ProofError           a proof does not prove the statement
└── StatementError       a statement would say what a ledger must not hold
"""

from aphub.domain.errors import AphubError


class LedgerError(AphubError):
    """The ledger cannot answer as it stands."""


class NoteError(LedgerError):
    """A signed note is broken, or none of the trusted keys signed it."""


class ProofError(LedgerError):
    """A proof is broken, or does not prove the statement it is shown with."""


class StatementError(LedgerError):
    """A statement holds what a ledger must not hold, or lacks what it must."""
