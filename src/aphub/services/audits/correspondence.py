"""The log of all correspondence: messages, calls, letters, what we were told and what was done, in order of time."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calls import CALL_WORDS, CallResult
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.papers import Cell, Paper, Table
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS
from aphub.domain.steps import Act
from aphub.domain.wording import day_words, moment_words
from aphub.services.audits.wanted import Ground, Wanted, ground_of, paper_of
from aphub.services.desk import Desk
from aphub.services.record import message_cells
from aphub.store import carrying, known, trails

_Line = tuple[datetime, tuple[Cell, ...]]


def correspondence(desk: Desk, wanted: Wanted) -> Paper:
    """Describe everything that went to and fro in a stretch; of one pupil or one organisation where that is said.

    What was said in calls stays sealed: the log says that, when, by whom and with which result.
    """
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        lines = [*_messages(desk, connection, ground, wanted)]
        lines += _told(desk, connection, ground, wanted)
        if not wanted.organisation:
            lines += _calls(desk, connection, ground, wanted)
            lines += _acts(desk, connection, ground)
    lines.sort(key=lambda line: line[0])
    columns = ("When", "What", "To or about", "By", "Reference", "Result")
    table = Table(
        "Correspondence", columns, tuple((moment_words(at), *cells) for at, cells in lines),
        "Calls and letters home, and what others told us, are left out of one school's log." if wanted.organisation else "",
        nothing="There was none.", widths=(4, 3, 4, 3, 4, 5),
    )  # fmt: skip
    return paper_of(desk, wanted, ground, "Correspondence log", "correspondence-log", [table])


def _messages(desk: Desk, connection: Connection, ground: Ground, wanted: Wanted) -> list[_Line]:
    rows = trails.messages_between(
        connection, desk.provider_id, ground.after, ground.before, wanted.organisation
    )
    if wanted.pupil:
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id for row in rows])
        rows = [
            row
            for row in rows
            if any(one.pupil_id in ground.names for one in carried.get(row.dispatch_id, ()))
        ]
    found: list[_Line] = []
    for row in rows:
        reference, to, kind, _, _, sent, rung = message_cells(desk, row)
        found.append((row.prepared_at, (f"message, {kind}", to, "the hub", reference, f"{sent}; {rung}")))
    return found


def _told(desk: Desk, connection: Connection, ground: Ground, wanted: Wanted) -> list[_Line]:
    """Give what we were told: absences by whom, and what schools decided; of one organisation, its own decisions."""
    names = ground.names
    absences, decided = known.told_between(connection, desk.provider_id, ground.after, ground.before)
    found: list[_Line] = [
        (
            row.recorded_at,
            (
                f"decision of {_name(desk, row.organisation)}", names[row.pupil_id], row.recorded_by, row.ref,
                f"{REASON_WORDS[ReasonKind(row.reason)]}, {_days(row)}{'; taken back' if row.withdrawn_at else ''}",
            ),
        )
        for row in decided
        if row.pupil_id in names and wanted.organisation in {"", row.organisation}
    ]  # fmt: skip
    if wanted.organisation:
        return found
    return found + [
        (
            row.recorded_at,
            (
                f"absence told by {row.told_by}", names[row.pupil_id], row.recorded_by, row.ref,
                f"{REASON_WORDS[ReasonKind(row.reason)] or OUTCOME_WORDS[Outcome(row.outcome)]}, {_days(row)}",
            ),
        )
        for row in absences
        if row.pupil_id in names
    ]  # fmt: skip


def _name(desk: Desk, slug: str) -> str:
    found = desk.config.organisations.get(slug)
    return found.name if found else slug


def _days(row: Row[Any]) -> str:
    first, last = day_words(row.starts_day), day_words(row.ends_day)
    return first if first == last else f"{first} to {last}"


def _calls(desk: Desk, connection: Connection, ground: Ground, wanted: Wanted) -> list[_Line]:
    names = ground.names
    return [
        (
            row.at,
            (
                f"call: {Act(row.act).words}", names.get(row.pupil_id, "a school or council"), row.made_by, row.subject,
                CALL_WORDS[CallResult(row.result)],
            ),
        )
        for row in trails.calls_between(connection, desk.provider_id, ground.after, ground.before)
        if row.pupil_id in names or (row.pupil_id is None and not wanted.pupil)
    ]  # fmt: skip


def _acts(desk: Desk, connection: Connection, ground: Ground) -> list[_Line]:
    names = ground.names
    return [
        (
            row.ended_at,
            (
                f"letter: {row.letter}" if row.letter else Act(row.act).words, names[row.pupil_id], row.ended_by or "the hub",
                row.case_ref, row.result or row.state,
            ),
        )
        for row in trails.ended_between(connection, desk.provider_id, ground.after, ground.before)
        if row.pupil_id in names
    ]  # fmt: skip
