"""The promises that every delivery adapter makes, kept against the stand-in of a mail server."""

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import strategies as st
from pydantic import SecretStr

from aphub.conformance import DeliveryAdapterRules, ImapFarSide, SmtpFarSide
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import PLANTED_SECRET
from aphub_email import Attestation, EmailAdapter, EmailConnection, EmailRoute

HEAD = b"Message-ID: <one@riverbank.example.org>\r\nFrom: reports@riverbank.example.org\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("rules"))


class TestEmail(DeliveryAdapterRules):
    """With an attested last hop; a protected file's salts are random, so its bytes cannot be compared."""

    adapter_class = EmailAdapter
    # Mails as they are composed: lines of printable ASCII, some of which begin with a dot.
    contents = st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70)
        | st.sampled_from([".", "..", ".x", "", " "]),
        max_size=8,
    ).map(lambda lines: HEAD + "".join(f"{line}\r\n" for line in lines).encode())

    @pytest.fixture
    def far_side(self, authority, tmp_path) -> Iterator[SmtpFarSide]:
        side = SmtpFarSide(authority, tmp_path / "mail", credentials={"office": PLANTED_SECRET})
        yield side
        side.close()

    @pytest.fixture
    def later(self, authority) -> Iterator[ImapFarSide]:
        side = ImapFarSide(authority, user="office", password=PLANTED_SECRET, domain="riverbank.example.org")
        yield side
        side.close()

    @pytest.fixture
    def connection(self, far_side, authority, request) -> EmailConnection:
        box = request.getfixturevalue("later") if "later" in request.fixturenames else None
        return EmailConnection(
            imap_host="localhost" if box else "",
            imap_port=box.stand_in.address[1] if box else 993,
            host="localhost",
            port=far_side.sink.address[1],
            ca_file=authority.ca_path,
            username="office",
            password=SecretStr(PLANTED_SECRET),
            from_address="reports@riverbank.example.org",
            timeout=1.0,
        )

    @pytest.fixture
    def route(self) -> EmailRoute:
        return EmailRoute(
            address="attendance@hill-school.example.org",
            protection="attested",
            attestation=Attestation(kind="mta-sts", what="MTA-STS in enforce mode", on=date(2026, 2, 16)),
        )
