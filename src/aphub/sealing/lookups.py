"""Finding a row by what is sealed in it, and knowing bytes again, without showing either."""

import hmac
import unicodedata

_INDEX_BYTES = 16


class BlindIndex:
    """Keyed look-up values: the same text gives the same 16 bytes, and nobody without the secret can try names."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Use `secret`, at least 32 bytes, one per provider (`MasterKey.derive`)."""
        if len(secret) < 32:  # noqa: PLR2004 - the length of an HMAC-SHA256 key (RFC 2104 section 3)
            message = "A blind index needs a secret of 32 bytes."
            raise ValueError(message)
        self._secret = bytes(secret)

    def of(self, kind: str, text: str) -> bytes:
        """Give the look-up value of `text` as a `kind` (`upn`, `name`, `reference`).

        Text is compared as people compare it: NFC, case folded, white space folded.
        """
        return hmac.digest(self._secret, kind.encode() + b"\0" + fold(text).encode(), "sha256")[:_INDEX_BYTES]

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


def keyed_digest(secret: bytes, content: bytes) -> bytes:
    """Give 32 bytes that know `content` again, but that nobody without `secret` can check a guess against."""
    return hmac.digest(secret, content, "sha256")
