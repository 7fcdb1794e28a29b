"""C2SP signed notes and checkpoints: how a log's root is signed (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from aphub.domain.ledger.errors import NoteError
from aphub.domain.ledger.merkle import HASH_BYTES

_ED25519 = b"\x01"
_DASH = "\u2014 "
_KEY_ID_BYTES = 4
_MOST_SIGNATURES = 100
_MOST_BYTES = 1_000_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_EPOCH = re.compile(r"epoch ([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key that can check a log's or a witness's signature, with the name it signs under."""

    name: str
    key_id: bytes
    public: bytes

    @property
    def vkey(self) -> str:
        """Give the one-line form: name, key number in hex, algorithm and key in base64, joined by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(_ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note whose signatures were checked."""

    text: str
    signers: tuple[VerifyingKey, ...]
    signatures: tuple[str, ...] = field(repr=False, default=())


def to_base64(content: bytes) -> str:
    """Write bytes in standard base64 (RFC 4648 section 4)."""
    return base64.b64encode(content).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read standard base64, strictly: one text for one content, so that a proof has one form only."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content or to_base64(content) != text:
        message = "This is not base64."
        raise NoteError(message)
    return content


def key_id(name: str, public: bytes) -> bytes:
    """Give the four bytes that tell keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


def verifying_key(name: str, private_key: bytes) -> VerifyingKey:
    """Give the public half of a 32-byte Ed25519 private key."""
    _check_name(name)
    public = Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()
    return VerifyingKey(name, key_id(name, public), public)


def parse_vkey(vkey: str) -> VerifyingKey:
    """Read the one-line form of a verifying key; raises `NoteError` where any part disagrees."""
    name, _, rest = vkey.strip().partition("+")
    number, _, encoded = rest.partition("+")
    _check_name(name)
    content = from_base64(encoded)
    algorithm, public = content[:1], content[1:]
    if algorithm != _ED25519 or len(public) != HASH_BYTES or number != key_id(name, public).hex():
        message = "This is not an Ed25519 verifying key."
        raise NoteError(message)
    return VerifyingKey(name, bytes.fromhex(number), public)


def note_sign(text: str, key_name: str, private_key: bytes) -> str:
    """Sign `text`, which must end in a line feed, with a 32-byte Ed25519 private key."""
    _check_name(key_name)
    if not text.endswith("\n") or _CONTROL.search(text):
        message = "A note is lines of text, and ends with a line feed."
        raise NoteError(message)
    private = Ed25519PrivateKey.from_private_bytes(private_key)
    public = private.public_key().public_bytes_raw()
    signature = to_base64(key_id(key_name, public) + private.sign(text.encode()))
    return f"{text}\n{_DASH}{key_name} {signature}\n"


def note_verify(note: str | bytes, vkeys: Iterable[str | VerifyingKey]) -> SignedNote:
    """Check a signed note against trusted keys; signatures of unknown keys are left out of account.

    Raises:
        NoteError: the note is malformed, a trusted key's signature is wrong, or no trusted key signed it.
    """
    text, lines = _split(note)
    known: dict[tuple[str, bytes], VerifyingKey] = {}
    for vkey in vkeys:
        key = vkey if isinstance(vkey, VerifyingKey) else parse_vkey(vkey)
        if known.setdefault((key.name, key.key_id), key) != key:
            message = "Two of the trusted keys cannot be told apart."
            raise NoteError(message)
    signers: dict[VerifyingKey, str] = {}
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        content = from_base64(encoded)
        if not line.startswith(_DASH) or not _is_name(name) or len(content) <= _KEY_ID_BYTES:
            message = "A signature line of the note is malformed."
            raise NoteError(message)
        signer = known.get((name, content[:_KEY_ID_BYTES]))
        if signer is None or signer in signers:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(signer.public).verify(content[_KEY_ID_BYTES:], text.encode())
        except InvalidSignature:
            message = (
                f"The signature of {name} does not fit: the note was changed, or signed with another key."
            )
            raise NoteError(message) from None
        signers[signer] = line
    if not signers:
        message = "None of the trusted keys signed this note."
        raise NoteError(message)
    return SignedNote(text, tuple(signers), tuple(signers.values()))


def _split(note: str | bytes) -> tuple[str, list[str]]:
    if len(note) > _MOST_BYTES:
        message = "The note is far too long."
        raise NoteError(message)
    try:
        # Through bytes also for text, so that a lone surrogate is refused here and not later.
        content = (note if isinstance(note, bytes) else note.encode()).decode()
    except UnicodeError:
        message = "The note is not UTF-8 text."
        raise NoteError(message) from None
    body, blank, signatures = content.rpartition("\n\n")
    lines = signatures.split("\n")
    if not blank or lines.pop() or not lines or len(lines) > _MOST_SIGNATURES or _CONTROL.search(content):
        message = "This is not a signed note."
        raise NoteError(message)
    return body + "\n", lines


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def _check_name(name: str) -> None:
    if not _is_name(name):
        message = "A key name has no spaces and no plus sign."
        raise NoteError(message)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state at one size: what a signature stands for."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def of_epoch(cls, origin: str, size: int, root: bytes, epoch: int) -> "Checkpoint":
        """Make a checkpoint that names its epoch in an extension line; the first epoch needs none."""
        return cls(origin, size, root, (f"epoch {epoch}",) if epoch > 1 else ())

    @property
    def epoch(self) -> int:
        """Give the epoch that the extension lines name: 1 until a restore opened another."""
        found = [match for line in self.extensions if (match := _EPOCH.fullmatch(line))]
        return int(found[0][1]) if found else 1

    def text(self) -> str:
        """Give the text that is signed; raises `NoteError` for what a checkpoint cannot say."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        if self.size < 0 or len(self.root) != HASH_BYTES or any(not line or "\n" in line for line in lines):
            message = "A checkpoint has an origin, a size and a root of 32 bytes, one line each."
            raise NoteError(message)
        return "\n".join(lines) + "\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text (the unsigned part); raises `NoteError` where it is not one."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines) or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - three lines
        message = "This is not a checkpoint."
        raise NoteError(message)
    root = from_base64(lines[2])
    if len(root) != HASH_BYTES:
        message = "The checkpoint's root is not 32 bytes."
        raise NoteError(message)
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, key_name: str, private_key: bytes) -> str:
    """Sign a checkpoint; the key's name should be the log's origin."""
    return note_sign(checkpoint.text(), key_name, private_key)


def open_checkpoint(note: str | bytes, vkeys: Sequence[str | VerifyingKey]) -> Checkpoint:
    """Read a signed checkpoint that the log itself signed.

    The log's key bears the log's name (tlog-checkpoint, "Signatures"): a witness's signature alone is not enough, and
    the key of one provider's log never vouches for another's.
    """
    signed = note_verify(note, vkeys)
    checkpoint = parse_checkpoint(signed.text)
    if all(signer.name != checkpoint.origin for signer in signed.signers):
        message = "The checkpoint is not signed by the log that it names."
        raise NoteError(message)
    return checkpoint
