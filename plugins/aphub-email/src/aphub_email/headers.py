"""Header lines of a mail: encoded words for what is not plain (RFC 2047), and never a second line by stealth."""

import re
from base64 import b64encode
from collections.abc import Iterator

_LONGEST_LINE = 76  # RFC 2047 section 2, for lines with encoded words; we keep all lines below it
_WORD_BYTES = 39  # 52 letters of base64 and 12 around them: fits behind the longest header name used here
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters, and every sign that some mail programme takes for the end of a line."""


class UnsafeHeaderError(ValueError):
    """A header text holds a line break or another control character."""

    def __init__(self, name: str) -> None:
        """Name the header; its text may be personal and is left out."""
        super().__init__(f"the header {name} holds a line break or another control character")


def text_header(name: str, text: str) -> bytes:
    """Write a header of free text, such as Subject, folded below 76 characters a line.

    Raises:
        UnsafeHeaderError: The text could begin a header of its own.
    """
    guard(name, text)
    if _PLAIN.fullmatch(text) and "=?" not in text:
        if len(name) + 2 + len(text) <= _LONGEST_LINE:
            return f"{name}: {text}\r\n".encode()
        lines = _folded(f"{name}: {text}")
        # A first line that is only the name would be taken for an empty header by some programmes.
        if lines and lines[0] != f"{name}:":
            return "\r\n ".join(lines).encode() + b"\r\n"
    return f"{name}: {_encoded(text)}\r\n".encode()


def address_header(name: str, address: str, display: str = "") -> bytes:
    """Write a header with one mailbox, its display name quoted or encoded (RFC 5322 section 3.4).

    Raises:
        UnsafeHeaderError: Name or address could begin a header of its own, or a second address.
    """
    guard(name, address)
    guard(name, display)
    if not address.isascii() or set(address) & set(' ,;<>()"'):
        raise UnsafeHeaderError(name)
    if not display:
        return f"{name}: {address}\r\n".encode()
    if _PLAIN.fullmatch(display) and "=?" not in display and len(name) + len(display) < _LONGEST_LINE // 2:
        quoted = display.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{quoted}"'
    else:
        phrase = _encoded(display)
    return f"{name}: {phrase}\r\n <{address}>\r\n".encode()


def guard(name: str, text: str) -> None:
    """Refuse a text that does not stay on its own line."""
    if _BREAKS.search(text):
        raise UnsafeHeaderError(name)


def _encoded(text: str) -> str:
    """Spell any text as encoded words; the white space between them vanishes when read."""
    return "\r\n ".join(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[bytes]:
    """Cut UTF-8 between characters, since each encoded word must be readable alone."""
    piece = b""
    for sign in text:
        spelt = sign.encode()
        if len(piece) + len(spelt) > _WORD_BYTES:
            yield piece
            piece = b""
        piece += spelt
    yield piece


def _folded(line: str) -> list[str]:
    """Break a plain line at its spaces; nothing when one word is longer than a line."""
    lines: list[str] = []
    while len(line) > _LONGEST_LINE:
        at = line.rfind(" ", 0, _LONGEST_LINE)
        if at <= 0:
            return []
        lines.append(line[:at])
        line = line[at + 1 :]
    return [*lines, line]
