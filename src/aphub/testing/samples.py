"""Ready-made messages and deliveries about invented pupils, as an adapter is given them."""

import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import httpx

from aphub.api.adapters import (
    AnyAdapter,
    ConnectionSettings,
    Delivery,
    Document,
    Outbound,
    RouteSettings,
)
from aphub.api.http_client import http_client
from aphub.api.lent import Tools
from aphub.api.reach import Reach
from aphub.api.renderers import Rendering
from aphub.domain.entries import Action, Fact, Half, SessionEntry, Suggestion
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.papers import Paper, Text
from aphub.domain.placements import ArrangedBy, Nature, Purpose
from aphub.domain.reports import Kind, Message, Report, rows_of
from aphub.testing.people import InventedPupil, invented_pupil
from aphub.testing.planted import PLANTED_PUPIL
from aphub.testing.rendering import plain_rendering

SAMPLE_DAY = date(2026, 3, 3)
SAMPLE_NOW = datetime(2026, 3, 3, 9, 43, tzinfo=UTC)
SAMPLE_SIGNED_CODES = frozenset({"B", "K", "N"})
"""What the sample school signed for: attended elsewhere, and reason not yet known."""

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""Where stand-ins listen: a private network like any other, so it must be listed."""

SAMPLE_FILE_PASSWORD = "birch-otter-lamp-42"  # noqa: S105 - invented
"""What protects the files of a sample delivery, where its route asks for protection."""

_FACTS = (
    (Fact(Outcome.PRESENT), Suggestion("B", "in person, arranged by your school")),
    (
        Fact(Outcome.ABSENT, ReasonKind.UNKNOWN),
        Suggestion("N", "absent, reason not yet known"),
    ),
    (Fact(Outcome.LATE, minutes=12), Suggestion("B", "arrived late, arranged by your school")),
)
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sample_reference(seed: str) -> str:
    """Give eight letters and digits that look like a public reference, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_BASE32[byte & 31] for byte in digest[:8])


def sample_report(pupil: InventedPupil, number: int = 0, *, day: date = SAMPLE_DAY) -> Report:
    """Give a report of one morning; `number` chooses what happened."""
    fact, suggestion = _FACTS[number % len(_FACTS)]
    ref = sample_reference(pupil.upn)
    called = datetime.combine(day, time(9, 35), UTC)
    session = SessionEntry(
        day=day,
        half=Half.AM,
        fact=fact,
        suggestion=suggestion,
        starts=time(9, 30),
        ends=time(12, 0),
        mode=Mode.IN_PERSON,
        actions=(Action(called, "phoned home", "no answer"),) if fact.outcome is Outcome.ABSENT else (),
    )
    return Report(
        ref=sample_reference(f"report {pupil.upn} {day}"),
        version=1,
        placement_ref=ref,
        purpose=Purpose.HOME_SCHOOL,
        sessions=(session,),
        nature=Nature.AP,
        arranged_by=ArrangedBy.SCHOOL,
        place="Riverside",
        supervised_by="Centre tutor",
        pupil_name=pupil.name,
        upn=pupil.upn,
        school_pupil_ref=pupil.school_pupil_ref,
    )


def sample_message(
    reports: Sequence[Report] | None = None,
    *,
    kind: Kind = Kind.ROUTINE,
    number: int = 1,
    thread: str = "sample",
    **changes: Any,
) -> Message:
    """Give a message to an invented school; by default about the planted pupil and two others.

    `changes` replace any other field of `Message`.
    """
    if reports is None:
        pupils = (PLANTED_PUPIL, invented_pupil(1), invented_pupil(2))
        reports = [sample_report(pupil, at) for at, pupil in enumerate(pupils)]
    thread_ref = sample_reference(f"thread {thread}")
    fields: dict[str, Any] = {
        "provider_name": "Riverside Provision",
        "provider_phone": "01632 960101",
        "provider_hours": "8:30am to 4pm",
        "provider_ref": "riverside",
        "reply_to": "office@riverside.example.org",
        "organisation_name": "Hill School",
        "organisation_urn": "999001",
        "period_words": "Tuesday 3 March, morning",
        "period_key": "2026-03-03-AM",
        "made_at": SAMPLE_NOW,
        "due_by": SAMPLE_NOW + timedelta(minutes=2),
        "test_code": "482913" if kind is Kind.TEST else "",
    }
    return Message(
        kind=kind,
        reference=f"RB-{thread_ref}-{number}",
        number=number,
        thread_ref=thread_ref,
        reports=tuple(reports),
        **(fields | changes),
    )


def sample_summary(**changes: Any) -> Message:
    """Give a week's summary about the planted pupil; its paper holds the name, or the initials."""
    report = sample_report(PLANTED_PUPIL, 0)
    told = report._replace(sessions=(), figures=(("Lessons attended", "3 of 4"),))
    papers = {
        name: Paper(
            "Attendance", "attendance-2026-W10", "Riverside Provision", SAMPLE_NOW, parts=(Text(who),)
        )
        for name, who in (("paper", report.pupil_name), ("paper_with_initials", report.initials))
    }
    return sample_message([told], kind=Kind.SUMMARY, **({"period_key": "2026-W10"} | papers | changes))


def sample_tools(now: datetime = SAMPLE_NOW, *, seconds: float = 5.0) -> Tools:
    """Give the tools that a hub lends, with a short time-out and a fixed time; they reach this machine's stand-ins."""
    reach = Reach.to(*LOOPBACK)

    def client(**options: Any) -> httpx.Client:
        if "verify" not in options:
            options["verify"] = _usual_authorities()
        return http_client(reach, **({"timeout": seconds} | options))

    return Tools(http=client, now=lambda: now, reach=reach)


@cache
def _usual_authorities() -> ssl.SSLContext:
    """Read the certificates of the usual authorities once: each reading costs some 30 ms."""
    return ssl.create_default_context()


def sample_outbound(
    message: Message | None = None,
    *,
    connection: ConnectionSettings | None = None,
    rendering: Rendering | None = None,
    file_password: str = "",
) -> Outbound:
    """Give what an adapter composes documents from."""
    message = message or sample_message()
    return Outbound(
        message=message,
        rows=tuple(rows_of(message)),
        rendering=rendering or plain_rendering(),
        file_password=file_password,
        connection=connection,
    )


def sample_delivery(
    adapter_class: type[AnyAdapter],
    route: RouteSettings,
    *,
    message: Message | None = None,
    connection: ConnectionSettings | None = None,
    rendering: Rendering | None = None,
    documents: Sequence[Document] | None = None,
    key: str = "",
    may_write: frozenset[str] = SAMPLE_SIGNED_CODES,
    attempt: int = 1,
) -> Delivery:
    """Give a delivery whose documents the adapter composed itself (unless `documents` are given)."""
    message = message or sample_message()
    outbound = sample_outbound(
        message, connection=connection, rendering=rendering, file_password=SAMPLE_FILE_PASSWORD
    )
    if documents is None:
        documents = adapter_class.compose(outbound, route)
    return Delivery(
        key=key or f"d-{sample_reference(message.reference).lower()}",
        thread_ref=message.thread_ref,
        deadline=message.due_by,
        route=route,
        documents=tuple(documents),
        rows=outbound.rows,
        reports=tuple(report.ref for report in message.reports),
        row_reports=tuple(report.ref for report in message.reports for _ in report.sessions),
        may_write=may_write,
        attempt=attempt,
        test=message.is_test,
    )
