"""What a layout has no place for: such a report is not sent this way, and never sent short."""

from dataclasses import replace
from datetime import UTC, datetime

from aphub.api import Kind, Message, Report, rows_of
from aphub_drop.cells import Line, lines_of
from aphub_drop.layout import CODES, ENCODINGS, Layout
from aphub_drop.writing import NotExpressibleError, cell, grid_cell

WORDS = frozenset({"outcome", "happened", "comment"})
ATTENDED = frozenset({"B", "K", "D", "P", "V", "W", "/", "\\", "L"})
"""Codes that read as "was there": beside an absence they tell the wrong story by themselves."""


def why_not(layout: Layout, report: Report, left_out: frozenset[str], *, for_people: bool) -> str:
    """Say why a layout cannot carry a report; empty when it can.

    `left_out` names facts that the organisation agreed to do without: minutes_late, actions.
    """
    message = _about(report)
    for line in lines_of(message, tuple(rows_of(message))):
        if why := _fact_without_place(layout, line, left_out) or _cell_that_fails(
            layout, line, for_people=for_people
        ):
            return f"their file ({layout.name}) cannot carry it: {why}"
    return ""


def _fact_without_place(layout: Layout, line: Line, left_out: frozenset[str]) -> str:
    session, code = line.session, line.cells["suggested_code"]
    fields = layout.fields
    outcome = session.fact.outcome.value
    in_words = bool(fields & WORDS)
    if not in_words and session.disagreement:
        return "what happened is not clear"
    if not in_words and not _code_tells(outcome, code):
        return "it has no place for what happened beside the code"
    if layout.rows == "week" and not grid_cell(line.cells):
        return "it has no place for a day or hour outside the school week"
    if line.cells["reason_text"] and not fields & {"reason_text", "happened", "comment", *CODES}:
        return "it has no place for the reason"
    late = session.fact.minutes is not None and outcome == "late"
    if (
        late
        and "minutes_late" not in left_out
        and not fields & {"minutes_late", "late_by", "happened", "comment"}
    ):
        return "it has no place for minutes late"
    if session.actions and "actions" not in left_out and not fields & {"actions", "comment"}:
        return "it has no place for what we have done"
    return ""


def _code_tells(outcome: str, code: str) -> bool:
    """Say whether a code alone tells what happened."""
    if not code:
        return False
    if outcome == "absent":
        return code not in ATTENDED
    return outcome in {"present", "late"} and code in ATTENDED


def _cell_that_fails(layout: Layout, line: Line, *, for_people: bool) -> str:
    try:
        for column in layout.columns:
            if layout.rows == "week" and column.field in CODES:
                if column.field != grid_cell(line.cells):
                    continue
                cells = {column.field: line.cells["suggested_code"]}
            else:
                cells = line.cells
            value = cell(column, cells, for_people=for_people)
            value.encode(ENCODINGS[layout.encoding])
    except NotExpressibleError as exc:
        return str(exc)
    except UnicodeEncodeError:
        return f"a letter cannot be written in {layout.encoding}"
    return ""


def _about(report: Report) -> Message:
    """Give a message about one report, for the columns that only name the message."""
    return replace(_SOME_MESSAGE, reports=(report,))


_SOME_MESSAGE = Message(
    kind=Kind.ROUTINE,
    reference="AB-ABCDEFGH-1",
    number=1,
    thread_ref="AB-ABCDEFGH",
    provider_name="Provider",
    provider_phone="",
    provider_hours="",
    provider_ref="provider",
    reply_to="",
    organisation_name="",
    organisation_urn="999999",
    period_words="",
    period_key="2026-03-03",
    made_at=datetime(2026, 3, 3, tzinfo=UTC),
    due_by=datetime(2026, 3, 3, tzinfo=UTC),
    reports=(),
)
