import io
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from timeit import repeat

import msoffcrypto
import pytest
import python_calamine
from hypothesis import example, given
from hypothesis import strategies as st

from aphub.api import COLUMNS, AphubError, Document, Kind, Message, Outbound, aphub_csv, subject_of
from aphub.testing import sample_summary
from aphub_email import EmailAdapter, EmailConnection, EmailRoute

PUPIL = "Zebedee Plantagenet-Invented"
ADDRESS = "attendance@hill-school.example.org"


def read(documents: tuple[Document, ...]) -> EmailMessage:
    (document,) = documents
    assert document.media_type == "message/rfc822"
    parsed = message_from_bytes(document.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    assert [part.defects for part in parsed.walk() if part.defects] == []
    return parsed


def bodies(parsed: EmailMessage) -> tuple[str, str]:
    text, html = parsed.get_body(["plain"]), parsed.get_body(["html"])
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_the_standard_library_reads_back_every_header(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message
):
    connection = EmailConnection(host="mail.example.org", from_address="reports@riverbank.example.org")
    parsed = read(EmailAdapter.compose(outbound_of(connection=connection), attested))
    assert dict(parsed.items()) == {
        "From": "Riverbank AP <reports@riverbank.example.org>",
        "To": ADDRESS,
        "Reply-To": "office@riverbank.example.org",
        "Subject": subject_of(message),
        "Date": "Tue, 03 Mar 2026 09:21:00 +0000",
        "Message-ID": "<RB-7Q4K-2@riverbank.example.org>",
        "In-Reply-To": "<RB-7Q4K-1@riverbank.example.org>",
        "References": "<RB-7Q4K-1@riverbank.example.org>",
        "Auto-Submitted": "auto-generated",
        "X-Aphub-Reference": "RB-7Q4K-2",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/mixed; boundary="=_RB-7Q4K-2_m"',
    }


def test_text_html_and_machine_copy_stand_in_the_agreed_order(
    outbound_of: Callable[..., Outbound], attested: EmailRoute
):
    outbound = outbound_of()
    parsed = read(EmailAdapter.compose(outbound, attested))
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/csv",
    ]
    (attachment,) = parsed.iter_attachments()
    assert attachment.get_filename() == "aphub-2026-03-03-AM-RB-7Q4K-2.csv"
    assert attachment.get_payload(decode=True) == aphub_csv(list(outbound.rows))
    assert PUPIL in bodies(parsed)[0]


def test_composing_twice_gives_the_same_bytes(outbound_of: Callable[..., Outbound], attested: EmailRoute):
    assert EmailAdapter.compose(outbound_of(), attested) == EmailAdapter.compose(outbound_of(), attested)


def test_without_a_connection_the_mailbox_that_people_read_sends(
    outbound_of: Callable[..., Outbound], attested: EmailRoute
):
    parsed = read(EmailAdapter.compose(outbound_of(), attested))
    assert parsed["From"] == "Riverbank AP <office@riverbank.example.org>"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Kind.NOTICE, "this way to you is changing"),
        (Kind.TASKS, "something waits for a person"),
        (Kind.FIGURES, "figures"),
    ],
)
def test_what_tells_of_no_pupil_carries_no_file_and_no_row(
    outbound_of: Callable[..., Outbound], message: Message, kind: Kind, says: str
):
    # The mailbox is not attested, so a file would need a password that there is none of.
    route = EmailRoute(address="office@riverbank.example.org")
    told = replace(
        message, kind=kind, reports=(), paper=sample_summary().paper if kind is Kind.FIGURES else None
    )
    parsed = read(EmailAdapter.compose(outbound_of(told, rows=(), file_password=""), route))
    assert says in parsed["Subject"]
    assert not list(parsed.iter_attachments())


def test_the_first_message_of_a_thread_answers_nothing(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message
):
    first = replace(message, reference="RB-7Q4K-1", number=1, previous_reference="")
    parsed = read(EmailAdapter.compose(outbound_of(first), attested))
    assert parsed["In-Reply-To"] is None
    assert parsed["References"] is None


def test_a_later_message_names_the_first_and_the_one_before(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message
):
    third = replace(message, reference="RB-7Q4K-3", number=3, previous_reference="RB-7Q4K-2")
    parsed = read(EmailAdapter.compose(outbound_of(third), attested))
    assert parsed["In-Reply-To"] == "<RB-7Q4K-1@riverbank.example.org>"
    assert parsed["References"].split() == [
        "<RB-7Q4K-1@riverbank.example.org>",
        "<RB-7Q4K-2@riverbank.example.org>",
    ]


def test_the_checkpoint_comes_back_whole_from_its_header(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message
):
    note = "riverbank.example.org/aphub\n1204\n" + "q" * 44 + "=\n\n\u2014 riverbank " + "z" * 92 + "=\n"
    parsed = read(EmailAdapter.compose(outbound_of(replace(message, checkpoint=note)), attested))
    assert b64decode(parsed["X-Aphub-Checkpoint"]).decode() == note


def test_nothing_tracks_and_nobody_is_copied(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, route: EmailRoute
):
    for one in (attested, route):
        parsed = read(EmailAdapter.compose(outbound_of(), one))
        assert not {"cc", "bcc", "list-unsubscribe", "disposition-notification-to", "return-receipt-to"} & {
            name.lower() for name in parsed
        }


def test_the_protected_form_names_no_pupil_outside_the_file(
    outbound_of: Callable[..., Outbound], route: EmailRoute
):
    (document,) = EmailAdapter.compose(outbound_of(), route)
    assert PUPIL.encode() not in document.content
    assert b"K999000000001" not in document.content
    assert b"sea-otter-31" not in document.content
    assert "ZP did not arrive" in bodies(read((document,)))[0]


def test_the_protected_file_opens_with_the_password_and_holds_every_cell_as_text(
    outbound_of: Callable[..., Outbound], route: EmailRoute
):
    rows = (dict.fromkeys(COLUMNS, "") | {"upn": "007", "place": "=1+1", "date": "2026-03-03"},)
    parsed = read(EmailAdapter.compose(outbound_of(rows=rows), route))
    (attachment,) = parsed.iter_attachments()
    assert attachment.get_filename() == "aphub-2026-03-03-AM-RB-7Q4K-2.xlsx"
    locked = msoffcrypto.OfficeFile(io.BytesIO(attachment.get_payload(decode=True)))
    locked.load_key(password="sea-otter-31", verify_password=True)
    opened = io.BytesIO()
    locked.decrypt(opened, verify_integrity=True)
    opened.seek(0)
    workbook = python_calamine.CalamineWorkbook.from_filelike(opened)
    sheet = workbook.get_sheet_by_name("attendance").to_python()
    assert sheet == [list(COLUMNS), [rows[0][column] for column in COLUMNS]]


def test_another_password_does_not_open_the_file(outbound_of: Callable[..., Outbound], route: EmailRoute):
    (attachment,) = read(EmailAdapter.compose(outbound_of(), route)).iter_attachments()
    locked = msoffcrypto.OfficeFile(io.BytesIO(attachment.get_payload(decode=True)))
    with pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
        locked.load_key(password="sea-otter-32", verify_password=True)


def test_a_missing_file_password_stops_the_message_in_plain_words(
    outbound_of: Callable[..., Outbound], route: EmailRoute
):
    with pytest.raises(AphubError, match=r"no file password for this school.*by phone"):
        EmailAdapter.compose(outbound_of(file_password=""), route)


def test_a_cell_that_could_be_a_formula_stops_the_machine_copy_and_is_not_repeated(
    outbound_of: Callable[..., Outbound], attested: EmailRoute
):
    rows = (dict.fromkeys(COLUMNS, "") | {"place": f"=cmd|{PUPIL}"},)
    with pytest.raises(AphubError, match="the column place") as caught:
        EmailAdapter.compose(outbound_of(rows=rows), attested)
    assert PUPIL not in str(caught.value)


@pytest.mark.parametrize("field", ["reference", "period_key", "provider_name", "period_words", "reply_to"])
@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\x00", "\u2028"])
def test_no_field_can_begin_a_header_of_its_own(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message, field: str, breaks: str
):
    hostile = replace(message, **{field: f"{getattr(message, field)}{breaks}Bcc: thief@example.org"})
    with pytest.raises(ValueError):
        EmailAdapter.compose(outbound_of(hostile), attested)


safe_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(safe_text, safe_text)
@example("a" * 5000, "<p>é</p>" * 900)
@example("--=_RB-7Q4K-2_a--\r\n\r\nFrom me", ".\r\n.\r\nMAIL FROM:<x@y>\r\n")
@example("lone\rreturn and lone\nfeed", "trailing  \n\tspace \n.\n")
def test_any_body_is_read_back_line_by_line_and_leaves_with_mail_line_ends(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, text: str, html: str
):
    outbound = outbound_of(text=text.encode() or b"-", html=html.encode() or b"-")
    (document,) = EmailAdapter.compose(outbound, attested)
    content = document.content
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    parsed = message_from_bytes(content, policy=default)
    assert isinstance(parsed, EmailMessage)
    for part, wanted in zip(("plain", "html"), (text or "-", html or "-"), strict=True):
        body = parsed.get_body([part])
        assert body is not None
        found = body.get_payload(decode=True)
        assert isinstance(found, bytes)
        assert found.replace(b"\r\n", b"\n") == wanted.replace("\r\n", "\n").replace("\r", "\n").encode()


def test_summer_time_is_written_as_the_instant_it_is(
    outbound_of: Callable[..., Outbound], attested: EmailRoute, message: Message
):
    july = replace(message, made_at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC))
    assert (
        read(EmailAdapter.compose(outbound_of(july), attested))["Date"] == "Wed, 01 Jul 2026 08:00:00 +0000"
    )


def test_a_message_costs_far_less_than_the_standard_library_takes(
    outbound_of: Callable[..., Outbound], attested: EmailRoute
):
    outbound = outbound_of(text=b"One line of a report.\n" * 90, html=b"<tr><td>One line</td></tr>\n" * 80)

    def by_the_library() -> bytes:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "office@riverbank.example.org", ADDRESS, "AP attendance"
        mail.set_content(outbound.rendering.render("mail-text", outbound.message, named=True).decode())
        html = outbound.rendering.render("mail-html", outbound.message, named=True).decode()
        mail.add_alternative(html, subtype="html")
        mail.add_attachment(aphub_csv(list(outbound.rows)), maintype="text", subtype="csv", filename="a.csv")
        return mail.as_bytes()

    ours = min(repeat(lambda: EmailAdapter.compose(outbound, attested), number=50, repeat=5))
    theirs = min(repeat(by_the_library, number=10, repeat=5)) * 5
    assert theirs / ours > 8
