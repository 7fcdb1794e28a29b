"""Canonical JSON (RFC 8785) for leaves, held to strings, whole numbers, lists and objects; and salted commitments."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from aphub.domain.ledger.errors import StatementError
from aphub.domain.ledger.merkle import HASH_BYTES

_GREATEST = 2**53 - 1
_DEEPEST = 8
_SALT_BYTES = 16
_COMMITMENT = b"aphub commitment v1\n"

# With ASCII keys, code point order is RFC 8785's UTF-16 order; json's escapes are those of its section 3.2.2.2.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: object) -> bytes:
    """Write `value` in its one canonical form.

    Raises:
        StatementError: for fractions, true, false, null, numbers beyond 2**53 - 1 (RFC 8785 section 3.2.2.3), keys that
            are not ASCII, broken Unicode, and anything that is not JSON. Other programs disagree about these.
    """
    _check(value, 0)
    return written(value)


def written(value: object) -> bytes:
    """Write a value whose every part has been checked already, such as a statement's by the shapes of its fields.

    Raises:
        StatementError: it holds broken Unicode.
    """
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
        message = "A statement holds broken Unicode."
        raise StatementError(message) from None


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is str:
        return
    if kind is int:
        if not -_GREATEST <= value <= _GREATEST:  # type: ignore[operator]  # `kind` says that it is an int
            message = "A statement holds a number that other programs would round."
            raise StatementError(message)
        return
    if depth >= _DEEPEST:
        message = "A statement is nested too deeply."
        raise StatementError(message)
    if isinstance(value, Mapping) and kind is dict:
        for key, inner in value.items():
            if type(key) is not str or not key.isascii():
                message = "A statement's keys are ASCII text."
                raise StatementError(message)
            _check(inner, depth + 1)
        return
    if isinstance(value, Sequence) and kind in {list, tuple}:
        for inner in value:
            _check(inner, depth + 1)
        return
    message = "A statement holds text, whole numbers, lists and objects only."
    raise StatementError(message)


def read_canonical(content: bytes) -> Any:
    """Read canonical JSON, and refuse any other way of writing the same.

    Raises:
        StatementError: it is not JSON, or not in its one canonical form.
    """
    try:
        value = json.loads(content.decode(), parse_float=_refuse, parse_constant=_refuse)
        same = canonical(value) == content
    except (ValueError, RecursionError):
        message = "This is not JSON as the ledger writes it."
        raise StatementError(message) from None
    if not same:
        message = "This JSON is not in its canonical form (RFC 8785)."
        raise StatementError(message)
    return value


def _refuse(_text: str) -> NoReturn:
    message = "A statement holds no fractions."
    raise StatementError(message)


def digest(content: bytes) -> bytes:
    """Give the SHA-256 of frozen bytes, as commitments take it."""
    return hashlib.sha256(content).digest()


def commitment(salt: bytes, digest: bytes) -> str:
    """Commit to a digest under a secret salt, as 64 hex figures.

    Whoever has salt and content can show that the ledger meant them; when the salt is erased, nobody can test a guess
    against the ledger any more, and the ledger stays valid.

    Raises:
        StatementError: the salt is not 16 bytes of randomness, or the digest not a SHA-256. Fixed lengths leave no two
            ways to cut the same bytes.
    """
    if len(salt) != _SALT_BYTES or len(digest) != HASH_BYTES:
        message = "A commitment takes a salt of 16 bytes and a digest of 32."
        raise StatementError(message)
    return hashlib.sha256(_COMMITMENT + salt + digest).hexdigest()


def opens(committed: str, salt: bytes, content: bytes) -> bool:
    """Say whether `committed` was made from this salt and this content."""
    return len(salt) == _SALT_BYTES and commitment(salt, digest(content)) == committed
