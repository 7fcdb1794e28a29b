import base64
import smtplib
import socket
import threading
from pathlib import Path

import pytest

from aphub.sandbox import DemoAuthority, SmtpSink
from tests.sandbox.conversation import ENVELOPE, FROM, MESSAGE, TO, raw, reply, signed_on


def test_an_accepted_message_lies_in_the_maildir_byte_for_byte(sink: SmtpSink, authority: DemoAuthority):
    content = MESSAGE + b".a line that starts with a dot\r\n..and one with two\r\n\xc3\xa9 8 bit\r\n"
    client = signed_on(sink, authority)
    assert client.mail(FROM, ["RET=HDRS", "ENVID=RB-7Q4K-1", "BODY=8BITMIME"])[0] == 250
    assert client.rcpt(TO, ["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{TO}"])[0] == 250
    code, words = client.data(content)
    client.quit()
    (mail,) = sink.received
    assert code == 250
    assert words.decode() == f"2.0.0 Ok: queued as {mail.queue_id}"
    assert sink.maildir.messages() == [content]
    assert (mail.raw, mail.mail_from, mail.rcpt_to) == (content, FROM, (TO,))
    assert mail.tls.startswith("TLSv1.")
    assert "RET=HDRS" in mail.options
    assert list((sink.maildir.folder / "tmp").iterdir()) == []


def test_it_announces_what_it_can_do(sink: SmtpSink, authority: DemoAuthority):
    client = smtplib.SMTP(*sink.address, timeout=5)
    client.ehlo()
    assert client.has_extn("starttls")
    assert not client.has_extn("auth")
    client.starttls(context=authority.client_context())
    client.ehlo()
    assert {"pipelining", "size", "8bitmime", "enhancedstatuscodes", "dsn"} <= set(client.esmtp_features)
    assert not client.has_extn("starttls")
    client.quit()


def test_nothing_is_taken_before_tls(sink: SmtpSink):
    client = smtplib.SMTP(*sink.address, timeout=5)
    client.ehlo()
    assert client.mail(FROM)[0] == 530
    assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 530
    client.quit()


def test_commands_smuggled_behind_starttls_do_not_count(sink: SmtpSink, authority: DemoAuthority):
    with socket.create_connection(sink.address, timeout=5) as bare, bare.makefile("rb") as file:
        reply(file)
        bare.sendall(b"EHLO x\r\n")
        reply(file)
        bare.sendall(b"STARTTLS\r\nEHLO x\r\n" + ENVELOPE)
        assert reply(file).startswith(b"220")
        wire = authority.client_context().wrap_socket(bare, server_hostname="localhost")
        wire.sendall(b"NOOP\r\n")
        assert wire.recv(100).startswith(b"250 2.0.0 Ok\r\n")
        wire.close()


def test_a_pipelined_burst_arrives_whole_and_in_order(sink: SmtpSink, authority: DemoAuthority):
    bodies = [
        MESSAGE + b"%d " % n + b"x" * (n * 37 % 900) + b"\r\n" + b"..\r\n" * (n % 3) for n in range(200)
    ]

    def send(part: list[bytes]) -> None:
        with raw(sink, authority) as (wire, file):
            wire.sendall(ENVELOPE)
            for number, body in enumerate(part):
                assert [reply(file)[:3] for _ in range(3)] == [b"250", b"250", b"354"]
                stuffed = body.replace(b"\r\n.", b"\r\n..")
                more = ENVELOPE if number + 1 < len(part) else b"QUIT\r\n"
                wire.sendall(stuffed + b".\r\n" + more)
                assert reply(file).startswith(b"250 2.0.0 Ok: queued as ")
            assert reply(file).startswith(b"221")

    senders = [threading.Thread(target=send, args=(bodies[start::4],)) for start in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(mail.raw for mail in sink.received) == sorted(bodies)
    assert sorted(sink.maildir.messages()) == sorted(bodies)
    assert len({mail.queue_id for mail in sink.received}) == len(bodies)
    for start in range(4):
        mine = set(bodies[start::4])
        assert [mail.raw for mail in sink.received if mail.raw in mine] == bodies[start::4]


def test_pipelined_commands_are_answered_in_one_packet_and_refused_recipients_end_at_data(
    sink: SmtpSink, authority: DemoAuthority
):
    sink.refuses()
    with raw(sink, authority) as (wire, file):
        wire.sendall(ENVELOPE)
        assert [reply(file)[:9] for _ in range(3)] == [b"250 2.1.0", b"550 5.1.1", b"554 5.5.1"]
        wire.sendall(b"RSET\r\n")
        assert reply(file).startswith(b"250")
    assert sink.received == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Subject: x\r\n\r\nbare\nline\r\n", b"550 5.5.2"),
        (b"Subject: x\r\n\r\nend\n.\r\nMAIL FROM:<a@example.org>\r\n", b"550 5.5.2"),
        (b"Subject: x\r\n\r\n" + b"y" * 999 + b"\r\n", b"550 5.6.0"),
    ],
)
def test_malformed_content_is_refused_whole(
    sink: SmtpSink, authority: DemoAuthority, content: bytes, code: bytes
):
    with raw(sink, authority) as (wire, file):
        wire.sendall(ENVELOPE)
        for _ in range(3):
            reply(file)
        wire.sendall(content + b".\r\n")
        assert reply(file).startswith(code)
    assert sink.received == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MAIL FROM:hub@example.org", 501),
        ("MAIL FROM:<hub@example.org> COLOUR=RED", 555),
        (f"MAIL FROM:<hub@example.org> SIZE={10**9}", 552),
        ("RCPT TO:<a@example.org>", 503),
        ("DATA", 554),
        ("WHATEVER", 500),
    ],
)
def test_a_command_out_of_order_or_shape_is_refused(
    sink: SmtpSink, authority: DemoAuthority, line: str, code: int
):
    client = signed_on(sink, authority)
    assert client.docmd(line)[0] == code
    client.quit()


def test_tls_from_the_first_byte(authority: DemoAuthority, tmp_path: Path):
    with (
        SmtpSink(authority, tmp_path, mode="tls") as sink,
        smtplib.SMTP_SSL(*sink.address, context=authority.client_context(), timeout=5) as client,
    ):
        client.sendmail(FROM, [TO], MESSAGE)
        assert sink.wait_for(1)


def test_an_unknown_mode_is_refused(authority: DemoAuthority, tmp_path: Path):
    with pytest.raises(ValueError, match="starttls"):
        SmtpSink(authority, tmp_path, mode="plain")


# Sign-in


@pytest.fixture
def guarded(authority: DemoAuthority, tmp_path: Path):
    credentials, tokens = {"office": "blue-kettle"}, {"office@example.org": "t0ken"}
    with SmtpSink(authority, tmp_path / "mail", credentials=credentials, tokens=tokens) as sink:
        yield sink


def test_mail_needs_sign_in_where_sign_in_is_asked_for(guarded: SmtpSink, authority: DemoAuthority):
    client = signed_on(guarded, authority)
    assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN", "XOAUTH2"]
    assert client.mail(FROM)[0] == 530
    client.quit()


@pytest.mark.parametrize("kind", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("password", "signed_in"), [("blue-kettle", True), ("red-kettle", False)])
def test_password_sign_in(
    guarded: SmtpSink, authority: DemoAuthority, kind: str, password: str, signed_in: bool
):
    client = signed_on(guarded, authority)
    client.user, client.password = "office", password
    method = client.auth_plain if kind == "PLAIN" else client.auth_login
    if signed_in:
        client.auth(kind, method)
        client.sendmail(FROM, [TO], MESSAGE)
        assert guarded.received[0].signed_in_as == "office"
    else:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.auth(kind, method)
        assert caught.value.smtp_code == 535
    client.quit()


@pytest.mark.parametrize(("token", "code"), [("t0ken", 235), ("old", 334)])
def test_token_sign_in(guarded: SmtpSink, authority: DemoAuthority, token: str, code: int):
    client = signed_on(guarded, authority)
    first = base64.b64encode(f"user=office@example.org\x01auth=Bearer {token}\x01\x01".encode()).decode()
    assert client.docmd("AUTH", f"XOAUTH2 {first}")[0] == code
    if code == 334:
        assert client.docmd("")[0] == 535
    client.quit()


# Moods


def test_busy_says_451_and_then_takes_it(sink: SmtpSink, authority: DemoAuthority):
    sink.is_busy(times=1)
    client = signed_on(sink, authority)
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        client.sendmail(FROM, [TO], MESSAGE)
    assert caught.value.smtp_code == 451
    client.sendmail(FROM, [TO], MESSAGE)
    client.quit()
    assert len(sink.received) == 1


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "dot"])
def test_refuses_says_550_and_keeps_nothing(sink: SmtpSink, authority: DemoAuthority, at: str):
    sink.refuses(at=at, words="5.7.1 Not from you")
    client = signed_on(sink, authority)
    with pytest.raises(smtplib.SMTPResponseException if at != "rcpt" else smtplib.SMTPRecipientsRefused):
        client.sendmail(FROM, [TO], MESSAGE)
    client.close()
    assert sink.received == []
    assert sink.maildir.messages() == []


def test_one_unknown_recipient_does_not_stop_the_others(sink: SmtpSink, authority: DemoAuthority):
    sink.does_not_know("Gone@example.org")
    client = signed_on(sink, authority)
    refused = client.sendmail(FROM, ["gone@example.org", TO], MESSAGE)
    client.quit()
    assert refused["gone@example.org"][0] == 550
    assert sink.received[0].rcpt_to == (TO,)


def test_greylisting_ends_after_as_many_tries_as_it_should(sink: SmtpSink, authority: DemoAuthority):
    sink.greylists(2)
    client = signed_on(sink, authority)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.sendmail(FROM, [TO], MESSAGE)
        assert caught.value.recipients[TO][0] == 450
    client.sendmail(FROM, [TO], MESSAGE)
    client.quit()


@pytest.mark.parametrize("kept", [True, False])
def test_cut_off_after_the_dot_leaves_the_client_in_doubt(
    sink: SmtpSink, authority: DemoAuthority, kept: bool
):
    sink.cuts_off_after_reading(kept=kept, times=1)
    client = signed_on(sink, authority)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.sendmail(FROM, [TO], MESSAGE)
    assert len(sink.received) == int(kept)
    assert MESSAGE in sink.received_bytes
    again = signed_on(sink, authority)
    again.sendmail(FROM, [TO], MESSAGE)
    again.quit()


def test_a_late_answer_comes_after_the_message_is_kept(sink: SmtpSink, authority: DemoAuthority):
    sink.answers_late(30, times=1)
    client = signed_on(sink, authority)
    assert client.sock is not None
    client.sock.settimeout(0.3)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        client.sendmail(FROM, [TO], MESSAGE)
    client.close()
    assert sink.wait_for(1)


def test_a_new_mood_ends_the_waiting_of_the_old_one(sink: SmtpSink, authority: DemoAuthority):
    client = signed_on(sink, authority)
    sink.answers_late(600)
    answers: list[tuple[int, bytes]] = []

    def send() -> None:
        client.mail(FROM)
        client.rcpt(TO)
        answers.append(client.data(MESSAGE))

    sender = threading.Thread(target=send)
    sender.start()
    assert sink.wait_for(1)
    sink.accepts()
    sender.join(5)
    client.quit()
    assert answers[0][0] == 250


def test_a_slow_server_outlasts_an_impatient_client(sink: SmtpSink):
    sink.is_slow(600)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        smtplib.SMTP(*sink.address, timeout=0.2)


def test_no_starttls_is_not_announced_and_not_given(sink: SmtpSink):
    sink.has_no_starttls()
    client = smtplib.SMTP(*sink.address, timeout=5)
    client.ehlo()
    assert not client.has_extn("starttls")
    assert client.docmd("STARTTLS")[0] == 502
    assert client.mail(FROM)[0] == 530
    client.quit()
    assert b"hub@example.org" in sink.received_in_clear


def test_unreachable_and_back_on_the_same_port(sink: SmtpSink, authority: DemoAuthority):
    client = signed_on(sink, authority)
    before = sink.address
    sink.down()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.sendmail(FROM, [TO], MESSAGE)
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(*before, timeout=5)
    sink.up()
    assert sink.address == before
    again = signed_on(sink, authority)
    again.sendmail(FROM, [TO], MESSAGE)
    again.quit()


def test_answers_byte_by_byte_are_still_answers(sink: SmtpSink, authority: DemoAuthority):
    sink.answers_byte_by_byte()
    client = signed_on(sink, authority)
    client.sendmail(FROM, [TO], MESSAGE)
    client.quit()
    assert len(sink.received) == 1


def test_what_was_said_inside_tls_is_not_counted_as_clear(sink: SmtpSink, authority: DemoAuthority):
    client = signed_on(sink, authority)
    client.sendmail(FROM, [TO], MESSAGE)
    client.quit()
    assert MESSAGE in sink.received_bytes
    assert b"attendance" not in sink.received_in_clear
    assert b"STARTTLS" in sink.received_in_clear


def test_received_mail_shows_no_content_when_printed(sink: SmtpSink, authority: DemoAuthority):
    client = signed_on(sink, authority)
    client.sendmail(FROM, [TO], MESSAGE)
    client.quit()
    shown = repr(sink.received)
    assert "One pupil" not in shown
    assert TO not in shown
