"""The order of news in a thread: what a new version is, what changed, and how long it may gather.

A thread holds at most an alert, the routine report, and what follows it. An **update** says more than was
said: actions done since, a register now taken, a reason now known, a question answered, a line for a later
lesson. A **correction** takes something back: an outcome, a known reason, minutes or a line told differently.
A further lesson with the same outcome only lengthens its line, and is no news.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from aphub.domain.entries import Fact, Half, SessionEntry
from aphub.domain.outcomes import NOT_STATED, Outcome, ReasonKind, is_urgent
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS, Kind
from aphub.domain.steps import FOUND_SAFE, TOLD_CANCELLED

JUMP = 100
"""After a restore the numbers of a thread's messages go on from the next hundred: lower ones may have been used."""
GATHER = timedelta(seconds=60)
"""How long corrections wait for more of their kind."""

_ORDER = (Kind.ALERT, Kind.ROUTINE, Kind.UPDATE, Kind.CORRECTION)
_HALF_WORDS = {Half.AM: "morning", Half.PM: "afternoon", Half.OUTSIDE: "outside school hours"}

_Line = tuple[date, Half]


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs in one line, in words; `takes_back` when something that was told no longer holds."""

    day: date
    half: Half
    words: str
    takes_back: bool

    @property
    def is_fact(self) -> bool:
        """Whether what happened is told otherwise, and not only what was done about it."""
        return " was '" in self.words or "taken back" in self.words


class _Change(StrEnum):
    NOTHING = "nothing"
    MORE = "more"
    OTHER = "other"


def news_kind(previous: Sequence[SessionEntry] | None, current: Sequence[SessionEntry]) -> Kind | None:
    """Say which kind of message the current lines call for, given the lines last told.

    `previous` is None before the routine report; an alert alone does not count as one. None means that
    nothing is to be told.
    """
    if previous is None:
        return Kind.ROUTINE if current else None
    found = {change for change, _, _ in _compared(previous, current)}
    if _Change.OTHER in found:
        return Kind.CORRECTION
    return Kind.UPDATE if _Change.MORE in found else None


def changes(previous: Sequence[SessionEntry], current: Sequence[SessionEntry]) -> list[str]:
    """Say in plain words what differs from what was told, in order of day and half.

    The words name no pupil: the report in which they stand does.
    """
    return [one.words for one in changed(previous, current)]


def changed(previous: Sequence[SessionEntry], current: Sequence[SessionEntry]) -> list[Changed]:
    """Give what differs from what was told, line by line, in order of day and half."""
    return [
        Changed(day, half, words, takes_back=change is _Change.OTHER)
        for change, (day, half), words in _compared(previous, current)
        if change is not _Change.NOTHING
    ]


def is_urgent_line(line: SessionEntry) -> bool:
    """Say whether a line waits for no cadence: a child's safety, or doubt about where a child is."""
    return bool(line.disagreement) or is_urgent(line.fact.outcome, line.fact.reason)


def is_found(line: SessionEntry) -> bool:
    """Say whether a pupil who left the site is known to be found and safe."""
    return any(action.kind == FOUND_SAFE for action in line.actions)


def alert_lines(previous: Sequence[SessionEntry], current: Sequence[SessionEntry]) -> list[SessionEntry]:
    """Give the urgent lines among `current` of which the same was not told yet.

    Of a lesson that we cancelled, what we did since waits for the next report, but not where the pupil is instead.
    """
    told = {_key(line): line for line in previous}
    return [line for line in current if is_urgent_line(line) and _is_urgent_news(told.get(_key(line)), line)]


def _is_urgent_news(before: SessionEntry | None, after: SessionEntry) -> bool:
    if _change_words(before, after)[0] is _Change.NOTHING:
        return False
    if before is None or after.fact.outcome is not Outcome.CANCELLED:
        return True
    if _said(before) != _said(after) or before.disagreement != after.disagreement:
        return True
    new = [action for action in after.actions if action not in before.actions]
    return any(action.kind == TOLD_CANCELLED for action in new)


def gather_for(
    kind: Kind, previous: Sequence[SessionEntry] | None, current: Sequence[SessionEntry]
) -> timedelta:
    """Say how long a message waits for more of its kind: corrections a minute, urgent ones not at all.

    A correction is urgent where a line that changed is urgent now, or was: "the child was here" cannot wait.
    """
    if kind is not Kind.CORRECTION:
        return timedelta()
    told, lines = _by_key(previous or ()), _by_key(current)
    for key in told.keys() | lines.keys():
        before, after = told.get(key), lines.get(key)
        urgent = any(line is not None and is_urgent_line(line) for line in (before, after))
        if urgent and _change_words(before, after)[0] is _Change.OTHER:
            return timedelta()
    return GATHER


def in_order(kinds: Iterable[Kind]) -> list[Kind]:
    """Sort kinds of one thread as they must be sent; kinds outside a thread's order come last."""
    return sorted(kinds, key=lambda kind: _ORDER.index(kind) if kind in _ORDER else len(_ORDER))


def _compared(
    previous: Sequence[SessionEntry], current: Sequence[SessionEntry]
) -> list[tuple[_Change, _Line, str]]:
    told, lines = _by_key(previous), _by_key(current)
    keys = sorted(told.keys() | lines.keys(), key=lambda key: (key[0], list(Half).index(key[1])))
    compared = []
    for key in keys:
        change, words = _change_words(told.get(key), lines.get(key))
        compared.append(
            (change, key, f"{key[0]:%A} {key[0].day} {key[0]:%B}, {_HALF_WORDS[key[1]]}: {words}")
        )
    return compared


def _change_words(before: SessionEntry | None, after: SessionEntry | None) -> tuple[_Change, str]:
    """Compare one line with its last telling; what takes something back decides before what adds."""
    if before is None:
        return _Change.MORE, f"added, '{_said(after)}'"
    if after is None:
        return _Change.OTHER, f"taken back, we had said '{_said(before)}'"
    was_open = bool(before.disagreement) or before.fact.outcome in NOT_STATED
    fact_differs = _said(before) != _said(after)
    kept = was_open or _only_more(before, after)
    done = len([action for action in after.actions if action not in before.actions])
    shortened = after.starts > before.starts or after.ends < before.ends
    rules = (
        (fact_differs and not kept, _Change.OTHER, f"was '{_said(before)}', now '{_said(after)}'"),
        (
            before.mode is not after.mode and not was_open,
            _Change.OTHER,
            f"was {before.mode.value}, now {after.mode.value}".replace("_", " "),
        ),
        (shortened, _Change.OTHER, f"was {_hours(before)}, now {_hours(after)}"),
        (
            any(action not in after.actions for action in before.actions),
            _Change.OTHER,
            "what we had said we did has been put right",
        ),
        (is_found(after) and not is_found(before), _Change.MORE, "the pupil is found and safe"),
        (fact_differs, _Change.MORE, f"was '{_said(before)}', now '{_said(after)}'"),
        (before.disagreement != after.disagreement, _Change.MORE, _other_doubt(after)),
        (bool(done), _Change.MORE, f"{done} more {'action' if done == 1 else 'actions'} by us"),
        (
            before.suggestion.code != after.suggestion.code,
            _Change.MORE,
            f"the code to consider is now {after.suggestion.code or 'none'}",
        ),
    )
    found = ((change, words) for holds, change, words in rules if holds)
    return next(found, (_Change.NOTHING, "nothing changed"))


def _other_doubt(after: SessionEntry) -> str:
    return (
        "something else is not known"
        if after.fact.outcome in NOT_STATED
        else "our lessons disagree in another way"
    )


def _said(line: SessionEntry | None) -> str:
    """Say a line's fact as a school reads it."""
    if line is None:
        return ""
    if line.disagreement:
        if line.fact.outcome in NOT_STATED:
            return "not all of it is known yet"
        return (
            "partly cancelled by us"
            if line.fact.outcome is Outcome.CANCELLED
            else "not clear, our lessons disagree"
        )
    fact = line.fact
    words = OUTCOME_WORDS[fact.outcome]
    if fact.minutes is not None:
        words += f" ({fact.minutes} minutes)"
    reason = REASON_WORDS[fact.reason]
    return f"{words}, {reason}" if reason else words


def _hours(line: SessionEntry) -> str:
    return f"{line.starts:%H:%M} to {line.ends:%H:%M}"


def _only_more(before: SessionEntry, after: SessionEntry) -> bool:
    """Say whether the new fact fills gaps of the old one and takes nothing back."""
    if after.disagreement:
        # A further lesson of which nothing is known takes nothing back of the one that was told.
        return after.fact.outcome in NOT_STATED
    old, new = before.fact, after.fact
    return old.outcome is new.outcome and _reason_filled(old, new) and old.minutes in {None, new.minutes}


def _reason_filled(old: Fact, new: Fact) -> bool:
    # "Unauthorised" was the provider's own word, so another reason takes it back; "unknown" is merely open.
    return old.reason is new.reason or old.reason in {ReasonKind.UNKNOWN, ReasonKind.NOT_APPLICABLE}


def _key(line: SessionEntry) -> _Line:
    return line.day, line.half


def _by_key(lines: Iterable[SessionEntry]) -> Mapping[_Line, SessionEntry]:
    return {_key(line): line for line in lines}
