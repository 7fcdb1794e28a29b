"""What a check of the ledger can find."""

from dataclasses import dataclass
from enum import StrEnum


class Damage(StrEnum):
    """What is wrong with a ledger or a bundle, by what must have happened to it."""

    NONE = "none"
    CHANGED = "changed"
    """A statement's text is not what was signed."""
    HASH_CHANGED = "hash_changed"
    """A stored hash or a proof is not what was signed; the statement's text is, or cannot be told."""
    DELETED = "deleted"
    """A statement is gone from between others."""
    ADDED = "added"
    """A statement stands where none was signed."""
    SWAPPED = "swapped"
    """Two statements stand in each other's place."""
    CUT_OFF = "cut_off"
    """The end is gone: more was signed than is there."""
    REWRITTEN = "rewritten"
    """Statements and hashes fit each other, but not the signed checkpoint."""
    UNSIGNED = "unsigned"
    """Statements that no checkpoint covers (yet): usual for some seconds after they were written."""
    CHECKPOINT = "checkpoint"
    """A checkpoint is broken or not signed by a trusted key."""
    FORKED = "forked"
    """The log signed two histories that contradict each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of a whole log found.

    `first_bad_index` is the first record that no signed checkpoint vouches for as it stands; `covered` says how many
    records from the first on are proved; `set_aside` counts checkpoints that were signed before a restore.
    """

    ok: bool
    first_bad_index: int | None
    words: str
    damage: Damage = Damage.NONE
    records: int = 0
    covered: int = 0
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a bundle: which record, in which file, what, and the words for it."""

    record: int | None
    damage: Damage
    file: str
    words: str
