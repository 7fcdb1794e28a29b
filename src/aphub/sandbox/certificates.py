"""A certificate authority for demonstrations and tests, which also issues the certificates that must be refused."""

import ipaddress
import os
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK_NAMES = ("localhost", "127.0.0.1")
VALID_FOR = timedelta(days=3650)


class CertificateKind(StrEnum):
    """What kind of certificate a far side shows; a careful client trusts only the first."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG_NAME = "wrong_name"
    SELF_SIGNED = "self_signed"


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """Where a certificate and its key lie, both as PEM."""

    certificate: Path
    key: Path


class DemoAuthority:
    """A certificate authority of its own, trusted by nobody but those who are handed `ca_path`."""

    def __init__(
        self,
        folder: Path,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        valid_from: datetime,
    ) -> None:
        """Hold an authority that exists; `create` and `open_or_create` make one."""
        self.folder = folder
        self._certificate = certificate
        self._key = key
        self._valid_from = valid_from
        self._issued: dict[tuple[CertificateKind, tuple[str, ...]], IssuedCertificate] = {}

    @property
    def ca_path(self) -> Path:
        """The certificate (PEM) that a client must trust."""
        return self.folder / "ca.pem"

    @classmethod
    def create(cls, folder: Path, *, valid_from: datetime | None = None) -> Self:
        """Make a new authority in `folder`.

        `valid_from` fixes the first instant of every certificate, for files that should come out alike; without it
        they are valid from yesterday on, so that a machine whose clock is a little slow trusts them too.
        """
        start = (valid_from or datetime.now(UTC) - timedelta(days=1)).astimezone(UTC)
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("aphub demo authority (invented, trust it on this machine only)")
        identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            _builder(name, name, key.public_key(), start, start + VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(identity, critical=False)
            .sign(key, hashes.SHA256())
        )
        authority = cls(folder, certificate, key, start)
        _write_key(folder / "ca-key.pem", key)
        authority.ca_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return authority

    @classmethod
    def open_or_create(cls, folder: Path) -> Self:
        """Give the authority that lies in `folder`, or a new one: who trusted it once need not do so again."""
        try:
            pem, key_pem = (folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes()
        except FileNotFoundError:
            return cls.create(folder)
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            message = f"{folder / 'ca-key.pem'} is not the key of a demo authority. Choose an empty folder."
            raise TypeError(message)
        return cls(folder, certificate, key, certificate.not_valid_before_utc)

    def issue(
        self,
        names: Sequence[str] = LOOPBACK_NAMES,
        kind: CertificateKind = CertificateKind.GOOD,
    ) -> IssuedCertificate:
        """Give a server certificate for host names and IP addresses, the same one each time it is asked for."""
        wanted = (kind, tuple(names))
        if wanted not in self._issued:
            self._issued[wanted] = self._issue(tuple(names), kind)
        return self._issued[wanted]

    def server_context(
        self,
        names: Sequence[str] = LOOPBACK_NAMES,
        kind: CertificateKind = CertificateKind.GOOD,
        *,
        old_tls: bool = False,
    ) -> ssl.SSLContext:
        """Give the TLS side of a server: 1.2 or newer, or with `old_tls` 1.0 and 1.1 only, as a server long due."""
        issued = self.issue(names, kind)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if old_tls:
            with warnings.catch_warnings():
                # Python deprecates what this context exists to show.
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(issued.certificate, issued.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Give a verifying client context that trusts this authority and no other."""
        context = ssl.create_default_context(cafile=str(self.ca_path))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _issue(self, names: tuple[str, ...], kind: CertificateKind) -> IssuedCertificate:
        key = ec.generate_private_key(ec.SECP256R1())
        start, end = self._valid_from, self._valid_from + VALID_FOR
        if kind is CertificateKind.EXPIRED:
            start, end = start - timedelta(days=400), start - timedelta(days=1)
        certified = ("elsewhere.example.org",) if kind is CertificateKind.WRONG_NAME else names
        subject = _name(certified[0])
        own = kind is CertificateKind.SELF_SIGNED
        signer, issuer = (key, subject) if own else (self._key, self._certificate.subject)
        certificate = (
            _builder(subject, issuer, key.public_key(), start, end)
            .add_extension(x509.SubjectAlternativeName([_alternative(n) for n in certified]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .sign(signer, hashes.SHA256())
        )
        stem = f"server-{kind.value}-{len(self._issued) + 1}"
        issued = IssuedCertificate(self.folder / f"{stem}.pem", self.folder / f"{stem}-key.pem")
        _write_key(issued.key, key)
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return issued


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    start: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, pem)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
