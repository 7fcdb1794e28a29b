"""The attendance record of a pupil, a school or a term, with all that was said and done: a paper to sign."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.calls import CALL_WORDS, CallResult
from aphub.domain.figures import Figures
from aphub.domain.how_far import how_far
from aphub.domain.papers import Cell, Facts, Heading, NewPage, Paper, Part, Signature, Table, Text
from aphub.domain.steps import Act
from aphub.domain.wording import day_words, moment_words
from aphub.services import figures
from aphub.services.desk import Desk
from aphub.services.evidence_about import About
from aphub.services.summaries.lessons import happened
from aphub.services.summaries.parts import NOT_SCHOOL, each_pupil, whole
from aphub.services.summaries.patterns import timeliness
from aphub.services.summaries.people import Placed, placed_of
from aphub.store import records, trails
from aphub.store.figures import Counted


def attendance_record(desk: Desk, connection: Connection, about: About, by: str) -> Paper:
    """Describe the record of what a bundle is about; who must not be shared is left out of a school's and a term's."""
    span, provider = about.span, desk.provider_id
    people = placed_of(
        desk,
        records.placements_between(
            connection,
            provider,
            span.first_day,
            span.until_day,
            organisation=about.organisation,
            pupil_id=about.pupil_id,
        ),
    )
    names = {one.pupil_id: one.name for one in people}
    counting = figures.counting_of(
        desk, connection, span.first_day, span.until_day, organisation=about.organisation,
        placement_ids=tuple(one.placement_id for one in people) if about.pupil_id else None,
    )  # fmt: skip
    counted = figures.counted(desk, connection, counting).get((), Counted((), Figures(), 0))
    done = trails.done_between(connection, provider, names, span.first_day, span.until_day)
    subjects = [*(row.ref for row in done), *(row.reference for row in about.dispatches)]
    drawn = timeliness(desk, connection, counting)
    versions = records.versions_between(
        connection, provider, [one.placement_id for one in people], span.first_day, span.until_day
    )
    parts: list[Part] = [
        Facts(
            (
                ("About", names.get(about.pupil_id, about.title) if about.pupil_id else about.title),
                ("Days", f"{day_words(span.first_day)} to {day_words(span.until_day - ONE_DAY)}"),
            )
        ),
        Text(NOT_SCHOOL),
        *whole(counted.figures, None if about.pupil_id else counted.pupils),
    ]
    if not about.pupil_id:
        parts.append(each_pupil(people, figures.counted(desk, connection, counting, ("placement",))))
    parts += [
        Heading("Attendance record, with every version"),
        _versions(versions, {one.placement_id: one for one in people}, desk.now),
        Heading("What was reported, and when"),
        _messages(desk, about.dispatches),
        _missed(desk, about.owed_rows),
        *([drawn] if drawn is not None else []),
        _receipts(trails.receipts_of(connection, provider, [row.dispatch_id for row in about.dispatches])),
        Heading("What was done"),
        steps_table(done, names),
        calls_table(trails.calls_about(connection, provider, subjects)),
        NewPage(),
        Text("I have checked this record.", strong=True),
        Signature(),
    ]
    [reference] = desk.references(1)
    return Paper(
        title="Attendance record",
        file_name="attendance-record",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference=f"{desk.config.provider.prefix}-{reference}",
        parts=tuple(parts),
        wide=True,
        made_by=by,
    )


def _versions(rows: Sequence[Row[Any]], people: Mapping[int, Placed], now: datetime) -> Table:
    found: list[tuple[Cell, ...]] = []
    for row in rows:
        if row.starts_at > now and not row.version and row.state != "withdrawn":
            continue  # nothing has been said of it, and nobody is late
        said = f"not due: {row.withdrawn_because}" if row.state == "withdrawn" else happened(row)
        why = row.because or ("" if row.version in {None, 1} else "a newer mark from the register")
        found.append(
            (
                people[row.placement_id].name, day_words(row.day), f"{row.starts_wall} to {row.ends_wall}",
                row.version or 0, said, moment_words(row.made_at) if row.made_at else "", row.made_by or "", why,
            )
        )  # fmt: skip
    return Table(
        "Each lesson",
        ("Pupil", "Day", "Lesson", "Version", "What happened", "Written down", "By", "Why"),
        tuple(found),
        "The highest version holds. Earlier ones are what we said before; none is ever deleted.",
        nothing="No lesson was due.",
        widths=(4, 4, 3, 2, 5, 4, 4, 4),
    )


def _messages(desk: Desk, rows: Sequence[Row[Any]]) -> Table:
    found = tuple(message_cells(desk, row) for row in rows)
    return Table("Messages", MESSAGE_COLUMNS, found, nothing="Nothing was sent.", widths=MESSAGE_WIDTHS)


MESSAGE_COLUMNS = ("Reference", "To", "Kind", "Made", "Due", "Sent", "How far it is known to have come")
MESSAGE_WIDTHS = (3, 3, 2, 3, 3, 3, 4)


def message_cells(desk: Desk, row: Row[Any]) -> tuple[Cell, ...]:
    """Give a message as a line: to whom, what kind, when made, due and sent, and how far it came."""
    organisation = desk.config.organisations.get(row.organisation)
    sent = "not sent"
    if row.handed_over_at:
        late = ", late" if row.handed_over_at > row.due_by else ""
        sent = f"{moment_words(row.handed_over_at)}{late}"
    return (
        row.reference,
        f"{organisation.name if organisation else row.organisation} ({row.channel})",
        row.kind.replace("_", " "),
        moment_words(row.prepared_at),
        moment_words(row.due_by),
        sent,
        how_far(row.rung, row.adapter, row.because),
    )


def _missed(desk: Desk, rows: Sequence[Row[Any]]) -> Table:
    found: list[tuple[Cell, ...]] = []
    for row in rows:
        if row.missed_told_at is None:
            continue
        organisation = desk.config.organisations.get(row.organisation)
        sent = moment_words(row.handed_over_at) if row.handed_over_at else "not sent"
        name = organisation.name if organisation else row.organisation
        found.append((row.ref, name, moment_words(row.due_by), sent, row.because or ""))
    columns = ("Reference", "To", "Owed by", "Sent", "Why")
    return Table("Owed and not sent in time", columns, tuple(found), nothing="Everything was sent in time.")


def _receipts(rows: Sequence[Row[Any]]) -> Table:
    found = tuple(
        (
            row.reference,
            moment_words(row.at),
            how_far(row.rung, row.adapter, row.hops),
            row.hops,
            row.far_reference,
        )
        for row in rows
    )
    columns = ("Message", "When", "What they said", "Proved part of the way", "Their reference")
    return Table("Receipts", columns, found, nothing="There is no receipt.", widths=(3, 3, 3, 4, 3))


def steps_table(rows: Sequence[Row[Any]], names: Mapping[int, str]) -> Table:
    """Give what was to be done about pupils, by when, and what came of it."""
    found = tuple(
        (
            names.get(row.pupil_id, ""), day_words(row.day), f"{Act(row.act).words}: {row.words}", row.owner,
            moment_words(row.due_at), moment_words(row.ended_at) if row.ended_at else row.state, row.ended_by or "", row.result or "",
        )
        for row in rows
    )  # fmt: skip
    columns = ("Pupil", "Day", "What", "Who", "By when", "Done", "By", "Result")
    return Table(
        "Follow-up",
        columns,
        found,
        nothing="There was nothing to follow up.",
        widths=(3, 3, 5, 3, 3, 3, 3, 3),
    )


def calls_table(rows: Sequence[Row[Any]]) -> Table:
    """Give the telephone calls: what for, when, by whom, and what came of each; what was said stays sealed."""
    found = tuple(
        (
            row.ref,
            row.subject,
            moment_words(row.at),
            Act(row.act).words,
            CALL_WORDS[CallResult(row.result)],
            row.made_by,
        )
        for row in rows
    )
    columns = ("Call", "About", "When", "What for", "Result", "By")
    return Table("Contact log", columns, found, nothing="Nobody was telephoned.")
