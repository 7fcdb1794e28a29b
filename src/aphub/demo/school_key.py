"""The key of a school that wants its files locked: it stays with the school, and its certificate comes to us."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from aphub.sandbox.certificates import write_private

_BITS, _EXPONENT = 2048, 65537
_FROM, _UNTIL = datetime(2025, 9, 1, tzinfo=UTC), datetime(2045, 9, 1, tzinfo=UTC)
"""Around the played day and around today, so that the file can be opened on either."""


@dataclass(frozen=True, slots=True)
class SchoolKey:
    """A private key with its certificate."""

    certificate: str
    _signed: x509.Certificate = field(repr=False)
    _private: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a key and keep its private half in a file, as the school would."""
        private = rsa.generate_private_key(_EXPONENT, _BITS)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tern Bank School, invented")])
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(_UNTIL)
            .sign(private, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, private.private_bytes(pem, pkcs8, plain))
        return cls(signed.public_bytes(pem).decode(), signed, private)

    def opened(self, locked: bytes) -> bytes:
        """Open a file that was locked to the certificate."""
        return pkcs7.pkcs7_decrypt_der(locked, self._signed, self._private, [])
