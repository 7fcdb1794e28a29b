"""One message as the exact bytes that leave, built from a byte template.

The standard library's EmailMessage does the same at many times the cost (docs of this plugin: README, Speed);
the tests let it read back what is written here.
"""

import re
from binascii import b2a_base64, b2a_qp
from email.utils import format_datetime
from functools import lru_cache

from aphub.api import AphubError, Document, Message, Outbound, aphub_csv, subject_of
from aphub_email.headers import address_header, guard, text_header
from aphub_email.locked import locked_mail
from aphub_email.settings import EmailConnection, EmailRoute
from aphub_email.summary_files import summary_files
from aphub_email.workbook import XLSX, protected_workbook

_SAFE_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_LONGEST_LINE = 990  # RFC 5322 2.1.1 allows 998, less what a relay may add
_BASE64_LINE = re.compile(rb".{1,76}")
_HEADER_BASE64_LINE = re.compile(rb".{1,56}")
_NO_END = bytes(set(range(256)) - set(b"\r\n"))

_TEMPLATE = (
    b"%(head)s"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="%(outer)s"\r\n'
    b"\r\n"
    b"--%(outer)s\r\n"
    b'Content-Type: multipart/alternative; boundary="%(inner)s"\r\n'
    b"\r\n"
    b"--%(inner)s\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Language: en-GB\r\n"
    b"Content-Transfer-Encoding: %(text_encoding)s\r\n"
    b"\r\n"
    b"%(text)s\r\n"
    b"--%(inner)s\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"Content-Language: en-GB\r\n"
    b"Content-Transfer-Encoding: %(html_encoding)s\r\n"
    b"\r\n"
    b"%(html)s\r\n"
    b"--%(inner)s--\r\n"
    b"\r\n"
    b"%(files)s"
    b"--%(outer)s--\r\n"
)
_FILE = (
    b"--%(outer)s\r\n"
    b"Content-Type: %(type)s\r\n"
    b'Content-Disposition: attachment; filename="%(name)s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"%(content)s\r\n"
)


def compose_mail(outbound: Outbound, route: EmailRoute) -> tuple[Document, ...]:
    """Write the one mail: text and HTML side by side, and its files as the route protects them.

    A report's file is the machine copy; a summary's are its paper as PDF and as a spreadsheet.

    Raises:
        AphubError: A file password is missing, or a row cannot stand in a file that people open.
        ValueError: A header text or a file name is unsafe.
    """
    message = outbound.message
    attested = route.protection in {"attested", "smime"}
    text_encoding, text = _body(outbound.rendering.render("mail-text", message, named=attested))
    html_encoding, html = _body(outbound.rendering.render("mail-html", message, named=attested))
    stem = _token(message.file_stem, "file name")
    if not message.about_pupils:
        files = []
    elif message.paper is not None:
        files = summary_files(outbound, attested=attested)
    elif attested:
        files = [("text/csv; charset=utf-8; header=present", "csv", _machine_copy(outbound))]
    else:
        files = [(XLSX, "xlsx", _protected_copy(outbound))]
    boundary = b"=_" + _token(message.reference, "reference").encode()
    head = _head(outbound, route)
    mail = _TEMPLATE % {
        b"head": head,
        b"outer": boundary + b"_m",
        b"inner": boundary + b"_a",
        b"text_encoding": text_encoding,
        b"text": text,
        b"html_encoding": html_encoding,
        b"html": html,
        b"files": b"".join(
            _FILE
            % {
                b"outer": boundary + b"_m",
                b"type": file_type.encode(),
                b"name": f"{stem}.{ending}".encode(),
                b"content": _base64_lines(content),
            }
            for file_type, ending, content in files
        ),
    }
    if route.protection == "smime":
        mail = locked_mail(head, mail[len(head) :], boundary, outbound.connection, route)
    return (Document(f"{stem}.eml", "message/rfc822", mail),)


def _head(outbound: Outbound, route: EmailRoute) -> bytes:
    """Write the headers; what a day's messages share makes mail programmes show them as one thread."""
    message = outbound.message
    sender, reply_to = _mailboxes(outbound)
    domain = sender.rpartition("@")[2]
    lines = [
        _from_us(sender, message.provider_name, reply_to),
        address_header("To", route.address),
        text_header("Subject", subject_of(message)),
        f"Date: {_date(message.made_at)}\r\nMessage-ID: <{message.reference}@{domain}>\r\n".encode(),
    ]
    earlier = _earlier(message)
    if earlier:
        ids = "\r\n ".join(f"<{reference}@{domain}>" for reference in earlier)
        lines.append(f"In-Reply-To: <{earlier[0]}@{domain}>\r\nReferences: {ids}\r\n".encode())
    lines.append(f"Auto-Submitted: auto-generated\r\nX-Aphub-Reference: {message.reference}\r\n".encode())
    if message.checkpoint:
        lines.append(_checkpoint(message.checkpoint))
    return b"".join(lines)


# What the messages of one minute share is written once.
_date = lru_cache(8)(format_datetime)


@lru_cache(8)
def _from_us(sender: str, name: str, reply_to: str) -> bytes:
    return address_header("From", sender, name) + address_header("Reply-To", reply_to)


@lru_cache(8)
def _checkpoint(line: str) -> bytes:
    note = _base64_lines(line.encode(), _HEADER_BASE64_LINE).replace(b"\r\n", b"\r\n ")
    return b"X-Aphub-Checkpoint: " + note + b"\r\n"


def _mailboxes(outbound: Outbound) -> tuple[str, str]:
    """Give the mailboxes of From and Reply-To, the connection's before the provider's."""
    connection = outbound.connection
    if not isinstance(connection, EmailConnection):
        return outbound.message.reply_to, outbound.message.reply_to
    return connection.from_address, connection.reply_to or outbound.message.reply_to


def _earlier(message: Message) -> tuple[str, ...]:
    """Name the thread's first message and the one before this."""
    stem, _, number = message.reference.rpartition("-")
    if message.number <= 1 or number != str(message.number):
        return (_token(message.previous_reference, "reference"),) if message.previous_reference else ()
    first = f"{stem}-1"
    if message.previous_reference in {"", first}:
        return (first,)
    return (first, _token(message.previous_reference, "reference"))


def _body(rendered: bytes) -> tuple[bytes, bytes]:
    """Give a text's transfer encoding and its bytes: as it is where it is plain, else quoted-printable.

    Plain text stays readable in the source of a message, and spam filters like it better than base64.
    """
    if rendered.count(b"\r\n") * 2 != len(rendered.translate(None, _NO_END)):
        rendered = rendered.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    # "=_" begins our boundaries and cannot stand in quoted-printable.
    if rendered.isascii() and b"=_" not in rendered and b"\0" not in rendered and _lines_fit(rendered):
        return b"7bit", rendered
    text = rendered.replace(b"\r\n", b"\n")
    return b"quoted-printable", b2a_qp(text, istext=True).replace(b"\n", b"\r\n")


def _lines_fit(text: bytes) -> bool:
    """Say whether every line may travel as it is."""
    half = _LONGEST_LINE // 2
    # Where every half of the longest line has an end in it, no line is too long; seldom must they be measured.
    ends = all(text.find(b"\n", at, at + half) >= 0 for at in range(0, len(text), half))
    return ends or max(map(len, text.split(b"\r\n"))) <= _LONGEST_LINE


def _base64_lines(content: bytes, lines: re.Pattern[bytes] = _BASE64_LINE) -> bytes:
    """Spell bytes as base64 in lines of 76 (RFC 2045 section 6.8), without a last line end."""
    return b"\r\n".join(lines.findall(b2a_base64(content, newline=False)))


def _machine_copy(outbound: Outbound) -> bytes:
    """Write the rows as `aphub-1`."""
    try:
        return aphub_csv(list(outbound.rows))
    except ValueError as exc:
        raise AphubError(
            f"The machine copy cannot be written: {exc}",
            "The message was not prepared",
            "Correct that field in the register or the placement",
        ) from exc


def _protected_copy(outbound: Outbound) -> bytes:
    """Write the rows as a spreadsheet under the school's password."""
    if not outbound.file_password:
        raise AphubError(
            "There is no file password for this school",
            "The message was not prepared",
            "Set one, and tell it to the school by phone, never by email",
        )
    return protected_workbook(outbound.message, outbound.rows, outbound.file_password)


def _token(text: str, what: str) -> str:
    """Refuse a reference or file name with anything but letters, digits and . _ - in it."""
    guard(what, text)
    if not _SAFE_TOKEN.fullmatch(text):
        message = f"the {what} has a sign that is not safe in a mail"
        raise ValueError(message)
    return text
