"""A summary by mail: its PDF and workbook open only with the school's password, unless the last hop is attested."""

import io
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import msoffcrypto
import pikepdf
import pytest
import xlsxwriter

from aphub.api import AphubError, Document, Rendering
from aphub.testing import PLANTED_PUPIL, plain_rendering, sample_outbound, sample_summary
from aphub_email import Attestation, EmailAdapter, EmailRoute

ADDRESS = "attendance@hill-school.example.org"
FILE = EmailRoute(address=ADDRESS)
ATTESTED = EmailRoute(
    address=ADDRESS,
    protection="attested",
    attestation=Attestation(kind="mta-sts", what="MTA-STS policy in enforce mode", on=date(2026, 3, 1)),
)


class Fixed:
    """A renderer that always gives the same file."""

    media_type = "application/octet-stream"

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def render(self, message: object, *, named: bool) -> bytes:
        assert named
        return self.content


def a_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.Root.MarkInfo = pikepdf.Dictionary(Marked=True)
        made.save(out)
    return out.getvalue()


def a_workbook() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        made.add_worksheet().write_string(0, 0, PLANTED_PUPIL.name)
    return out.getvalue()


FILES = {"summary-pdf": a_pdf(), "summary-xlsx": a_workbook()}


def rendering(*names: str) -> Rendering:
    found = plain_rendering()
    found.by_name.update({name: Fixed(name, FILES[name]) for name in names})
    return found


def files_of(documents: tuple[Document, ...]) -> tuple[EmailMessage, dict[str, bytes]]:
    (document,) = documents
    mail = message_from_bytes(document.content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail, {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}


def test_files_open_only_with_the_password_and_stay_readable_for_screen_readers():
    message = sample_summary()
    outbound = sample_outbound(message, rendering=rendering(*FILES), file_password="quiet-otter")
    mail, files = files_of(EmailAdapter.compose(outbound, FILE))
    stem = f"aphub-summary-2026-W10-{message.reference}"
    assert list(files) == [f"{stem}.pdf", f"{stem}.xlsx"]
    assert str(mail["Subject"]).endswith(": summary")
    assert PLANTED_PUPIL.name not in mail.as_string()
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(files[f"{stem}.pdf"]))
    with pikepdf.open(io.BytesIO(files[f"{stem}.pdf"]), password="quiet-otter") as opened:
        assert opened.encryption.R == 6
        assert opened.Root.MarkInfo.Marked
    book = msoffcrypto.OfficeFile(io.BytesIO(files[f"{stem}.xlsx"]))
    book.load_key(password="quiet-otter")
    plain = io.BytesIO()
    book.decrypt(plain)
    assert plain.getvalue() == FILES["summary-xlsx"]

    without = sample_outbound(message, rendering=rendering("summary-xlsx"), file_password="quiet-otter")
    assert list(files_of(EmailAdapter.compose(without, FILE))[1]) == [f"{stem}.xlsx"]
    bare = sample_outbound(message, rendering=rendering(*FILES))
    with pytest.raises(AphubError, match="no file password"):
        EmailAdapter.compose(bare, FILE)
    _, attested = files_of(EmailAdapter.compose(bare, ATTESTED))
    assert list(attested.values()) == list(FILES.values())
    assert FILE.takes_summaries()
