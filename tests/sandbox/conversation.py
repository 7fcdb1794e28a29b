"""How the tests talk to the mail server: smtplib, and a raw TLS socket for what smtplib cannot say."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from typing import BinaryIO

from aphub.sandbox import DemoAuthority, SmtpSink

MESSAGE = b"Subject: AP attendance\r\nMessage-ID: <RB-7Q4K-1@example.org>\r\n\r\nOne pupil.\r\n"
ENVELOPE = b"MAIL FROM:<hub@example.org>\r\nRCPT TO:<attendance@hill-school.example.org>\r\nDATA\r\n"
FROM, TO = "hub@example.org", "attendance@hill-school.example.org"


def signed_on(
    sink: SmtpSink, authority: DemoAuthority, context: ssl.SSLContext | None = None
) -> smtplib.SMTP:
    """Give an smtplib client behind verified STARTTLS."""
    client = smtplib.SMTP(*sink.address, timeout=5)
    try:
        client.ehlo("client.example.org")
        client.starttls(context=context or authority.client_context())
        client.ehlo("client.example.org")
    except BaseException:
        client.close()
        raise
    return client


def reply(file: BinaryIO) -> bytes:
    """Read one whole reply and give its last line."""
    while (line := file.readline())[3:4] == b"-":
        pass
    return line


@contextlib.contextmanager
def raw(sink: SmtpSink, authority: DemoAuthority) -> Iterator[tuple[ssl.SSLSocket, BinaryIO]]:
    """Give a TLS socket and its reader after EHLO, STARTTLS, EHLO."""
    with socket.create_connection(sink.address, timeout=5) as bare:
        with bare.makefile("rb") as file:
            reply(file)
            bare.sendall(b"EHLO client.example.org\r\n")
            reply(file)
            bare.sendall(b"STARTTLS\r\n")
            assert reply(file).startswith(b"220")
        context = authority.client_context()
        with context.wrap_socket(bare, server_hostname="localhost") as wire, wire.makefile("rb") as file:
            wire.sendall(b"EHLO client.example.org\r\n")
            reply(file)
            yield wire, file
