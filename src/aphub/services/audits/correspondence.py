"""The log of all correspondence: messages, telephone calls, letters and what else was done, in order of time."""

from datetime import datetime

from sqlalchemy import Connection

from aphub.domain.calls import CALL_WORDS, CallResult
from aphub.domain.papers import Cell, Paper, Table
from aphub.domain.steps import Act
from aphub.domain.wording import moment_words
from aphub.services.audits.wanted import Ground, Wanted, ground_of, paper_of
from aphub.services.desk import Desk
from aphub.services.record import message_cells
from aphub.store import carrying, trails

_Line = tuple[datetime, tuple[Cell, ...]]


def correspondence(desk: Desk, wanted: Wanted) -> Paper:
    """Describe everything that went to and fro in a stretch; of one pupil or one organisation where that is said.

    What was said in calls stays sealed: the log says that, when, by whom and with which result.
    """
    with desk.store.reading() as connection:
        ground = ground_of(desk, connection, wanted)
        lines = [*_messages(desk, connection, ground, wanted)]
        if not wanted.organisation:
            lines += _calls(desk, connection, ground, wanted)
            lines += _acts(desk, connection, ground)
    lines.sort(key=lambda line: line[0])
    columns = ("When", "What", "To or about", "By", "Reference", "Result")
    table = Table(
        "Correspondence", columns, tuple((moment_words(at), *cells) for at, cells in lines),
        "Calls and letters home are about pupils, so they are left out of one school's log." if wanted.organisation else "",
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
