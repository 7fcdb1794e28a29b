"""What people look at; reading only. Every list is one query, so that ten thousand placements are no slower to read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row

from aphub.domain.calendar import LONDON, to_utc
from aphub.domain.how_far import how_far
from aphub.domain.wording import day_words, time_words
from aphub.services.desk import Desk
from aphub.services.summaries_due import SummaryLine, summaries_on
from aphub.services.way import FOUND
from aphub.store import looking, standings
from aphub.store.looking import LogFilter

__all__ = [
    "CHANNEL_WORDS",
    "ChannelLine",
    "LogFilter",
    "LogLine",
    "Today",
    "channels",
    "log",
    "today",
]

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
        for told in standings.phoned_between(connection, desk.provider_id, after, before):
            ways.setdefault(told.organisation, []).append(("phone", "handed_over", told.calls))
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
        words = how_far(row.rung, row.adapter, row.because)
    because = row.because if row.because != words else ""
    return LogLine(
        row.reference, row.organisation, row.channel, row.kind, row.state, words,
        row.prepared_at, row.due_by, row.handed_over_at, row.attempts, because or "",
    )  # fmt: skip


def channels(desk: Desk) -> list[ChannelLine]:
    """Give every way to every organisation, and what is next to be done about each."""
    with desk.store.reading() as connection:
        return channel_lines(desk, looking.every_channel(connection, desk.provider_id))


def channel_lines(desk: Desk, rows: Iterable[Row[Any]]) -> list[ChannelLine]:
    """Say of each way how far it is; those that the configuration no longer has are left out."""
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


def when_words(at: datetime | None, day: date | None = None) -> str:
    """Say when, with its day only where that is another one."""
    if at is None:
        return ""
    there = at.astimezone(LONDON).date()
    return time_words(at) if day is None or there == day else f"{time_words(at)}, {day_words(there)}"
