"""Build what one organisation is told: reports from lines, a message from reports, documents from a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from aphub.api.adapters import ConnectionSettings, Document, Outbound
from aphub.domain.agreements import Agreement, FirstCaller
from aphub.domain.entries import SessionEntry
from aphub.domain.outcomes import NOT_STATED, Outcome
from aphub.domain.papers import Paper
from aphub.domain.placements import ArrangedBy, Nature, Power, Pupil, Purpose
from aphub.domain.reports import Kind, Message, Report, Row, rows_of, stretches_of
from aphub.domain.threads import JUMP, is_urgent_line
from aphub.services.desk import Desk
from aphub.services.provenance import without_names
from aphub.services.routes import Route
from aphub.services.soundness import filled


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message needs to be built: where it stands in its thread, what it tells, and until when it helps.

    `instead_of` is the number of the message whose place it takes by another channel: that one did not arrive, so
    readers are pointed to what came before it. `adds_to` is the reference of what came before, where that was a message
    of another thread. `papers` are a summary's: with names, and with initials.
    """

    thread_id: int
    thread_ref: str
    number: int
    kind: Kind
    period: str
    period_words: str
    due_by: datetime
    useful_until: datetime
    reports: tuple[Report, ...]
    made_at: datetime
    checkpoint: str = ""
    notes: tuple[str, ...] = ()
    test_code: str = ""
    instead_of: int | None = None
    adds_to: str = ""
    papers: tuple[Paper, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Composed:
    """A message frozen for one route: its documents, its rows, and the report that each row belongs to."""

    message: Message
    documents: tuple[Document, ...]
    rows: tuple[Row, ...]
    row_reports: tuple[str, ...]


def report_of(
    row: Any,
    pupil: Pupil,
    lines: Sequence[SessionEntry],
    *,
    ref: str,
    version: int,
    changes: Sequence[str],
    agreement: Agreement,
    place: str,
    supervised_by: str,
    urgent: Sequence[SessionEntry] = (),
    figures: tuple[tuple[str, str], ...] = (),
    restated: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (),
) -> Report:
    """Make a report of an owed row, its pupil and its lines, of which some are urgent; a summary's of its figures."""
    purpose, nature, arranged_by, power = _kinds(row.purpose, row.nature, row.arranged_by, row.power)
    return Report(
        ref=ref,
        version=version,
        placement_ref=row.placement_ref,
        purpose=purpose,
        sessions=tuple(lines),
        nature=nature,
        arranged_by=arranged_by,
        power=power,
        place=place,
        supervised_by=supervised_by,
        pupil_name=pupil.name,
        upn=pupil.upn,
        school_pupil_ref=pupil.school_pupil_ref,
        changes=tuple([without_names(change, pupil) for change in changes]) if changes else (),
        next_step=_next_step(urgent, agreement, restricted=bool(pupil.contact_restriction)) if urgent else "",
        phone_us=bool(row.risk_flag) and any(line.fact.outcome not in NOT_STATED for line in urgent),
        figures=figures,
        restated=restated,
    )


@lru_cache(256)
def _kinds(
    purpose: str, nature: str, arranged_by: str, power: str
) -> tuple[Purpose, Nature, ArrangedBy, Power]:
    """Read what is alike for most placements, once for all of them."""
    return Purpose(purpose), Nature(nature), ArrangedBy(arranged_by), Power(power)


def _next_step(urgent: Sequence[SessionEntry], agreement: Agreement, *, restricted: bool) -> str:
    """Say what we do next; of a home that must not be reached, nothing that we shall not do."""
    outcomes = {
        line.fact.outcome for line in urgent if not line.disagreement or line.fact.outcome in NOT_STATED
    }
    if Outcome.LEFT_SITE in outcomes:
        return (
            "look for the pupil and phone you"
            if restricted
            else "look for the pupil, phone home and phone you"
        )
    if Outcome.ABSENT in outcomes:
        if agreement.first_caller is FirstCaller.PROVIDER and restricted:
            return "ask our safeguarding lead what to do, and tell you"
        if agreement.first_caller is FirstCaller.PROVIDER:
            return "phone home, and tell you what we hear"
        return f"wait for your {'council' if agreement.first_caller is FirstCaller.COUNCIL else 'school'} to phone home, as agreed"
    if Outcome.NOT_READ in outcomes:
        return "ask what the mark means, and tell you"
    if Outcome.NOT_YET_TAKEN in outcomes:
        return "take the register, and tell you what it says"
    if any(line.disagreement and line.fact.outcome is not Outcome.CANCELLED for line in urgent):
        return "ask which of our marks holds, and tell you"
    return ""


def reference_of(desk: Desk, thread_ref: str, number: int) -> str:
    """Give the reference that people quote: the provider's letters, the thread and a running number."""
    return f"{desk.config.provider.prefix}-{thread_ref}-{number}"


def compose(desk: Desk, letter: Letter, route: Route, *, file_password: str = "") -> Composed:
    """Make the exact documents of a letter for one route; nothing is stored."""
    provider = desk.config.provider
    organisation_name, organisation_urn = _whom(desk, route)
    before = (letter.number if letter.instead_of is None else letter.instead_of) - 1
    # Numbers jump at a restore: what stood before the jump may be something that we lost.
    previous = letter.adds_to or (reference_of(desk, letter.thread_ref, before) if before % JUMP else "")
    message = Message(
        kind=letter.kind,
        reference=reference_of(desk, letter.thread_ref, letter.number),
        number=letter.number,
        thread_ref=f"{provider.prefix}-{letter.thread_ref}",
        provider_name=provider.name,
        provider_phone=provider.phone,
        provider_hours=provider.hours,
        provider_ref=provider.slug,
        reply_to=provider.reply_to,
        organisation_name=organisation_name,
        organisation_urn=organisation_urn,
        period_words=letter.period_words,
        period_key=letter.period,
        made_at=letter.made_at,
        due_by=letter.due_by,
        reports=letter.reports,
        previous_reference=previous,
        late=letter.made_at > letter.due_by,
        ask_to_confirm=any(
            line.fact.outcome in {Outcome.ABSENT, Outcome.LEFT_SITE} and is_urgent_line(line)
            for sessions in stretches_of(letter.reports)
            for line in sessions
        ),
        test_code=letter.test_code,
        notes=letter.notes,
        checkpoint=letter.checkpoint,
        paper=next(iter(letter.papers), None),
        paper_with_initials=next(iter(letter.papers[1:]), None),
    )
    rows = tuple(rows_of(message))
    if letter.kind is Kind.SUMMARY:
        row_reports = tuple(report.ref for report in letter.reports)
    else:
        row_reports = tuple(report.ref for report in letter.reports for _ in report.sessions)
    connection = _with_secrets(desk, route) if route.settings.wants_secrets() else route.connection_settings
    outbound = Outbound(message, rows, desk.plugins.rendering, file_password, connection)
    return Composed(message, route.adapter.compose(outbound, route.settings), rows, row_reports)


def _whom(desk: Desk, route: Route) -> tuple[str, str]:
    """Give the name and the URN of whoever is told: a school, a council, or our own office."""
    if route is desk.routes.office:
        return f"{desk.config.provider.name}, office", ""
    organisation = desk.config.organisations[route.organisation]
    return organisation.name, organisation.urn


def _with_secrets(desk: Desk, route: Route) -> ConnectionSettings:
    """Give a route's connection with its secrets in it, for as long as one message is made.

    What signs must be there when the bytes are frozen: signing at the edge would give other bytes at each attempt.
    """
    settings = desk.config.provider.connections[route.connection].settings()
    return route.adapter.connection_class(**filled(settings, desk.vault.secret))
