"""S/MIME (RFC 8551): a message signed with our certificate, then locked to the school's; nobody on the way can read it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from aphub_email.attested import day_words

_LEAST_RSA_BITS = 2048
_SPKI = PublicFormat.SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class Signer:
    """Our certificate and its key, and the certificates between it and a known authority."""

    certificate: x509.Certificate = field(repr=False)
    key: RSAPrivateKey | EllipticCurvePrivateKey = field(repr=False)
    between: tuple[x509.Certificate, ...] = field(repr=False, default=())

    def signature(self, content: bytes) -> bytes:
        """Sign content as it stands; the signature comes apart from it."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self.certificate, self.key, SHA256())
        for one in self.between:
            builder = builder.add_certificate(one)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(Encoding.DER, options)


@lru_cache(maxsize=512)
def reader(text: str, address: str, authorities: str = "") -> x509.Certificate:
    """Read a school's certificate, to which messages to one address are locked.

    Raises:
        ValueError: Nothing can be locked to it, it is for another address, or nobody of `authorities` issued it.
    """
    certificate, *_ = certificates(text)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_RSA_BITS:
        message = (
            f"A mail can be locked only to an RSA certificate of {_LEAST_RSA_BITS} bits or more. Ask for one"
        )
        raise ValueError(message)
    usage = _usage(certificate)
    if usage is not None and not usage.key_encipherment:
        message = "This certificate can sign but not encrypt. Ask for the one with key encipherment"
        raise ValueError(message)
    _is_for_mail(certificate, address)
    if authorities and not any(_issued(certificate, one) for one in certificates(authorities)):
        message = "None of the certificates in authorities issued this certificate. Ask which authority did"
        raise ValueError(message)
    return certificate


@lru_cache(maxsize=64)
def own(text: str, address: str) -> tuple[x509.Certificate, ...]:
    """Read our certificate and those between it and a known authority.

    Raises:
        ValueError: It cannot sign mail from our address.
    """
    first, *between = certificates(text)
    usage = _usage(first)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        message = "This certificate cannot sign. Use the one with digital signature"
        raise ValueError(message)
    _is_for_mail(first, address)
    return (first, *between)


@lru_cache(maxsize=64)
def signer(text: str, key_text: str, address: str) -> Signer:
    """Put our certificate and its key together.

    Raises:
        ValueError: The key cannot be read, or belongs to another certificate; no word of it is repeated.
    """
    first, *between = own(text, address)
    try:
        key = load_pem_private_key(key_text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        message = "The key cannot be read. Store it as PEM without a password: aphub secret set"
        raise ValueError(message) from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        message = "The key must be RSA or ECDSA: mail programmes verify no other"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError beside the setting
    ours = key.public_key().public_bytes(Encoding.DER, _SPKI)
    if ours != first.public_key().public_bytes(Encoding.DER, _SPKI):
        message = "The key does not belong to smime_certificate"
        raise ValueError(message)
    return Signer(first, key, tuple(between))


def certificates(text: str) -> list[x509.Certificate]:
    """Read certificates in PEM, one or several.

    Raises:
        ValueError: There is none, or a private key stands among them.
    """
    if "PRIVATE KEY" in text:
        message = "This is a private key. It belongs under aphub secret set, and theirs to nobody but them"
        raise ValueError(message)
    try:
        return x509.load_pem_x509_certificates(text.strip().encode())
    except ValueError:
        message = "This is not a certificate. Paste it whole, from BEGIN CERTIFICATE to END CERTIFICATE"
        raise ValueError(message) from None


def why_not(certificate: x509.Certificate, whose: str, now: datetime) -> str:
    """Say why a certificate does not hold now; empty when it does."""
    if now >= certificate.not_valid_after_utc:
        return f"{whose} certificate for encrypted mail ended on {day_words(certificate.not_valid_after_utc)}; get the new one"
    if now < certificate.not_valid_before_utc:
        return f"{whose} certificate for encrypted mail holds only from {day_words(certificate.not_valid_before_utc)}"
    return ""


def fingerprint(certificate: x509.Certificate) -> str:
    """Give a certificate's SHA-256, as people compare it by phone."""
    return certificate.fingerprint(SHA256()).hex(":").upper()


def locked(content: bytes, certificate: x509.Certificate) -> bytes:
    """Lock content so that only the holder of the certificate's key can open it (AES-256-CBC; RFC 8551 section 2.7)."""
    envelope = pkcs7.PKCS7EnvelopeBuilder().set_data(content).add_recipient(certificate)
    envelope = envelope.set_content_encryption_algorithm(AES256)
    return envelope.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def addresses_of(certificate: x509.Certificate) -> Sequence[str]:
    """Give the mail addresses that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return names.get_values_for_type(x509.RFC822Name)


def _is_for_mail(certificate: x509.Certificate, address: str) -> None:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        purposes = None
    good = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and not good & set(purposes):
        message = "This certificate is not for mail (no e-mail protection). Ask for an S/MIME certificate"
        raise ValueError(message)
    if address.casefold() not in {one.casefold() for one in addresses_of(certificate)}:
        message = (
            "This certificate is for another address: its subject alternative name does not hold this one"
        )
        raise ValueError(message)


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Say whether an authority issued a certificate, and may issue any."""
    try:
        may = authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(authority)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return bool(may)
