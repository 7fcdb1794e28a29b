"""Look at some threads: read all that is needed to decide about them, and fold each day's story once for all it fits.

A look reads outside any writing transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.absences import SchoolDecision
from aphub.domain.agreements import URGENT_WITHIN, Agreement
from aphub.domain.calendar import ONE_DAY
from aphub.domain.entries import Action, Entry, Fact, SessionEntry
from aphub.domain.fold import RecipientContext, fold_day
from aphub.domain.halves import SchoolHours
from aphub.domain.outcomes import Outcome
from aphub.domain.placements import ArrangedBy, Purpose, Registration, Standing
from aphub.domain.reports import Kind
from aphub.domain.threads import alert_lines, is_urgent_line
from aphub.services.day_context import on_day
from aphub.services.desk import Desk, place_of
from aphub.services.done import Said, add_done
from aphub.store import known, looking, telling
from aphub.store.frozen import lines_from_data

Source = tuple[str, str]
"""Who told us, as a role, and why it was changed, as a person wrote it."""
_NOTHING_SAID: Said = ("", "", ())


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told of one owed report so far; `said` may hold the free words that a line does not."""

    lines: tuple[SessionEntry, ...] = ()
    routine: bool = False
    catch_up: bool = False


NOT_TOLD = Told()


@dataclass(slots=True)
class Story:
    """The lines of a period that any number of pupils may share; `urgent` when one of them waits for no cadence."""

    lines: tuple[SessionEntry, ...]
    place: str
    staff: str
    urgent: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look once for what is urgent."""
        self.urgent = any(map(is_urgent_line, self.lines))

    def news_since(self, told: Sequence[SessionEntry]) -> tuple[SessionEntry, ...]:
        """Give the urgent lines that were not told yet."""
        return tuple(alert_lines(told, self.lines)) if self.urgent else ()


@dataclass(slots=True)
class Look:
    """All that one look at some threads reads from the store."""

    now: datetime
    threads: list[Row[Any]]
    owed: list[Row[Any]]
    lessons: dict[int, list[Row[Any]]]
    told: dict[int, Told]
    sealed: dict[int, Said]
    sources: dict[int, Source] = field(default_factory=dict)
    decisions: dict[int, list[SchoolDecision]] = field(default_factory=dict)
    asked: frozenset[int] = frozenset()
    stories: dict[tuple[Any, ...], Story] = field(default_factory=dict)
    agreements: dict[tuple[str, str, date], Agreement | None] = field(default_factory=dict)
    hours: dict[str, SchoolHours] = field(default_factory=dict)

    def agreement(self, desk: Desk, row: Row[Any]) -> Agreement | None:
        """Give the terms that hold for an owed report, asked for once for all that share them."""
        key = (row.agreement, row.organisation, row.first_day)
        if key not in self.agreements:
            self.agreements[key] = desk.config.agreement_on(*key)
        return self.agreements[key]

    def hours_of(self, desk: Desk, organisation: str) -> SchoolHours:
        """Give an organisation's half days."""
        if organisation not in self.hours:
            hours = desk.config.organisations[organisation].hours.hours()
            # One object for all that are alike, so that stories can be told apart by which it is.
            self.hours[organisation] = next((same for same in self.hours.values() if same == hours), hours)
        return self.hours[organisation]

    @classmethod
    def of(cls, desk: Desk, connection: Connection, now: datetime, threads: list[Row[Any]]) -> "Look":
        """Read what these threads hold."""
        if not threads:
            return cls(now, [], [], {}, {}, {})
        owed = telling.owed_in(connection, desk.provider_id, [row.thread_id for row in threads])
        days = [day for row in owed for day in (row.first_day, row.until_day)]
        lessons = (
            telling.lessons_with_entries(
                connection, desk.provider_id, sorted({row.placement_id for row in owed}), min(days), max(days)
            )
            if owed
            else {}
        )
        newest = telling.newest_reports(
            connection, desk.provider_id, [row.owed_id for row in owed if row.version]
        )
        who = {row.pupil_id for row in owed}
        decisions = (
            known.decisions_of(connection, desk.provider_id, who, min(days), max(days)) if owed else {}
        )
        sealed, sources = _sealed_in_entries(desk, lessons)
        add_done(desk, connection, owed, lessons, sealed)
        silent = [row.lesson_id for some in lessons.values() for row in some if row.entry_id is None]
        asked = {one.lesson_id for one in looking.questions_about(connection, desk.provider_id, silent)}
        told = _told(desk, newest)
        return cls(now, threads, owed, lessons, told, sealed, sources, decisions, frozenset(asked))


def _told(desk: Desk, newest: dict[int, Row[Any]]) -> dict[int, Told]:
    rows = list(newest.values())
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("reports", desk.provider_id, row.report_id), row.sealed) for row in rows]
    )
    return {
        row.owed_id: Told(
            # Of an erased report nothing is known but that it was told.
            lines_from_data(data["lines"] if data["told"] is None else data["told"]) if data else (),
            routine=row.kind != Kind.ALERT,
            catch_up=row.kind == Kind.CATCH_UP,
        )
        for row, data in zip(rows, opened, strict=True)
    }


def _sealed_in_entries(
    desk: Desk, lessons: dict[int, list[Row[Any]]]
) -> tuple[dict[int, Said], dict[int, Source]]:
    rows = [row for some in lessons.values() for row in some if row.sealed]
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("entries", desk.provider_id, row.entry_id), row.sealed) for row in rows]
    )
    both = [(row.entry_id, data) for row, data in zip(rows, opened, strict=True) if data]
    said = {
        entry_id: (
            data.get("note", ""),
            data.get("word", ""),
            tuple(
                Action(datetime.fromisoformat(at), kind, result)
                for at, kind, result in data.get("actions", [])
            ),
        )
        for entry_id, data in both
    }
    return said, {
        entry_id: (data.get("from", ""), data.get("why", ""))
        for entry_id, data in both
        if "from" in data or "why" in data
    }


def lessons_of(look: Look, row: Row[Any]) -> list[Row[Any]]:
    """Give the lessons of an owed report's days; a half day's own lines are cut out after folding."""
    first, until = max(row.first_day, row.told_from), row.until_day
    if row.told_until is not None:
        # A pupil who moves school mid-week is two schools' news, each for its own days.
        until = min(until, row.told_until + ONE_DAY)
    return [one for one in look.lessons.get(row.placement_id, ()) if first <= one.day < until]


def is_complete(look: Look, row: Row[Any]) -> bool:
    """Say whether every register that an owed report waits for has been taken."""
    inside = lessons_of(look, row)
    if row.half:
        inside = [one for one in inside if one.starts_at <= row.due_by]
    return bool(inside) and all(one.entry_id is not None for one in inside)


def newest_entry(look: Look, inside: Sequence[Row[Any]]) -> datetime:
    """Say when the newest of these lessons' entries was made."""
    made = [one.made_at for one in inside if one.entry_id is not None]
    return max(made, default=look.now)


def story_of(
    desk: Desk, look: Look, row: Row[Any], inside: Sequence[Row[Any]], *, missing_after: timedelta
) -> Story:
    """Fold an owed report's entries into lines, saying of each lesson that began: not yet taken.

    With `missing_after` of zero every lesson that began counts; otherwise a missing register counts when its alert's
    promise is that near. Most pupils of a day have the same story: it is folded once.
    """
    wait = URGENT_WITHIN - missing_after if missing_after else timedelta()
    counted = [one for one in inside if one.entry_id is not None or one.starts_at + wait <= look.now]
    hours = look.hours_of(desk, row.organisation)
    key = (
        id(hours),
        row.purpose,
        row.arranged_by,
        row.registration,
        row.half,
        row.standing,
        tuple(look.decisions.get(row.pupil_id, ())),
        *[_told_by(look, one) for one in counted],
    )
    story = look.stories.get(key)
    if story is None:
        story = look.stories[key] = Story(
            _folded(desk, look, row, counted, hours),
            ", ".join(dict.fromkeys(one.place for one in counted if one.place)),
            ", ".join(dict.fromkeys(one.staff for one in counted if one.staff)),
        )
    return story


def _told_by(look: Look, row: Row[Any]) -> tuple[Any, ...]:
    """Give all that the fold of one lesson and its entry depends on, except whose they are."""
    # The rows live as long as the look does, so what they say alike is the same where its identity is.
    if row.entry_id is None:
        return id(row.alike), row.lesson_id in look.asked
    return id(row.alike), look.sealed.get(row.entry_id)


def _folded(
    desk: Desk, look: Look, row: Row[Any], counted: Sequence[Row[Any]], hours: SchoolHours
) -> tuple[SessionEntry, ...]:
    entries = []
    for one in counted:
        lesson = telling.lesson_in(one, row.placement_ref)
        if one.entry_id is not None:
            said = look.sealed.get(one.entry_id, _NOTHING_SAID)
            entries.append(telling.entry_in(one, lesson, *said))
        else:
            # A mark that nobody could read is no missing register: the school hears which of the two it is.
            outcome = Outcome.NOT_READ if one.lesson_id in look.asked else Outcome.NOT_YET_TAKEN
            entries.append(Entry(lesson, 0, Fact(outcome), look.now, "the hub"))
    context = RecipientContext(
        ArrangedBy(row.arranged_by),
        Registration(row.registration),
        Purpose(row.purpose),
        provider_has_urn=bool(desk.config.provider.urn),
        register_closes=desk.config.provider.own_register_closes_minutes,
        standing=Standing(row.standing),
    )
    decisions = look.decisions.get(row.pupil_id, ())
    return tuple(
        line
        for day in sorted({entry.lesson.day for entry in entries})
        for line in fold_day(entries, hours=hours, day=day, context=on_day(desk, context, decisions, day))
        if not row.half or line.half.value == row.half
    )
