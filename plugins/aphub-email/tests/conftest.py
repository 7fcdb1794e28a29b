"""An invented provider, its mail server on loopback, and messages about pupils who do not exist."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from aphub.api import COLUMNS, Delivery, Document, Kind, Message, Outbound, Rendering, Row
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.smtp import SmtpSink
from aphub.testing import sample_tools
from aphub_email import Attestation, EmailAdapter, EmailConnection, EmailRoute

# How long one example takes says more about the machine than about the code.
settings.register_profile("aphub-email", deadline=None)
settings.load_profile("aphub-email")

NOW = datetime(2026, 3, 3, 9, 21, tzinfo=UTC)
PASSWORD = "quiet-otter-lamp-31"
PUPIL = "Zebedee Plantagenet-Invented"
ADDRESS = "attendance@hill-school.example.org"
SENDER = "reports@riverbank.example.org"
MAIL = (
    b"From: reports@riverbank.example.org\r\nTo: attendance@hill-school.example.org\r\nSubject: one\r\n\r\n"
    b"About " + PUPIL.encode() + b"\r\n.hidden\r\n..\r\n.\r\nlast line\r\n"
)


class FixedText:
    """A renderer that says one thing, and whether pupils may be named."""

    media_type = "text/plain"

    def __init__(self, name: str, named: bytes, initials: bytes | None = None) -> None:
        self.name = name
        self._texts = {True: named, False: named if initials is None else initials}

    def render(self, message: Message, *, named: bool) -> bytes:
        return self._texts[named]


def rendering(text: bytes = b"", html: bytes = b"") -> Rendering:
    text = text or f"1 pupil needs action.\n{PUPIL} did not arrive.\n".encode()
    html = html or f"<p>1 pupil needs action.</p>\n<p>{PUPIL} did not arrive.</p>\n".encode()
    initials = PUPIL.encode(), b"ZP"
    texts = {"mail-text": text, "mail-html": html}
    return Rendering(
        {name: FixedText(name, content, content.replace(*initials)) for name, content in texts.items()}
    )


MESSAGE = Message(
    kind=Kind.ROUTINE,
    reference="RB-7Q4K-2",
    number=2,
    thread_ref="7Q4K",
    provider_name="Riverbank AP",
    provider_phone="01632 960000",
    provider_hours="8:30am to 3:30pm",
    provider_ref="RB",
    reply_to="office@riverbank.example.org",
    organisation_name="Hill School",
    organisation_urn="123456",
    period_words="Tuesday 3 March 2026 morning",
    period_key="2026-03-03-AM",
    made_at=NOW,
    due_by=datetime(2026, 3, 3, 9, 30, tzinfo=UTC),
    reports=(),
    previous_reference="RB-7Q4K-1",
)


def row(**cells: str) -> Row:
    return dict.fromkeys(COLUMNS, "") | {"upn": "K999000000001", "suggested_code": "N"} | cells


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sink(authority: DemoAuthority, tmp_path: Path) -> Iterator[SmtpSink]:
    with SmtpSink(authority, tmp_path / "mail", credentials={SENDER: PASSWORD}, durable=False) as sink:
        yield sink


@pytest.fixture
def connection(sink: SmtpSink, authority: DemoAuthority) -> EmailConnection:
    return EmailConnection(
        host="localhost",
        port=sink.address[1],
        ca_file=authority.ca_path,
        username=SENDER,
        password=PASSWORD,
        from_address=SENDER,
        timeout=5,
    )


@pytest.fixture(scope="session")
def route() -> EmailRoute:
    return EmailRoute(address=ADDRESS)


@pytest.fixture(scope="session")
def attested() -> EmailRoute:
    return EmailRoute(
        address=ADDRESS,
        protection="attested",
        attestation=Attestation(kind="mta-sts", what="MTA-STS policy in enforce mode", on=date(2026, 3, 1)),
    )


@pytest.fixture
def adapters() -> Iterator[Callable[[EmailConnection], EmailAdapter]]:
    made: list[EmailAdapter] = []

    def make(connection: EmailConnection) -> EmailAdapter:
        made.append(EmailAdapter(connection, sample_tools(NOW)))
        return made[-1]

    yield make
    for adapter in made:
        adapter.close()


@pytest.fixture
def adapter(connection: EmailConnection, adapters: Callable[[EmailConnection], EmailAdapter]) -> EmailAdapter:
    return adapters(connection)


@pytest.fixture(scope="session")
def message() -> Message:
    return MESSAGE


@pytest.fixture(scope="session")
def outbound_of() -> Callable[..., Outbound]:
    """Give what makes a message ready to be composed; `text` and `html` are what the renderers say."""

    def make(
        message: Message = MESSAGE, *, text: bytes = b"", html: bytes = b"", **changes: object
    ) -> Outbound:
        rows = (row(), row(suggested_code="B"))
        made = Outbound(message, rows, rendering(text, html), file_password="sea-otter-31")
        return replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def delivery_of() -> Callable[..., Delivery]:
    """Give what makes a delivery of ready bytes."""

    def make(content: bytes = MAIL, *, key: str = "d1", address: str = ADDRESS) -> Delivery:
        return Delivery(
            key=key,
            thread_ref="7Q4K",
            deadline=MESSAGE.due_by,
            route=EmailRoute(address=address),
            documents=(Document("aphub.eml", "message/rfc822", content),),
            rows=(row(), row()),
            reports=("r1", "r2"),
            row_reports=("r1", "r2"),
        )

    return make
