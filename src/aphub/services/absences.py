"""Known absences: news that somebody tells ahead of a register, or the reason that arrives days after it.

What is told fills in entries that nobody has made yet, explains absences that a register only counted, and leaves alone
what a register knows better: a child who came has come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.absences import (
    LONGEST_DAYS,
    NEWS,
    Evidence,
    KnownAbsence,
    Stretch,
    Teller,
    stays_filled,
)
from aphub.domain.calendar import Calendar
from aphub.domain.entries import Action, Fact, Half
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.halves import SchoolHours, spoken_halves
from aphub.domain.narrative import LONGEST_WHY, NUDGE, tells_too_much
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Outcome, ReasonKind
from aphub.domain.readings import ONLY_IN, UNEXPLAINED
from aphub.services.desk import Desk, place_of
from aphub.services.entering import NewEntry, enter, opened_entry
from aphub.services.way import named, typed
from aphub.services.whom import calendars_of, is_erased
from aphub.services.whose import pupil_of
from aphub.store import known as kept
from aphub.store import owed

FILLED, EXPLAINED = "known absence", "reason told later"
_NOTHING = "Nothing was changed."


class NewsError(NeedsCorrectionError):
    """What was told cannot be used as it stands."""


@dataclass(frozen=True, slots=True)
class News:
    """What somebody tells about one pupil: `pupil` is a reference, `words` are theirs and stay sealed."""

    pupil: str
    fact: Fact
    stretch: Stretch
    told_by: Teller
    teller: str = ""
    words: str = ""
    evidence: Evidence = Evidence.NONE


@dataclass(slots=True)
class Filled:
    """What became of news: lessons filled in ahead, absences explained, lessons left as they are, and what to know.

    `partly` are lessons of which only one half was told of: the other is due.
    """

    ref: str = ""
    ahead: int = 0
    explained: int = 0
    left: int = 0
    partly: int = 0
    notes: tuple[str, ...] = ()


def know_absence(desk: Desk, news: News, by: str) -> Filled:
    """Keep what somebody told, and let entries say it: those to come, and those that had no reason.

    Raises:
        NewsError: It gives no reason, no sensible days, or says what we know already.
    """
    name = named(by)
    with desk.store.transaction() as connection:
        filled = keep_news(desk, connection, news, name)
    desk.announce("tell")
    return filled


def keep_news(desk: Desk, connection: Connection, news: News, by: str, *, decided: bool = False) -> Filled:
    """Keep news in the caller's transaction; `decided` news of a school goes before a reason we had from others."""
    _check(news)
    pupil_id = pupil_of(desk, connection, news.pupil).pupil_id
    if is_erased(desk, connection, pupil_id):
        raise NewsError("This pupil's record was erased.", _NOTHING)
    stretch = news.stretch
    standing = kept.absences_of(connection, desk.provider_id, [pupil_id], stretch.starts, stretch.ends)
    for one in standing.get(pupil_id, []):
        if one.stretch == stretch and one.fact.reason is news.fact.reason and one.told_by is news.told_by:
            raise NewsError(f"We know this already: {one.ref}.", _NOTHING)
    lessons = _covered(desk, connection, pupil_id, stretch)
    if not lessons:
        raise NewsError(
            "No lesson is due for this pupil on those days.",
            _NOTHING,
            "Check the days, and which half of the day.",
        )
    absence_id = kept.number(connection, "known_absences")
    [ref] = desk.references(1)
    [key] = desk.vault.data_keys([pupil_id], "entry", desk.year())
    words = {"teller": news.teller.strip(), "words": news.words.strip()}
    kept.add_absence(
        connection,
        {
            "provider_id": desk.provider_id,
            "absence_id": absence_id,
            "ref": ref,
            "pupil_id": pupil_id,
            **kept.stretch_columns(stretch),
            "outcome": news.fact.outcome.value,
            "reason": news.fact.reason.value,
            "told_by": news.told_by.value,
            "evidence": news.evidence.value,
            "key_id": key.key_id,
            "sealed": desk.vault.seal_json(
                key, place_of("known_absences", desk.provider_id, absence_id), words
            ),
            "recorded_by": by,
            "recorded_at": desk.now,
        },
    )
    known = KnownAbsence(absence_id, ref, pupil_id, stretch, news.fact, news.told_by, news.evidence, by)
    filled = fill(desk, connection, [*standing.get(pupil_id, []), known], lessons, decided=decided)
    filled.ref = ref
    filled.notes = tuple(_notes(news, filled, decided=decided))
    return filled


def fill(
    desk: Desk,
    connection: Connection,
    known: Iterable[KnownAbsence],
    lessons: Sequence[Row[Any]],
    *,
    decided: bool = False,
) -> Filled:
    """Let the entries of lessons say what is known, where nobody knows better."""
    by_pupil: dict[int, list[KnownAbsence]] = {}
    for one in known:
        by_pupil.setdefault(one.pupil_id, []).append(one)
    filled, new, looked = Filled(), list[NewEntry](), list[int]()
    calendars = calendars_of(desk, connection, {row.placement_id for row in lessons})
    for row in lessons:
        fits, only = _known_of(desk, row, by_pupil.get(row.pupil_id, []))
        if not fits:
            continue
        one = fits[-1]
        looked.append(row.lesson_id)
        if row.state == "owed" or row.outcome in {None, Outcome.NOT_YET_TAKEN}:
            every = by_pupil[row.pupil_id]
            # Where the other half is due the register is asked for, and gets the reason when it comes.
            filled.partly += only is not None
            if only is None and stays_filled(
                one, every, calendars.get(row.placement_id, Calendar()), row.day
            ):
                new.append(_entry(row, one.fact, one, FILLED))
                filled.ahead += 1
        elif row.outcome == Outcome.ABSENT and (
            ReasonKind(row.reason) in UNEXPLAINED or (decided and row.reason != one.fact.reason)
        ):
            before, actions = opened_entry(desk, row)
            fact = replace(before, outcome=one.fact.outcome, reason=one.fact.reason)
            new.append(_entry(row, fact, one, EXPLAINED, (*actions, *_only_in(row, only))))
            filled.explained += 1
        elif row.outcome != one.fact.outcome or row.reason != one.fact.reason:
            filled.left += 1
    enter(desk, connection, new)
    if looked:
        # A decision changes the code even where the entry says the same.
        owed.look_again(connection, desk.provider_id, looked, desk.now)
    return filled


def _known_of(
    desk: Desk, row: Row[Any], known: Iterable[KnownAbsence]
) -> tuple[list[KnownAbsence], Half | None]:
    """Give what is known of a lesson, and for which half alone the newest of it, where the lesson stands in both."""
    halves = _halves(desk, row)
    fits = [one for one in known if one.stretch.covers(row.day, halves)]
    return fits, fits[-1].stretch.half if fits and fits[-1].stretch.is_part_of(halves) else None


def _only_in(row: Row[Any], half: Half | None) -> tuple[Action, ...]:
    return (Action(row.starts_at, ONLY_IN[half]),) if half is not None else ()


def fill_new_lessons(
    desk: Desk, connection: Connection, pupil_ids: Iterable[int], days: tuple[date, date]
) -> int:
    """Fill lessons that have just become owed with what is known of their pupils; give how many."""
    known = kept.absences_of(connection, desk.provider_id, pupil_ids, *days)
    if not known:
        return 0
    every = [one for some in known.values() for one in some]
    lessons = kept.lessons_of_pupils(connection, desk.provider_id, known, max(days[0], desk.today), days[1])
    waiting = [row for row in lessons if row.state == "owed" and row.entry_id is None]
    return fill(desk, connection, every, waiting).ahead if waiting else 0


def end_absence(desk: Desk, ref: str, last_day: date, by: str, because: str = "") -> Filled:
    """Bring the last day of a known absence forward; registers of the days after it are owed again.

    A last day before the first takes the whole of it back. Reasons that it explained are unknown again.

    Raises:
        NewsError: There is none of that reference, or it would become longer.
    """
    name, now = named(by), desk.now
    typed("The reason", because, LONGEST_WHY)
    with desk.store.transaction() as connection:
        row = kept.absence(connection, desk.provider_id, ref.strip().upper())
        if row is None:
            raise NewsError("We know no absence of that reference.", _NOTHING, "See: aphub absences")
        if last_day >= row.ends_day:
            raise NewsError(
                "It ends by then already.",
                _NOTHING,
                "To make it longer, record the further days: aphub absence",
            )
        lessons = _covered(desk, connection, row.pupil_id, kept.stretch_of(row))
        kept.end_absence(connection, desk.provider_id, row.absence_id, last_day, name, now)
        filled, new = Filled(row.ref), list[NewEntry]()
        for lesson in lessons:
            if lesson.day <= last_day:
                continue
            if lesson.because == f"{FILLED} {row.ref}":
                ahead = lesson.starts_at > now
                entry = _taken_back(lesson, Fact(Outcome.NOT_YET_TAKEN), name, because)
                entry.reopens = ahead
                new.append(entry)
                filled.ahead += 1
            elif lesson.because == f"{EXPLAINED} {row.ref}":
                before, actions = opened_entry(desk, lesson)
                fact = replace(before, outcome=Outcome.ABSENT, reason=ReasonKind.UNKNOWN)
                actions = tuple(one for one in actions if one.kind not in ONLY_IN.values())
                new.append(replace(_taken_back(lesson, fact, name, because), actions=actions))
                filled.explained += 1
        enter(desk, connection, new)
    desk.announce("tell")
    return filled


def _check(news: News) -> None:
    fact, stretch = news.fact, news.stretch
    if fact.outcome not in NEWS or (fact.outcome is Outcome.ABSENT and fact.reason in UNEXPLAINED):
        raise NewsError(
            "This says that the pupil is away, but not why.",
            _NOTHING,
            "Give a reason, such as ill. Without one, the register shows the absence as not explained.",
        )
    if stretch.ends < stretch.starts:
        raise NewsError("The last day is before the first.", _NOTHING, "Swap them.")
    if (stretch.ends - stretch.starts).days >= LONGEST_DAYS:
        raise NewsError(
            f"These are more than {LONGEST_DAYS} days at once.",
            _NOTHING,
            "Record them up to the end of term, and ask again then.",
        )
    typed("What was said", news.words, LONGEST_WHY)
    typed("Who said so", news.teller, LONGEST_WHY)


def _covered(desk: Desk, connection: Connection, pupil_id: int, stretch: Stretch) -> list[Row[Any]]:
    lessons = kept.lessons_of_pupils(connection, desk.provider_id, [pupil_id], stretch.starts, stretch.ends)
    return [row for row in lessons if stretch.covers(row.day, _halves(desk, row))]


def _halves(desk: Desk, row: Row[Any]) -> tuple[Half, ...]:
    """Give the halves of its commissioner's day in which a lesson stands."""
    organisation = desk.config.organisations.get(row.commissioner)
    hours = organisation.hours.hours() if organisation else SchoolHours()
    return spoken_halves(time.fromisoformat(row.starts_wall), time.fromisoformat(row.ends_wall), hours)


def _entry(
    row: Row[Any], fact: Fact, known: KnownAbsence, because: str, actions: tuple[Action, ...] = ()
) -> NewEntry:
    return NewEntry(
        lesson_id=row.lesson_id,
        pupil_id=row.pupil_id,
        version=(row.version or 0) + 1,
        fact=fact,
        made_by=known.by,
        because=f"{because} {known.ref}",
        by_person=True,
        taken_at=row.taken_at,
        actions=actions,
        told_by=known.told_by.value,
    )


def _taken_back(row: Row[Any], fact: Fact, by: str, because: str) -> NewEntry:
    return NewEntry(
        lesson_id=row.lesson_id,
        pupil_id=row.pupil_id,
        version=(row.version or 0) + 1,
        fact=fact,
        made_by=by,
        because="the known absence was ended",
        by_person=True,
        why=because.strip(),
    )


def _notes(news: News, filled: Filled, *, decided: bool) -> Iterable[str]:
    if filled.left:
        which = "1 lesson says" if filled.left == 1 else f"{filled.left} lessons say"
        yield f"{which} something else already, and stays as it is. Correct it if it is wrong: aphub correct"
    if filled.partly:
        lessons = "1 lesson lies" if filled.partly == 1 else f"{filled.partly} lessons lie"
        yield f"{lessons} in the other half of the day too: take the register as ever, it gets the reason for its half."
    if news.fact.reason in DECIDED_BY_SCHOOL and not decided:
        yield "Only the school decides this, so no code is suggested yet. When it has: aphub decision"
    if tells_too_much(news.words):
        yield NUDGE
