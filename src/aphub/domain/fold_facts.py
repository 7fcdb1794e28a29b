"""How lessons add up to a session: the entries of one half day become one line of a report.

The table, by what the lessons of one half say (order of arrival never matters, order of lessons does):

| lessons say | the line says |
|---|---|
| all the same | that |
| late to the first lesson | late, with the minutes of the first |
| late to a later lesson, left an earlier one early | present, with a note |
| left the last lesson early | left early |
| left the site, then anything (absent, back again) | left the site, the rest in a note |
| present, and not expected but came | present, with a note |
| in person at the centre, and taught at home | the centre's, with a note |
| in person, and online, at home alone or could not join | the in-person outcome, with a note |
| absent in person, and took part online | absent, with a note: online earns no attendance |
| online, and at home alone or could not join | online, with a note |
| at home alone, and could not join | at home alone, with a note |
| here, and one lesson cancelled by us | **question**: the pupil is not in the building for all of it |
| absent, remote or left the site, and one lesson cancelled by us | the rest, with a note |
| here or online, and one register not yet taken or not read | **question**: nobody knows where the pupil was for all of it |
| absent, left the site or at home, and one register not yet taken or not read | the rest, with a note |
| anything, and one lesson not checked again | the rest, with a note |
| not yet taken or not read, and cancelled | not yet taken or not read, with a note |
| anything, and not expected | the rest |
| absent, one reason known and one not, same kind of lesson (mode and nature) | absent for the known reason |
| absent, unknown and unauthorised | absent, unauthorised: neither is explained |
| absent, one reason known and one not, different kinds of lesson | **question** |
| absent, two known reasons; a known reason and unauthorised | **question** |
| here and absent (also absent, then left the site) | **question** |
| at the home school, and here or absent | **question** |
| absent from an online lesson, and took part in or could not join another | **question** |

A question carries no code; its line shows the most serious of the facts, since a child's safety may hang on
it. A lesson across lunch is read for each half apart (`readings.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from aphub.domain.entries import Fact
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.readings import UNEXPLAINED, Reading
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS

_SILENT = (
    Outcome.NOT_READ,
    Outcome.NOT_YET_TAKEN,
    Outcome.CANCELLED,
    Outcome.NOT_CHECKED_AGAIN,
    Outcome.NOT_EXPECTED,
)
"""Outcomes that say nothing of where the pupil was, the one that must be heard first."""

_MISSING = frozenset({Outcome.NOT_READ, Outcome.NOT_YET_TAKEN})
_CENTRE = frozenset({Outcome.PRESENT, Outcome.LATE, Outcome.LEFT_EARLY, Outcome.ARRIVED_UNEXPECTED})
_HERE = _CENTRE | {Outcome.TAUGHT_AT_HOME, Outcome.LEFT_SITE}
_REMOTE = (Outcome.ONLINE, Outcome.WORKED_AT_HOME, Outcome.COULD_NOT_JOIN)
_GRAVEST_FIRST = (Outcome.LEFT_SITE, Outcome.ABSENT, Outcome.AT_HOME_SCHOOL, *_REMOTE)


@dataclass(frozen=True, slots=True)
class Folded:
    """One fact for a half day, the lesson that decided it, and what disagrees (empty if nothing)."""

    fact: Fact
    decided_by: Reading
    disagreement: str = ""


def fold_fact(readings: Iterable[Reading]) -> Folded:
    """Add up the lessons of one half by the table above; needs at least one."""
    ordered = sorted(readings, key=lambda reading: (reading.lesson.starts, reading.lesson.ends))
    if not ordered:
        message = "a fold needs at least one lesson"
        raise ValueError(message)
    telling = [reading for reading in ordered if reading.fact.outcome not in _SILENT]
    cancelled = [reading for reading in ordered if reading.fact.outcome is Outcome.CANCELLED]
    if cancelled and _in_the_building(telling):
        return _differ("Not all of it took place", cancelled[0], ordered)
    if _clash(telling):
        return _differ("The lessons disagree", min(telling, key=_gravity), ordered)
    missing = [reading for reading in ordered if reading.fact.outcome in _MISSING]
    if missing and _believed_with_us(telling):
        return _differ("Not all of it is known", min(missing, key=_rank(_SILENT)), ordered)
    decided = _decide(telling) if telling else min(ordered, key=_rank(_SILENT))
    outcome = _outcome(telling, decided)
    minutes = decided.fact.minutes if outcome is decided.fact.outcome else None
    fact = replace(decided.fact, outcome=outcome, minutes=minutes)
    notes = [_note(reading, decided, outcome) for reading in ordered]
    return Folded(_with_words(fact, ordered, notes), decided)


def _differ(what: str, gravest: Reading, ordered: Sequence[Reading]) -> Folded:
    said = ", ".join(f"{reading.lesson.starts:%H:%M} {_in_words(reading.fact)}" for reading in ordered)
    return Folded(_with_words(gravest.fact, ordered, ()), gravest, f"{what}: {said}.")


def _in_the_building(telling: Sequence[Reading]) -> bool:
    """Say whether a school may believe that the pupil is with us, and nothing graver is known."""
    outcomes = {reading.fact.outcome for reading in telling}
    return bool(outcomes & (_CENTRE | {Outcome.TAUGHT_AT_HOME})) and Outcome.LEFT_SITE not in outcomes


def _believed_with_us(telling: Sequence[Reading]) -> bool:
    """Say whether a school may believe, of a lesson without a register too, that the pupil is with us."""
    return _in_the_building(telling) or any(reading.fact.outcome is Outcome.ONLINE for reading in telling)


def _clash(telling: Sequence[Reading]) -> bool:
    outcomes = {reading.fact.outcome for reading in telling}
    absent = [reading for reading in telling if reading.fact.outcome is Outcome.ABSENT]
    if Outcome.AT_HOME_SCHOOL in outcomes and outcomes & (_HERE | {Outcome.ABSENT}):
        return True
    if not absent:
        return False
    if outcomes & _HERE:
        return not _left_then_absent(telling)
    missed_online = any(reading.lesson.mode is Mode.ONLINE for reading in absent)
    return (missed_online and bool(outcomes.intersection(_REMOTE))) or _reasons_clash(absent)


def _left_then_absent(telling: Sequence[Reading]) -> bool:
    """Say whether each absence follows a departure from the site, and so is part of it."""
    left = False
    for reading in telling:
        if reading.fact.outcome is Outcome.ABSENT and not left:
            return False
        left = left or reading.fact.outcome is Outcome.LEFT_SITE
    return True


def _reasons_clash(absent: Sequence[Reading]) -> bool:
    known = [reading for reading in absent if reading.fact.reason not in UNEXPLAINED]
    if len({reading.fact.reason for reading in known}) > 1:
        return True
    unexplained = [reading for reading in absent if reading.fact.reason in UNEXPLAINED]
    if not known or not unexplained:
        return False
    # A known reason covers a lesson of the same kind; an illness at the centre need not explain one online.
    kinds = {(reading.lesson.mode, reading.lesson.nature) for reading in absent}
    return len(kinds) > 1 or any(reading.fact.reason is ReasonKind.UNAUTHORISED for reading in unexplained)


def _decide(telling: Sequence[Reading]) -> Reading:
    """Pick the reading whose fact stands for the half, from readings that do not clash."""
    outcomes = {reading.fact.outcome for reading in telling}
    if Outcome.LEFT_SITE in outcomes:
        return next(reading for reading in telling if reading.fact.outcome is Outcome.LEFT_SITE)
    if Outcome.ABSENT in outcomes:
        absent = [reading for reading in telling if reading.fact.outcome is Outcome.ABSENT]
        return max(absent, key=lambda reading: _explains(reading.fact.reason))
    if centre := [reading for reading in telling if reading.fact.outcome in _CENTRE]:
        first, last = centre[0], centre[-1]
        if last.fact.outcome is Outcome.LEFT_EARLY and first.fact.outcome is not Outcome.LATE:
            return last
        return first
    return min(telling, key=_rank((Outcome.TAUGHT_AT_HOME, Outcome.AT_HOME_SCHOOL, *_REMOTE)))


def _outcome(telling: Sequence[Reading], decided: Reading) -> Outcome:
    """Give the half's outcome: the deciding lesson's, but present where it does not hold for the whole."""
    outcome = decided.fact.outcome
    centre = [reading for reading in telling if reading.fact.outcome in _CENTRE]
    if outcome is Outcome.LEFT_EARLY and decided is not centre[-1]:
        return Outcome.PRESENT
    if outcome is Outcome.ARRIVED_UNEXPECTED and any(r.fact.outcome is not outcome for r in centre):
        return Outcome.PRESENT
    return outcome


def _explains(reason: ReasonKind) -> int:
    if reason not in UNEXPLAINED:
        return 2
    return 1 if reason is ReasonKind.UNAUTHORISED else 0


def _note(reading: Reading, decided: Reading, outcome: Outcome) -> str:
    """Say what one lesson adds that the line's own outcome does not; empty when nothing."""
    said = reading.fact.outcome
    if said is Outcome.NOT_EXPECTED or (said is outcome and (reading is decided or said is not Outcome.LATE)):
        return ""
    if said is Outcome.PRESENT and outcome in _CENTRE:
        return ""
    return f"{reading.lesson.starts:%H:%M} {_in_words(reading.fact)}"


def _in_words(fact: Fact) -> str:
    words = OUTCOME_WORDS[fact.outcome]
    if fact.outcome is Outcome.CANCELLED:
        # Only one lesson of several: the pupil may well be in the building for the others.
        words = "lesson cancelled by us"
    if fact.outcome is Outcome.LATE and fact.minutes is not None:
        words = f"arrived {fact.minutes} minutes late"
    reason = REASON_WORDS[fact.reason]
    return f"{words} ({reason})" if reason and fact.outcome is Outcome.ABSENT else words


def _with_words(fact: Fact, ordered: Sequence[Reading], notes: Iterable[str]) -> Fact:
    """Keep what the provider wrote about each lesson, once each, before the fold's own notes."""
    written = [*(reading.fact.note for reading in ordered), *notes]
    words = [reading.fact.provider_word for reading in ordered]
    return replace(fact, note="; ".join(_once(written)), provider_word=" / ".join(_once(words)))


def _once(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _gravity(reading: Reading) -> tuple[int, int]:
    return _rank(_GRAVEST_FIRST)(reading), _explains(reading.fact.reason)


def _rank(order: Sequence[Outcome]) -> Callable[[Reading], int]:
    places = {outcome: place for place, outcome in enumerate(order)}
    return lambda reading: places.get(reading.fact.outcome, len(places))
