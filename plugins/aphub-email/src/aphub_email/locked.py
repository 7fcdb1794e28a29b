"""The mail that is signed and locked: multipart/signed inside application/pkcs7-mime, its headers also inside (RFC 9788)."""

from binascii import b2a_base64

from aphub.api import AphubError, ConnectionSettings
from aphub_email import smime
from aphub_email.settings import EmailConnection, EmailRoute

_VERSION = b"MIME-Version: 1.0\r\n"
_LINE = 76


def locked_mail(
    head: bytes, body: bytes, boundary: bytes, connection: ConnectionSettings | None, route: EmailRoute
) -> bytes:
    """Sign a mail with our certificate and lock it to the school's; `body` is its MIME part from its version line on.

    Raises:
        AphubError: There is nothing to sign with.
    """
    if not isinstance(connection, EmailConnection) or not connection.smime_certificate:
        raise AphubError(
            "There is no certificate of ours to sign with",
            "The message was not prepared",
            "Give smime_certificate and smime_key to the connection",
        )
    payload = _protected(head, body.removeprefix(_VERSION))
    signature = _base64(connection.signer.signature(payload))
    signed = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
        b' micalg=sha-256; boundary="%(b)s"\r\n\r\n'
        b"--%(b)s\r\n%(payload)s\r\n--%(b)s\r\n"
        b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
        b"%(signature)s\r\n--%(b)s--\r\n"
    ) % {b"b": boundary + b"_s", b"payload": payload, b"signature": signature}
    return (
        head
        + _VERSION
        + b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name="smime.p7m"\r\n'
        + b"Content-Transfer-Encoding: base64\r\n"
        + b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
        + _base64(smime.locked(signed, route.reader))
        + b"\r\n"
    )


def _protected(head: bytes, part: bytes) -> bytes:
    """Put the headers inside as well, and say which of them stand outside: what is changed on the way shows."""
    unfolded = head.replace(b"\r\n ", b"\0").removesuffix(b"\r\n").split(b"\r\n")
    outer = b"".join(b"HP-Outer: " + line.replace(b"\0", b"\r\n ") + b"\r\n" for line in unfolded)
    kind = b"Content-Type: multipart/mixed;"
    return head + outer + part.replace(kind, kind + b' hp="cipher";', 1)


def _base64(content: bytes) -> bytes:
    spelt = b2a_base64(content, newline=False)
    return b"\r\n".join([spelt[at : at + _LINE] for at in range(0, len(spelt), _LINE)])
