"""The master key: it lives outside every database and opens all other keys."""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aphub.sealing import recovery
from aphub.sealing.errors import MasterKeyError, RecoveryTextError

_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class MasterKey:
    """32 secret bytes from which every other key of the hub is derived or unwrapped; it never shows itself."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Keep `secret`, which must be 32 bytes."""
        if len(secret) != _BYTES:
            message = "A master key has 32 bytes."
            raise MasterKeyError(message)
        self._secret = bytes(secret)

    @classmethod
    def generate(cls) -> Self:
        """Make a new master key from the operating system's randomness."""
        return cls(secrets.token_bytes(_BYTES))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the key from a file that only its owner can read (mode 0600 or stricter).

        Raises:
            MasterKeyError: the file is missing, open to others, or holds no key.
        """
        try:
            # One descriptor for both looks, so the file that was judged is the file that is read.
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & _OTHERS:
                    message = f"Other users can read the master key file {path}. Run: chmod 600 {path}"
                    raise MasterKeyError(message)
                content = file.read(4096)
        except FileNotFoundError:
            message = (
                f"There is no master key file at {path}. Run `aphub init`, or put the recovery key there."
            )
            raise MasterKeyError(message) from None
        except OSError as error:
            message = f"The master key file {path} cannot be read: {error.strerror}."
            raise MasterKeyError(message) from None
        return cls._from_content(content, f"The master key file {path}")

    @classmethod
    def from_environment(
        cls, name: str = "APHUB_MASTER_KEY", environ: Mapping[str, str] | None = None
    ) -> Self:
        """Read the key from an environment variable: recovery text, or base64 of the 32 bytes.

        Raises:
            MasterKeyError: the variable is missing or holds no key.
        """
        content = (os.environ if environ is None else environ).get(name, "")
        if not content:
            message = f"The environment variable {name} is not set. Set it to the master key."
            raise MasterKeyError(message)
        return cls._from_content(content.encode(errors="replace"), f"The environment variable {name}")

    @classmethod
    def from_recovery_text(cls, text: str) -> Self:
        """Read the key from its printed form; raises `RecoveryTextError` naming the group to look at."""
        return cls(recovery.from_text(text))

    @classmethod
    def _from_content(cls, content: bytes, where: str) -> Self:
        if len(content) == _BYTES:
            return cls(content)
        text = content.decode("ascii", errors="replace").strip()
        try:
            return cls(recovery.from_text(text))
        except RecoveryTextError as slip:
            try:
                secret = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                secret = b""
            if len(secret) == _BYTES:
                return cls(secret)
            message = f"{where} holds no master key. {slip}"
            raise MasterKeyError(message) from None

    def to_recovery_text(self) -> str:
        """Write the key in groups for paper; whoever reads it can open everything."""
        return recovery.to_text(self._secret)

    def write_new_file(self, path: Path) -> None:
        """Write the key to a new file of mode 0600; never over a file that is there.

        Raises:
            MasterKeyError: a file is there already, or the folder refuses.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            message = f"There is a file at {path} already. It was left as it is; choose another path."
            raise MasterKeyError(message) from None
        except OSError as error:
            message = f"The master key cannot be written to {path}: {error.strerror}."
            raise MasterKeyError(message) from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self.to_recovery_text() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def derive(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose (HKDF-SHA256, RFC 5869), such as `blind index 3`."""
        derivation = HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=b"aphub v1\n" + purpose.encode())
        return derivation.derive(self._secret)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, MasterKey) and secrets.compare_digest(self._secret, other._secret)

    __hash__ = None  # type: ignore[assignment]  # a key is not a dictionary's key

    def __repr__(self) -> str:
        """Show that it is a key, and nothing of it."""
        return "MasterKey(**********)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into another process."""
        message = "A master key is not pickled."
        raise TypeError(message)
