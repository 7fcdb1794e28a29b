"""Judge some rows of a register: each is news with a fact, unchanged, or a question. Nothing is written here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection

from aphub.api.sources import SourceRow
from aphub.domain.absences import KnownAbsence, explained, is_too_early, stays_filled
from aphub.domain.actions import read_actions
from aphub.domain.calendar import Calendar, to_utc
from aphub.domain.entries import Action, Fact, Half
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.readings import ONLY_IN, SECOND_CHECK
from aphub.domain.typed import read_clock, read_day_and_time
from aphub.domain.vocabulary import Unread, UnreadKind, Vocabulary, read_mark
from aphub.services.desk import Desk, place_of
from aphub.services.matching import Doubt, Match, Read, Roll
from aphub.services.whom import calendars_of
from aphub.store import intakes, known

ENTERED, UNCHANGED, QUESTIONED = "entered", "unchanged", "questioned"

_NOBODY_EXPECTED = frozenset({Outcome.NOT_EXPECTED, Outcome.NOT_YET_TAKEN})
_OF_A_MARK = frozenset({SECOND_CHECK, *ONLY_IN.values()})
_NO_LESSON = frozenset({"not_placed", "no_lesson"})
_AFTERNOON = time(13)
_COLUMNS = {UnreadKind.NEEDS_MINUTES: "minutes", UnreadKind.NEEDS_REASON: "reason"}
_MENDS = {
    UnreadKind.UNMAPPED: "Choose what it means, or add it to your words.",
    UnreadKind.NEEDS_MINUTES: "Add the minutes.",
    UnreadKind.NEEDS_REASON: "Add the reason.",
    UnreadKind.CONTRADICTION: "Check which of the two is right.",
}


NOT_BEGUN = Doubt(
    "not_begun",
    "This lesson has not begun, so nobody can have come to it, or stayed away without a word.",
    "Send its register when it has begun. If you know already who will be away, say why.",
    "mark",
)


@dataclass(slots=True)
class Judged:
    """What became of one row."""

    read: Read
    match: Match
    slot: bytes
    word: bytes
    result: str
    fact: Fact | None = None
    doubt: Doubt | None = None
    taken_at: datetime | None = None
    actions: tuple[Action, ...] = ()
    settles: tuple[int, ...] = ()


@dataclass(slots=True)
class _Last:
    """A source's last word about a slot."""

    word: bytes
    is_open: bool
    mark_ids: tuple[int, ...] = ()


class Judge:
    """Judges the rows of one batch in their order, remembering what earlier rows of it said."""

    def __init__(self, desk: Desk, feed: str, vocabulary: Vocabulary) -> None:
        """Keep what all rows of a feed are read with."""
        self._desk = desk
        self._feed = feed
        self._vocabulary = vocabulary
        self._known: dict[int, list[KnownAbsence]] = {}
        self._calendars: Mapping[int, Calendar] = {}

    def judge(self, connection: Connection, reads: Sequence[Read]) -> Iterator[Judged]:
        """Judge rows, reading all that they can speak of in a few queries."""
        roll = Roll.read(self._desk, connection, reads)
        if days := [read.day for read in reads if read.day]:
            self._known = known.absences_of(
                connection, self._desk.provider_id, roll.rows, min(days), max(days)
            )
        matches = [roll.match(read) for read in reads]
        self._calendars = self._of_suspended(connection, matches)
        slots = [
            (self._slot(read, match), self._raw_slot(read))
            for read, match in zip(reads, matches, strict=True)
        ]
        last = self._last(connection, {slot for pair in slots for slot in pair})
        # What earlier rows of this batch said of a lesson, before it is in the store.
        said: dict[int, Fact] = {}
        for read, match, (slot, raw) in zip(reads, matches, slots, strict=True):
            one = self._one(read, match, slot, last, said)
            if one.result != UNCHANGED:
                before = last.get(slot)
                settled = [*(before.mark_ids if before and before.is_open else ())]
                if slot != raw and raw in last and last[raw].is_open:
                    settled += last.pop(raw).mark_ids
                one.settles = tuple(settled)
                last[slot] = _Last(one.word, one.result == QUESTIONED)
            if one.fact is not None and one.match.lesson is not None:
                said[one.match.lesson.lesson_id] = one.fact
            yield one

    def _of_suspended(self, connection: Connection, matches: Sequence[Match]) -> Mapping[int, Calendar]:
        """Give the school days by which suspensions are counted, where any is known."""
        suspended = {
            match.lesson.placement_id
            for match in matches
            if match.lesson is not None
            and any(
                one.fact.reason is ReasonKind.SUSPENDED for one in self._known.get(match.lesson.pupil_id, ())
            )
        }
        return calendars_of(self._desk, connection, suspended) if suspended else {}

    def _known_of(self, lesson: Any) -> Iterator[KnownAbsence]:
        """Give what explains an absence from a lesson: a suspension only while nobody owes provision."""
        calendar = self._calendars.get(lesson.placement_id, Calendar())
        every = self._known.get(lesson.pupil_id, [])
        return (one for one in every if stays_filled(one, every, calendar, lesson.day))

    def _last(self, connection: Connection, slots: set[bytes]) -> dict[bytes, _Last]:
        rows = intakes.last_words(connection, self._desk.provider_id, self._feed, slots)
        asked = [row.mark_id for row in rows.values() if row.result == QUESTIONED]
        still_open = intakes.open_among(connection, self._desk.provider_id, asked)
        return {
            slot: _Last(row.word, row.mark_id in still_open, (row.mark_id,)) for slot, row in rows.items()
        }

    def _one(
        self, read: Read, match: Match, slot: bytes, last: dict[bytes, _Last], said: dict[int, Fact]
    ) -> Judged:
        judged = Judged(read, match, slot, self._word(read.row), UNCHANGED)
        before = last.get(slot)
        is_same = before is not None and before.word == judged.word
        if is_same and before is not None and not before.is_open:
            return judged
        outcome = fact_or_doubt(self._vocabulary, read, match)
        if isinstance(outcome, Doubt):
            if not is_same:
                judged.result, judged.doubt = QUESTIONED, outcome
            return judged
        if match.lesson is None:
            return judged  # not due, and the register agrees
        lesson_id = match.lesson.lesson_id
        stated = lesson_id in said or match.lesson.entry_id is not None
        if outcome.outcome is Outcome.NOT_YET_TAKEN and (not stated or before is None):
            # An empty cell says nothing, unless this source takes back with it what it said before.
            return judged
        halves = (match.half,) if match.is_split and match.half is Half.PM else match.halves
        outcome, only = explained(outcome, self._known_of(match.lesson), match.lesson.day, halves)
        if is_too_early(outcome, begins_at(match), self._desk.now):
            if not is_same:
                judged.result, judged.doubt = QUESTIONED, NOT_BEGUN
            return judged
        judged.taken_at = self._taken_at(read, match)
        said_now = read_actions(read.row.action, match.lesson.day, judged.taken_at)
        if only is not None:
            said_now = (*said_now, Action(match.lesson.starts_at, ONLY_IN[only]))
        judged.actions = _with(self._actions_of(match.lesson), said_now)
        if match.is_split and match.half is Half.PM and stated:
            return self._second_check(judged, outcome, said.get(lesson_id))
        judged.result, judged.fact = ENTERED, outcome
        return judged

    def _second_check(self, judged: Judged, fact: Fact, said: Fact | None) -> Judged:
        """Let the afternoon's mark of a lesson across lunch confirm the morning's, or ask when they differ."""
        lesson = judged.match.lesson
        if lesson is None:
            return judged
        stands = (said.outcome, said.reason) if said else (Outcome(lesson.outcome), lesson.reason)
        if stands != (fact.outcome, fact.reason):
            judged.result = QUESTIONED
            judged.doubt = Doubt(
                "halves_differ",
                "The morning's and the afternoon's mark of this lesson differ.",
                "Say what happened: left early or left site, with the time.",
                "mark",
                ("left early", "left site", "present"),
            )
            return judged
        checked = judged.taken_at or to_utc(lesson.day, _AFTERNOON)
        judged.result, judged.fact = ENTERED, fact
        judged.actions = (*judged.actions, Action(checked, SECOND_CHECK))
        judged.taken_at = lesson.taken_at
        return judged

    def _actions_of(self, lesson: Any) -> tuple[Action, ...]:
        if not lesson.entry_sealed:
            return ()
        place = place_of("entries", self._desk.provider_id, lesson.entry_id)
        [words] = self._desk.vault.try_open_json_many([(lesson.entry_key_id, place, lesson.entry_sealed)])
        if words is None:
            return ()
        return tuple(
            Action(datetime.fromisoformat(at), kind, result) for at, kind, result in words["actions"]
        )

    def _taken_at(self, read: Read, match: Match) -> datetime | None:
        """Give when the mark was made, if the row says so; an afternoon's mark is never older than its half."""
        lesson = match.lesson
        text = read.row.recorded_at
        if lesson is None:
            return None
        at = None
        if text:
            both = read_day_and_time(text)
            wall = both[1] if both else read_clock(text)
            if wall is not None:
                at = to_utc(both[0] if both else lesson.day, wall)
        if match.is_split and match.half is Half.PM:
            noon = to_utc(lesson.day, _AFTERNOON)
            return max(at, noon) if at else noon
        return at

    def _slot(self, read: Read, match: Match) -> bytes:
        if match.pupil_id is None or read.day is None:
            return self._raw_slot(read)
        if match.lesson is None:
            what = f"{read.row.starts}|{read.row.session}"
        else:
            half = match.half if match.is_split and match.half else ""
            what = f"{match.lesson.placement_id}|{match.lesson.starts_wall}|{half}"
        return self._desk.vault.index("slot", f"{match.pupil_id}|{read.day}|{what}")

    def _raw_slot(self, read: Read) -> bytes:
        row = read.row
        who = row.pupil_ref.strip() or row.upn.strip() or row.name.strip()
        day = read.day.isoformat() if read.day else row.day
        return self._desk.vault.index("slot as written", f"{who}|{day}|{row.starts}|{row.session}")

    def _word(self, row: SourceRow) -> bytes:
        said = [row.mark, row.minutes, row.reason, row.action, row.problem]
        return self._desk.vault.digest(json.dumps([text.strip() for text in said]).encode())


def _with(before: Sequence[Action], now: Sequence[Action]) -> tuple[Action, ...]:
    """Keep what was done before beside what is said now: an empty cell undoes no call.

    The same deed at the same time is put right by its newest telling; a second check held for the mark it confirmed,
    and so did the half for which a reason was told.
    """
    again = {(action.at, action.kind) for action in now}
    kept = [one for one in before if (one.at, one.kind) not in again and one.kind not in _OF_A_MARK]
    return tuple(sorted((*kept, *now), key=lambda action: action.at))


def begins_at(match: Match) -> datetime:
    """Give when that begins of which a row with its lesson speaks: of one across lunch, the half that it names."""
    lesson: Any = match.lesson
    starts_at: datetime = lesson.starts_at
    if match.is_split and match.half is Half.PM:
        return max(starts_at, to_utc(lesson.day, _AFTERNOON))
    return starts_at


def fact_or_doubt(vocabulary: Vocabulary, read: Read, match: Match) -> Fact | Doubt:
    """Read the mark of a row that has its lesson; one without a lesson may still say that nobody was expected."""
    row = read.row
    if match.lesson is None:
        doubt = match.doubt or Doubt("row", "We cannot tell what this row speaks of.", "Check it.", "row")
        if doubt.kind in _NO_LESSON and read.day is not None:
            told = read_mark(vocabulary, row.mark, row.minutes, row.reason, None, read.day)
            if isinstance(told, Fact) and told.outcome in _NOBODY_EXPECTED:
                return told
        return doubt
    told = read_mark(vocabulary, row.mark, row.minutes, row.reason, Mode(match.lesson.mode), match.lesson.day)
    return doubt_of(told) if isinstance(told, Unread) else told


def doubt_of(unread: Unread) -> Doubt:
    """Turn a mark that could not be read into a question for a person."""
    mend = _MENDS.get(unread.kind, "Choose what happened.")
    return Doubt(unread.kind.value, unread.words, mend, _COLUMNS.get(unread.kind, "mark"), unread.choices)


def vocabulary_of(desk: Desk) -> Vocabulary:
    """Build the provider's own words as its configuration gives them."""
    config = desk.config.provider.vocabulary
    return Vocabulary.from_config(config.words, desk.today, base=config.base)
