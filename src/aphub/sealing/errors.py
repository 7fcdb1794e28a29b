"""What can go wrong with keys and seals; none of the words ever holds a key or what was sealed.

SealingError
├── CannotOpenError       the bytes do not open: leave them alone, look for the right key
├── MasterKeyError        the master key is missing or lies open: a person mends it
└── RecoveryTextError     a recovery key was typed wrongly: type it again
"""


class SealingError(Exception):
    """Something is wrong with a key or a seal."""


class CannotOpenError(SealingError):
    """The sealed bytes do not open with this key in this place: wrong key, wrong place or changed bytes."""


class MasterKeyError(SealingError):
    """The master key cannot be used as it is kept."""


class RecoveryTextError(SealingError):
    """A recovery key that was typed back is not the one that was printed."""
