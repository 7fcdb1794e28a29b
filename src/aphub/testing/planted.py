"""A pupil and a secret to plant, and a search that finds them wherever and however they leaked."""

import base64
import binascii
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from aphub.testing.people import InventedPupil, invented_upn

PLANTED_PUPIL = InventedPupil("Zephyrine", "Quillfeather", invented_upn(77_777), "ZQ77777")
"""The child whose name must stand nowhere but in what her school is sent."""

PLANTED_SECRET = "planted-secret-Zq7xVw3"  # noqa: S105 - made to be searched for
"""A password, token or key text that must stand nowhere at all."""

PLANTED = (
    PLANTED_PUPIL.given_name,
    PLANTED_PUPIL.family_name,
    PLANTED_PUPIL.upn,
    PLANTED_PUPIL.school_pupil_ref,
    PLANTED_SECRET,
)
"""All that a search looks for by default."""

_DEEPEST = 3
_SHORTEST_CORE = 6


@dataclass(frozen=True, slots=True)
class Found:
    """One leak: where, which planted thing (by its place in the list searched for), and how it was written."""

    where: str
    number: int
    form: str
    what: str = field(repr=False, default="")


def search_for_planted(
    *places: Path | bytes | str, planted: Iterable[str] = PLANTED, names: bool = True
) -> list[Found]:
    """Search files, folders, bytes and text for what was planted.

    Looked for as UTF-8 and UTF-16, without regard to case, and in base64, hexadecimal and percent signs; inside ZIP
    (so XLSX), gzip and zlib too. With `names`, paths are searched as well as contents.
    """
    wanted = tuple(dict.fromkeys(word for word in planted if word))
    found: list[Found] = []
    for place in places:
        for where, content in _contents(place, names=names):
            found.extend(_in_bytes(where, content, wanted, _DEEPEST))
    return found


def _contents(place: Path | bytes | str, *, names: bool) -> Iterator[tuple[str, bytes]]:
    """Give every piece to be searched, with the words that say where it is."""
    if isinstance(place, bytes):
        yield "bytes", place
    elif isinstance(place, str):
        yield "text", place.encode()
    else:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if names:
                yield f"name of {path}", str(path).encode()
            if path.is_file():
                yield str(path), path.read_bytes()


def _in_bytes(where: str, content: bytes, wanted: tuple[str, ...], depth: int) -> Iterator[Found]:
    folded = content.lower()
    for number, word in enumerate(wanted):
        for form, needle in _forms(word):
            if needle in (content if form == "base64" else folded):
                yield Found(where, number, form, word)
                break
    if depth:
        for inner, unpacked in _unpacked(content):
            yield from _in_bytes(f"{where}{inner}", unpacked, wanted, depth - 1)


def _forms(word: str) -> Iterator[tuple[str, bytes]]:
    """Give each way in which the word may stand in bytes that were folded to lower case."""
    lower = word.lower()
    yield "as it is", lower.encode()
    yield "UTF-16", lower.encode("utf-16-le")
    yield "UTF-16", lower.encode("utf-16-be")
    yield "hexadecimal", binascii.hexlify(word.encode())
    yield "percent signs", quote(word).lower().encode()
    for shift in range(3):
        # Base64 of a text depends on where in a group of three bytes it begins; the signs at its ends mix with its
        # neighbours. Those between are the ones whose six bits lie wholly inside it.
        encoded = base64.b64encode(b"\0" * shift + word.encode())
        core = encoded[-(-8 * shift // 6) : 8 * (shift + len(word.encode())) // 6]
        if len(core) >= _SHORTEST_CORE:
            yield "base64", core


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what is packed inside, where a packer's mark stands at the front."""
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for entry in archive.infolist():
                    yield f"!{entry.filename}", entry.filename.encode()
                    if not entry.flag_bits & 1:
                        yield f"!{entry.filename}", archive.read(entry)
        elif content[:2] == b"\x1f\x8b":
            yield "!gzip", gzip.decompress(content)
        elif content[:1] == b"\x78":
            yield "!zlib", zlib.decompress(content)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError):
        # It only looked packed; its bytes were searched as they are.
        return
