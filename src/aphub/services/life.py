"""One message's whole life: what it was, where it went, each attempt, each receipt, what the ledger says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.adapters import Document
from aphub.api.answers import LaterKind
from aphub.domain.errors import AphubError
from aphub.domain.placements import Pupil
from aphub.domain.wording import moment_words, period_words
from aphub.logs import get_logger
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.overview import LogLine, line_of
from aphub.store import carrying, delivering, lives
from aphub.store import ledger as kept
from aphub.store.frozen import unpack

log = get_logger("life")


_WITHOUT_REPORT = {
    "test.sent": "it was a TEST message",
    "old_address.told": "it told an old address that the way changes",
    "office.told": "it told our own office what waits, or figures",
}
"""The messages that nobody is owed: they leave at once, and only the ledger keeps them."""


class UnknownReferenceError(AphubError):
    """We know nothing of that reference."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One report in a message; the pupil's name only where somebody asked for it with a reason."""

    ref: str
    placement: str
    period: str
    version: int
    newest: bool
    answer: str
    pupil: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, what, and the far side's short code or the proved part of the way."""

    at: datetime
    what: str
    words: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One frozen document, without its content."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that the far side said later, in its own words."""

    at: datetime
    kind: str
    words: str = field(repr=False)
    code: str


_LATER = frozenset(kind.value for kind in LaterKind)
REFUSED = "refused"
"""The rung of a receipt that holds why a far side took nothing."""
_LADDER = frozenset({LaterKind.ACCEPTED.value})


@dataclass(frozen=True, slots=True)
class Life:
    """Everything known of one message."""

    line: LogLine
    name: str
    adapter: str
    rung: str
    far_reference: str
    snapshot: int
    digest: str
    next_try: datetime | None
    useful_until: datetime
    replaces: str
    replaced_by: tuple[str, ...]
    reports: tuple[ReportLine, ...]
    attempts: tuple[Step, ...]
    receipts: tuple[Step, ...]
    statements: tuple[tuple[int, str, datetime], ...]
    documents: tuple[DocumentLine, ...]
    answers: tuple[Heard, ...] = ()


def show(desk: Desk, reference: str, *, names_because: str = "", by: str = "") -> Life:
    """Give a message's whole life; pupils' names only with a reason, and who asked is noted in the log.

    Raises:
        UnknownReferenceError: There is no such message.
        AphubError: Names were asked for without saying who asks.
    """
    if names_because and not by.strip():
        raise AphubError(
            "Pupils' names are shown only to somebody.", "Nothing was shown.", 'Add: --by "Your name"'
        )
    with desk.store.reading() as connection:
        row = message(desk, connection, reference)
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
        attempts = lives.attempts_of(connection, desk.provider_id, row.dispatch_id)
        receipts = lives.receipts_of(connection, desk.provider_id, row.dispatch_id)
        others = lives.replacements_of(connection, desk.provider_id, row.dispatch_id)
        before = lives.reference_of(connection, desk.provider_id, row.replaces_id) if row.replaces_id else ""
        statements = kept.statements_about(connection, desk.provider_id, [row.reference])
    if names_because.strip():
        note(desk, What.NAMES, row.reference, by, (one.pupil_id for one in carried), names_because)
    names = _names(desk, carried) if names_because.strip() else {}
    if names:
        log.info("life.names_shown", reference=row.reference, pupils=len(names))
    organisation = desk.config.organisations.get(row.organisation)
    return Life(
        line=line_of(row),
        name=organisation.name if organisation else row.organisation,
        adapter=row.adapter,
        rung=row.rung,
        far_reference=row.far_reference or "",
        snapshot=row.snapshot,
        digest=row.digest,
        next_try=row.next_at if row.state == "waiting" else None,
        useful_until=row.useful_until,
        replaces=before,
        replaced_by=tuple(one.reference for one in others),
        reports=tuple(_report(one, names) for one in carried),
        attempts=tuple(
            Step(one.ended_at or one.started_at, one.outcome or "under way", one.words or "", one.code or "")
            for one in attempts
        ),
        receipts=tuple(
            Step(one.at, one.rung, one.hops, "" if one.rung in _LATER - _LADDER else one.far_reference)
            for one in receipts
        ),
        statements=tuple((one.number, one.kind, one.at) for one in statements),
        documents=tuple(
            DocumentLine(one.name, one.media_type, len(one.content)) for one in _documents(desk, row)
        ),
        answers=_answers(desk, receipts) if names_because.strip() else (),
    )


def _answers(desk: Desk, receipts: Sequence[Row[Any]]) -> tuple[Heard, ...]:
    """Give what the far side said later in its own words; what was erased is left out."""
    later = [one for one in receipts if one.rung in _LATER or one.rung == REFUSED]
    places = [
        (one.key_id, place_of("receipts", desk.provider_id, one.receipt_id), one.sealed) for one in later
    ]
    opened = desk.vault.try_open_json_many(places)
    return tuple(
        Heard(one.at, one.rung, _their_words(said), said.get("code", ""))
        for one, said in zip(later, opened, strict=True)
        if said and (one.rung == REFUSED or isinstance(said.get("words", ""), str))
    )


def _their_words(said: dict[str, Any]) -> str:
    """Give the words of an answer; those about single reports, where each has its own, one after another."""
    words = said.get("words") or said.get("said") or said.get("answer", "")
    return words if isinstance(words, str) else " ".join(dict.fromkeys(words.values()))


def stored(desk: Desk, reference: str) -> tuple[Document, ...]:
    """Give a message's documents, byte for byte as they were or will be sent.

    Raises:
        UnknownReferenceError: There is no such message.
    """
    with desk.store.reading() as connection:
        row = message(desk, connection, reference)
    return _documents(desk, row)


def read_documents(desk: Desk, reference: str, by: str) -> tuple[Document, ...]:
    """Give a message's documents to a named person, and keep that they saw them.

    Raises:
        UnknownReferenceError: There is no such message.
    """
    with desk.store.reading() as connection:
        row = message(desk, connection, reference)
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
    note(desk, What.DOCUMENTS, row.reference, by, (one.pupil_id for one in carried))
    return _documents(desk, row)


def message(desk: Desk, connection: Connection, reference: str) -> Row[Any]:
    """Give a message's row; raises UnknownReferenceError, in other words for one that carried no report."""
    wanted = reference.strip().upper()
    row = delivering.by_reference(connection, desk.provider_id, wanted)
    if row is not None:
        return row
    for one in kept.statements_about(connection, desk.provider_id, [wanted]):
        if one.kind in _WITHOUT_REPORT:
            raise UnknownReferenceError(
                f"{wanted} carried no report: {_WITHOUT_REPORT[one.kind]}, {moment_words(one.at)} "
                f"(record {one.number} of the ledger).",
                "Nothing was changed.",
                "What was owed to schools: aphub log",
            )
    raise UnknownReferenceError(
        f"We know no message {reference}.", "Nothing was changed.", "Check the reference: aphub log"
    )


def _documents(desk: Desk, row: Row[Any]) -> tuple[Document, ...]:
    [packed] = desk.vault.try_open_many(
        [(row.key_id, place_of("dispatches", desk.provider_id, row.dispatch_id), row.sealed)]
    )
    return unpack(packed)[0] if packed else ()


def _names(desk: Desk, carried: Sequence[Row[Any]]) -> dict[int, str]:
    opened = desk.vault.try_open_json_many(
        [
            (row.pupil_key_id, place_of("pupils", desk.provider_id, row.pupil_id), row.pupil_sealed)
            for row in carried
        ]
    )
    return {
        row.pupil_id: Pupil(ref=str(row.pupil_id), **data).name if data else "(erased)"
        for row, data in zip(carried, opened, strict=True)
    }


def _report(row: Row[Any], names: dict[int, str]) -> ReportLine:
    return ReportLine(
        ref=row.ref,
        placement=row.placement_ref,
        period=period_words(row.first_day, row.until_day, row.half),
        version=row.version,
        newest=row.version == row.newest_version,
        answer=(row.answer or "").replace("_", " "),
        pupil=names.get(row.pupil_id, ""),
    )
