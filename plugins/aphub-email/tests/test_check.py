from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from aphub.sandbox.certificates import CertificateKind
from aphub.sandbox.smtp import SmtpSink
from aphub.testing import sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute
from aphub_email.check import signed_in

STEPS = [
    "The mail server's name is found",
    "It answers on port",
    "The connection is encrypted and the server is who it says",
    "We are signed in",
    "We may send from our mailbox",
    "The school's address is accepted",
    "The domains at both ends are looked up",
    "Pupils are protected up to the school's mailbox",
]


def test_every_step_is_proved_and_no_message_is_begun(
    sink: SmtpSink, adapter: EmailAdapter, attested: EmailRoute
):
    steps = list(adapter.check(attested))
    assert [step.ok for step in steps] == [True] * 8
    assert all(step.step.startswith(words) for step, words in zip(steps, STEPS, strict=True))
    assert "TLS 1.3, vouched for by" in steps[2].found
    assert steps[6].found == "nobody was asked: riverbank.example.org is a name for examples"
    assert steps[7].found == "attested on 1 March 2026: MTA-STS policy in enforce mode"
    assert sink.received == []
    assert b"DATA" not in sink.received_bytes
    assert sink.received_bytes.endswith(b"RSET\r\nQUIT\r\n")


@pytest.mark.parametrize(
    ("mood", "failing", "mend"),
    [
        (lambda sink: sink.is_unreachable(), 1, "firewall"),
        (lambda sink: sink.has_no_starttls(), 2, "turn on TLS"),
        (lambda sink: sink.shows_certificate(CertificateKind.EXPIRED), 2, "renew"),
        (lambda sink: sink.refuses(at="auth", words="5.7.8 no"), 3, "set the password again"),
        (lambda sink: sink.refuses(at="mail", words="5.7.1 no"), 4, "from_address"),
        (lambda sink: sink.refuses(at="rcpt"), 5, "Check the address with the school"),
    ],
)
def test_the_first_step_that_fails_is_the_last_and_says_what_to_mend(
    sink: SmtpSink,
    adapter: EmailAdapter,
    route: EmailRoute,
    mood: Callable[[SmtpSink], object],
    failing: int,
    mend: str,
):
    mood(sink)
    steps = list(adapter.check(route))
    assert [step.ok for step in steps] == [True] * failing + [False]
    assert steps[-1].step.startswith(STEPS[failing])
    assert mend in steps[-1].mend


def test_a_password_at_microsoft_is_warned_of_before_it_ends():
    given = {"from_address": "reports@riverbank.example.org", "username": "reports", "password": "x"}
    at_microsoft = signed_in("We are signed in", EmailConnection(host="smtp.office365.com", **given))
    assert at_microsoft.ok
    assert "December 2026" in at_microsoft.mend
    assert signed_in("We are signed in", EmailConnection(host="mail.example.org", **given)).mend == ""


def test_a_certificate_that_runs_out_soon_is_warned_of(connection: EmailConnection, route: EmailRoute):
    soon = datetime.now(UTC) + timedelta(days=3640)
    adapter = EmailAdapter(connection, sample_tools(soon))
    steps = list(adapter.check(route))
    assert steps[2].ok
    assert "runs out in" in steps[2].mend


def test_a_check_given_up_half_way_lets_go(adapter: EmailAdapter, sink: SmtpSink):
    steps = adapter.check(EmailRoute(address="attendance@hill-school.example.org"))
    next(steps)
    next(steps)
    steps.close()
    assert b"EHLO" not in sink.received_bytes
