"""One line of a report: a placement's entries of one half day, folded for one recipient.

How the lessons of a half add up is the table of `fold_facts.py`; what a whole-day mark states about each half
is in `readings.py`. A lesson outside the school's hours folds into a line of its own, `Half.OUTSIDE`, and
earns no code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from aphub.domain.entries import Action, Entry, Half, SessionEntry, Suggestion
from aphub.domain.fold_facts import Folded, fold_fact
from aphub.domain.halves import SchoolHours, half_of, halves_of, is_split, lines_of
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Nature, Purpose, Registration, Standing
from aphub.domain.readings import reading_in
from aphub.domain.suggest import LONGEST_REGISTER, suggest

__all__ = [
    "Folded",
    "RecipientContext",
    "SchoolHours",
    "fold",
    "fold_day",
    "fold_fact",
    "half_of",
    "halves_of",
]

_OUTSIDE_HOURS = "This lesson is outside the school's hours, so it belongs to neither session."
_PARTLY = (
    "We cancelled a part of this session, not in our building for all of it: your school decides the code."
)
_UNKNOWN = "We do not know of all of this session, so no code can be suggested until its register is there."
_DISAGREE = "The lessons of this session disagree, so no code can be suggested until we know which holds."

_WHY_NO_CODE = {
    Outcome.CANCELLED: _PARTLY,
    **dict.fromkeys((Outcome.NOT_YET_TAKEN, Outcome.NOT_READ), _UNKNOWN),
}


@dataclass(frozen=True, slots=True)
class RecipientContext:
    """What decides, beside the facts, which code suits one recipient of one placement on one day.

    `decided` is what the school decided for each half of that day.
    """

    arranged_by: ArrangedBy
    registration: Registration
    purpose: Purpose
    reason_decided: bool = False
    provider_has_urn: bool = False
    register_closes: int = LONGEST_REGISTER
    decided: frozenset[tuple[Half, ReasonKind]] = frozenset()
    provision_due: bool = False
    standing: Standing = Standing.AGREED


def fold(
    entries: Sequence[Entry], *, hours: SchoolHours, day: date, half: Half, context: RecipientContext
) -> SessionEntry:
    """Fold one placement's entries into its line for one half day, as one recipient is told it.

    Older versions of an entry and entries of other days or halves are passed over, so the caller may give all
    it has, in any order. A lesson without a register is given as an entry that says "not yet taken". Raises
    ValueError where no entry is of that half, or where entries of two placements are mixed.
    """
    current = [
        entry
        for entry in _newest(entries)
        if entry.lesson.day == day and half in lines_of(entry.lesson, hours)
    ]
    if not current or len({entry.lesson.placement_ref for entry in current}) > 1:
        message = "a line of a report needs entries of one placement, day and half"
        raise ValueError(message)
    folded = fold_fact(reading_in(entry, half, hours) for entry in current)
    mode = folded.fact.mode or folded.decided_by.lesson.mode
    return SessionEntry(
        day=day,
        half=half,
        fact=folded.fact,
        suggestion=_suggestion(folded, context, folded.decided_by.lesson.nature, mode, day, half),
        starts=min(
            hours.pm_starts if half is Half.PM and is_split(entry.lesson, hours) else entry.lesson.starts
            for entry in current
        ),
        ends=max(
            hours.am_ends if half is Half.AM and is_split(entry.lesson, hours) else entry.lesson.ends
            for entry in current
        ),
        mode=mode,
        actions=_actions(current),
        disagreement=folded.disagreement,
    )


def fold_day(
    entries: Sequence[Entry], *, hours: SchoolHours, day: date, context: RecipientContext
) -> list[SessionEntry]:
    """Fold one placement's entries of a day into its lines: morning, afternoon and outside hours."""
    lines = {line for entry in entries if entry.lesson.day == day for line in lines_of(entry.lesson, hours)}
    return [fold(entries, hours=hours, day=day, half=half, context=context) for half in Half if half in lines]


def _suggestion(
    folded: Folded, context: RecipientContext, nature: Nature, mode: Mode, day: date, half: Half
) -> Suggestion:
    if folded.disagreement:
        why = _WHY_NO_CODE.get(folded.fact.outcome, _DISAGREE)
        return Suggestion("", why, question=folded.disagreement)
    if half is Half.OUTSIDE:
        return Suggestion("", _OUTSIDE_HOURS)
    return suggest(
        folded.fact,
        arranged_by=context.arranged_by,
        registration=context.registration,
        purpose=context.purpose,
        nature=nature,
        mode=mode,
        day=day,
        reason_decided=context.reason_decided or (half, folded.fact.reason) in context.decided,
        provider_has_urn=context.provider_has_urn,
        half=half,
        register_closes=context.register_closes,
        provision_due=context.provision_due,
        standing=context.standing,
    )


def _actions(entries: Iterable[Entry]) -> tuple[Action, ...]:
    done = {action for entry in entries for action in entry.actions}
    return tuple(sorted(done, key=lambda action: (action.at, action.kind, action.result)))


def _newest(entries: Iterable[Entry]) -> list[Entry]:
    newest: dict[tuple[str, datetime], Entry] = {}
    for entry in sorted(entries, key=_age):
        newest[entry.lesson.placement_ref, entry.lesson.starts_at] = entry
    return list(newest.values())


def _age(entry: Entry) -> tuple[object, ...]:
    """Order versions; equal ones, which the store refuses, by content: arrival still decides nothing."""
    fact = entry.fact
    minutes = -1 if fact.minutes is None else fact.minutes
    return entry.version, entry.made_at, fact.outcome, fact.reason, minutes, fact.note, fact.provider_word
