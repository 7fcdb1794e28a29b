"""A provider's dictionary from its words to facts: whatever is typed becomes a fact or a question."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from aphub.domain.codes import Retired, retired
from aphub.domain.entries import Fact
from aphub.domain.errors import LawUnknownError, VocabularyError
from aphub.domain.meanings import Meaning, MinutesRule, fold_word, meanings_from
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Mode, Outcome, ReasonKind

_REMEMBERED = 4096
"""Readings kept ready for each vocabulary: words x minutes x days, never free text."""

_LONGEST_WORD = 60
"""No longer text is searched for minutes, so that a cell full of dashes costs nothing."""

_NOTHING = frozenset({"", "-", "n/a", "na", "none", "nil"})
_UNIT = r"(?:m|min|mins|minute|minutes)"
_MINUTES = re.compile(rf"(?:00?:)?([0-9]{{1,3}})(?::00)?(?:\.0+)?\s*{_UNIT}?(?:\s+(?:late|early))?")
_WORD_THEN_MINUTES = re.compile(
    rf"(.+?)(?:[\s:(,-]+([0-9]{{1,3}})\s*{_UNIT}?|([0-9]{{1,3}})\s*{_UNIT})(?:\s+late)?\)?"
)
_MINUTES_THEN_WORD = re.compile(rf"([0-9]{{1,3}})\s*{_UNIT}\s+(.+)")
_FIRST_WORDS = re.compile(r"\s-\s|[,;:(/]|\s--\s")
_VAGUE = frozenset({None, ReasonKind.UNKNOWN, ReasonKind.UNAUTHORISED})

_WHY_ABSENT = (
    "ill",
    "medical appointment",
    "religious observance",
    "parent travelling for work",
    "leave granted by the school",
    "suspended by the school",
    "unauthorised",
)


class UnreadKind(StrEnum):
    """Why a mark could not become a fact."""

    UNMAPPED = "unmapped"
    RETIRED = "retired"
    AMBIGUOUS = "ambiguous"
    NEEDS_REASON = "needs_reason"
    NEEDS_MINUTES = "needs_minutes"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Unread:
    """A mark that only a person can settle: why, in words without the mark's own text, and choices.

    Each choice reads as a fact with `read_choice`; where there is none, any mark may be typed.
    """

    kind: UnreadKind
    words: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """One provider's words. `speaks_codes` says that its letters are meant as register codes."""

    name: str
    speaks_codes: bool
    meanings: Mapping[str, Meaning]
    reasons: Mapping[str, ReasonKind]
    ready: dict[tuple[str, str, str, Mode | None, date], Fact] = field(default_factory=dict, repr=False)

    @classmethod
    def from_config(
        cls,
        words: Mapping[str, Mapping[str, object]],
        day: date,
        *,
        base: str = "plain-words",
        reasons: Mapping[str, str] | None = None,
    ) -> "Vocabulary":
        """Build a provider's vocabulary: its own words first, then those of a ready-made one.

        Args:
            words: Word to meaning: `outcome`, `reason` ("required" asks for it), `minutes`, `mode`,
                `note`; `also` lists synonyms, `same_as` names a word that has a meaning.
            day: From when it is to hold: letters retired by then cannot be given a meaning if the
                base speaks codes.
            base: Name of a ready-made vocabulary, or "" for none.
            reasons: More phrases of the reason column, each with a kind of reason.

        Raises:
            VocabularyError: It names the word, the key and what to write instead.
        """
        under = ready_made(base) if base else None
        own = meanings_from(words, under.meanings if under else None)
        if under is not None and under.speaks_codes:
            for word in own:
                gone = _retired(word, day)
                if gone is not None and not gone.lives_on:
                    raise VocabularyError(f"{gone.words} It cannot be given one meaning for every pupil")
        phrases = dict(under.reasons if under else _reasons())
        for phrase, kind in (reasons or {}).items():
            if kind not in {known.value for known in ReasonKind}:
                raise VocabularyError(
                    f'The reason "{phrase}" has the kind "{kind}"',
                    mend=f"Write one of {', '.join(ReasonKind)}",
                )
            phrases[fold_word(phrase)] = ReasonKind(kind)
        return cls(
            name=base or "own",
            speaks_codes=under is not None and under.speaks_codes,
            meanings={**(under.meanings if under else {}), **own},
            reasons=phrases,
        )

    def reason_of(self, text: str) -> ReasonKind | None:
        """Give the kind of reason that a cell states, alone or before its first comma or dash."""
        folded = fold_word(text)
        exact = self.reasons.get(folded.rstrip("."))
        if exact is not None:
            return exact
        return self.reasons.get(_FIRST_WORDS.split(folded, maxsplit=1)[0].strip())


@cache
def ready_made(name: str) -> Vocabulary:
    """Give a vocabulary that comes with the hub: dfe-2024-08 or plain-words.

    Raises:
        VocabularyError: There is none of that name.
    """
    folder = files("aphub.domain") / "law" / "vocabularies"
    shipped = {entry.name.removesuffix(".toml"): entry for entry in folder.iterdir()}
    if name not in shipped:
        raise VocabularyError(
            f'There is no ready-made vocabulary "{name}"', mend=f"Write one of {', '.join(sorted(shipped))}"
        )
    data = tomllib.loads(shipped[name].read_text("utf-8"))
    meanings = meanings_from(data["words"])
    reasons = _reasons()
    if data["reasons_are_words"]:
        for phrase, kind in reasons.items():
            if kind not in _VAGUE:
                meanings.setdefault(phrase, Meaning(Outcome.ABSENT, kind))
    return Vocabulary(data["name"], data["speaks_codes"], meanings, reasons)


def read_mark(
    vocabulary: Vocabulary, word: str, minutes_text: str, reason_text: str, mode: Mode | None, day: date
) -> Fact | Unread:
    """Read one mark; total over any text.

    An empty mark says that the register was not taken. Attending at home or online is its own
    outcome, so the lesson's mode is part of the reading. Facts of the same cells are one object.
    """
    ready = vocabulary.ready.get((word, minutes_text, reason_text, mode, day))
    if ready is not None:
        return ready
    return _read(vocabulary, word, minutes_text, reason_text, mode, day)


def read_choice(vocabulary: Vocabulary, choice: str, mode: Mode | None, day: date) -> Fact | Unread:
    """Read a person's answer to an unread mark: the provider's words, then codes, then plain words."""
    answer = read_mark(vocabulary, choice, "", "", mode, day)
    for name in ("dfe-2024-08", "plain-words"):
        if isinstance(answer, Fact):
            break
        answer = read_mark(ready_made(name), choice, "", "", mode, day)
    return answer


def _read(
    vocabulary: Vocabulary, word: str, minutes_text: str, reason_text: str, mode: Mode | None, day: date
) -> Fact | Unread:
    folded = fold_word(word)
    if not folded:
        return Fact(Outcome.NOT_YET_TAKEN)
    meaning, inside = _look_up(vocabulary, folded)
    if meaning is None or meaning.outcome is None:
        return _unread(meaning, folded, day)
    beside = _minutes(minutes_text)
    if inside is not None and beside is not None and inside != beside:
        return Unread(UnreadKind.CONTRADICTION, "The mark and the minutes column give different minutes.")
    minutes = beside if inside is None else inside
    if meaning.minutes is MinutesRule.NONE:
        if minutes and meaning.outcome is Outcome.PRESENT:
            words = f"The mark says present, the minutes column says {minutes}."
            return Unread(UnreadKind.CONTRADICTION, words, ("present", f"late {minutes}"))
        minutes = None
    elif minutes is None and meaning.minutes is MinutesRule.REQUIRED:
        return Unread(
            UnreadKind.NEEDS_MINUTES, "This word needs its minutes, and there are none we can read."
        )
    said = vocabulary.reason_of(reason_text) if reason_text.strip() else None
    if _disagree(meaning, said):
        return Unread(UnreadKind.CONTRADICTION, "The mark and the reason column give different reasons.")
    reason = _reason(meaning, said)
    if reason is None:
        words = "This word says that the absence was explained, but not how."
        return Unread(UnreadKind.NEEDS_REASON, words, _WHY_ABSENT)
    own = _own_words(vocabulary, meaning, said, minutes_text, reason_text)
    fact = Fact(
        outcome=_placed(meaning.outcome, meaning.mode or mode),
        reason=reason,
        minutes=minutes,
        note="; ".join([meaning.note, *own] if meaning.note else own),
        provider_word=word.strip(),
        mode=meaning.mode,
    )
    if not own and len(vocabulary.ready) < _REMEMBERED:
        vocabulary.ready[word, minutes_text, reason_text, mode, day] = fact
    return fact


def _look_up(vocabulary: Vocabulary, folded: str) -> tuple[Meaning | None, int | None]:
    """Find a word, or a word that wants minutes with its minutes in the same cell: "Late (15 min)"."""
    meaning = vocabulary.meanings.get(folded)
    if meaning is not None or len(folded) > _LONGEST_WORD:
        return meaning, None
    behind = _WORD_THEN_MINUTES.fullmatch(folded)
    before = _MINUTES_THEN_WORD.fullmatch(folded)
    for name, minutes in (
        (behind[1], behind[2] or behind[3]) if behind else ("", ""),
        (before[2], before[1]) if before else ("", ""),
    ):
        meaning = vocabulary.meanings.get(name)
        if meaning is not None and meaning.minutes is not MinutesRule.NONE:
            return meaning, int(minutes)
    return None, None


def _unread(meaning: Meaning | None, folded: str, day: date) -> Unread:
    """Ask about a word that states no fact; free text is never repeated, it may name a child."""
    if meaning is not None:
        return Unread(UnreadKind.AMBIGUOUS, meaning.words, meaning.ask)
    gone = _retired(folded, day)
    if gone is not None:
        return Unread(UnreadKind.RETIRED, gone.words, gone.choices)
    return Unread(UnreadKind.UNMAPPED, "This mark is not in the provider's words.")


def _retired(folded: str, day: date) -> Retired | None:
    """Look for a withdrawn letter; on a day without known law there is none."""
    try:
        return retired(folded, day)
    except LawUnknownError:
        return None


def _reason(meaning: Meaning, said: ReasonKind | None) -> ReasonKind | None:
    """Join the word's reason and the reason column's; None if one is needed and there is none."""
    if meaning.outcome is not Outcome.ABSENT:
        return ReasonKind.NOT_APPLICABLE
    if meaning.reason_required:
        return None if said in _VAGUE else said
    if meaning.reason not in _VAGUE or said is None:
        return meaning.reason or ReasonKind.UNKNOWN
    if said is ReasonKind.UNKNOWN and meaning.reason is not None:
        return meaning.reason
    return said


def _disagree(meaning: Meaning, said: ReasonKind | None) -> bool:
    """Say whether the mark and the reason column state two reasons; leave may be granted for any."""
    fixed = meaning.reason
    return not (fixed in _VAGUE or said in _VAGUE or fixed in DECIDED_BY_SCHOOL or fixed is said)


def _own_words(
    vocabulary: Vocabulary, meaning: Meaning, said: ReasonKind | None, minutes_text: str, reason_text: str
) -> list[str]:
    """Keep the writer's own words that became nothing else."""
    own = []
    if _minutes(minutes_text) is None and fold_word(minutes_text) not in _NOTHING:
        own.append(minutes_text.strip())
    told = meaning.outcome is Outcome.ABSENT and meaning.reason in {*_VAGUE, said}
    folded = fold_word(reason_text)
    if folded not in _NOTHING and not (told and folded in vocabulary.reasons):
        own.append(reason_text.strip())
    return own


def _minutes(text: str) -> int | None:
    """Read a number of minutes: "25", "25 min", "0:25", and Excel's "25.0" and "00:25:00"."""
    match = _MINUTES.fullmatch(fold_word(text))
    return int(match[1]) if match else None


def _placed(outcome: Outcome, mode: Mode | None) -> Outcome:
    """Say of a pupil who attended whether it was in the building."""
    if outcome in {Outcome.PRESENT, Outcome.LATE, Outcome.LEFT_EARLY}:
        if mode is Mode.ONLINE:
            return Outcome.ONLINE
        if mode is Mode.AT_HOME:
            return Outcome.TAUGHT_AT_HOME
    return outcome


@cache
def _reasons() -> dict[str, ReasonKind]:
    """Read the phrases of the reason column that come with the hub."""
    data = tomllib.loads((files("aphub.domain") / "law" / "reasons.toml").read_text("utf-8"))
    return {fold_word(phrase): ReasonKind(kind) for kind, phrases in data.items() for phrase in phrases}
