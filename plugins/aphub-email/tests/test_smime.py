"""A message that is signed and locked opens in OpenSSL with the school's key and with no other, and says who signed it."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import strategies as st
from pydantic import SecretStr

from aphub.api import AphubError, Outbound
from aphub.conformance import DeliveryAdapterRules, ImapFarSide, SmtpFarSide
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import PLANTED_SECRET, sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute
from aphub_email.outside import promised

NOW = datetime(2026, 3, 3, 9, 21, tzinfo=UTC)
SCHOOL, OURS = "attendance@hill-school.example.org", "reports@riverbank.example.org"
PUPIL = b"Zebedee Plantagenet-Invented"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
MAIL_ONLY = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)


@dataclass(frozen=True)
class Holder:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def authority() -> Holder:
    return issue("an invented authority", ec.generate_private_key(ec.SECP256R1()), ca=True)


@pytest.fixture(scope="module")
def school(rsa_key: rsa.RSAPrivateKey, authority: Holder) -> Holder:
    return issue(SCHOOL, rsa_key, authority)


@pytest.fixture(scope="module")
def us(authority: Holder) -> Holder:
    return issue(OURS, ec.generate_private_key(ec.SECP256R1()), authority)


def issue(
    address: str,
    key: Key,
    by: Holder | None = None,
    *,
    ca: bool = False,
    encrypts: bool = True,
    signs: bool = True,
    purposes: tuple[x509.ObjectIdentifier, ...] = MAIL_ONLY,
    begins: datetime = NOW - timedelta(days=100),
    days: int = 400,
) -> Holder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(signs, False, encrypts, False, False, ca, ca, False, False),
            critical=True,
        )
    )
    if not ca:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False
        )
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Holder(builder.sign(by.key if by else key, hashes.SHA256()), key)


@pytest.fixture
def connection(us: Holder) -> EmailConnection:
    return EmailConnection(
        host="mail.example.org", from_address=OURS, smime_certificate=us.pem, smime_key=us.key_pem
    )


@pytest.fixture
def route(school: Holder, authority: Holder) -> EmailRoute:
    return EmailRoute(address=SCHOOL, protection="smime", certificate=school.pem, authorities=authority.pem)


def openssl(*words: str, fails: bool = False) -> bytes:
    done = subprocess.run(["openssl", "cms", *words], capture_output=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stdout


def test_it_opens_with_the_schools_key_alone_and_names_who_signed(
    outbound_of: Callable[..., Outbound],
    connection: EmailConnection,
    route: EmailRoute,
    school: Holder,
    us: Holder,
    authority: Holder,
    tmp_path: Path,
):
    (document,) = EmailAdapter.compose(outbound_of(connection=connection, file_password=""), route)
    outside = message_from_bytes(document.content, policy=default)
    assert outside.defects == []
    assert outside.get_content_type() == "application/pkcs7-mime"
    assert outside["Content-Type"].params["smime-type"] == "enveloped-data"
    assert PUPIL not in document.content
    for secret in (us.key_pem, school.key_pem):
        assert secret.splitlines()[1].encode() not in document.content
    files = {
        "mail.eml": document.content,
        "school.pem": school.pem.encode(),
        "school.key": school.key_pem.encode(),
        "other.key": issue(SCHOOL, rsa.generate_private_key(65537, 2048)).key_pem.encode(),
        "authority.pem": authority.pem.encode(),
    }
    where = {name: str(tmp_path / name) for name in files}
    for name, content in files.items():
        Path(where[name]).write_bytes(content)
    opening = ("-decrypt", "-in", where["mail.eml"], "-binary", "-inkey")
    assert PUPIL not in openssl(*opening, where["other.key"], fails=True)
    signed = openssl(*opening, where["school.key"], "-recip", where["school.pem"])
    assert message_from_bytes(signed, policy=default).get_content_type() == "multipart/signed"
    for number, (content, fails) in enumerate([(signed, False), (signed.replace(PUPIL, PUPIL[::-1]), True)]):
        (tmp_path / f"signed-{number}").write_bytes(content)
        told = (
            "-verify", "-in", str(tmp_path / f"signed-{number}"), "-CAfile", where["authority.pem"],
            "-purpose", "smimesign", "-attime", str(int(NOW.timestamp())),
        )  # fmt: skip
        plain = openssl(*told, fails=fails)
    plain = openssl(*(word.replace("signed-1", "signed-0") for word in told))
    inside = message_from_bytes(plain, policy=default)
    assert inside["Content-Type"].params["hp"] == "cipher"
    assert [inside[name] for name in ("Subject", "From", "Message-ID")] == [
        outside[name] for name in ("Subject", "From", "Message-ID")
    ]
    assert len(inside.get_all("HP-Outer")) == len(inside.keys()) - inside.keys().count("HP-Outer") - 1
    assert [part.get_content_type() for part in inside.walk()][2:] == ["text/plain", "text/html", "text/csv"]
    assert PUPIL.decode() in inside.get_body(["plain"]).get_content()


def test_what_cannot_lock_or_sign_is_refused_where_it_is_written(
    rsa_key: rsa.RSAPrivateKey, authority: Holder, school: Holder, us: Holder
):
    web = (ExtendedKeyUsageOID.SERVER_AUTH,)
    curve = ec.generate_private_key(ec.SECP256R1())
    stranger = issue("another authority", curve, ca=True)
    for certificate, authorities, words in (
        ("nothing", "", "not a certificate"),
        (school.key_pem, "", "private key"),
        (issue(SCHOOL, curve, authority).pem, "", "RSA certificate of 2048"),
        (issue(SCHOOL, rsa_key, authority, encrypts=False).pem, "", "can sign but not encrypt"),
        (issue(SCHOOL, rsa_key, authority, purposes=web).pem, "", "not for mail"),
        (issue("head@hill-school.example.org", rsa_key, authority).pem, "", "for another address"),
        (school.pem, stranger.pem, "None of the certificates in authorities"),
        (school.pem, us.pem, "None of the certificates in authorities"),
        ("", "", "belong together"),
    ):
        with pytest.raises(ValueError, match=words):
            EmailRoute(address=SCHOOL, protection="smime", certificate=certificate, authorities=authorities)
    with pytest.raises(ValueError, match="belong together"):
        EmailRoute(address=SCHOOL, certificate=school.pem)
    for certificate, key, words in (
        (us.pem, "", "belong together"),
        (us.pem, "nothing", "cannot be read"),
        (us.pem, school.key_pem, "does not belong to"),
        (issue(OURS, curve, authority, signs=False).pem, "secret:mail-smime", "cannot sign"),
        (school.pem, "secret:mail-smime", "for another address"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            EmailConnection(
                host="mail.example.org", from_address=OURS, smime_certificate=certificate, smime_key=key
            )
        assert key.strip().splitlines()[1:2] == [] or key.splitlines()[1] not in str(caught.value)


def test_certificates_that_end_are_told_of_before_and_stop_this_way_after(
    connection: EmailConnection, route: EmailRoute, rsa_key: rsa.RSAPrivateKey, authority: Holder
):
    later = NOW + timedelta(days=400)
    assert route.complaints(NOW) == ()
    assert (
        "the school's certificate for encrypted mail ended on 28 December 2026" in route.complaints(later)[0]
    )
    assert "holds only from" in route.complaints(NOW - timedelta(days=200))[0]
    assert route.lacks(connection, NOW) == ""
    assert "our own certificate for encrypted mail ended" in route.lacks(connection, later)
    assert "our own" in connection.complaints(later)[0]
    assert [one.at for one in (*route.endings(), *connection.endings())] == [NOW + timedelta(days=300)] * 2
    unsigned = EmailConnection(host="mail.example.org", from_address=OURS)
    assert "our own certificate is missing" in route.lacks(unsigned, NOW)
    assert EmailRoute(address=SCHOOL).lacks(unsigned, NOW) == ""
    step = promised(route, NOW)
    assert step.ok
    assert "its SHA-256 is" in step.found
    assert not promised(route, later).ok
    assert (
        EmailAdapter(connection, sample_tools())
        .for_their_it(route)
        .allow[1]
        .startswith("Messages of the type")
    )
    another = route.model_copy(update={"certificate": issue(SCHOOL, rsa_key, authority).pem})
    assert another.destination() != route.destination()


def test_nothing_is_locked_that_cannot_be_signed(outbound_of: Callable[..., Outbound], route: EmailRoute):
    unsigned = EmailConnection(host="mail.example.org", from_address=OURS)
    with pytest.raises(AphubError, match="no certificate of ours"):
        EmailAdapter.compose(outbound_of(connection=unsigned), route)


HEAD = b"Message-ID: <one@riverbank.example.org>\r\nFrom: reports@riverbank.example.org\r\n\r\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("rules"))


class TestEmailSmime(DeliveryAdapterRules):
    """The kit's rules for messages that are signed and locked: what lies outside names nobody."""

    adapter_class = EmailAdapter
    locks_freshly = True
    contents = st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70), max_size=8
    ).map(lambda lines: HEAD + "".join(f"{line}\r\n" for line in lines).encode())

    @pytest.fixture
    def far_side(self, servers: DemoAuthority, tmp_path: Path) -> Iterator[SmtpFarSide]:
        side = SmtpFarSide(servers, tmp_path / "mail", credentials={"office": PLANTED_SECRET})
        yield side
        side.close()

    @pytest.fixture
    def later(self, servers: DemoAuthority) -> Iterator[ImapFarSide]:
        side = ImapFarSide(servers, user="office", password=PLANTED_SECRET, domain="riverbank.example.org")
        yield side
        side.close()

    @pytest.fixture
    def connection(
        self, far_side: SmtpFarSide, servers: DemoAuthority, authority: Holder, request: pytest.FixtureRequest
    ) -> EmailConnection:
        box = request.getfixturevalue("later") if "later" in request.fixturenames else None
        ours = issue(OURS, ec.generate_private_key(ec.SECP256R1()), authority, days=9_000)
        return EmailConnection(
            imap_host="localhost" if box else "",
            imap_port=box.stand_in.address[1] if box else 993,
            host="localhost",
            port=far_side.sink.address[1],
            ca_file=servers.ca_path,
            username="office",
            password=SecretStr(PLANTED_SECRET),
            from_address=OURS,
            smime_certificate=ours.pem,
            smime_key=SecretStr(ours.key_pem),
            timeout=1.0,
        )

    @pytest.fixture
    def route(self, rsa_key: rsa.RSAPrivateKey, authority: Holder) -> EmailRoute:
        theirs = issue(SCHOOL, rsa_key, authority, days=9_000)
        return EmailRoute(
            address=SCHOOL, protection="smime", certificate=theirs.pem, authorities=authority.pem
        )
