"""Sealing: AES-256-GCM under one data key per provider, pupil, record class and school year."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import starmap

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aphub.sealing.errors import CannotOpenError, SealingError
from aphub.sealing.master import MasterKey

# The first byte of everything sealed, so that a later cipher can stand beside this one.
VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_BYTES = 32
_SHORTEST = len(VERSION) + _NONCE_BYTES + _TAG_BYTES
_WORDS = "The sealed bytes do not open: the key or the place is wrong, or the bytes were changed."

_PART = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_SCHOOL_YEAR = re.compile(r"(20[0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that seals one small part of the data; `key_id` says which, `secret` never shows."""

    key_id: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret that is not 32 bytes."""
        if len(self.secret) != _KEY_BYTES:
            message = "A data key has 32 bytes."
            raise SealingError(message)

    @classmethod
    def generate(cls, key_id: int) -> "DataKey":
        """Make a new data key from the operating system's randomness."""
        return cls(key_id, os.urandom(_KEY_BYTES))


def key_name(provider_id: int, subject: int | str, record_class: str, school_year: str) -> str:
    """Name the data key of one provider, subject, record class and school year: `3/81/entries/2025-26`.

    Erasing a key erases what it sealed, so these four are exactly what can be erased apart. `subject` is the pupil's
    number, or a word such as `intake` where the content belongs to no single pupil.

    Raises:
        SealingError: a part could be mistaken for another, or the school year is not two neighbouring years.
    """
    if not isinstance(subject, int):
        _check_part(subject)
    return f"{provider_id:d}/{subject}/{_what_and_when(record_class, school_year)}"


def _check_part(part: str) -> None:
    if not _PART.fullmatch(part):
        message = "A key name has parts of small letters, figures, dots and hyphens."
        raise SealingError(message)


@lru_cache(64)
def _what_and_when(record_class: str, school_year: str) -> str:
    """Check the two parts that thousands of names share."""
    _check_part(record_class)
    year = _SCHOOL_YEAR.fullmatch(school_year)
    if year is None or (int(year[1]) + 1) % 100 != int(year[2]):
        message = "A school year is written like 2025-26."
        raise SealingError(message)
    return f"{record_class}/{school_year}"


def seal(key: DataKey, plaintext: bytes, context: bytes) -> bytes:
    """Seal `plaintext` so that it opens only with `key` and in this `context` (table, row, column).

    The form is version byte, 12 random bytes, ciphertext and tag: 29 bytes longer than what went in.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return VERSION + nonce + AESGCM(key.secret).encrypt(nonce, plaintext, VERSION + context)


def seal_many(items: Iterable[tuple[DataKey, bytes, bytes]]) -> list[bytes]:
    """Seal a batch of (key, plaintext, context), in order."""
    work = list(items)
    nonces = os.urandom(_NONCE_BYTES * len(work))
    sealed: list[bytes] = []
    for number, (key, plaintext, context) in enumerate(work):
        nonce = nonces[number * _NONCE_BYTES : (number + 1) * _NONCE_BYTES]
        sealed.append(VERSION + nonce + AESGCM(key.secret).encrypt(nonce, plaintext, VERSION + context))
    return sealed


def open_sealed(key: DataKey, sealed: bytes, context: bytes) -> bytes:
    """Open what `seal` made with the same key and context.

    Raises:
        CannotOpenError: the key or the context is another, or any byte was changed.
    """
    if len(sealed) < _SHORTEST or sealed[:1] != VERSION:
        raise CannotOpenError(_WORDS)
    try:
        return AESGCM(key.secret).decrypt(
            sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], VERSION + context
        )
    except InvalidTag:
        raise CannotOpenError(_WORDS) from None


def open_many(items: Iterable[tuple[DataKey, bytes, bytes]]) -> list[bytes]:
    """Open a batch of (key, sealed, context), in order; the first that does not open raises `CannotOpenError`."""
    return list(starmap(open_sealed, items))


def _wrapping(master: MasterKey) -> DataKey:
    return DataKey(0, master.derive("wrap data keys"))


def _place(key_id: int, context: bytes) -> bytes:
    # The number is part of the place, so that a wrapped key cannot be moved to another number.
    return b"data key %d\n" % key_id + context


def wrap(master: MasterKey, data_key: DataKey, context: bytes) -> bytes:
    """Seal a data key under the master key; `context` is its name (`key_name`), as bytes."""
    return wrap_many(master, [(data_key, context)])[0]


def wrap_many(master: MasterKey, items: Iterable[tuple[DataKey, bytes]]) -> list[bytes]:
    """Wrap a batch of (data key, context), in order."""
    wrapping = _wrapping(master)
    return seal_many((wrapping, key.secret, _place(key.key_id, context)) for key, context in items)


def unwrap(master: MasterKey, key_id: int, wrapped: bytes, context: bytes) -> DataKey:
    """Open a wrapped data key.

    Raises:
        CannotOpenError: another master key, number or name, or changed bytes.
    """
    return unwrap_many(master, [(key_id, wrapped, context)])[0]


def unwrap_many(master: MasterKey, items: Iterable[tuple[int, bytes, bytes]]) -> list[DataKey]:
    """Unwrap a batch of (key number, wrapped, context), in order."""
    wrapping = _wrapping(master)
    return [
        DataKey(key_id, open_sealed(wrapping, wrapped, _place(key_id, context)))
        for key_id, wrapped, context in items
    ]
