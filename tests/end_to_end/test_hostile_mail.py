"""A hub whose schools' mail servers are broken, mistaken or hostile, each in its own way.

For each: what left the machine (as captured), the state of the message, and the words that a person is shown.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.smtp import SmtpSink
from aphub.store import tables as t
from tests.configured import PROVIDER
from tests.world import World, build_world

pytestmark = pytest.mark.slow

PUPIL = b"Example0"
"""How the family name of every invented pupil begins."""
SENDER = "reports@riverbank.example.org"
HELLO = b"EHLO riverbank.example.org\r\n"
NOTHING = "We have not sent anything."


@dataclass(frozen=True)
class Hostile:
    """One server: what it does, what the hub then says of the message, and whether its content reached it."""

    slug: str
    mood: Callable[[SmtpSink], object]
    state: str
    words: str
    reached: bool = False
    clear: bytes = HELLO + b"STARTTLS\r\n"
    later: str = ""


SERVERS = [
    Hostile(
        "no-starttls",
        lambda sink: sink.has_no_starttls(),
        "refused",
        f"The mail server localhost will not accept an encrypted connection. {NOTHING}",
        clear=HELLO,
    ),
    Hostile(
        "expired",
        lambda sink: sink.shows_certificate(CertificateKind.EXPIRED),
        "refused",
        f"The certificate of localhost has run out. {NOTHING}",
    ),
    Hostile(
        "wrong-name",
        lambda sink: sink.shows_certificate(CertificateKind.WRONG_NAME),
        "refused",
        f"The server that answers is not localhost: its certificate is for another name. {NOTHING}",
    ),
    Hostile(
        "self-signed",
        lambda sink: sink.shows_certificate(CertificateKind.SELF_SIGNED),
        "refused",
        f"Nobody we trust vouches for the certificate of localhost. {NOTHING}",
    ),
    Hostile(
        "old-tls",
        lambda sink: sink.speaks_old_tls(),
        "refused",
        f"The mail server localhost only offers an encryption that is too old. {NOTHING}",
    ),
    Hostile(
        "no-such-user",
        lambda sink: sink.refuses(),
        "refused",
        "The school's server says this address does not exist.",
    ),
    Hostile(
        "spam-filter",
        lambda sink: sink.refuses(at="dot", words="5.7.1 we do not like Example001"),
        "refused",
        "Their mail server rejected the message.",
        reached=True,
    ),
    Hostile(
        "busy",
        lambda sink: sink.is_busy(times=1),
        "waiting",
        "Their mail server is busy and asks us to try later.",
        later="handed_over",
    ),
    Hostile(
        "greylisting",
        lambda sink: sink.greylists(1),
        "waiting",
        "Their mail server is busy and asks us to try later.",
        later="handed_over",
    ),
    Hostile(
        "drops-after-data",
        lambda sink: sink.cuts_off_after_reading(kept=True, times=1),
        "waiting",
        "The mail server localhost had the whole message and then stopped answering. It may have arrived.",
        reached=True,
        later="handed_over",
    ),
    Hostile("byte-by-byte", lambda sink: sink.answers_byte_by_byte(), "handed_over", "", reached=True),
]


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[dict[str, SmtpSink]]:
    authority = DemoAuthority.create(tmp_path / "authority")
    with ExitStack() as stack:
        yield {
            one.slug: stack.enter_context(SmtpSink(authority, tmp_path / one.slug, durable=False))
            for one in SERVERS
        }


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str, sinks: dict[str, SmtpSink]) -> Iterator[World]:
    made = build_world(tmp_path / "home", sqlite_url, schools=[])
    folder = made.home / "config"
    body = PROVIDER
    for number, (slug, sink) in enumerate(sinks.items()):
        body += f"""
[connections.{slug}]
adapter = "email"
host = "localhost"
port = {sink.address[1]}
ca_file = "{tmp_path / "authority" / "ca.pem"}"
from_address = "{SENDER}"
timeout = 5
"""
        (folder / "schools" / f"{slug}.toml").write_text(f"""
name = "{slug}"
urn = "{999001 + number}"
[[channels]]
name = "mailbox"
connection = "{slug}"
address = "attendance@{slug}.example.org"
protection = "attested"
attestation = {{ kind = "connector", what = "a connector of both IT teams", on = 2026-03-01, by = "Ada, IT" }}
""")
    (folder / "providers" / "riverbank.toml").write_text(body)
    made.hub.apply("test")
    made.go_live()
    yield made
    made.hub.close()


def test_what_leaves_what_stands_and_what_is_said_for_each_hostile_server(
    world: World, sinks: dict[str, SmtpSink]
):
    for one in SERVERS:
        one.mood(sinks[one.slug])
    placed = {one.slug: world.pupil(one.slug) for one in SERVERS}
    world.owe()
    world.at("09:05")
    world.enter(placed.values())
    world.go()

    def told() -> dict[str, tuple[str, str, list[str]]]:
        """Give state, rung and the words of each try, by school."""
        words: dict[int, list[str]] = {}
        for row in world.rows(t.attempts):
            words.setdefault(row.dispatch_id, []).append(row.words or "")
        threads = {row.thread_id: row.organisation for row in world.rows(t.threads)}
        return {
            threads[row.thread_id]: (row.state, row.rung, words[row.dispatch_id])
            for row in world.dispatches()
            if row.kind == "routine"
        }

    first = told()
    for one in SERVERS:
        sink, (state, rung, words) = sinks[one.slug], first[one.slug]
        assert (one.slug, state, words[0]) == (one.slug, one.state, one.words)
        assert (rung == "uncertain") is (one.slug == "drops-after-data"), one.slug
        assert sink.received_in_clear == one.clear, one.slug
        assert PUPIL not in sink.received_in_clear
        assert (PUPIL in sink.received_bytes) is one.reached, one.slug
        assert (world.owed(placed[one.slug]).state == "met") is (state == "handed_over"), one.slug

    # A setting that changes neither where messages go nor who reads them leaves nothing behind in a lane that is gone.
    file = world.home / "config/providers/riverbank.toml"
    file.write_text(file.read_text().replace("timeout = 5", "timeout = 6"))
    world.hub.apply("test")

    # What nobody took is a person's, and says so; what may be tried again is, under its one identity.
    world.wait(timedelta(minutes=2))
    world.wait(timedelta(minutes=5))
    after = told()
    for one in SERVERS:
        assert (one.slug, after[one.slug][0]) == (one.slug, one.later or one.state)
    twice = sinks["drops-after-data"].received
    assert len(twice) == 2
    assert twice[0].raw == twice[1].raw
    refused = {one.slug for one in SERVERS if one.state == "refused"}
    tasks = [row for row in world.rows(t.tasks) if row.state == "open"]
    assert {row.organisation for row in tasks} == refused
    assert "Example0" not in " ".join(row.words for row in tasks)
