"""Files that only the recipient can open: opened here by GnuPG 2.2 and OpenSSL themselves."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError
from pysequoia import Profile, Tsk

from aphub.api import aphub_csv
from aphub.testing import (
    PLANTED_PUPIL,
    SAMPLE_NOW,
    sample_message,
    sample_outbound,
    sample_report,
    sample_tools,
)
from aphub_drop import DropAdapter, DropRoute, FolderAdapter, FolderConnection, FolderRoute
from aphub_drop.protecting import KeyEndedError


class Gpg:
    """GnuPG with a home of its own."""

    def __init__(self, home: Path, program: str):
        self.home = home
        home.mkdir(mode=0o700)
        self.program = program

    def run(self, *words: str, given: bytes = b"") -> bytes:
        quiet = ("--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
        command = [self.program, "--homedir", str(self.home), *quiet, *words]
        return subprocess.run(command, input=given, capture_output=True, check=True).stdout

    def stop(self) -> None:
        subprocess.run(
            [f"{self.program}conf", "--homedir", str(self.home), "--kill", "all"],
            check=True,
            capture_output=True,
        )

    def key(self, name: str, *, made: str = "", kind: tuple[str, ...] = ("default", "default", "0")) -> str:
        when = ("--faked-system-time", made) if made else ()
        self.run(*when, "--quick-gen-key", name, *kind)
        return self.run("--armor", "--export", name).decode()

    def fingerprint(self, name: str) -> str:
        listed = self.run("--with-colons", "--list-keys", name).decode().splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr"))


@pytest.fixture(scope="module")
def gpg(tmp_path_factory, program):
    # A short path: the agent's socket stands in it.
    gpg = Gpg(tmp_path_factory.mktemp("g") / "h", program("gpg"))
    yield gpg
    gpg.stop()


@pytest.fixture(scope="module")
def council():
    return rsa.generate_private_key(65537, 2048)


def locked(encryption, key, **settings: object):
    route = DropRoute(folder="hill", encryption=encryption, recipient_key=key, **settings)
    outbound = sample_outbound()
    return DropAdapter.compose(outbound, route), aphub_csv(list(outbound.rows))


@pytest.mark.parametrize("kind", [("default", "default", "2y"), ("rsa2048", "sign,encrypt", "2y")])
def test_gnupg_opens_what_was_locked_for_its_key(gpg, kind):
    key = gpg.key(f"drop-{kind[0]}@example.org", kind=kind)
    (check, document), plain = locked("openpgp", key, beside=("sha256",))
    assert document.name.endswith(".csv.gpg")
    assert PLANTED_PUPIL.upn.encode() not in document.content
    assert gpg.run("--decrypt", given=document.content) == plain
    assert check.content.decode().split() == [
        hashlib.sha256(document.content).hexdigest(),
        document.name,
    ]


def test_openssl_opens_what_was_locked_for_its_certificate(council, certificate, tmp_path, program):
    [document], plain = locked("cms", certificate(council), file_name="x-{reference}")
    assert document.name.endswith(".csv.p7m")
    assert PLANTED_PUPIL.upn.encode() not in document.content
    key = tmp_path / "key.pem"
    key.write_bytes(
        council.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    command = [program("openssl"), "cms", "-decrypt", "-inform", "DER", "-inkey", str(key)]
    done = subprocess.run(command, input=document.content, capture_output=True, check=True)
    assert done.stdout == plain
    structure = subprocess.run(
        [program("openssl"), "cms", "-cmsout", "-print", "-inform", "DER"],
        input=document.content,
        capture_output=True,
        check=True,
    ).stdout
    assert b"aes-256-cbc" in structure


def test_keys_that_cannot_lock_a_file_are_named_when_they_are_applied(gpg, council, certificate):
    sign_only = gpg.key("signs@example.org", kind=("ed25519", "sign", "2y"))
    newer = str(Tsk.generate("new@example.org", profile=Profile.RFC9580).extract_certificate())
    private = gpg.run("--armor", "--export-secret-keys", "signs@example.org").decode()
    elliptic = certificate(ec.generate_private_key(ec.SECP256R1()))
    small = certificate(rsa.generate_private_key(65537, 1024))  # noqa: S505 - that it is weak is the point
    cases = [
        ("openpgp", sign_only, "can sign but not encrypt"),
        ("openpgp", newer, "version 4"),
        ("openpgp", private, "private key"),
        ("openpgp", "0xDEADBEEF", "Paste it whole"),
        ("openpgp", sign_only[:300], "Paste it whole"),
        ("openpgp", "", "belong together"),
        ("none", sign_only, "belong together"),
        ("cms", certificate(council, encrypts=False), "can sign but not encrypt"),
        ("cms", elliptic, "RSA certificate"),
        ("cms", small, "RSA certificate"),
        ("cms", sign_only, "not a certificate"),
        ("cms", certificate(council)[:200], "not a certificate"),
        ("zip", sign_only, "none"),
    ]
    for encryption, key, words in cases:
        with pytest.raises(ValidationError, match=words) as refused:
            DropRoute(folder="hill", encryption=encryption, recipient_key=key)
        assert "Stack backtrace" not in str(refused.value)


def test_a_revoked_key_is_refused(gpg):
    gpg.key("revoked@example.org")
    fingerprint = gpg.fingerprint("revoked@example.org")
    note = (
        (gpg.home / "openpgp-revocs.d" / f"{fingerprint}.rev")
        .read_text()
        .replace(":-----BEGIN", "-----BEGIN")
    )
    gpg.run("--import", given=note.encode())
    with pytest.raises(ValidationError, match="revoked by its owner"):
        DropRoute(
            folder="hill",
            encryption="openpgp",
            recipient_key=gpg.run("--armor", "--export", "revoked@example.org").decode(),
        )


def ended_keys(gpg, council, certificate):
    gpg.key("sub@example.org", made="20240101T000000", kind=("ed25519", "sign", "0"))
    fingerprint = gpg.fingerprint("sub@example.org")
    gpg.run(
        "--faked-system-time", "20240101T000000", "--quick-add-key", fingerprint, "cv25519", "encr", "30d"
    )
    return [
        ("cms", certificate(council, ends=datetime(2026, 3, 2, tzinfo=UTC)), "2 March 2026"),
        ("openpgp", gpg.key("old@example.org", made="20240101T000000", kind=("default", "default", "10d")), "11 January 2024"),
        # The library would encrypt to this one: only the subkey has ended.
        ("openpgp", gpg.run("--armor", "--export", "sub@example.org").decode(), "31 January 2024"),
    ]  # fmt: skip


def test_a_key_that_has_ended_locks_nothing_and_is_said_by_apply_and_check(
    gpg, council, certificate, tmp_path
):
    (tmp_path / "hill").mkdir()
    for encryption, key, day in ended_keys(gpg, council, certificate):
        route = FolderRoute(folder="hill", encryption=encryption, recipient_key=key)
        assert day in route.complaints(SAMPLE_NOW)[0]
        with pytest.raises(KeyEndedError, match=day):
            FolderAdapter.compose(sample_outbound(sample_message([sample_report(PLANTED_PUPIL)])), route)
        connection = FolderConnection(path=tmp_path, must_be_mounted=False)
        [step] = FolderAdapter(connection, sample_tools()).check(route)
        assert not step.ok
        assert day in step.found
        assert "recipient_key" in step.mend


def test_a_check_says_until_when_the_key_holds(council, certificate, tmp_path):
    (tmp_path / "hill").mkdir()
    route = FolderRoute(folder="hill", encryption="cms", recipient_key=certificate(council))
    connection = FolderConnection(path=tmp_path, must_be_mounted=False)
    first, *rest = FolderAdapter(connection, sample_tools()).check(route)
    assert "until 07 April 2027" in first.found
    assert all(step.ok for step in rest)
    assert route.complaints(SAMPLE_NOW) == ()


def test_another_key_is_another_destination(council, certificate):
    other = rsa.generate_private_key(65537, 2048)
    routes = [
        DropRoute(folder="hill", encryption="cms", recipient_key=certificate(key)) for key in (council, other)
    ]
    assert routes[0].destination() != routes[1].destination()
