"""What both domains publish is looked up at a real name server and policy host; what contradicts an attestation stops it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import httpcore
import httpx
import pytest

from aphub.api import CheckStep, Reach
from aphub.api.http_client import http_client
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.smtp import SmtpSink
from aphub.testing import sample_tools
from aphub.testing.samples import LOOPBACK
from aphub_email import Attestation, EmailAdapter, EmailConnection, EmailRoute
from aphub_email.names import Names
from aphub_email.outside import PROTECTED, Outside

Zone = dict[tuple[str, str], list[str]]
NOW = datetime(2026, 3, 3, 9, 21, tzinfo=UTC)
OURS, THEIRS, MX = "riverbank.example.org", "hill-school.example.org", "mx1.hill-school.example.org"
POLICY_HOST = f"mta-sts.{THEIRS}"
POLICY = f"version: STSv1\r\nmode: enforce\r\nmx: {MX}\r\nmx: *.mail.example.net\r\nmax_age: 1209600\r\n"
ZONE: Zone = {
    (OURS, "TXT"): ['"v=spf1 include:spf.example.net " "-all"', '"something else"'],
    (f"s1._domainkey.{OURS}", "TXT"): [f'"v=DKIM1; k=rsa; p={"A" * 200}" "{"B" * 192}"'],
    (f"_dmarc.{OURS}", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@example.org"'],
    (THEIRS, "MX"): [f"10 {MX}.", "20 mx2.mail.example.net."],
    (MX, "A"): ["127.0.0.1"],
    (POLICY_HOST, "A"): ["127.0.0.1"],
    (f"_mta-sts.{THEIRS}", "TXT"): ['"v=STSv1; id=20260301T1;"'],
    (f"_smtp._tls.{THEIRS}", "TXT"): ['"v=TLSRPTv1; rua=mailto:tls@hill-school.example.org"'],
}
STS = Attestation(kind="mta-sts", what="their policy, seen with their IT team", on=date(2026, 3, 1))
CONNECTION = EmailConnection(
    host="localhost",
    from_address=f"reports@{OURS}",
    dkim_selectors=("s1",),
    timeout=5,
)
SAYS = {"spf": 0, "dkim": 1, "dmarc": 2, "mx": 3, "sts": 4, "reports": 5, "last": 6}


@dataclass
class NameServer:
    """Answers over UDP from a zone; names in `silent` get an answer that says the service is broken."""

    zone: Zone
    silent: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, raw: bytes) -> bytes:
        question = dns.message.from_wire(raw)
        [asked] = question.question
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        answer = dns.message.make_response(question, recursion_available=True)
        if name in self.silent:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found := self.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, found))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()


@contextmanager
def name_server(zone: Zone) -> Iterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = NameServer(zone, address=f"127.0.0.1:{sock.getsockname()[1]}")

        def serve() -> None:
            with suppress(OSError):
                while True:
                    raw, sender = sock.recvfrom(4096)
                    if not raw:
                        return
                    sock.sendto(server.answer(raw), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", sock.getsockname())
            thread.join()


@dataclass
class PolicyHost:
    """What is given for the policy, and what was asked."""

    body: str = ""
    status: int = 200
    media_type: str = "text/plain; charset=utf-8"
    asked: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def policy_host(context: ssl.SSLContext) -> Iterator[PolicyHost]:
    host = PolicyHost()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(f"{self.headers['Host']}{self.path}")
            body = host.body.encode()
            self.send_response(host.status)
            self.send_header("Content-Type", host.media_type)
            self.send_header("Location", "https://elsewhere.example.org/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def get_request(self) -> tuple[Any, Any]:
            bare, sender = super().get_request()
            bare.settimeout(5)
            return context.wrap_socket(bare, server_side=True, do_handshake_on_connect=False), sender

        def handle_error(self, *_: Any) -> None:
            pass  # a caller that does not believe the certificate hangs up

    with Server(("127.0.0.1", 0), Answers) as server:
        host.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()


class ToPort(httpcore.SyncBackend):
    """Connects to our own port where 443 was meant."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.NetworkStream:
        assert port == 443
        return super().connect_tcp(host, self._port, *rest, **more)


def client_to(port: int, context: ssl.SSLContext) -> Callable[..., httpx.Client]:
    def make(**options: Any) -> httpx.Client:
        return http_client(Reach.to(*LOOPBACK), verify=context, backend=ToPort(port), **options)

    return make


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def hosts(authority: DemoAuthority) -> Iterator[tuple[NameServer, PolicyHost]]:
    with name_server({}) as names, policy_host(authority.server_context([POLICY_HOST])) as host:
        yield names, host


@pytest.fixture
def names(hosts: tuple[NameServer, PolicyHost]) -> NameServer:
    server, _ = hosts
    server.zone, server.silent, server.asked = dict(ZONE), set(), []
    return server


@pytest.fixture
def policy(hosts: tuple[NameServer, PolicyHost]) -> PolicyHost:
    _, host = hosts
    host.body, host.status, host.media_type, host.asked = POLICY, 200, "text/plain", []
    return host


@pytest.fixture
def look(names: NameServer, policy: PolicyHost, authority: DemoAuthority) -> Callable[..., list[CheckStep]]:
    """Give what looks at both domains, with the word of a route for its last hop."""
    reach = Reach.to(*LOOPBACK)

    def steps(
        said: Attestation | None = STS, *, mx_port: int = 25, connection: EmailConnection = CONNECTION
    ) -> list[CheckStep]:
        protection = "attested" if said else "file"
        route = EmailRoute(address=f"attendance@{THEIRS}", protection=protection, attestation=said)
        http = client_to(policy.port, authority.client_context())
        outside = Outside(Names(names.address, reach), http, reach, NOW, mx_port, authority.ca_path)
        return list(outside.steps(connection, route))

    return steps


def test_what_both_domains_publish_is_told_step_by_step(look, names: NameServer, policy: PolicyHost):
    found = look()
    assert [step.ok for step in found] == [True] * 7
    assert [step.found for step in found][:6] == [
        "SPF that ends in -all",
        "DKIM key s1 (rsa)",
        "DMARC reject",
        f"{MX}, mx2.mail.example.net",
        f"a policy in mode enforce for {MX}, *.mail.example.net, kept for 14 days",
        "they get reports of encryption that failed",
    ]
    assert "checked 1 March 2026, holds until 1 March 2027" in found[6].found
    assert policy.asked == [f"{POLICY_HOST}/.well-known/mta-sts.txt"] * 2
    assert not any("attendance" in name for name, _ in names.asked)


@pytest.mark.parametrize(
    ("step", "name", "kind", "records", "words"),
    [
        ("spf", OURS, "TXT", [], "no SPF record"),
        ("spf", OURS, "TXT", ['"v=spf1 -all"', '"v=spf1 a -all"'], "2 SPF records"),
        ("spf", OURS, "TXT", ['"v=spf1 +all"'], "every server of the world"),
        ("spf", OURS, "TXT", ['"v=spf1 a"'], "says nothing about other servers"),
        ("dkim", f"s1._domainkey.{OURS}", "TXT", [], "no DKIM key under s1"),
        ("dkim", f"s1._domainkey.{OURS}", "TXT", ['"v=DKIM1; p="'], "withdrawn"),
        ("dkim", f"s1._domainkey.{OURS}", "TXT", ['"p=AAAA"'], "shorter than 1024"),
        ("dmarc", f"_dmarc.{OURS}", "TXT", [], "no DMARC record"),
        ("dmarc", f"_dmarc.{OURS}", "TXT", ['"v=DMARC1; p=none"'], "only watches"),
        ("reports", f"_smtp._tls.{THEIRS}", "TXT", [], "no reports"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_and_fails_no_check(
    look, names, step, name, kind, records, words
):
    names.zone[name, kind] = records
    found = look()
    assert words in found[SAYS[step]].found
    assert all(one.ok for one in found)


def test_a_name_service_that_does_not_answer_is_not_taken_for_nothing_there(look, names):
    names.silent = {OURS, THEIRS, f"_mta-sts.{THEIRS}"}
    found = look()
    assert [found[SAYS[one]].found for one in ("spf", "mx")] == ["not known"] * 2
    assert (found[6].ok, found[6].stops) == (False, False)
    assert "not seen" in found[6].found


def test_a_selector_that_nobody_told_us_is_not_guessed(look, names):
    found = look(connection=CONNECTION.model_copy(update={"dkim_selectors": ()}))
    assert "nobody has told us the selector" in found[1].found
    assert not any("_domainkey" in name for name, _ in names.asked)


@pytest.mark.parametrize(
    ("servers", "ok", "words"),
    [(["0 ."], False, "takes none"), ([], False, "no mail server")],
)
def test_a_domain_that_takes_no_mail_fails_the_check(look, names, servers, ok, words):
    names.zone[THEIRS, "MX"] = servers
    found = look(None)[SAYS["mx"]]
    assert (found.ok, words in found.found) == (ok, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"body": POLICY.replace("enforce", "testing")}, "mode testing"),
        ({"body": POLICY.replace("enforce", "none")}, "mode none"),
        ({"body": POLICY.replace(MX, "mx9.example.net").replace("*.mail", "*.post")}, "does not name"),
        ({"body": "<html>parked</html>"}, "no sender can use"),
        ({"body": POLICY.replace("max_age: 1209600", "")}, "no max_age"),
        ({"status": 404}, "it is not there"),
        ({"txt": []}, "no MTA-STS policy"),
    ],
)
def test_a_policy_that_contradicts_what_was_attested_stops_names_on_this_way(
    look, names, policy, change, words
):
    if "txt" in change:
        names.zone[f"_mta-sts.{THEIRS}", "TXT"] = change.pop("txt")
    for key, value in change.items():
        setattr(policy, key, value)
    last = look()[6]
    assert (last.step, last.ok, last.stops) == (PROTECTED, False, True)
    assert words in last.found
    assert "protection file" in last.mend
    assert look(None)[6].ok  # a way that names nobody may go on


@pytest.mark.parametrize(
    "change", [{"status": 500}, {"status": 301}, {"media_type": "text/html"}], ids=["500", "moved", "html"]
)
def test_a_policy_that_cannot_be_read_now_fails_the_check_and_contradicts_nothing(look, policy, change):
    for key, value in change.items():
        setattr(policy, key, value)
    last = look()[6]
    assert (last.ok, last.stops) == (False, False)
    assert len(policy.asked) == 2  # no redirect is followed


def test_a_policy_host_with_another_name_in_its_certificate_is_not_believed(names, authority):
    with policy_host(authority.server_context([POLICY_HOST], CertificateKind.WRONG_NAME)) as impostor:
        reach = Reach.to(*LOOPBACK)
        http = client_to(impostor.port, authority.client_context())
        outside = Outside(Names(names.address, reach), http, reach, NOW, 25, authority.ca_path)
        route = EmailRoute(address=f"attendance@{THEIRS}", protection="attested", attestation=STS)
        last = list(outside.steps(CONNECTION, route))[6]
    assert not last.ok
    assert "certificate does not hold" in last.found
    assert impostor.asked == []


def direct() -> Attestation:
    return Attestation(
        kind="direct", what="our relay verifies their server", on=date(2026, 3, 1), by="Jo Example, IT lead"
    )


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        (lambda sink: sink.has_no_starttls(), "will not accept an encrypted connection"),
        (lambda sink: sink.shows_certificate(CertificateKind.EXPIRED), "has run out"),
        (lambda sink: sink.shows_certificate(CertificateKind.WRONG_NAME), "for another name"),
    ],
)
def test_a_direct_last_hop_is_tried_as_a_sender_does(look, names, authority, tmp_path, mood, words):
    names.zone[THEIRS, "MX"] = ["10 localhost."]
    names.zone["localhost", "A"] = ["127.0.0.1"]
    with SmtpSink(authority, tmp_path / "mail", durable=False) as mx:
        last = look(direct(), mx_port=mx.address[1])[6]
        assert last.ok
        assert "we hand over to their mail server localhost ourselves" in last.found
        relayed = CONNECTION.model_copy(update={"host": "relay.example.net"})
        last = look(direct(), mx_port=mx.address[1], connection=relayed)[6]
        assert last.ok
        assert "TLS 1.3 to localhost, vouched for by" in last.found
        mood(mx)
        last = look(direct(), mx_port=mx.address[1], connection=relayed)[6]
        assert (last.ok, last.stops) == (False, True)
        assert words in last.found
        mx.is_unreachable()
        last = look(direct(), mx_port=mx.address[1], connection=relayed)[6]
        assert (last.ok, last.stops) == (False, False)
        assert mx.received == []


def test_a_connector_rests_on_a_named_persons_word_until_its_day(look):
    said = direct().model_copy(update={"kind": "connector"})
    assert "vouched for by Jo Example, IT lead" in look(said)[6].found
    ended = said.model_copy(update={"on": date(2025, 3, 3)})
    last = look(ended)[6]
    assert (last.ok, last.stops) == (False, False)
    assert "ran out on 3 March 2026" in last.found


def test_the_adapter_looks_outside_after_the_way_itself_is_proved(
    names, policy, connection: EmailConnection, authority
):
    http = client_to(policy.port, authority.client_context())
    tools = replace(sample_tools(NOW), http=http)
    connection = connection.model_copy(update={"name_server": names.address})
    route = EmailRoute(address=f"attendance@{THEIRS}", protection="attested", attestation=STS)
    steps = list(EmailAdapter(connection, tools).check(route))
    assert len(steps) == 13
    assert all(step.ok for step in steps)
    assert steps[-1].step == PROTECTED


@pytest.mark.parametrize("server", ["mail.example.org", "127.0.0.1:0", "127.0.0.1:99999", "[::1]x", "a b"])
def test_a_name_server_is_an_address(server):
    with pytest.raises(ValueError, match="address of a name server"):
        EmailConnection(host="mail.example.org", from_address=f"reports@{OURS}", name_server=server)
