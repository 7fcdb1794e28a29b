"""Far sides that are down, mistaken, long due or malicious: what is said, and that nothing leaves in clear."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aphub.api import (
    Delivery,
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.sandbox.certificates import CertificateKind
from aphub.sandbox.smtp import SmtpSink
from aphub_email import EmailAdapter, EmailConnection
from aphub_email.wire import Reply
from aphub_email.words import throttles

PUPIL = "Zebedee Plantagenet-Invented"
PASSWORD = "quiet-otter-lamp-31"
NOTHING_SENT = "We have not sent anything."


@dataclass(frozen=True)
class Hostile:
    name: str
    mood: Callable[[SmtpSink], object]
    kind: type[DeliveryError]
    words: str
    code: str = ""
    reached: bool = False


CASES = [
    Hostile(
        "no STARTTLS",
        lambda sink: sink.has_no_starttls(),
        RefusedDeliveryError,
        f"The mail server localhost will not accept an encrypted connection. {NOTHING_SENT}",
    ),
    Hostile(
        "expired",
        lambda sink: sink.shows_certificate(CertificateKind.EXPIRED),
        RefusedDeliveryError,
        f"The certificate of localhost has run out. {NOTHING_SENT}",
    ),
    Hostile(
        "wrong name",
        lambda sink: sink.shows_certificate(CertificateKind.WRONG_NAME),
        RefusedDeliveryError,
        f"The server that answers is not localhost: its certificate is for another name. {NOTHING_SENT}",
    ),
    Hostile(
        "self-signed",
        lambda sink: sink.shows_certificate(CertificateKind.SELF_SIGNED),
        RefusedDeliveryError,
        f"Nobody we trust vouches for the certificate of localhost. {NOTHING_SENT}",
    ),
    Hostile(
        "TLS 1.0",
        lambda sink: sink.speaks_old_tls(),
        RefusedDeliveryError,
        f"The mail server localhost only offers an encryption that is too old. {NOTHING_SENT}",
    ),
    Hostile(
        "password refused",
        lambda sink: sink.refuses(at="auth", words="5.7.8 Authentication credentials invalid"),
        RefusedDeliveryError,
        f"The mail server localhost refused the sign-in. The password may have changed. {NOTHING_SENT}",
        "535 5.7.8",
    ),
    Hostile(
        "Microsoft, sign-in with a password switched off",
        lambda sink: sink.refuses(at="auth", words="5.7.30 Basic authentication is not supported"),
        RefusedDeliveryError,
        "Microsoft no longer lets this mailbox sign in with a password.",
        "535 5.7.30",
    ),
    Hostile(
        "sender refused",
        lambda sink: sink.refuses(at="mail", words=f"5.7.1 {PUPIL} may not send"),
        RefusedDeliveryError,
        "Our mail server does not let us send from this mailbox.",
        "550 5.7.1",
    ),
    Hostile(
        "no such address",
        lambda sink: sink.refuses(words=f"5.1.1 no {PUPIL} here"),
        RefusedDeliveryError,
        "The school's server says this address does not exist.",
        "550 5.1.1",
    ),
    Hostile(
        "relay denied",
        lambda sink: sink.refuses(words=f"5.7.1 Relay access denied for {PUPIL}"),
        RefusedDeliveryError,
        "The mail server will not take mail for this address.",
        "550 5.7.1",
    ),
    Hostile(
        "DATA refused",
        lambda sink: sink.refuses(at="data", words="5.7.1 not now"),
        RefusedDeliveryError,
        "Their mail server rejected the message.",
        "550 5.7.1",
    ),
    Hostile(
        "content refused, quoting it",
        lambda sink: sink.refuses(at="dot", words=f"5.7.1 spam about {PUPIL}"),
        RefusedDeliveryError,
        "Their mail server rejected the message.",
        "550 5.7.1",
        reached=True,
    ),
    Hostile(
        "greylisted",
        lambda sink: sink.greylists(1),
        TransientDeliveryError,
        "Their mail server is busy and asks us to try later.",
        "450 4.2.0",
    ),
    Hostile(
        "busy at the dot",
        lambda sink: sink.is_busy(at="dot"),
        TransientDeliveryError,
        "Their mail server is busy and asks us to try later.",
        "451 4.3.2",
        reached=True,
    ),
    Hostile(
        "Exchange, too many connections",
        lambda sink: sink.is_busy(at="dot", words="432 4.3.2 Concurrent connections limit exceeded."),
        TransientDeliveryError,
        "The mail server asks us to send less quickly.",
        "432 4.3.2",
        reached=True,
    ),
    Hostile(
        "Exchange, too many in a day",
        lambda sink: sink.refuses(
            at="dot", words=f"5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException {PUPIL}"
        ),
        RefusedDeliveryError,
        "Our mailbox has sent as much today as Microsoft lets it.",
        "550 5.2.0",
        reached=True,
    ),
    Hostile(
        "Exchange, Sent Items full",
        lambda sink: sink.refuses(
            at="dot",
            words="5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiException",
        ),
        RefusedDeliveryError,
        "Our own mailbox is full, so it may not send.",
        "550 5.2.2",
        reached=True,
    ),
    Hostile(
        "gone before the answer",
        lambda sink: sink.cuts_off_after_reading(),
        UncertainDeliveryError,
        "The mail server localhost had the whole message and then stopped answering. It may have arrived.",
        reached=True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_said_what_happened_and_nothing_leaks(
    case: Hostile,
    sink: SmtpSink,
    adapter: EmailAdapter,
    delivery_of: Callable[..., Delivery],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    case.mood(sink)
    delivery = delivery_of()
    ((_, answer),) = adapter.deliver_many([delivery])
    adapter.close()
    assert isinstance(answer, DeliveryError)
    assert (type(answer), answer.words, answer.code) == (case.kind, case.words, case.code)
    assert len(f"{answer.words} {answer.what_now}".split()) <= 40
    seen = " ".join(
        [str(answer), repr(answer), answer.what_now, repr(delivery), repr(adapter.__dict__), caplog.text]
    )
    causes: list[BaseException] = [answer]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    seen += "".join(map(repr, causes))
    assert PUPIL not in seen
    assert PASSWORD not in seen
    assert PUPIL.encode() not in sink.received_in_clear
    assert sink.received_in_clear in {
        b"EHLO riverbank.example.org\r\n" + tail for tail in (b"", b"STARTTLS\r\n")
    }
    assert (PUPIL.encode() in sink.received_bytes) is case.reached


def test_each_refusal_tells_a_person_what_to_do(
    sink: SmtpSink, adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    for case in CASES:
        if case.kind is RefusedDeliveryError:
            sink.accepts()
            case.mood(sink)
            ((_, answer),) = adapter.deliver_many([delivery_of()])
            adapter.close()
            assert isinstance(answer, DeliveryError), case.name
            assert answer.what_now.endswith((".", "'")), case.name


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("pipelining", ["auto", "off"])
def test_a_server_that_asks_for_less_is_given_no_more_of_the_burst(
    at: str,
    pipelining: str,
    sink: SmtpSink,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    adapter = adapters(connection.model_copy(update={"pipelining": pipelining}))
    adapter.deliver(delivery_of(key="before"))
    sink.is_busy(at=at, words="432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded.")
    answers = [answer for _, answer in adapter.deliver_many([delivery_of(key=k) for k in "abc"])]
    assert [(type(answer), answer.slow_down) for answer in answers] == [(TransientDeliveryError, True)] * 3
    assert len(sink.received) == 1
    # With PIPELINING the next envelope had left beside the first content; its content never does.
    assert sink.received_bytes.count(b"About") <= 2
    sink.accepts()
    assert adapter.deliver(delivery_of(key="after")).rung


@pytest.mark.parametrize(
    ("reply", "slower"),
    [
        (b"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded.", True),
        (b"451 4.7.500 Server busy. Please try again later. Throttled", True),
        (b"421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", True),
        (b"421 4.7.0 Too many concurrent connections", True),
        (b"450 4.2.0 Greylisted", False),
        (b"452 4.2.2 Mailbox full, rate limit", False),
        (b"421 4.7.0 Error: too many errors", False),
        (b"550 5.7.1 too many messages", False),
    ],
)
def test_which_answers_ask_us_to_send_less_quickly(reply: bytes, slower: bool):
    code, _, text = reply.decode().partition(" ")
    assert throttles(Reply(int(code), (text,))) is slower


def test_nobody_there_is_transient(
    sink: SmtpSink, adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    sink.is_unreachable()
    with pytest.raises(TransientDeliveryError, match="does not answer on port"):
        adapter.open()
    assert {type(answer) for _, answer in adapter.deliver_many([delivery_of(key=k) for k in "ab"])} == {
        TransientDeliveryError
    }


def test_an_unknown_name_is_transient(
    connection: EmailConnection, adapters: Callable[[EmailConnection], EmailAdapter]
):
    # A label of more than 63 letters cannot be looked up, so no name service is asked (RFC 1035 2.3.4).
    host = "x" * 70 + ".example.org"
    adapter = adapters(connection.model_copy(update={"host": host}))
    with pytest.raises(TransientDeliveryError, match=f"cannot find a mail server called {host}"):
        adapter.open()


def test_a_missing_authority_file_is_said_in_words(
    connection: EmailConnection, adapters: Callable[[EmailConnection], EmailAdapter], tmp_path: Path
):
    adapter = adapters(connection.model_copy(update={"ca_file": tmp_path / "none.pem"}))
    with pytest.raises(RefusedDeliveryError, match="file of trusted authorities cannot be read"):
        adapter.open()


def test_answers_that_come_byte_by_byte_are_read_whole(
    sink: SmtpSink, adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    sink.answers_byte_by_byte()
    answers = [answer for _, answer in adapter.deliver_many([delivery_of(key=k) for k in "abc"])]
    assert [getattr(answer, "reference", answer) for answer in answers] == [m.queue_id for m in sink.received]


def test_a_server_that_wants_a_sign_in_that_we_do_not_have(
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    bare: EmailConnection = connection.model_copy(
        update={"username": "", "password": type(connection.password)("")}
    )
    ((_, answer),) = adapters(bare).deliver_many([delivery_of()])
    assert isinstance(answer, RefusedDeliveryError)
    assert answer.words == f"Our mail server wants us to sign in first. {NOTHING_SENT}"


def test_only_the_message_whose_answer_is_missing_is_in_doubt(
    sink: SmtpSink, adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    sink.cuts_off_after_reading(kept=True, times=1)
    burst = [delivery_of(b"Subject: %c\r\n\r\nx\r\n" % ord(k), key=k) for k in "abc"]
    answers = dict(adapter.deliver_many(burst))
    assert isinstance(answers["a"], UncertainDeliveryError)
    assert [type(answers[key]) for key in "bc"] == [TransientDeliveryError] * 2
    assert len(sink.received) == 1


def test_a_session_that_ends_after_a_success_goes_on_in_a_new_one(
    sink: SmtpSink, adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    adapter.deliver(delivery_of(key="first"))
    sink.cuts_off_after_reading(kept=False, times=1)
    answers = dict(adapter.deliver_many([delivery_of(key=k) for k in "abc"]))
    assert [type(answers[key]).__name__ for key in "abc"] == [
        "UncertainDeliveryError",
        "DeliveryResult",
        "DeliveryResult",
    ]
    assert len(sink.received) == 3


def test_a_silent_server_ends_within_the_time_limit(
    sink: SmtpSink,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    adapter = adapters(connection.model_copy(update={"timeout": 0.2}))
    adapter.open()
    sink.is_slow(30)
    ((_, answer),) = adapter.deliver_many([delivery_of()])
    assert isinstance(answer, TransientDeliveryError)
    sink.accepts()


def test_an_answer_later_than_we_wait_leaves_the_message_in_doubt(
    sink: SmtpSink,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    adapter = adapters(connection.model_copy(update={"timeout": 0.3}))
    adapter.open()
    sink.answers_late(30)
    ((_, answer),) = adapter.deliver_many([delivery_of()])
    assert isinstance(answer, UncertainDeliveryError)
    sink.accepts()
