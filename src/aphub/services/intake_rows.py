"""The rows of one original: a batch a transaction, each row kept as a mark with what became of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.sources import SourceRow
from aphub.domain.entries import Fact
from aphub.domain.outcomes import Outcome
from aphub.domain.vocabulary import Vocabulary
from aphub.sealing import DataKey
from aphub.services.desk import Desk, place_of
from aphub.services.entering import NewEntry, enter
from aphub.services.judging import ENTERED, Judge, Judged, vocabulary_of
from aphub.services.matching import Doubt, read_when
from aphub.store import intakes, owed
from aphub.store.engine import allocate

BATCH = 500
ORIGINAL = "original"
"""The record class of an original, and of its rows that fit no pupil: one key for each register that came in."""
LATER = "a later register"
ROW_FIELDS = (
    *("pupil_ref", "upn", "name", "day", "starts", "session", "mark", "minutes", "reason"),
    *("recorded_at", "recorded_by", "action", "problem"),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that is about to be kept."""

    judged: Judged
    doubt: Doubt
    mark_id: int
    is_read_later: bool

    @property
    def lesson_id(self) -> int | None:
        """The lesson it is about, if that is known."""
        return self.judged.match.lesson.lesson_id if self.judged.match.lesson is not None else None


def take_rows(desk: Desk, feed: str, kept: Row[Any], rows: Iterable[SourceRow]) -> None:
    """Take an original's rows in, a batch a transaction, going on behind the last one that is there."""
    vocabulary = vocabulary_of(desk)
    for part in _parts(rows):
        with desk.store.transaction() as connection:
            # Somebody else may have gone on with it meanwhile: what is there is not read again.
            intakes.lock(connection, desk.provider_id, kept.intake_id)
            after = intakes.last_row(connection, desk.provider_id, kept.intake_id)
            fresh = [row for row in part if row.number > after]
            if fresh:
                _one_batch(desk, connection, feed, kept, fresh, vocabulary)
        desk.boundary("intake.batch")


def _one_batch(
    desk: Desk,
    connection: Connection,
    feed: str,
    kept: Row[Any],
    rows: Sequence[SourceRow],
    vocabulary: Vocabulary,
) -> None:
    reads = list(read_when(rows))
    judged = list(Judge(desk, feed, vocabulary).judge(connection, reads))
    keys = _keys(desk, kept, judged)
    now = desk.now
    mark_rows: list[dict[str, Any]] = []
    entries: list[NewEntry] = []
    asked: list[_Asked] = []
    versions: dict[int, int] = {}
    # A later row of the same batch may read what an earlier one could not.
    read_later = {one.slot: number for number, one in enumerate(judged) if one.result == ENTERED}
    for number, (one, key, mark_id) in enumerate(
        zip(judged, keys, allocate(connection, "marks", len(judged)), strict=True)
    ):
        mark_rows.append(_mark_row(desk, feed, kept, one, key, mark_id, now))
        lesson = one.match.lesson
        if one.result == ENTERED and one.fact is not None and lesson is not None:
            version = versions.get(lesson.lesson_id, lesson.version or 0) + 1
            versions[lesson.lesson_id] = version
            entries.append(_entry(feed, one, one.fact, version, mark_id))
        elif one.doubt is not None:
            asked.append(_Asked(one, one.doubt, mark_id, read_later.get(one.slot, -1) > number))
    intakes.add_marks(connection, mark_rows)
    by = f"register {feed}"
    superseded = [number for one in judged for number in one.settles]
    read_now = list(versions)
    intakes.settle_questions(
        connection, desk.provider_id, now=now, by=by, answer=LATER,
        mark_ids=superseded, lesson_ids=read_now,
    )  # fmt: skip
    intakes.add_questions(connection, _question_rows(desk, connection, kept, asked, by))
    enter(desk, connection, entries)
    unread = [one.lesson_id for one in asked if one.lesson_id is not None]
    if unread:
        # A mark that nobody understood must not be silence: its lesson is looked at as if not yet taken.
        owed.look_again(connection, desk.provider_id, unread, now)


def _keys(desk: Desk, kept: Row[Any], judged: Sequence[Judged]) -> list[DataKey]:
    """Give each row's key: its pupil's, so that it is erased with the pupil, or its file's where it fits nobody."""
    year = desk.year()
    pupils = [one.match.pupil_id for one in judged if one.match.pupil_id]
    own = dict(zip(pupils, desk.vault.data_keys(pupils, "intake", year), strict=True))
    [of_file] = desk.vault.data_keys([kept.intake_id], ORIGINAL, year)
    return [own.get(one.match.pupil_id or 0, of_file) for one in judged]


def _entry(feed: str, one: Judged, fact: Fact, version: int, mark_id: int) -> NewEntry:
    lesson = one.match.lesson
    if lesson is None:
        message = "an entry needs its lesson"
        raise ValueError(message)
    return NewEntry(
        lesson_id=lesson.lesson_id,
        pupil_id=lesson.pupil_id,
        version=version,
        fact=fact,
        made_by=f"register {feed}",
        because="the register changed" if version > 1 else "",
        mark_id=mark_id,
        taken_at=one.taken_at if fact.outcome is not Outcome.NOT_YET_TAKEN else None,
        actions=one.actions,
    )


def _mark_row(
    desk: Desk, feed: str, kept: Row[Any], one: Judged, key: Any, mark_id: int, now: datetime
) -> dict[str, Any]:
    words = {name: text for name in ROW_FIELDS if (text := getattr(one.read.row, name))}
    return {
        "provider_id": desk.provider_id,
        "mark_id": mark_id,
        "intake_id": kept.intake_id,
        "row": one.read.row.number,
        "source": feed,
        "slot": one.slot,
        "word": one.word,
        "pupil_id": one.match.pupil_id,
        "lesson_id": one.match.lesson.lesson_id if one.match.lesson is not None else None,
        "key_id": key.key_id,
        "sealed": desk.vault.seal_json(key, place_of("marks", desk.provider_id, mark_id), words),
        "result": one.result,
        "received_at": now,
    }


def _question_rows(
    desk: Desk, connection: Connection, kept: Row[Any], asked: Sequence[_Asked], by: str
) -> list[dict[str, Any]]:
    if not asked:
        return []
    keys = _keys(desk, kept, [one.judged for one in asked])
    numbers = allocate(connection, "questions", len(asked))
    refs = desk.references(len(asked))
    rows = []
    for one, key, number, ref in zip(asked, keys, numbers, refs, strict=True):
        words = {
            "words": one.doubt.words,
            "mend": one.doubt.mend,
            "column": one.doubt.column,
            "choices": list(one.doubt.choices),
            "row": one.judged.read.row.number,
            "file": kept.ref,
        }
        rows.append(
            {
                "provider_id": desk.provider_id,
                "question_id": number,
                "ref": ref,
                "kind": one.doubt.kind,
                "mark_id": one.mark_id,
                "lesson_id": one.lesson_id,
                "pupil_id": one.judged.match.pupil_id,
                "answered_at": desk.now if one.is_read_later else None,
                "answered_by": by if one.is_read_later else None,
                "answer": LATER if one.is_read_later else None,
                "key_id": key.key_id,
                "sealed": desk.vault.seal_json(key, place_of("questions", desk.provider_id, number), words),
                "raised_at": desk.now,
            }
        )
    return rows


def question_words(desk: Desk, row: Row[Any]) -> dict[str, Any]:
    """Open what a question asks: words, mend, column, choices, row and file."""
    place = place_of("questions", desk.provider_id, row.question_id)
    words: dict[str, Any] = desk.vault.open_json(row.key_id, place, row.sealed)
    return words


def _parts(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    iterator = iter(rows)
    while part := list(islice(iterator, BATCH)):
        yield part
