"""Keys, sealing and look-up without showing: how personal data lies in the store.

A leaf: it knows no table, no provider's configuration and nothing else of aphub. Everything is built on `cryptography`
(AES-256-GCM, NIST SP 800-38D; HKDF, RFC 5869; HMAC, RFC 2104).
"""

from aphub.sealing.errors import CannotOpenError, MasterKeyError, RecoveryTextError, SealingError
from aphub.sealing.lookups import BlindIndex, Keyed
from aphub.sealing.master import MasterKey
from aphub.sealing.seals import (
    DataKey,
    key_name,
    open_many,
    open_sealed,
    seal,
    seal_many,
    unwrap,
    unwrap_many,
    wrap,
    wrap_many,
)

__all__ = [
    "BlindIndex",
    "CannotOpenError",
    "DataKey",
    "Keyed",
    "MasterKey",
    "MasterKeyError",
    "RecoveryTextError",
    "SealingError",
    "key_name",
    "open_many",
    "open_sealed",
    "seal",
    "seal_many",
    "unwrap",
    "unwrap_many",
    "wrap",
    "wrap_many",
]
