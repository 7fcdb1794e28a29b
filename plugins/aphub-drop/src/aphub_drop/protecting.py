"""Lock a file for one recipient before it leaves: OpenPGP to their key, or CMS to their certificate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from aphub.api import AphubError

LEAST_RSA_BITS = 2048
_V4_FINGERPRINT = 40
_PRIVATE = "PRIVATE KEY"


class KeyEndedError(AphubError):
    """Their key or certificate has ended, so nothing is locked with it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whoever alone can open the file, until when, and how it is locked."""

    fingerprint: str
    begins: datetime | None
    ends: datetime | None
    ending: str
    media_type: str
    _lock: Callable[[bytes], bytes] = field(repr=False)

    def why_not(self, now: datetime) -> str:
        """Say why nothing may be locked with it now; empty when it may."""
        if self.ends is not None and now >= self.ends:
            return f"the recipient's key ended on {_day(self.ends)}; ask the organisation for their new one"
        if self.begins is not None and now < self.begins:
            return f"the recipient's key holds only from {_day(self.begins)}"
        return ""

    def locked(self, content: bytes, now: datetime) -> bytes:
        """Give the content so that nobody else can read it; each time other bytes.

        Raises:
            KeyEndedError: The key does not hold at that time.
        """
        if why := self.why_not(now):
            raise KeyEndedError(why)
        return self._lock(content)


def recipient(encryption: str, text: str) -> Recipient:
    """Read the recipient's key or certificate.

    Raises:
        ValueError: It is none, or no file can be locked with it; said in plain words, never quoting it.
    """
    if _PRIVATE in text:
        message = (
            "This is a private key. Ask for the public one, and tell the owner that the private one was shown"
        )
        raise ValueError(message)
    return _openpgp(text.strip()) if encryption == "openpgp" else _cms(text.strip())


@lru_cache(maxsize=256)
def _openpgp(text: str) -> Recipient:
    """Read an OpenPGP key of version 4, which GnuPG 2.2 opens too (RFC 4880)."""
    import pysequoia  # noqa: PLC0415 - only for those who use it

    message = "This is not a public OpenPGP key. Paste it whole, from BEGIN PGP PUBLIC KEY BLOCK to its END"
    if not text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        raise ValueError(message)
    try:
        cert = pysequoia.Cert.from_bytes(text.encode())
    except RuntimeError:
        raise ValueError(message) from None
    if len(cert.fingerprint) != _V4_FINGERPRINT:
        message = "This key is of a newer version than GnuPG 2.2 can use. Ask for a key of version 4"
        raise ValueError(message)
    if cert.is_revoked:
        message = "This key was revoked by its owner. Ask for the new one"
        raise ValueError(message)
    try:
        pysequoia.encrypt(b"", recipients=[cert], armor=False)
    except RuntimeError:
        message = "This key can sign but not encrypt. Ask for a key with an encryption subkey"
        raise ValueError(message) from None
    return Recipient(
        fingerprint=cert.fingerprint.upper(),
        begins=None,
        ends=_soonest(cert.expiration, _subkeys_end(bytes(cert))),
        ending="gpg",
        media_type="application/pgp-encrypted",
        _lock=lambda content: pysequoia.encrypt(content, recipients=[cert], armor=False),
    )


def _subkeys_end(cert: bytes) -> datetime | None:
    """Give when the last encryption subkey ends; None where one never does, or the key itself encrypts.

    The library encrypts to subkeys that have ended, so they are looked at here.
    """
    from pysequoia.packet import PacketPile  # noqa: PLC0415 - see above

    created: datetime | None = None
    newest: dict[datetime, tuple[datetime, datetime | None]] = {}
    for packet in PacketPile.from_bytes(cert):
        if packet.key_created is not None:
            created = packet.key_created
        flags: Any = packet.key_flags
        if created is None or flags is None or not (flags.transport_encryption or flags.storage_encryption):
            continue
        said = packet.signature_created or created
        period = packet.key_validity_period
        if created not in newest or said >= newest[created][0]:
            newest[created] = (said, created + period if period else None)
    ends = [end for _, end in newest.values()]
    return None if not ends or None in ends else max(end for end in ends if end is not None)


@lru_cache(maxsize=256)
def _cms(text: str) -> Recipient:
    """Read an X.509 certificate with an RSA key (RFC 5652 section 6)."""
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = certificate.public_key()
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    except ValueError:
        message = "This is not a certificate. Paste it whole, from BEGIN CERTIFICATE to END CERTIFICATE"
        raise ValueError(message) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        message = (
            f"A file can be locked only with an RSA certificate of {LEAST_RSA_BITS} bits or more. Ask for one"
        )
        raise ValueError(message)
    if usage is not None and not usage.key_encipherment:
        message = "This certificate can sign but not encrypt. Ask for one with key encipherment"
        raise ValueError(message)

    def lock(content: bytes) -> bytes:
        envelope = pkcs7.PKCS7EnvelopeBuilder().set_data(content).add_recipient(certificate)
        envelope = envelope.set_content_encryption_algorithm(AES256)
        return envelope.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])

    return Recipient(
        fingerprint=certificate.fingerprint(SHA256()).hex().upper(),
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        ending="p7m",
        media_type="application/pkcs7-mime; smime-type=enveloped-data",
        _lock=lock,
    )


def _soonest(*ends: datetime | None) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%B %Y}"
