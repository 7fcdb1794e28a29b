"""Finding a row by what is sealed in it, and knowing bytes again, without showing either."""

import unicodedata
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

_INDEX_BYTES = 16


class Keyed:
    """HMAC-SHA256 under one key (RFC 2104); the key is taken in once, which is most of the work for a short text."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes) -> None:
        """Take the key in."""
        self._keyed = HMAC(secret, SHA256())

    def digest(self, content: bytes) -> bytes:
        """Give 32 bytes that know `content` again, but that nobody without the key can check a guess against."""
        one = self._keyed.copy()
        one.update(content)
        return one.finalize()

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "Keyed(**********)"


class BlindIndex:
    """Keyed look-up values: the same text gives the same 16 bytes, and nobody without the secret can try names."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes) -> None:
        """Use `secret`, at least 32 bytes, one per provider (`MasterKey.derive`)."""
        if len(secret) < 32:  # noqa: PLR2004 - the length of an HMAC-SHA256 key (RFC 2104 section 3)
            message = "A blind index needs a secret of 32 bytes."
            raise ValueError(message)
        self._keyed = Keyed(secret)

    def of(self, kind: str, text: str) -> bytes:
        """Give the look-up value of `text` as a `kind` (`upn`, `name`, `reference`).

        Text is compared as people compare it: NFC, case folded, white space folded.
        """
        return self.of_all(kind, (text,))[0]

    def of_all(self, kind: str, texts: Iterable[str]) -> list[bytes]:
        """Give the look-up values of texts of one kind, in order."""
        digest = self._keyed.digest
        return [digest(f"{kind}\0{fold(text)}".encode())[:_INDEX_BYTES] for text in texts]

    def __repr__(self) -> str:
        """Show that it is a blind index, and nothing of its secret."""
        return "BlindIndex(**********)"


def fold(text: str) -> str:
    """Fold what people do not mean to tell apart: Unicode form, case, and runs of white space."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding case can undo NFC, and the folded text must be a fixed point.
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return unicodedata.normalize("NFC", " ".join(composed.split()).casefold())
