"""What people look at; reading only. Every list is one query, so that ten thousand placements are no slower to read."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row

from aphub.domain.calendar import LONDON, to_utc
from aphub.domain.wording import day_words, time_words
from aphub.services.case_views import CaseLine, cases_on
from aphub.services.desk import Desk
from aphub.services.endings import TASK as ENDING
from aphub.services.endings import ends_soon
from aphub.services.evidence_pages import RUNG_WORDS
from aphub.services.intake_report import column_words
from aphub.services.intake_rows import question_words
from aphub.services.summaries_due import SummaryLine, summaries_on
from aphub.services.way import FOUND
from aphub.store import leaving, looking, standings
from aphub.store.looking import LogFilter

__all__ = [
    "CHANNEL_WORDS",
    "ChannelLine",
    "LogFilter",
    "LogLine",
    "Open",
    "Today",
    "channels",
    "log",
    "today",
    "waiting",
]

MOST_OPEN = 500
STATE_WORDS = {
    "waiting": "to be sent",
    "started": "sending",
    "handed_over": "sent",
    "accepted": "sent",
    "confirmed": "confirmed",
    "refused": "rejected",
    "bounced": "came back",
    "uncertain": "may have arrived",
    "expired": "too late to help",
    "cancelled": "replaced",
    "replaced": "by another way",
    "held": "waiting for you",
}
CHANNEL_WORDS = {
    "draft": "not checked yet",
    "checked": "checked, not tested",
    "tested": "tested, not approved",
    "live": "live",
    "changed": "changed, not approved",
    "paused": "paused",
    "held": "held",
}
_NEXT_STEP = {
    "draft": "aphub check {way}",
    "changed": "aphub check {way}",
    "checked": "aphub test-report {way}",
    "tested": "aphub approve {way}",
    "unread": "aphub read-back {way} CODE",
    "paused": "aphub resume {way}",
}


_NOT_EMPTIED = "This provider has left, and is not served. Not all of it is destroyed yet: finish that."


@dataclass(frozen=True, slots=True)
class Today:
    """How a day stands for one organisation; counts are of reports, and `summaries` are those due on it or overdue."""

    organisation: str
    name: str
    owed: int = 0
    sent: int = 0
    late: int = 0
    missing: int = 0
    held: int = 0
    next_due: datetime | None = None
    ways: tuple[tuple[str, str, int], ...] = ()
    summaries: tuple[SummaryLine, ...] = ()

    @property
    def on_time(self) -> int:
        """How many were handed over by the promised time."""
        return self.sent - self.late


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message of the log."""

    reference: str
    organisation: str
    channel: str
    kind: str
    state: str
    words: str
    made: datetime
    due: datetime
    sent: datetime | None
    attempts: int
    because: str

    @property
    def late(self) -> bool:
        """Whether it was handed over after the promised time."""
        return self.sent is not None and self.sent > self.due


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a person: its reference, what it is, what to do, and until when."""

    kind: str
    ref: str
    words: str
    mend: str = ""
    due: datetime | None = None
    organisation: str = ""
    choices: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One way to an organisation: how far it is, what comes next, and what troubles it."""

    organisation: str
    channel: str
    adapter: str
    state: str
    words: str
    next_step: str = ""
    trouble: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None


def today(desk: Desk, day: date | None = None) -> list[Today]:
    """Say how a day stands for every organisation that is owed something, was sent something, or is due a summary on it."""
    day = day or desk.today
    after, before = to_utc(day, time()), to_utc(day + timedelta(days=1), time())
    ways: dict[str, list[tuple[str, str, int]]] = {}
    with desk.store.reading() as connection:
        rows = looking.day_by_organisation(connection, desk.provider_id, day, desk.now)
        for sent in standings.sent_between(connection, desk.provider_id, after, before):
            ways.setdefault(sent.organisation, []).append((sent.adapter, sent.rung, sent.messages))
    found = {
        row.organisation: Today(
            row.organisation,
            desk.name_of(row.organisation),
            row.owed,
            row.met,
            row.late,
            row.missing,
            row.held,
            row.next_due,
            tuple(ways.get(row.organisation, ())),
        )
        for row in rows
    }
    for slug, some in ways.items():
        found.setdefault(slug, Today(slug, desk.name_of(slug), ways=tuple(some)))
    for line in summaries_on(desk, day):
        one = found.get(line.organisation) or Today(line.organisation, line.name)
        found[line.organisation] = replace(one, summaries=(*one.summaries, line))
    return sorted(found.values(), key=lambda one: one.name)


def log(desk: Desk, wanted: LogFilter | None = None) -> list[LogLine]:
    """Give the messages that a filter wants, newest first."""
    with desk.store.reading() as connection:
        rows = looking.messages(connection, desk.provider_id, wanted or LogFilter())
    return [line_of(row) for row in rows]


def line_of(row: Row[Any]) -> LogLine:
    """Make a line of the log of a message's row."""
    words = STATE_WORDS.get(row.state, row.state)
    if row.state in {"handed_over", "accepted"}:
        words = RUNG_WORDS.get(row.rung, words)
    return LogLine(
        row.reference, row.organisation, row.channel, row.kind, row.state, words,
        row.prepared_at, row.due_by, row.handed_over_at, row.attempts, row.because or "",
    )  # fmt: skip


def waiting(desk: Desk, limit: int = MOST_OPEN, *, for_mail: bool = False) -> list[Open]:
    """Give everything that waits for a person at this provider, and what to do about each.

    With `for_mail`, nothing points at a pupil, and nothing repeats what a register says.
    """
    with desk.store.reading() as connection:
        provider = desk.provider_id
        tasks = looking.open_tasks(connection, provider, limit)
        holds = looking.open_holds(connection, provider, limit)
        questions = looking.open_questions(connection, provider, limit)
        doubtful = looking.uncertain(connection, provider)
        ways = looking.every_channel(connection, provider)
        gone = desk.slug in leaving.closed(connection)
    if gone:
        # Its keys may be destroyed already, and nothing of it is taken in or sent any more.
        return [
            Open(
                "offboard", desk.slug, _NOT_EMPTIED, f"aphub --provider {desk.slug} offboard --to NEW-FOLDER"
            )
        ]
    cases = cases_on(desk)
    told = {row.subject for row in tasks if row.kind == "settle"}
    ending = {row.subject for row in tasks if row.kind == ENDING}
    return [
        *(_case(line, for_mail=for_mail) for line in cases),
        *(_task(desk, row) for row in tasks),
        *(
            Open("uncertain", row.reference, "May have arrived. Ask them.", _settle(row.reference), row.due_by, row.organisation)
            for row in doubtful
            if row.reference not in told
        ),
        *(_hold(row) for row in holds),
        *(_question(desk, row, for_mail=for_mail) for row in questions),
        *(
            Open("channel", f"{line.organisation} {line.channel}", f"This way is {line.words}. {line.trouble}".strip(), line.next_step, None, line.organisation)
            for line in _channel_lines(desk, ways)
            if line.state != "live" and line.next_step
        ),
        *(
            Open("channel", f"{way.organisation} {way.channel}", f"Nothing can go this way. {way.words}", way.mend, None, way.organisation)
            for way in desk.routes.lost
        ),
        *(
            Open("ending", one.way, one.words, one.mend, one.at, one.organisation)
            for one in ends_soon(desk)
            if one.subject(desk.now) not in ending
        ),
    ]  # fmt: skip


def channels(desk: Desk) -> list[ChannelLine]:
    """Give every way to every organisation, and what is next to be done about each."""
    with desk.store.reading() as connection:
        return _channel_lines(desk, looking.every_channel(connection, desk.provider_id))


def _channel_lines(desk: Desk, rows: Iterable[Row[Any]]) -> list[ChannelLine]:
    lines = []
    for row in rows:
        if desk.routes.one(row.organisation, row.name) is None:
            continue  # no longer in the configuration: nothing can leave by it
        way = f"{row.organisation} {row.name}"
        step = "unread" if row.state == "tested" and row.read_back_at is None else row.state
        found = row.state == "paused" and str(row.because or "").startswith(FOUND)
        trouble = ""
        if row.failures:
            since = f" since {time_words(row.since)}" if row.since else ""
            trouble = f"{row.words or 'It does not answer.'} In trouble{since}."
        lines.append(
            ChannelLine(
                row.organisation,
                row.name,
                row.adapter,
                row.state,
                "tested, code not read back" if step == "unread" else CHANNEL_WORDS.get(row.state, row.state),
                _NEXT_STEP.get("draft" if found else step, "").format(way=way),
                trouble or (f"The {row.because}." if found else ""),
                row.approved_by or "",
                row.approved_at,
            )
        )
    return lines


def _case(line: CaseLine, *, for_mail: bool) -> Open:
    whose = f" ({line.owner})" if line.owner else ""
    late = f" Overdue{', also for ' + line.also if line.also else ''}." if line.overdue else ""
    more = f" And {line.to_do - 1} more." if line.to_do > 1 else ""
    whom = f"Pupil {line.pupil_ref}: " if line.pupil_ref and not for_mail else ""
    words = f"{whom}{line.about}. {line.next_step.rstrip('.')}{whose}.{late}{more}"
    return Open("case", line.ref, words, f"aphub case {line.ref}", line.due)


def _task(desk: Desk, row: Row[Any]) -> Open:
    mend = _settle(row.subject) if row.kind == "settle" else f"When it is done: aphub settle {row.ref} --done"
    if row.kind == "release":
        mend = f"aphub release {row.subject}"
    elif row.kind == "phone_school":
        mend = f"What to say: aphub preview {row.ref}. Then: aphub call {row.ref}"
    name = desk.name_of(row.organisation or "")
    words = row.words if name in row.words else f"{name}: {row.words}"
    return Open(row.kind, row.ref, words, mend, row.due_at, row.organisation or "")


def _settle(reference: str) -> str:
    return f"aphub settle {reference} --arrived (or --not-arrived)"


def _hold(row: Row[Any]) -> Open:
    if row.kind == "channel_not_approved" and row.organisation:
        mend = f"aphub check {row.organisation} {row.channel}"
    elif row.kind == "wrong_school":
        mend = "Check who is told about each placement, then import them again."
    else:
        mend = f"aphub show {row.reference}" if row.reference else ""
    return Open(
        row.kind, row.ref, f"{row.reference or ''} {row.words}".strip(), mend, None, row.organisation or ""
    )


def _question(desk: Desk, row: Row[Any], *, for_mail: bool) -> Open:
    if for_mail:
        return Open("question", row.ref, "A mark or a row of a register could not be read.", "aphub waiting")
    try:
        asked = question_words(desk, row)
    except Exception:  # noqa: BLE001 - one question that cannot be opened must not hide the others
        return Open(
            "question", row.ref, "A mark that we cannot show any more.", f'aphub answer {row.ref} "set aside"'
        )
    choices = tuple(str(one) for one in asked.get("choices", ()))
    where = (
        f"Row {asked['row']}, {column_words(asked['column'])}: "
        if asked.get("row") and asked.get("column")
        else ""
    )
    return Open(
        "question",
        row.ref,
        f"{where}{asked.get('words', '')}".strip(),
        f"{asked.get('mend', '')} Then: aphub answer {row.ref} CHOICE".strip(),
        None,
        "",
        choices,
    )


def when_words(at: datetime | None, day: date | None = None) -> str:
    """Say when, with its day only where that is another one."""
    if at is None:
        return ""
    there = at.astimezone(LONDON).date()
    return time_words(at) if day is None or there == day else f"{time_words(at)}, {day_words(there)}"
