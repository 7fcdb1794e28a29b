"""What a person says about a mark: answers to questions, and corrections of entries. Each is a new version."""

from datetime import date, time
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.sources import SourceRow
from aphub.domain.absences import Teller, is_known_ahead
from aphub.domain.entries import Action, Fact
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.meanings import fold_word
from aphub.domain.narrative import LONGEST_WHY, NUDGE, tells_too_much
from aphub.domain.outcomes import Mode
from aphub.domain.typed import read_clock, read_day
from aphub.domain.vocabulary import Unread, read_choice, read_mark
from aphub.services.desk import Desk, place_of
from aphub.services.entering import NewEntry, enter, opened_entry
from aphub.services.intake_rows import question_words
from aphub.services.judging import vocabulary_of
from aphub.services.way import named, typed
from aphub.services.whom import is_erased
from aphub.services.whose import placements_meant, pupil_of
from aphub.store import entries, intakes, pupils

SET_ASIDE = "set aside"
"""The answer to a question that needs no entry: a row of somebody who was never here, or a line too many."""


class CannotAnswerError(NeedsCorrectionError):
    """The answer does not settle the question as it stands."""


def answer_question(
    desk: Desk,
    ref: str,
    by: str,
    *,
    choice: str = "",
    fact: Fact | None = None,
    pupil: str = "",
    day: date | None = None,
    starts: str = "",
) -> None:
    """Settle a question as a person says: an entry follows, unless it is set aside.

    Args:
        desk: The provider's desk.
        ref: The question's reference.
        by: Who answers.
        choice: One of its choices, a word or code instead of the mark, a lesson's start, or `SET_ASIDE`.
        fact: What happened, where the person says it outright.
        pupil: Whom it is about, by the hub's or the provider's reference, where the row did not tell.
        day: The day, where the row's could not be read.
        starts: The lesson's start, where several could be meant.

    Raises:
        CannotAnswerError: Something is still missing; the words say what.
    """
    by = named(by)
    with desk.store.transaction() as connection:
        asked = intakes.question(connection, desk.provider_id, ref)
        if asked is None or asked.mark_id is None:
            raise CannotAnswerError(
                "We know no question of that reference.", "Nothing was changed.", "See: aphub waiting"
            )
        if asked.answered_at is not None:
            raise CannotAnswerError(
                "This question is settled already.", "Nothing was changed.", "Correct the entry instead."
            )
        answer = SET_ASIDE
        lesson_ids: list[int] = []
        if fold_word(choice) != SET_ASIDE:
            lesson, told = _settled(desk, connection, asked, choice, fact, pupil, day, starts)
            refuse_ahead(desk, lesson, told)
            entry = NewEntry(
                lesson_id=lesson.lesson_id,
                pupil_id=lesson.pupil_id,
                version=(lesson.version or 0) + 1,
                fact=told,
                made_by=by,
                because="answered a question about the register",
                mark_id=asked.mark_id,
                by_person=True,
            )
            enter(desk, connection, [entry])
            answer, lesson_ids = "answered", [lesson.lesson_id]
        intakes.settle_questions(
            connection,
            desk.provider_id,
            now=desk.now,
            by=by,
            answer=answer,
            question_id=asked.question_id,
            lesson_ids=lesson_ids,
        )
    desk.announce("intake")


def correct_entry(
    desk: Desk,
    what: str,
    day: date,
    starts: str,
    fact: Fact,
    by: str,
    because: str,
    told_by: Teller = Teller.STAFF,
) -> str:
    """State something else about a lesson of a placement or pupil, by any reference that people hold; it stands until its register says something new. Give in words what happens.

    Whoever was told otherwise is told what changed, from whom (`told_by`), by whom, when and why; words that belong to
    a safeguarding record are kept out of that.

    Raises:
        CannotAnswerError: There is no such lesson, it says so already, or no reason was given.
    """
    by, wall, why = named(by), read_clock(starts), typed("The reason", because, LONGEST_WHY)
    if not why:
        raise CannotAnswerError("A correction needs its reason.", "Nothing was changed.", "Say why.")
    with desk.store.transaction() as connection:
        lesson = _lesson_meant(desk, connection, what, day, wall)
        actions = _may_be_corrected(desk, lesson, fact)
        entry = NewEntry(
            lesson_id=lesson.lesson_id,
            pupil_id=lesson.pupil_id,
            version=(lesson.version or 0) + 1,
            fact=fact,
            made_by=by,
            because="corrected by a person",
            by_person=True,
            taken_at=lesson.taken_at,
            actions=actions,
            told_by=told_by.value,
            why=why,
        )
        enter(desk, connection, [entry])
        intakes.settle_questions(
            connection,
            desk.provider_id,
            now=desk.now,
            by=by,
            answer="corrected",
            lesson_ids=[lesson.lesson_id],
        )
    desk.announce("intake")
    done = "Corrected. Whoever was told otherwise is told at the next look."
    return f"{done} {NUDGE}" if tells_too_much(why) else done


def _lesson_meant(desk: Desk, connection: Connection, what: str, day: date, wall: time | None) -> Row[Any]:
    """Find the lesson that is meant; where there is none, say which part of what was typed does not fit."""
    placements = placements_meant(desk, connection, what)
    if is_erased(desk, connection, placements[0].pupil_id):
        raise CannotAnswerError("This pupil's record was erased.", "Nothing was changed.")
    at = f"{wall:%H:%M}" if wall is not None else ""
    found = [entries.lesson_at(connection, desk.provider_id, row.ref, day, at) for row in placements]
    lessons = [lesson for lesson in found if lesson is not None]
    if len(lessons) > 1:
        raise CannotAnswerError(
            "This pupil has two lessons that begin then.",
            "Nothing was changed.",
            f"Give the placement's reference: {' or '.join(row.ref for row in placements)}.",
        )
    if not lessons:
        starts = [
            one
            for row in placements
            for one in entries.starts_on(connection, desk.provider_id, row.placement_id, day)
        ]
        raise CannotAnswerError(
            "No lesson of this placement begins then.",
            "Nothing was changed.",
            f"On that day it has one at: {', '.join(starts)}." if starts else "It has none on that day.",
        )
    return lessons[0]


def _may_be_corrected(desk: Desk, lesson: Row[Any], fact: Fact) -> tuple[Action, ...]:
    """Refuse a correction of what is not due, not begun, or says so already; give what was done about it, to be kept."""
    if lesson.state == "withdrawn":
        raise CannotAnswerError(
            f"This lesson is not due any more: {lesson.withdrawn_because}.",
            "Nothing was changed.",
            "Mend the timetable or the placement first.",
        )
    refuse_ahead(desk, lesson, fact)
    if lesson.entry_id is None:
        return ()
    before, actions = opened_entry(desk, lesson)
    said = (fact.outcome, fact.reason, fact.minutes)
    if said == (before.outcome, before.reason, before.minutes) and fact.note in {"", before.note}:
        raise CannotAnswerError("It says that already.", "Nothing was changed.", "See: aphub explain")
    return actions


def refuse_ahead(desk: Desk, lesson: Row[Any], fact: Fact) -> None:
    """Refuse to state of a lesson of another day to come what nobody can know yet.

    Raises:
        CannotAnswerError: That is so.
    """
    if lesson.day > desk.today and not is_known_ahead(fact):
        raise CannotAnswerError(
            "This lesson is on another day to come, so nobody can have come to it, or stayed away without a word.",
            "Nothing was changed.",
            "Check the day and the time. Who is known to be away: aphub absence",
        )


def fact_of(desk: Desk, word: str, minutes: str, reason: str, day: date) -> Fact:
    """Read what a person says happened, in the provider's own words.

    Raises:
        CannotAnswerError: It is none of them, or minutes or a reason are missing.
    """
    told = read_mark(vocabulary_of(desk), word, minutes, reason, Mode.IN_PERSON, day)
    if isinstance(told, Unread):
        offered = f"Choose one of: {', '.join(told.choices)}." if told.choices else "Use one of your words."
        raise CannotAnswerError(told.words, "Nothing was changed.", offered)
    return told


def asked_row(desk: Desk, connection: Connection, asked: Row[Any]) -> SourceRow:
    """Open the row that a question is about, word for word."""
    mark = intakes.mark(connection, desk.provider_id, asked.mark_id)
    place = place_of("marks", desk.provider_id, mark.mark_id)
    return SourceRow(mark.row, **desk.vault.open_json(mark.key_id, place, mark.sealed))


def _settled(
    desk: Desk,
    connection: Connection,
    asked: Row[Any],
    choice: str,
    fact: Fact | None,
    pupil: str,
    day: date | None,
    starts: str,
) -> tuple[Row[Any], Fact]:
    """Find the lesson and the fact that an answer means."""
    row = asked_row(desk, connection, asked)
    choices = question_words(desk, asked)["choices"]
    if asked.lesson_id is None and choice in choices and read_clock(choice) is not None:
        starts, choice = choice, ""
    lesson = _lesson(desk, connection, asked, row, pupil, day, starts)
    if fact is not None:
        return lesson, fact
    vocabulary = vocabulary_of(desk)
    mode = Mode(lesson.mode)
    if choice:
        told = read_choice(vocabulary, choice, mode, lesson.day)
    else:
        told = read_mark(vocabulary, row.mark, row.minutes, row.reason, mode, lesson.day)
    if isinstance(told, Unread):
        offered = f"Choose one of: {', '.join(told.choices)}." if told.choices else "Choose what happened."
        raise CannotAnswerError(told.words, "Nothing was changed.", offered)
    return lesson, told


def _lesson(
    desk: Desk,
    connection: Connection,
    asked: Row[Any],
    row: SourceRow,
    pupil: str,
    day: date | None,
    starts: str,
) -> Row[Any]:
    if asked.lesson_id is not None:
        known = entries.lesson(connection, desk.provider_id, asked.lesson_id)
        if known is not None:
            return known
    pupil_id = pupil_of(desk, connection, pupil).pupil_id if pupil else asked.pupil_id
    if pupil_id is None:
        raise CannotAnswerError(
            "We do not know which pupil this is about.", "Nothing was changed.", "Name the pupil."
        )
    on = day or read_day(row.day)
    if on is None:
        raise CannotAnswerError(
            "We do not know which day this is about.", "Nothing was changed.", "Give the day."
        )
    placed = pupils.placements_of(connection, desk.provider_id, [pupil_id]).get(pupil_id, [])
    numbers = [one.placement_id for one in placed]
    found = entries.lessons_on(connection, desk.provider_id, numbers, on, on).get((pupil_id, on), [])
    wall = read_clock(starts or row.starts)
    fits = [one for one in found if wall is None or one.starts_wall == f"{wall:%H:%M}"]
    if len(fits) == 1:
        return fits[0]
    times = ", ".join(one.starts_wall for one in found)
    raise CannotAnswerError(
        "We do not know which lesson this is about."
        if found
        else "No lesson is due for this pupil on that day.",
        "Nothing was changed.",
        f"Give its start, one of: {times}."
        if found
        else "Set the question aside, or mend the timetable first.",
    )
