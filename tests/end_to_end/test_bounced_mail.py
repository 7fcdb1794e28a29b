"""Their mail server said 250, and later it comes back: from the mailbox over IMAP to the debt, the proof and the phone."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from pydantic import SecretStr

from aphub.domain.ledger import read_statement
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.imap import ImapStandIn
from aphub.sandbox.smtp import SmtpSink
from aphub.services import life, waits
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.world import World, build_world

SENDER, WORD = "reports@riverbank.example.org", "quiet-otter-lamp-31"
MINUTE = timedelta(minutes=1)
THEIRS = "550 5.1.1 no Zebedee Example001 here"
"""Their server's own words, which may repeat what was in the mail."""
MAILBOX = """
[[channels]]
name = "mailbox"
connection = "mail"
address = "attendance@{slug}.example.org"
protection = "attested"
attestation = {{ kind = "connector", what = "a connector of both IT teams", on = 2026-03-01, by = "Ada, IT" }}
"""
REPORT = """From: MAILER-DAEMON@{slug}.example.org
To: {to}
Message-ID: <{action}@{slug}.example.org>
Date: Tue, 3 Mar 2026 09:50:00 +0000
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

This mail could not be brought to its reader.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{slug}.example.org

Final-Recipient: rfc822; attendance@{slug}.example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--x
Content-Type: text/rfc822-headers

Message-ID: {ours}
--x--
"""
FALLBACK = (("drop", "told", "other"),)


@dataclass
class Played:
    """A hub, the mail server that takes everything, and the mailbox in which answers arrive."""

    world: World
    sink: SmtpSink
    mailbox: ImapStandIn

    def report(self, slug: str, action: str, status: str) -> None:
        """Let their mail server write about the mail that really came to this school (RFC 3464)."""
        [came] = [one for one in self.sink.received if f"@{slug}." in str(one.rcpt_to)]
        ours = message_from_bytes(came.raw)["Message-ID"]
        text = REPORT.format(slug=slug, action=action, status=status, said=THEIRS, ours=ours, to=SENDER)
        self.mailbox.arrives(text.replace("\n", "\r\n").encode())

    def to(self, slug: str) -> list[tuple[str, str, str]]:
        """Give channel, state and rung of what went to a school, in order."""
        rows = [row for row in self.world.dispatches() if row.organisation == slug]
        return [(row.channel, row.state, row.rung) for row in rows]


@pytest.fixture
def played(tmp_path: Path, sqlite_url: str) -> Iterator[Played]:
    authority = DemoAuthority.create(tmp_path / "authority")
    world = build_world(tmp_path / "home", sqlite_url, schools=[])
    with ExitStack() as stack:
        sink = stack.enter_context(
            SmtpSink(authority, tmp_path / "mail", credentials={SENDER: WORD}, durable=False)
        )
        mailbox = stack.enter_context(ImapStandIn(authority, user=SENDER, password=WORD))
        world.hub.keys.set_secret("mail", SecretStr(WORD), world.clock.now())
        connection = (
            f'[connections.mail]\nadapter = "email"\nhost = "localhost"\nport = {sink.address[1]}\n'
            f'ca_file = "{authority.ca_path}"\nfrom_address = "{SENDER}"\nusername = "{SENDER}"\n'
            f'password = "secret:mail"\nimap_host = "localhost"\nimap_port = {mailbox.address[1]}\n'
        )
        schools = [
            School("hill", FALLBACK, MAILBOX.format(slug="hill")),
            School("valley", (), MAILBOX.format(slug="valley")),
        ]
        world.configure(schools=schools, provider=f"{PROVIDER}\n{connection}")
        world.go_live()
        yield Played(world, sink, mailbox)
    world.hub.close()


def test_mail_that_was_taken_and_came_back_is_owed_again_told_otherwise_and_proved(played: Played):
    world = played.world
    hill, valley = world.pupil("hill"), world.pupil("valley")
    world.owe()
    world.at("09:05")
    world.enter([hill, valley])
    world.at("09:30")
    assert played.to("hill") == played.to("valley") == [("mailbox", "handed_over", "handed_over")]
    assert (world.owed(hill).state, world.owed(valley).state) == ("met", "met")

    played.report("hill", "delayed", "4.4.1")
    world.wait(MINUTE)
    assert played.to("hill") == [("mailbox", "handed_over", "handed_over")]  # their server goes on trying
    assert world.tasks() == []

    played.report("hill", "failed", "5.1.1")
    played.report("valley", "failed", "5.1.1")
    world.wait(MINUTE)
    # Delivered no more; the one goes another way at once, the other is a telephone call.
    assert played.to("hill") == [
        ("mailbox", "refused", "bounced"),
        ("drop", "handed_over", "handed_over"),
    ]
    assert played.to("valley") == [("mailbox", "refused", "bounced")]
    assert (world.owed(hill).state, world.owed(valley).state) == ("met", "held")
    lost = {row.organisation: row.reference for row in world.dispatches() if row.rung == "bounced"}
    because = {row.because for row in world.dispatches() if row.rung == "bounced"}
    assert because == {"it came back: the address does not exist"}
    said = {(row.kind, row.organisation): row.words for row in world.tasks()}
    assert said["phone_school", "valley"].startswith(
        f"Phone Valley about {lost['valley']}: it could not be sent (it came back: "
    )
    assert {slug for kind, slug in said if kind == "fix_channel"} == {"hill", "valley"}
    assert ("phone_school", "hill") not in said
    assert any(one.kind == "phone_school" for one in waits.waiting(world.desk))

    # The receipt holds their words for whoever has a reason; the proof holds that it came back; the clear text neither.
    shown = life.show(world.desk, lost["valley"], names_because="to tell their IT team", by="Ada Example")
    assert "bounced" in [one.what for one in shown.receipts]
    bounced = [read_statement(row.body) for row in world.rows(t.statements) if row.kind == "dispatch.bounced"]
    assert {one["dispatch"] for one in bounced} == set(lost.values())
    stored = repr(
        [world.rows(table) for table in (t.dispatches, t.attempts, t.tasks, t.receipts, t.statements)]
    )
    assert "Zebedee" not in stored
    assert played.mailbox.changes == []  # nobody's mail was marked or moved

    before = len(world.dispatches())
    world.wait(5 * MINUTE)
    assert len(world.dispatches()) == before
    assert world.verify().ok
