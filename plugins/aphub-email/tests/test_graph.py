"""Microsoft Graph as a way of sending, against stand-ins of Graph and of the sign-in service on loopback."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from aphub.api import (
    Delivery,
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.conformance import DeliveryAdapterRules, Kept
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.graph import GraphStandIn
from aphub.sandbox.json_api import Request
from aphub.sandbox.token_service import TokenService
from aphub.testing import PLANTED_SECRET, sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute
from aphub_email.burst import Letter
from aphub_email.graph import unfit

SENDER = "reports@riverbank.example.org"
ADDRESS = "attendance@hill-school.example.org"
HEAD = f"Message-ID: <one@riverbank.example.org>\r\nFrom: {SENDER}\r\nTo: {ADDRESS}\r\n\r\n".encode()
NUMBERS = count()
PUPIL = "Zebedee Plantagenet-Invented"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def service(authority: DemoAuthority) -> Iterator[TokenService]:
    # Tokens are kept for as long as the process lives, and a port may come again: each service is a tenant of its own.
    tenant = f"graph-{next(NUMBERS)}.example.org"
    with TokenService(authority, client_secret=PLANTED_SECRET, tenant=tenant) as service:
        yield service


@pytest.fixture
def graph(authority: DemoAuthority, tmp_path: Path, service: TokenService) -> Iterator[GraphStandIn]:
    side = GraphStandIn(
        authority, tmp_path / "sent", token_service=service, mailboxes=[SENDER], durable=False
    )
    with side:
        yield side


@pytest.fixture
def connection(graph: GraphStandIn, service: TokenService, authority: DemoAuthority) -> EmailConnection:
    return EmailConnection(
        way="graph",
        graph_url=graph.url,
        ca_file=authority.ca_path,
        sign_in="client_credentials",
        tenant=service.tenant,
        token_url=service.url,
        client_id="aphub-mail",
        client_secret=SecretStr(PLANTED_SECRET),
        from_address=SENDER,
        timeout=1.0,
    )


class GraphFarSide:
    """Graph with the kit's moods; a repetition is known by its Message-ID."""

    keeps_names = False
    asks_to_wait = timedelta(seconds=90)

    def __init__(self, graph: GraphStandIn, service: TokenService) -> None:
        self._graph, self._service = graph, service

    def accepts(self) -> None:
        self._graph.accepts()

    def refuses(self) -> None:
        self._graph.accepts()
        self._graph.may_send = False

    def is_busy(self) -> None:
        self._graph.is_busy(retry_after=90)

    def is_unreachable(self) -> None:
        self._graph.is_unreachable()

    def cuts_off_after_reading(self) -> None:
        self._graph.accepts()
        self._graph.cuts_off_after_reading()

    def falls_silent(self) -> None:
        self._graph.accepts()
        self._graph.is_slow(120)

    @property
    def received(self) -> tuple[Kept, ...]:
        return tuple(Kept(raw, identity=raw.partition(b"\r\n")[0].decode()) for raw in self._graph.received)

    @property
    def everything(self) -> bytes:
        # The sign-in service is told the secret, and by it alone; Graph is not.
        return self._graph.received_bytes

    @property
    def tries(self) -> int:
        return len(self._graph.requests)

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        return frozenset({self._graph.address, self._service.address})


class TestEmailByGraph(DeliveryAdapterRules):
    """The kit's rules by the other way and with the other protection; Graph is held to what SMTP is."""

    adapter_class = EmailAdapter
    locks_freshly = True
    contents = st.lists(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=70), max_size=8
    ).map(lambda lines: HEAD + "".join(f"{line}\r\n" for line in lines).encode())

    @pytest.fixture
    def far_side(self, graph: GraphStandIn, service: TokenService) -> GraphFarSide:
        return GraphFarSide(graph, service)

    @pytest.fixture
    def connection(self, connection: EmailConnection) -> EmailConnection:
        return connection

    @pytest.fixture
    def route(self) -> EmailRoute:
        return EmailRoute(address=ADDRESS)  # pupils in the protected file alone


def mail(number: int) -> bytes:
    return HEAD.replace(b"<one@", b"<%d@" % number) + b"About " + PUPIL.encode() + b"\r\n.\r\nlast\r\n"


def sent(connection: EmailConnection, *deliveries: Delivery) -> list[object]:
    adapter = EmailAdapter(connection, sample_tools())
    try:
        return [answer for _, answer in adapter.deliver_many(deliveries)]
    finally:
        adapter.close()


def test_the_frozen_bytes_go_to_the_mailbox_of_from_under_one_token(
    graph: GraphStandIn,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    answers = sent(connection, *(delivery_of(mail(number), key=str(number)) for number in range(3)))
    assert [answer.rung.value for answer in answers] == ["handed_over"] * 3
    assert graph.received == [mail(number) for number in range(3)]
    assert {request.path for request in graph.requests} == {f"/v1.0/users/{SENDER}/sendMail"}
    assert answers[0].hops == "TLS 1.3 to localhost (verified)"
    assert answers[0].evidence["answer"] == "HTTP 202"
    assert service.given == 1
    assert b"scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" in service.requests[0].body


def _without_permission(graph: GraphStandIn) -> None:
    graph.may_send = False


def _no_such_recipient(graph: GraphStandIn) -> None:
    graph.unknown_recipients = {ADDRESS}


CASES = [
    (
        "no permission",
        _without_permission,
        RefusedDeliveryError,
        "HTTP 403 ErrorAccessDenied",
        "Microsoft does not let our application send from this mailbox.",
    ),
    (
        "no mailbox",
        lambda graph: setattr(graph, "_mailboxes", set()),
        RefusedDeliveryError,
        "HTTP 404 ErrorInvalidUser",
        "Microsoft knows no such mailbox.",
    ),
    (
        "recipient",
        _no_such_recipient,
        RefusedDeliveryError,
        "HTTP 400 ErrorInvalidRecipients",
        "Microsoft does not accept the school's address.",
    ),
    (
        "busy",
        lambda graph: graph.is_busy(retry_after=90),
        TransientDeliveryError,
        "HTTP 429 ApplicationThrottled",
        "Microsoft takes no more messages just now and asks us to wait.",
    ),
    (
        "failing",
        lambda graph: graph.refuses(500),
        UncertainDeliveryError,
        "HTTP 500 BadRequest",
        "Microsoft failed while taking the message. It may have arrived.",
    ),
    (
        "cut off",
        lambda graph: graph.cuts_off_after_reading(),
        UncertainDeliveryError,
        "",
        "Microsoft had the whole message and then stopped answering. It may have arrived.",
    ),
    (
        "redirecting",
        lambda graph: graph.refuses(302),
        RefusedDeliveryError,
        "HTTP 302 BadRequest",
        "Microsoft sent us to another address, which we do not follow.",
    ),
    (
        "an impostor",
        lambda graph: graph.shows_certificate(CertificateKind.WRONG_NAME),
        RefusedDeliveryError,
        "",
        "The server that answers is not localhost: its certificate is for another name.",
    ),
]


@pytest.mark.parametrize(
    ("mood", "kind", "code", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_each_answer_is_said_in_words_and_the_rest_of_a_burst_is_spared(
    mood: Callable[[GraphStandIn], object],
    kind: type[DeliveryError],
    code: str,
    words: str,
    graph: GraphStandIn,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    mood(graph)
    first, second = sent(connection, delivery_of(mail(1), key="1"), delivery_of(mail(2), key="2"))
    assert (type(first), first.code) == (kind, code)
    assert first.words.startswith(words)
    assert len(f"{first.words} {first.what_now}".split()) <= 40
    assert PUPIL not in f"{first!r}{first.what_now}"
    if kind is TransientDeliveryError:
        assert first.retry_after == timedelta(seconds=90)
        assert second is first
    if kind is UncertainDeliveryError:
        assert isinstance(second, TransientDeliveryError)
    if kind is not RefusedDeliveryError or code.startswith(("HTTP 403", "HTTP 404")):
        assert len(graph.requests) == 1
    assert graph.received == ([mail(1)] if "stopped answering" in words else [])


def test_a_token_that_no_longer_counts_is_renewed_once_and_the_message_goes_once(
    graph: GraphStandIn,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    assert sent(connection, delivery_of(mail(1)))[0].rung
    service.revokes()
    assert sent(connection, delivery_of(mail(2)))[0].rung
    assert (service.given, len(graph.requests), len(graph.received)) == (2, 3, 2)


def test_a_burst_asks_once_for_a_token_that_is_not_given(
    graph: GraphStandIn,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    assert sent(connection, delivery_of(mail(9)))[0].rung
    service.revokes()
    service.secret_has_expired = True
    adapter = EmailAdapter(connection, sample_tools())
    answers = [
        answer for _, answer in adapter.deliver_many([delivery_of(mail(n), key=str(n)) for n in range(5)])
    ]
    adapter.close()
    assert {answer.code for answer in answers} == {"AADSTS7000222"}
    assert (len(service.requests), len(graph.requests), graph.received) == (2, 2, [mail(9)])


def test_the_check_proves_the_permission_without_a_message(
    graph: GraphStandIn, connection: EmailConnection, route: EmailRoute
):
    adapter = EmailAdapter(connection, sample_tools())
    steps = list(adapter.check(route))
    assert [(step.step, step.ok) for step in steps] == [
        ("The sign-in service gives us a token", True),
        ("We may send from our mailbox", True),
        ("We know how quickly this server takes messages", True),
        ("The domains at both ends are looked up", True),
        ("Pupils are protected up to the school's mailbox", True),
    ]
    graph.may_send = False
    last = list(adapter.check(route))[-1]
    assert (last.step, last.ok) == ("We may send from our mailbox", False)
    assert "Mail.Send" in last.mend
    assert graph.received == []
    assert [request.body for request in graph.requests] == [b"%", b"%"]


@pytest.mark.parametrize(
    "head",
    [
        b"To: attendance@other-school.example.org\r\n",
        b"To: attendance@hill-school.example.org, b@hill-school.example.org\r\n",
        b"To: attendance@hill-school.example.org\r\nCc: b@hill-school.example.org\r\n",
        b"To: attendance@hill-school.example.org\r\nBcc: b@hill-school.example.org\r\n",
        b"To: attendance@hill-school.example.org\r\nTo: b@hill-school.example.org\r\n",
        b"Subject: nobody\r\n",
        b"Subject: x\nTo: b@hill-school.example.org\r\nTo: attendance@hill-school.example.org\r\n",
    ],
)
def test_without_an_envelope_the_message_itself_must_name_the_one_recipient(
    head: bytes, graph: GraphStandIn, connection: EmailConnection, delivery_of: Callable[..., Delivery]
):
    content = f"From: {SENDER}\r\n".encode() + head + b"\r\nAbout " + PUPIL.encode() + b"\r\n"
    (answer,) = sent(connection, delivery_of(content))
    assert isinstance(answer, RefusedDeliveryError)
    assert "not well formed" in answer.words
    assert graph.requests == []


def test_a_message_larger_than_graph_takes_is_not_begun():
    assert unfit(Letter("1", SENDER, ADDRESS, HEAD + b"x" * 3_200_000)).words.startswith(
        "The message is larger"
    )
    assert unfit(Letter("1", SENDER, ADDRESS, HEAD + b"x" * 3_000_000)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "smtp.example.org"}, "leave host out"),
        ({"sign_in": "password", "client_secret": ""}, "sign in with client_credentials"),
        ({"graph_url": "http://graph.example.org"}, "https"),
        ({"way": "smtp"}, "Give host"),
    ],
)
def test_settings_that_are_of_the_other_way_are_refused(
    changes: dict[str, str], words: str, connection: EmailConnection
):
    given = connection.model_dump() | {"client_secret": PLANTED_SECRET} | changes
    with pytest.raises(ValidationError, match=words):
        EmailConnection(**given)


def test_the_stand_in_takes_no_token_of_another_service_and_no_other_path(
    graph: GraphStandIn, connection: EmailConnection
):
    other = connection.model_copy(update={"scope": "https://outlook.office365.com/.default"})
    adapter = EmailAdapter(other, sample_tools())
    steps = list(adapter.check(EmailRoute(address=ADDRESS)))
    assert steps[-1].found.startswith("Microsoft does not accept our token.")
    assert graph.respond(Request("GET", "/v1.0/me", {}, b"", {}))[0] == 401
