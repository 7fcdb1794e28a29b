import gc
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aphub.api import (
    Answer,
    Delivery,
    DeliveryResult,
    RefusedDeliveryError,
    Repeat,
    Rung,
    TransientDeliveryError,
)
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.smtp import SmtpSink
from aphub_email import EmailAdapter, EmailConnection
from aphub_email.burst import stuffed

ADDRESS = "attendance@hill-school.example.org"
SENDER = "reports@riverbank.example.org"
PASSWORD = "quiet-otter-lamp-31"


def test_a_message_arrives_byte_for_byte_in_one_envelope(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    delivery = delivery_of()
    adapter.open()
    adapter.deliver(delivery)
    (mail,) = sink.received
    assert mail.raw == delivery.documents[0].content
    assert (mail.mail_from, mail.rcpt_to) == (SENDER, (ADDRESS,))
    assert mail.signed_in_as == SENDER


def test_the_receipt_says_what_was_proved(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    result = adapter.deliver(delivery_of())
    (mail,) = sink.received
    assert result.rung is Rung.HANDED_OVER is adapter.reaches
    assert [(one.report, one.answer) for one in result.results] == [
        ("r1", Answer.TAKEN),
        ("r2", Answer.TAKEN),
    ]
    assert result.reference == mail.queue_id
    assert result.hops == "TLS 1.3 to localhost (verified)"
    assert result.evidence["answer"].startswith("250 ")
    assert result.evidence["tls"] == "TLSv1.3"
    assert result.evidence["cipher"]
    assert len(result.evidence["certificate_sha256"]) == 64


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_burst_goes_through_one_connection_in_order(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery], pipelining: bool
):
    sink.pipelining = pipelining
    deliveries = [delivery_of(b"Subject: %d\r\n\r\nbody\r\n" % n, key=f"d{n}") for n in range(64)]
    answers = list(adapter.deliver_many(deliveries))
    assert [key for key, _ in answers] == [one.key for one in deliveries]
    assert all(isinstance(answer, DeliveryResult) for _, answer in answers)
    assert [mail.raw for mail in sink.received] == [one.documents[0].content for one in deliveries]
    assert len({mail.peer for mail in sink.received}) == 1


def test_encryption_from_the_first_byte_works_too(
    authority: DemoAuthority,
    tmp_path: Path,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    with SmtpSink(authority, tmp_path / "tls", mode="tls", durable=False) as sink:
        settings = {"security": "tls", "port": sink.address[1], "username": "", "password": ""}
        adapter = adapters(type(connection)(**connection.model_dump() | settings))
        adapter.deliver(delivery_of())
        adapter.close()
        assert len(sink.received) == 1
        assert sink.received_in_clear == b""


def test_nothing_but_a_greeting_leaves_before_encryption(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    adapter.deliver(delivery_of())
    adapter.close()
    assert sink.received_in_clear == b"EHLO riverbank.example.org\r\nSTARTTLS\r\n"


def test_one_refused_address_in_a_burst_leaves_the_others_alone(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    sink.does_not_know("nobody@hill-school.example.org")
    wrong = delivery_of(key="wrong", address="nobody@hill-school.example.org")
    deliveries = [delivery_of(key="a"), wrong, delivery_of(key="b"), replace(wrong, key="last")]
    answers = dict(adapter.deliver_many(deliveries))
    assert [type(answers[key]).__name__ for key in ("a", "wrong", "b", "last")] == [
        "DeliveryResult",
        "RefusedDeliveryError",
        "DeliveryResult",
        "RefusedDeliveryError",
    ]
    assert answers["wrong"].code == "550 5.1.1"
    # An envelope left open by a refusal does not spoil the next burst.
    adapter.deliver(delivery_of(key="c"))
    assert len(sink.received) == 3


def test_the_same_delivery_twice_carries_the_same_bytes(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    assert adapter.repeat is Repeat.RECOGNISABLE
    adapter.deliver(delivery_of())
    adapter.deliver(delivery_of())
    first, second = sink.received
    assert first.raw == second.raw


def test_an_idle_connection_that_the_server_closed_is_opened_again(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    adapter.open()
    adapter.deliver(delivery_of(key="a"))
    sink.down()
    sink.up()
    adapter.deliver(delivery_of(key="b"))
    assert len(sink.received) == 2


def test_a_message_larger_than_the_server_takes_is_never_begun(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    sink.size_limit = 1000
    ((_, answer),) = adapter.deliver_many([delivery_of(b"Subject: x\r\n\r\n" + b"long line\r\n" * 200)])
    assert str(answer) == "The message is larger than their mail server takes."
    assert b"MAIL FROM" not in sink.received_bytes


@pytest.mark.parametrize("content", [b"Subject: x\n\nbody\n", b"a\r\n.\r\nb\nc", b"a\rb\r\n", b"x\r\n.\n"])
def test_a_message_that_two_servers_could_read_in_two_ways_is_not_sent(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery], content: bytes
):
    answers = dict(adapter.deliver_many([delivery_of(key="good"), delivery_of(content, key="bad")]))
    assert isinstance(answers["good"], DeliveryResult)
    assert str(answers["bad"]) == "The message is not well formed. We have not sent anything."
    assert len(sink.received) == 1


@given(st.lists(st.sampled_from([b"", b".", b"..", b"text", b".text", b"a.b", b"DATA"]), min_size=1))
@example([b"."])
def test_dots_are_doubled_so_that_only_ours_ends_a_message(lines: list[bytes]):
    content = b"\r\n".join(lines) + b"\r\n"
    travelling = stuffed(content)
    assert travelling.endswith(b"\r\n.\r\n")
    body = travelling[: -len(b".\r\n")]
    assert b"\r\n.\r\n" not in b"\r\n" + body
    received = b"".join(line.removeprefix(b".") for line in body.splitlines(keepends=True))
    assert received == content


def test_a_burst_given_up_half_way_leaves_nothing_open_and_has_only_the_next_under_way(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    mails = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(5)]
    burst = adapter.deliver_many([delivery_of(mail, key=mail.decode()) for mail in mails])
    next(burst)
    burst.close()
    adapter.deliver(delivery_of(mails[4], key="later"))
    received = {one.raw for one in sink.received}
    assert {mails[0], mails[4]} <= received <= {mails[0], mails[1], mails[4]}


def test_closing_twice_and_never_opening_are_fine(adapter: EmailAdapter):
    adapter.close()
    adapter.open()
    adapter.close()
    adapter.close()
    del adapter
    gc.collect()


def test_after_closing_no_byte_is_sent(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    adapter.deliver(delivery_of())
    adapter.close()
    assert sink.received_bytes.endswith(b"QUIT\r\n")


def test_several_failures_in_one_burst_are_told_apart(
    adapter: EmailAdapter, sink: SmtpSink, delivery_of: Callable[..., Delivery]
):
    sink.is_busy(at="dot", times=1)
    answers = [answer for _, answer in adapter.deliver_many([delivery_of(key=k) for k in "abc"])]
    assert isinstance(answers[0], TransientDeliveryError)
    assert [type(answer) for answer in answers[1:]] == [DeliveryResult, DeliveryResult]


def test_nothing_is_logged(
    adapter: EmailAdapter, delivery_of: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    adapter.deliver(delivery_of())
    adapter.close()
    assert caplog.text == ""


def test_a_new_authority_is_not_trusted_for_an_old_one(
    tmp_path: Path,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    other = DemoAuthority.create(tmp_path / "other")
    adapter = adapters(connection.model_copy(update={"ca_file": other.ca_path}))
    ((_, answer),) = adapter.deliver_many([delivery_of()])
    assert "Nobody we trust vouches" in str(answer)


def test_an_authority_file_that_was_renewed_is_read_again(
    tmp_path: Path,
    authority: DemoAuthority,
    connection: EmailConnection,
    adapters: Callable[[EmailConnection], EmailAdapter],
    delivery_of: Callable[..., Delivery],
):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(DemoAuthority.create(tmp_path / "other").ca_path.read_bytes())
    os.utime(ca_file, ns=(1, 1))
    adapter = adapters(connection.model_copy(update={"ca_file": ca_file}))
    ((_, before),) = adapter.deliver_many([delivery_of()])
    ca_file.write_bytes(authority.ca_path.read_bytes())
    ((_, after),) = adapter.deliver_many([delivery_of()])
    assert isinstance(before, RefusedDeliveryError)
    assert isinstance(after, DeliveryResult)
