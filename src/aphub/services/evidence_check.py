"""Check a folder of evidence with nothing but its files: anybody can, without a hub."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aphub.domain.errors import AphubError
from aphub.domain.ledger import (
    Damage,
    Finding,
    StatementError,
    opens,
    parse_vkey,
    read_statement,
    verify_bundle,
)

KEYS = "verifying-keys.txt"
OPENINGS = "openings"
DOCUMENTS = "documents"
"""A folder for each message with what was sent: together they are what the ledger's statement has the digest of."""
_LIMIT = 64 * 1024 * 1024


class NothingToShowError(AphubError):
    """There is no evidence about this."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What an offline check of a folder found; `keys` are the verifying keys it relied on."""

    findings: tuple[Finding, ...]
    statements: int
    openings: int
    keys: tuple[str, ...]
    documents: int = 0

    @property
    def ok(self) -> bool:
        """Whether all of it is as it was signed."""
        return not self.findings and self.statements > 0


def verify_folder(folder: Path, vkeys: Sequence[str] = ()) -> Checked:
    """Check a folder of evidence with nothing but its files, and keys that were got elsewhere where there are any.

    Without such keys the folder's own are used: that shows that nothing in it was changed, not who made it.

    Raises:
        NothingToShowError: This is no folder of evidence.
    """
    files = _read(folder)
    if KEYS not in files:
        raise NothingToShowError(
            "This folder holds no evidence.",
            "Nothing was checked.",
            "Name the folder that aphub evidence wrote.",
        )
    keys = tuple(vkeys) or tuple(files[KEYS].decode(errors="replace").split())
    for key in keys:
        parse_vkey(key)
    findings = verify_bundle(files, keys)
    said = [_said(content) for name, content in files.items() if name.startswith("statements/")]
    meant = {one for statement in said for one in statement.get("reports", ())}
    openings = {name: content for name, content in files.items() if name.startswith(f"{OPENINGS}/")}
    findings += [finding for name, content in openings.items() if (finding := _closed(name, content, meant))]
    sent = _by_message(files)
    digests = {one["dispatch"]: one.get("documents") for one in said if one.get("type") == "report.prepared"}
    findings += [finding for name, some in sent.items() if (finding := _other(name, some, digests))]
    return Checked(tuple(findings), len(said), len(openings), keys, len(sent))


def _closed(name: str, content: bytes, meant: set[str]) -> Finding | None:
    """Say what is wrong with an opening: it does not open its commitment, or no statement here means it."""
    try:
        opening = json.loads(content)
        fits = opens(opening["commitment"], bytes.fromhex(opening["salt"]), opening["content"].encode())
        known = opening["commitment"] in meant
    except (ValueError, KeyError, TypeError, AttributeError, StatementError):
        fits = known = False
    if fits and known:
        return None
    words = "is not what was committed to" if not fits else "belongs to no statement in this folder"
    return Finding(None, Damage.CHANGED, name, f"The content in {name} {words}.")


def _by_message(files: Mapping[str, bytes]) -> dict[str, list[bytes]]:
    """Give the documents of each message, in the order in which they were sent."""
    found: dict[str, list[bytes]] = {}
    for name in sorted(name for name in files if name.startswith(f"{DOCUMENTS}/")):
        found.setdefault(name.split("/")[1], []).append(files[name])
    return found


def _other(message: str, documents: Sequence[bytes], digests: Mapping[str, Any]) -> Finding | None:
    """Say what is wrong with a message's documents: they are not those that the ledger means."""
    if hashlib.sha256(b"".join(documents)).hexdigest() == digests.get(message):
        return None
    name = f"{DOCUMENTS}/{message}"
    return Finding(None, Damage.CHANGED, name, f"The documents in {name} are not those that were prepared.")


def _said(leaf: bytes) -> dict[str, Any]:
    try:
        return read_statement(leaf)
    except StatementError:
        return {}


def _read(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        return {}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size < _LIMIT
    }
