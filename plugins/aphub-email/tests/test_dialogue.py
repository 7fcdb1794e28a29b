"""The dialogue word for word, against a server that says what the test tells it to."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from aphub.api import (
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.sandbox.certificates import DemoAuthority
from aphub_email import EmailConnection
from aphub_email.burst import Letter, SessionEndedError, send_letters
from aphub_email.session import Session, secure
from aphub_email.wire import LineLostError, TlsProof, Wire, tls_context

PROOF = TlsProof("TLSv1.3", "TLS_AES_256_GCM_SHA384", "00", "nobody", 0.0)
CONNECTION = EmailConnection(host="mail.example.org", from_address="a@ap.example.org", timeout=2)
OPENED = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go on\r\n"

Script = Sequence[tuple[bytes, bytes]]
"""What the server waits for, and what it then says; the last thing said, it leaves."""


@contextmanager
def played(script: Script, connection: EmailConnection = CONNECTION) -> Iterator[tuple[Wire, list[bytes]]]:
    """Play a server over a pair of sockets; gives our end and the writes as they came."""
    ours, theirs = socket.socketpair()
    heard: list[bytes] = []

    def play() -> None:
        with theirs:
            theirs.settimeout(5)
            for wanted, answer in script:
                got = b""
                while not got.endswith(wanted):
                    chunk = theirs.recv(65_536)
                    if not chunk:
                        return
                    got += chunk
                heard.append(got)
                theirs.sendall(answer)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield Wire(ours, connection.timeout), heard
    finally:
        ours.close()
        thread.join()


def session(wire: Wire, *features: str) -> Session:
    return Session(CONNECTION, wire, PROOF, dict.fromkeys(features, ""))


def letter(key: str, content: bytes = b"Subject: x\r\n\r\nx\r\n") -> Letter:
    return Letter(key, "a@ap.example.org", f"{key}@school.example.org", content)


def test_a_content_and_the_next_envelope_leave_in_one_write():
    script = [
        (b"DATA\r\n", OPENED),
        (b"DATA\r\n", b"250 2.0.0 Ok: queued as AAAA1\r\n" + OPENED),
        (b"\r\n.\r\n", b"250 2.0.0 Ok: queued as AAAA2\r\n"),
    ]
    with played(script) as (wire, heard):
        outcomes = list(send_letters(session(wire, "PIPELINING"), [letter("one"), letter("two")]))
    assert [outcome.ok for _, outcome in outcomes] == [True, True]
    assert heard == [
        b"MAIL FROM:<a@ap.example.org>\r\nRCPT TO:<one@school.example.org>\r\nDATA\r\n",
        b"Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<a@ap.example.org>\r\nRCPT TO:<two@school.example.org>\r\nDATA\r\n",
        b"Subject: x\r\n\r\nx\r\n.\r\n",
    ]


def test_a_no_is_told_before_anything_more_leaves():
    script = [
        (b"DATA\r\n", OPENED),
        (b"DATA\r\n", b"451 4.7.1 Slow down\r\n" + OPENED),
        (b"\r\n.\r\n", b"250 2.0.0 Ok\r\n"),
    ]
    with played(script) as (wire, heard):
        outcomes = send_letters(session(wire, "PIPELINING"), [letter("one"), letter("two")])
        _, outcome = next(outcomes)
        before, (_, other) = len(heard), next(outcomes)
    assert isinstance(outcome, TransientDeliveryError)
    assert (before, other.ok) == (2, True)


@pytest.mark.parametrize("answer", [b"554 5.5.1 No valid recipients\r\n", b"250 2.0.0 Ok\r\n"])
def test_an_open_data_without_a_recipient_gets_an_empty_message_and_counts_as_refused(answer: bytes):
    script = [
        (b"DATA\r\n", b"250 Ok\r\n550 5.1.1 Nobody\r\n354 Go on\r\n"),
        (b"DATA\r\n", answer + OPENED),
        (b"\r\n.\r\n", b"250 2.0.0 Ok: queued as AAAA2\r\n"),
    ]
    with played(script) as (wire, heard):
        outcomes = dict(send_letters(session(wire, "PIPELINING"), [letter("one"), letter("two")]))
    refused, taken = outcomes.values()
    assert isinstance(refused, RefusedDeliveryError)
    assert taken.ok
    assert heard[1].startswith(b".\r\nMAIL FROM:")
    assert heard[2].startswith(b"Subject: x")


def test_an_envelope_that_was_left_open_is_reset_before_the_next():
    script = [
        (b"DATA\r\n", b"250 Ok\r\n550 5.1.1 Nobody\r\n503 5.5.1 No recipients\r\n"),
        (b"DATA\r\n", b"250 Reset\r\n" + OPENED),
        (b"\r\n.\r\n", b"250 2.0.0 Ok\r\n"),
    ]
    with played(script) as (wire, heard):
        outcomes = list(send_letters(session(wire, "PIPELINING"), [letter("one"), letter("two")]))
    assert isinstance(outcomes[0][1], RefusedDeliveryError)
    assert outcomes[1][1].ok
    assert heard[1].startswith(b"RSET\r\nMAIL FROM:")


def test_without_pipelining_each_command_waits_for_its_answer():
    script = [
        (b"MAIL FROM:<a@ap.example.org>\r\n", b"250 Ok\r\n"),
        (b"RCPT TO:<one@school.example.org>\r\n", b"450 4.2.0 Greylisted\r\n"),
        (b"RSET\r\n", b"250 Ok\r\n"),
        (b"MAIL FROM:<a@ap.example.org>\r\n", b"250 Ok\r\n"),
        (b"RCPT TO:<two@school.example.org>\r\n", b"250 Ok\r\n"),
        (b"DATA\r\n", b"354 Go on\r\n"),
        (b"\r\n.\r\n", b"250 Ok\r\n"),
    ]
    with played(script) as (wire, heard):
        outcomes = list(send_letters(session(wire), [letter("one"), letter("two")]))
    assert isinstance(outcomes[0][1], TransientDeliveryError)
    assert outcomes[1][1].ok
    assert heard == [wanted for wanted, _ in script[:-1]] + [b"Subject: x\r\n\r\nx\r\n.\r\n"]


def test_only_a_written_dot_makes_doubt():
    with played([(b"DATA\r\n", OPENED)]) as (wire, _):
        large = letter("one", b"Subject: x\r\n\r\n" + b"a line of a large message\r\n" * 400_000)
        outcomes = send_letters(session(wire, "PIPELINING"), [large, letter("two")])
        _, outcome = next(outcomes)
        with pytest.raises(SessionEndedError):
            next(outcomes)
    assert isinstance(outcome, TransientDeliveryError)


@pytest.mark.parametrize(
    "last_words", [b"", b"250", b"25", b"rubbish\r\n", b"354 again\r\n", b"250-more\r\n"]
)
def test_after_the_dot_anything_but_an_answer_leaves_doubt(last_words: bytes):
    with played([(b"DATA\r\n", OPENED), (b"\r\n.\r\n", last_words)]) as (wire, _):
        outcomes = send_letters(session(wire, "PIPELINING"), [letter("one")])
        _, outcome = next(outcomes)
        with pytest.raises(SessionEndedError):
            next(outcomes)
    assert isinstance(outcome, UncertainDeliveryError)


@pytest.mark.parametrize("words", [b"", b"421 4.3.2 Closing\r\n", b"250 Ok\r\n", b"rubbish\r\n"])
def test_an_end_before_the_content_leaves_no_doubt(words: bytes):
    with played([(b"DATA\r\n", words)]) as (wire, _), pytest.raises(SessionEndedError) as caught:
        list(send_letters(session(wire, "PIPELINING"), [letter("one"), letter("two")]))
    assert isinstance(caught.value.because, TransientDeliveryError)


def test_words_that_were_slipped_in_before_encryption_end_the_conversation():
    script = [
        (b"", b"220 mail.example.org\r\n"),
        (b"EHLO ap.example.org\r\n", b"250-mail\r\n250 STARTTLS\r\n"),
        (b"STARTTLS\r\n", b"220 Go\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n"),
    ]
    with played(script) as (wire, _), pytest.raises(TransientDeliveryError, match="stopped answering"):
        secure(CONNECTION, wire)


@pytest.mark.parametrize(
    "greeting",
    [b"250-" + b"x" * 100_000, b"220-a\r\n" * 300, b"SSH-2.0-OpenSSH\r\n", b"\xff\xfe\r\n", b"99 x\r\n"],
)
def test_a_server_that_speaks_something_else_is_left_alone(greeting: bytes):
    with played([(b"", greeting)]) as (wire, _), pytest.raises(TransientDeliveryError):
        secure(CONNECTION, wire)


def test_drops_that_never_make_a_reply_end_in_time():
    connection = CONNECTION.model_copy(update={"timeout": 0.2})
    with played([(b"", b"2")], connection) as (wire, _), pytest.raises(LineLostError):
        wire.reply()


def test_a_reply_shows_only_its_codes():
    with played([(b"", b"550-5.1.1 <pupil@example.org>\r\n550 5.1.1 unknown\r\n")]) as (wire, _):
        reply = wire.reply()
    assert repr(reply) == "Reply(550 5.1.1)"
    assert reply.text == "550 5.1.1 <pupil@example.org> 5.1.1 unknown"


def test_no_context_of_ours_trusts_blindly(authority: DemoAuthority):
    for context in (tls_context(None), tls_context(authority.ca_path)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
