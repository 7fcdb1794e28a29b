import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from aphub.sandbox import CertificateKind, DemoAuthority, SmtpSink
from tests.sandbox.conversation import signed_on


def test_keys_are_readable_by_their_owner_only(authority: DemoAuthority):
    issued = authority.issue()
    for key in (authority.folder / "ca-key.pem", issued.key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_certificates_start_at_the_instant_that_was_asked_for(tmp_path: Path):
    start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    authority = DemoAuthority.create(tmp_path, valid_from=start)
    for path in (authority.ca_path, authority.issue().certificate):
        assert x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc == start


def test_an_authority_found_again_is_the_same(tmp_path: Path):
    first = DemoAuthority.open_or_create(tmp_path)
    before = first.ca_path.read_bytes()
    again = DemoAuthority.open_or_create(tmp_path)
    assert again.ca_path.read_bytes() == before
    certificate = x509.load_pem_x509_certificate(again.issue(("mail.example.org",)).certificate.read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(before))


@pytest.mark.parametrize("kind", [kind for kind in CertificateKind if kind is not CertificateKind.GOOD])
def test_a_careful_client_refuses_every_bad_certificate(
    sink: SmtpSink, authority: DemoAuthority, kind: CertificateKind
):
    sink.shows_certificate(kind)
    with pytest.raises(ssl.SSLCertVerificationError):
        signed_on(sink, authority)
    sink.accepts()
    signed_on(sink, authority).quit()


def test_a_client_that_wants_tls_12_refuses_an_old_server(sink: SmtpSink, authority: DemoAuthority):
    sink.speaks_old_tls()
    with pytest.raises(ssl.SSLError):
        signed_on(sink, authority)


def test_a_strict_client_trusts_a_good_certificate(sink: SmtpSink, authority: DemoAuthority):
    context = authority.client_context()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    signed_on(sink, authority, context).quit()
