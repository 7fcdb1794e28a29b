"""An SFTP server in this process and the real one of OpenSSH, with keys of their own."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from aphub.conformance import SftpFarSide
from aphub.testing import SAMPLE_NOW, sample_tools
from aphub_drop import DropAdapter, DropConnection, DropRoute

LATER = SAMPLE_NOW + timedelta(days=400)


@pytest.fixture(scope="session")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def far_side(key, tmp_path) -> Iterator[SftpFarSide]:
    (tmp_path / "drop" / "hill").mkdir(parents=True)
    side = SftpFarSide(tmp_path / "drop", authorized_keys=[key.export_public_key().decode()])
    yield side
    side.close()


@pytest.fixture
def connection(far_side, key) -> DropConnection:
    host, port = far_side.sink.address
    return DropConnection(
        host=host,
        port=port,
        user=far_side.sink.user,
        host_key=far_side.sink.fingerprint,
        client_key=SecretStr(key.export_private_key().decode()),
        timeout=1.0,
    )


@pytest.fixture
def route() -> DropRoute:
    return DropRoute(folder="hill")


@pytest.fixture
def opened(connection) -> Iterator[Callable[..., DropAdapter]]:
    """Give open adapters, with settings changed at will, and close them."""
    made = []

    def make(**changes: object) -> DropAdapter:
        adapter = DropAdapter(connection.model_copy(update=changes), sample_tools())
        made.append(adapter)
        adapter.open()
        return adapter

    yield make
    for adapter in made:
        adapter.close()


@dataclass
class OpenSsh:
    """A running sshd that serves one folder's account: ours."""

    port: int
    folder: Path
    host_key: str
    rsa_host_key: str
    client_key: str
    log: Path
    authorized: Path

    def connection(self, **changes: object) -> DropConnection:
        values = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "host_key": self.host_key,
            "client_key": SecretStr(self.client_key),
            "timeout": 20.0,
        }
        return DropConnection.model_validate(values | changes)


def _program(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {name}, which CI must have", pytrace=False)
    return pytest.skip(f"not run: needs {name}")


def _certificate(
    key: CertificateIssuerPrivateKeyTypes, *, ends: datetime = LATER, encrypts: bool = True
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drop.example.org")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(ends)
    )
    usage: dict[str, bool] = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    usage |= {"digital_signature": True, "key_encipherment": encrypts}
    usage |= {"encipher_only": False, "decipher_only": False}
    builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="session")
def certificate() -> Callable[..., str]:
    """Make certificates as a council would send them."""
    return _certificate


@pytest.fixture(scope="session")
def recipient_certificate() -> str:
    """Give a certificate for which files can be locked."""
    return _certificate(rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Find a program that a test really runs; without it the test says so, and fails where CI must have it."""
    return _program


@pytest.fixture(scope="session")
def openssh(tmp_path_factory) -> Iterator[OpenSsh]:
    sshd = _program("sshd")
    home = tmp_path_factory.mktemp("openssh")
    folder = home / "drop"
    folder.mkdir()
    prints = []
    for kind in ("ed25519", "rsa"):
        made = asyncssh.generate_private_key(f"ssh-{kind}")
        path = home / f"host-{kind}"
        path.touch(mode=0o600)
        path.write_bytes(made.export_private_key())
        prints.append(made.get_fingerprint())
    client = asyncssh.generate_private_key("ssh-ed25519")
    (home / "authorized").write_bytes(client.export_public_key())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = home / "sshd_config"
    config.write_text(
        f"""
        ListenAddress 127.0.0.1:{port}
        HostKey {home}/host-ed25519
        HostKey {home}/host-rsa
        AuthorizedKeysFile {home}/authorized
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        UsePAM no
        StrictModes no
        PidFile none
        MaxStartups 100
        PermitRootLogin prohibit-password
        Subsystem sftp internal-sftp -d {folder}
        """
    )
    if os.geteuid() == 0:
        # Where sshd as root puts its unprivileged half; Debian's service makes it at start.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = home / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=errors)
    try:
        _wait_for(port, process, log)
        yield OpenSsh(
            port, folder, prints[0], prints[1], client.export_private_key().decode(), log, home / "authorized"
        )
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(500):
        if process.poll() is not None:
            pytest.fail(f"sshd did not start: {log.read_text()}", pytrace=False)
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)
    pytest.fail("sshd does not answer", pytrace=False)
