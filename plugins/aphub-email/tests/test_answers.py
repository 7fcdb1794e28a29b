"""What comes into the mailbox, read as answers to our messages."""

from hypothesis import given
from hypothesis import strategies as st

from aphub.api import LaterKind
from aphub_email.answers import read_answer

DOMAIN, OWN = "riverbank.example.org", "reports@riverbank.example.org"
REF = "RB-7Q4K2M9P-2"
REPORT = """From: MAILER-DAEMON@mail.example.org\r
Message-ID: <b1@mail.example.org>\r
Date: Tue, 3 Mar 2026 09:31:00 +0000\r
Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r
\r
--x\r
Content-Type: text/plain\r
\r
Sorry.\r
--x\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mail.example.org\r
{envelope}\r
Final-Recipient: rfc822; office@hill-school.example.org\r
Action: {action}\r
Status: {status}\r
Diagnostic-Code: smtp; 550 {status} no\r
\r
--x\r
Content-Type: text/rfc822-headers\r
\r
Message-ID: <{reference}@riverbank.example.org>\r
--x--\r
"""
REPLY = """From: Office <office@hill-school.example.org>\r
Message-ID: <r1@hill-school.example.org>\r
Subject: {subject}\r
In-Reply-To: <{reference}@riverbank.example.org>\r
{more}\r
\r
{words}\r
\r
On Tue, 3 Mar 2026 at 09:21, Riverbank AP wrote:\r
> Zebedee did not arrive\r
"""


def read(text):
    return read_answer(text.encode(), "box 1", DOMAIN, OWN)


def report(action, status, envelope=f"Original-Envelope-Id: {REF}", reference=REF):
    return read(REPORT.format(action=action, status=status, envelope=envelope, reference=reference))


def reply(words, subject="Re: AP attendance", more="X-Any: thing", reference=REF):
    return read(REPLY.format(words=words, subject=subject, more=more, reference=reference))


def test_delivery_reports_are_told_apart_by_what_they_mean():
    gone = report("failed", "5.1.1")
    assert (gone.kind, gone.about, gone.what, gone.code) == (
        LaterKind.BOUNCED,
        (REF,),
        "the address does not exist",
        "5.1.1",
    )
    assert report("failed", "5.2.2").what == "the mailbox is full"
    assert report("delayed", "4.4.1").kind is LaterKind.DELAYED
    assert report("delivered", "2.0.0").kind is LaterKind.ACCEPTED
    assert report("relayed", "2.0.0") is None


def test_a_report_without_the_envelopes_id_is_known_by_the_headers_that_came_back():
    assert report("failed", "5.1.1", "X-Nothing: here").about == (REF,)
    assert report("failed", "5.1.1", "X-Nothing: here", "somebody-elses") is None


def test_a_persons_answer_is_told_from_a_machines():
    said = reply("He is at home today.")
    assert (said.kind, said.words, said.about) == (LaterKind.REPLY, "He is at home today.", (REF,))
    assert "Zebedee" not in said.words
    assert "at home" not in repr(said)
    away = reply("Back on Monday.", more="Auto-Submitted: auto-replied")
    assert away.kind is LaterKind.AUTOMATIC
    assert reply("Back on Monday.", "Automatic reply: AP attendance").kind is LaterKind.AUTOMATIC
    left = reply("Ms Example no longer works here.", more="Auto-Submitted: auto-replied")
    assert left.kind is LaterKind.LEFT


def test_other_mail_is_left_alone():
    assert reply("Hello", reference="newsletter-77") is None
    own = reply("Hello", more="X-Aphub-Reference: RB-7Q4K2M9P-2").kind
    assert own is LaterKind.REPLY
    assert (
        read(
            REPLY.format(words="x", subject="x", more="X-Aphub-Reference: x", reference=REF).replace(
                "office@hill-school.example.org", OWN
            )
        )
        is None
    )


@given(st.binary(max_size=400), st.sampled_from([REPORT, REPLY]), st.integers(0, 900))
def test_whatever_a_stranger_sends_is_read_or_left(junk, text, at):
    raw = text.encode()
    read_answer(raw[:at] + junk + raw[at:], "box 1", DOMAIN, OWN)
