"""Sign-in with tokens, against a sign-in service and a mail server on loopback."""

import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from pydantic import ValidationError

from aphub.api import (
    Delivery,
    DeliveryError,
    Reach,
    RefusedDeliveryError,
    TransientDeliveryError,
)
from aphub.api.http_client import http_client
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.smtp import SmtpSink
from aphub.sandbox.token_service import TokenService
from aphub.testing import sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute
from aphub_email.token_words import read_challenge

SENDER = "reports@riverbank.example.org"
SECRET = "planted-secret-of-the-application"
REFRESH = "planted-refresh-token"
NUMBERS = count()
NOTHING_SENT = "We have not sent anything."


@pytest.fixture
def service(authority: DemoAuthority) -> Iterator[TokenService]:
    # Tokens are kept for as long as the process lives, and a port may come again: each service is a tenant of its own.
    tenant = f"tokens-{next(NUMBERS)}.example.org"
    with TokenService(
        authority, client_secret=SECRET, refresh_token=REFRESH, mailboxes=[SENDER], tenant=tenant
    ) as service:
        yield service


@pytest.fixture
def sink(authority: DemoAuthority, tmp_path: Path, service: TokenService) -> Iterator[SmtpSink]:
    with SmtpSink(authority, tmp_path / "mail", token_service=service, durable=False) as sink:
        yield sink


@pytest.fixture
def connection(sink: SmtpSink, authority: DemoAuthority, service: TokenService) -> EmailConnection:
    return EmailConnection(
        host="localhost",
        port=sink.address[1],
        ca_file=authority.ca_path,
        sign_in="client_credentials",
        tenant=service.tenant,
        token_url=service.url,
        client_id="aphub-mail",
        client_secret=SECRET,
        from_address=SENDER,
        timeout=5,
    )


def sent(adapter: EmailAdapter, delivery: Delivery) -> object:
    ((_, answer),) = adapter.deliver_many([delivery])
    adapter.close()
    return answer


def test_a_token_is_asked_for_once_and_serves_later_bursts_until_shortly_before_it_ends(
    sink: SmtpSink, service: TokenService, connection: EmailConnection, delivery_of: Callable[..., Delivery]
):
    now = datetime(2026, 3, 3, 9, 21, tzinfo=UTC)
    for after, asked in ((0, 1), (54, 1), (56, 2), (57, 2)):
        adapter = EmailAdapter(connection, sample_tools(now + timedelta(minutes=after)))
        assert sent(adapter, delivery_of(key=str(after))).rung.value == "handed_over"
        assert service.given == asked
    assert [mail.signed_in_as for mail in sink.received] == [SENDER] * 4
    assert [dict(one.headers)["content-type"] for one in service.requests] == [
        "application/x-www-form-urlencoded"
    ] * 2
    assert b"grant_type=client_credentials" in service.requests[0].body
    assert b"scope=https%3A%2F%2Foutlook.office365.com%2F.default" in service.requests[0].body
    assert SECRET.encode() not in sink.received_bytes


def test_a_kept_token_that_no_longer_counts_is_renewed_once_on_the_same_connection(
    sink: SmtpSink, service: TokenService, connection: EmailConnection, delivery_of: Callable[..., Delivery]
):
    assert sent(EmailAdapter(connection, sample_tools()), delivery_of(key="one")).rung
    service.revokes()
    assert sent(EmailAdapter(connection, sample_tools()), delivery_of(key="two")).rung
    assert service.given == 2
    assert sink.received_bytes.count(b"AUTH XOAUTH2 ") == 3
    # The empty line that answers the challenge, and nothing else, stands before the second try.
    assert b"\r\n\r\nAUTH XOAUTH2 " in sink.received_bytes
    service.mailboxes = {"nobody@riverbank.example.org"}
    answer = sent(EmailAdapter(connection, sample_tools()), delivery_of(key="three"))
    assert isinstance(answer, RefusedDeliveryError)
    assert service.given == 3
    assert sink.received_bytes.count(b"AUTH XOAUTH2 ") == 5


def _expired(service: TokenService) -> None:
    service.secret_has_expired = True


def _without_consent(service: TokenService) -> None:
    service.has_consent = False


def _of_another_tenant(service: TokenService) -> None:
    service.tenant = "hill-school.example.org"


SERVICE_SAYS = [
    (_expired, "AADSTS7000222", "the secret of our mail application has run out."),
    (_without_consent, "AADSTS65001", "nobody has allowed our application to do this yet."),
    (_of_another_tenant, "AADSTS90002", "there is no such tenant."),
    (
        lambda service: setattr(service, "_client_secret", "another"),
        "AADSTS7000215",
        "the secret of our mail application is not right.",
    ),
    (
        lambda service: setattr(service, "client_id", "another"),
        "AADSTS700016",
        "there is no application with our client_id in this tenant.",
    ),
    (
        lambda service: setattr(service, "scopes", ()),
        "AADSTS70011",
        "what we ask a token for is not known.",
    ),
    (lambda service: service.refuses(404, writes_only=False), "invalid_request", "we get no token."),
]


@pytest.mark.parametrize(("mood", "code", "words"), SERVICE_SAYS, ids=[code for _, code, _ in SERVICE_SAYS])
def test_a_refusal_of_the_sign_in_service_is_said_in_words_and_nothing_reaches_the_mail_server(
    mood: Callable[[TokenService], object],
    code: str,
    words: str,
    sink: SmtpSink,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    mood(service)
    answer = sent(EmailAdapter(connection, sample_tools()), delivery_of())
    assert isinstance(answer, RefusedDeliveryError)
    assert (answer.code, answer.words) == (
        code,
        f"The sign-in service localhost refuses the sign-in: {words} {NOTHING_SENT}",
    )
    assert answer.what_now.endswith(".")
    assert len(f"{answer.words} {answer.what_now}".split()) <= 40
    assert sink.received_bytes == b""
    seen = [repr(answer), str(answer), caplog.text, repr(connection), repr(answer.__cause__)]
    assert SECRET not in " ".join(seen)


@pytest.mark.parametrize(
    ("mood", "kind"),
    [
        (lambda service: service.is_busy(retry_after=90), TransientDeliveryError),
        (lambda service: service.is_unreachable(), TransientDeliveryError),
        (lambda service: service.cuts_off_after_reading(), TransientDeliveryError),
        (lambda service: service.shows_certificate(CertificateKind.WRONG_NAME), RefusedDeliveryError),
        (lambda service: service.shows_certificate(CertificateKind.EXPIRED), RefusedDeliveryError),
    ],
    ids=["busy", "not there", "cut off", "another's certificate", "certificate run out"],
)
def test_a_sign_in_service_that_is_down_or_an_impostor_gets_nothing_of_ours_sent(
    mood: Callable[[TokenService], object],
    kind: type[DeliveryError],
    sink: SmtpSink,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    mood(service)
    answer = sent(EmailAdapter(connection, sample_tools()), delivery_of())
    assert type(answer) is kind
    assert NOTHING_SENT in answer.words
    if "asks" in answer.words or answer.code == "HTTP 429":
        assert answer.retry_after == timedelta(seconds=90)
    assert sink.received_bytes == b""
    if kind is RefusedDeliveryError:
        assert service.received_bytes == b""  # an impostor does not learn our secret


def test_a_sign_in_service_inside_a_private_network_is_not_asked(
    service: TokenService, connection: EmailConnection, delivery_of: Callable[..., Delivery]
):
    shut = replace(sample_tools(), http=lambda **options: http_client(Reach(), **options))
    answer = sent(EmailAdapter(connection, shut), delivery_of())
    assert isinstance(answer, RefusedDeliveryError)
    assert "inside a private network" in answer.words
    assert service.received_bytes == b""


@pytest.mark.parametrize(
    ("refusal", "challenge", "words"),
    [
        (
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            b'{"status":"401"}',
            "has switched off sending by SMTP for this mailbox",
        ),
        (
            "5.7.8 no",
            b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}',
            "wants a token for another scope: https://mail.google.com/",
        ),
        ("5.7.3 Authentication unsuccessful", b"{}", "does not let our application into this mailbox"),
        ("5.7.3 Authentication unsuccessful", b"\xff\x00not JSON", "does not let our application into"),
    ],
)
def test_what_the_mail_server_says_to_a_fresh_token_is_said_in_words(
    refusal: str,
    challenge: bytes,
    words: str,
    sink: SmtpSink,
    service: TokenService,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    service.mailboxes = {"nobody@riverbank.example.org"}
    sink.sign_in_refusal, sink.token_refusal = refusal, challenge
    answer = sent(EmailAdapter(connection, sample_tools()), delivery_of())
    assert isinstance(answer, RefusedDeliveryError)
    assert words in answer.words
    assert len(f"{answer.words} {answer.what_now}".split()) <= 40
    assert (service.given, sink.received_bytes.count(b"AUTH XOAUTH2")) == (1, 1)


def test_a_server_without_xoauth2_is_not_shown_a_token(
    authority: DemoAuthority,
    tmp_path: Path,
    connection: EmailConnection,
    delivery_of: Callable[..., Delivery],
):
    with SmtpSink(authority, tmp_path / "old", credentials={SENDER: "x"}, durable=False) as old:
        moved = connection.model_copy(update={"port": old.address[1]})
        answer = sent(EmailAdapter(moved, sample_tools()), delivery_of())
        assert isinstance(answer, RefusedDeliveryError)
        assert "does not offer sign-in with a token" in answer.words
        assert b"AUTH" not in old.received_bytes


def test_a_newer_refresh_token_is_used_from_memory_and_check_says_what_that_means(
    service: TokenService,
    connection: EmailConnection,
    route: EmailRoute,
    delivery_of: Callable[..., Delivery],
):
    settings = connection.model_dump() | {
        "sign_in": "refresh_token",
        "client_secret": "",
        "refresh_token": REFRESH,
    }
    person = EmailConnection(**settings)
    service.rotates = True
    adapter = EmailAdapter(person, sample_tools())
    steps = [step for _ in range(2) for step in adapter.check(route)]
    assert all(step.ok for step in steps)
    asked = [step for step in steps if step.step == "The sign-in service gives us a token"]
    assert ["memory only" in step.found for step in asked] == [True, True]
    assert "after a restart" in asked[0].mend
    bodies = [request.body.decode() for request in service.requests]
    assert f"refresh_token={REFRESH}" in bodies[0]
    assert REFRESH not in bodies[1]
    assert "offline_access" in bodies[0]
    assert REFRESH not in f"{adapter.__dict__} {steps}"
    # What a restart does: nothing is kept (as for the same scope in another order), and the stored one has ended.
    scope = " ".join(reversed(person.asked_for("send").split()))
    restarted = EmailConnection(**settings | {"scope": scope})
    answer = sent(EmailAdapter(restarted, sample_tools()), delivery_of())
    assert isinstance(answer, RefusedDeliveryError)
    assert "our refresh token no longer counts" in answer.words


def test_the_check_asks_for_a_token_anew_though_one_is_kept(
    service: TokenService,
    connection: EmailConnection,
    route: EmailRoute,
    delivery_of: Callable[..., Delivery],
):
    assert sent(EmailAdapter(connection, sample_tools()), delivery_of()).rung
    service.secret_has_expired = True
    (step,) = EmailAdapter(connection, sample_tools()).check(route)
    assert (step.ok, step.step) == (False, "The sign-in service gives us a token")
    assert "has run out" in step.found
    assert "aphub secret set" in step.mend


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": ""}, "Give client_id, and tenant"),
        ({"tenant": "", "token_url": ""}, "Give client_id, and tenant"),
        ({"client_secret": ""}, "Give client_secret"),
        ({"sign_in": "refresh_token"}, "Give refresh_token"),
        ({"tenant": ""}, "Give scope"),
        ({"password": "x"}, "Take password out"),
        ({"token_url": "http://localhost/token"}, "must begin with https"),
    ],
)
def test_settings_that_could_not_sign_in_are_refused_when_they_are_read(
    changes: dict[str, str], words: str, connection: EmailConnection
):
    with pytest.raises(ValidationError, match=words):
        EmailConnection(**connection.model_dump() | {"client_secret": SECRET} | changes)


def test_microsoft_needs_no_more_than_tenant_client_and_secret():
    short = EmailConnection(
        host="smtp.office365.com",
        from_address=SENDER,
        sign_in="client_credentials",
        tenant="riverbank.example.org",
        client_id="0a1b",
        client_secret=SECRET,
        imap_host="outlook.office365.com",
    )
    assert short.actual_token_url == (
        "https://login.microsoftonline.com/riverbank.example.org/oauth2/v2.0/token"
    )
    assert short.asked_for("send") == "https://outlook.office365.com/.default"
    assert short.user == SENDER


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "%%%",
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"[" * 6000).decode(),
        base64.b64encode(b'{"status":"4\\r\\n","scope":"a\\u0000b"}').decode(),
    ],
)
def test_a_challenge_that_is_rubbish_says_nothing(challenge: str):
    assert read_challenge(challenge) == ("", "")
