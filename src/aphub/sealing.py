"""Seal personal data and find it again without showing it: AES-256-GCM, wrapped keys, blind indexes."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_KEY = 32
_INDEX = 16
_CHECK = 3


class SealingError(Exception):
    """Something sealed cannot be opened: wrong key, wrong place, or changed bytes."""


class DataKey:
    """One AES-256 key with its number; it never shows itself."""

    __slots__ = ("_cipher", "_raw", "key_id")

    def __init__(self, key_id: int, raw: bytes) -> None:
        """Keep the key; `raw` is 32 bytes."""
        self.key_id = key_id
        self._raw = raw
        self._cipher: AESGCM | None = None

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"DataKey({self.key_id}, hidden)"

    @classmethod
    def generate(cls) -> Self:
        """Make a fresh key under a random positive 62-bit number."""
        return cls(secrets.randbits(62) | 1, os.urandom(_KEY))

    def secret(self) -> bytes:
        """Give the raw key, for wrapping it and for deriving an index secret."""
        return self._raw

    @property
    def cipher(self) -> AESGCM:
        """The cipher, made when it is first needed."""
        if self._cipher is None:
            self._cipher = AESGCM(self._raw)
        return self._cipher


class MasterKey:
    """The key that wraps all other keys; it lives outside every database."""

    __slots__ = ("_data_key",)

    def __init__(self, raw: bytes) -> None:
        """Keep the key; `raw` is 32 bytes."""
        if len(raw) != _KEY:
            message = "a master key has 32 bytes"
            raise ValueError(message)
        self._data_key = DataKey(0, raw)

    def __repr__(self) -> str:
        """Show nothing."""
        return "MasterKey(hidden)"

    @classmethod
    def generate(cls) -> Self:
        """Make a fresh master key."""
        return cls(os.urandom(_KEY))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the key from a file that only its owner may read.

        Raises:
            SealingError: Others could read the file, or it holds no key.
        """
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"The master key file can be read by others (mode {mode:04o}). Run: chmod 600 {path}"
            raise SealingError(message)
        return cls.from_recovery_text(path.read_text(encoding="ascii"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], name: str = "APHUB_MASTER_KEY") -> Self | None:
        """Read the key from an environment variable; None when it is not set."""
        text = environment.get(name, "")
        return cls.from_recovery_text(text) if text else None

    def to_file(self, path: Path) -> None:
        """Write the key to a new file with mode 0600; an existing file is never replaced."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.to_recovery_text() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def to_recovery_text(self) -> str:
        """Give the key as groups of four letters and digits, with a check at the end, to be written down."""
        raw = self._data_key.secret()
        text = base64.b32encode(raw + hashlib.sha256(raw).digest()[:_CHECK]).decode().rstrip("=")
        return "-".join(text[start : start + 4] for start in range(0, len(text), 4))

    @classmethod
    def from_recovery_text(cls, text: str) -> Self:
        """Read a written-down key; case, spaces and dashes do not matter.

        Raises:
            SealingError: A letter is wrong or missing.
        """
        letters = "".join(text.upper().split()).replace("-", "").replace("0", "O").replace("1", "I")
        try:
            decoded = base64.b32decode(letters + "=" * (-len(letters) % 8))
        except binascii.Error as exc:
            message = "This is not a whole recovery key. Check each group of four."
            raise SealingError(message) from exc
        raw, check = decoded[:_KEY], decoded[_KEY:]
        if len(raw) != _KEY or not hmac.compare_digest(check, hashlib.sha256(raw).digest()[:_CHECK]):
            message = "A letter of the recovery key is wrong or missing. Check each group of four."
            raise SealingError(message)
        return cls(raw)

    def data_key(self) -> DataKey:
        """Give the key that wraps."""
        return self._data_key


def seal(key: DataKey, plain: bytes, context: bytes) -> bytes:
    """Encrypt so that it opens only with this key and in this context; any change is noticed."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + key.cipher.encrypt(nonce, plain, context)


def open_sealed(key: DataKey, sealed: bytes, context: bytes) -> bytes:
    """Decrypt what `seal` made.

    Raises:
        SealingError: It was sealed with another key, for another place, or has been changed.
    """
    if sealed[:1] != _VERSION:
        message = "this was not sealed by aphub, or by a newer one"
        raise SealingError(message)
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        return key.cipher.decrypt(nonce, body, context)
    except InvalidTag as exc:
        message = "the sealed data was changed, or belongs elsewhere"
        raise SealingError(message) from exc


def wrap(master: MasterKey, key: DataKey, context: bytes) -> bytes:
    """Seal a data key under the master key."""
    return seal(master.data_key(), key.secret(), b"wrap:" + context)


def unwrap(master: MasterKey, key_id: int, wrapped: bytes, context: bytes) -> DataKey:
    """Open a wrapped data key."""
    return DataKey(key_id, open_sealed(master.data_key(), wrapped, b"wrap:" + context))


def key_name(provider_id: int, subject: str, record_class: str, school_year: str) -> str:
    """Name the one data key of provider, subject, class of record and school year."""
    return f"{provider_id}/{subject}/{record_class}/{school_year}"


def fold_text(text: str) -> str:
    """Fold case, accents' spelling and white space, so that equal words compare equal."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


class BlindIndex:
    """Finds equal texts without storing them: a keyed digest per kind of text."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Keep the secret; it never leaves this object."""
        self._secret = secret

    def __repr__(self) -> str:
        """Show nothing."""
        return "BlindIndex(hidden)"

    def of(self, kind: str, text: str) -> bytes:
        """Give the index of a text; the same text under another kind gives another one."""
        message = f"{kind}\0{fold_text(text)}".encode()
        return hmac.digest(self._secret, message, "sha256")[:_INDEX]


def keyed_digest(secret: bytes, content: bytes) -> bytes:
    """Give a digest that only the holder of the secret can compare."""
    return hmac.digest(secret, b"content\0" + content, "sha256")
