"""What one of a provider's words means, and how a configuration says so."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from aphub.domain.errors import VocabularyError
from aphub.domain.outcomes import NOT_STATED, Mode, Outcome, ReasonKind

_KEYS = frozenset({"outcome", "reason", "minutes", "mode", "note", "also", "same_as", "ask", "words"})
_REQUIRED = "required"
_ALIKE = str.maketrans(
    {
        "\u2019": "'",
        "\u2018": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u200b": None,
        "\ufeff": None,
    }
)
"""Signs that Word changes while one types, and marks that nobody sees."""

E = TypeVar("E", bound=StrEnum)


class MinutesRule(StrEnum):
    """Whether a word wants its minutes beside it."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The fact that a word states, and what must stand beside it; or what to ask, if it states none."""

    outcome: Outcome | None
    reason: ReasonKind | None = None
    reason_required: bool = False
    minutes: MinutesRule = MinutesRule.NONE
    mode: Mode | None = None
    note: str = ""
    ask: tuple[str, ...] = ()
    words: str = ""


def fold_word(text: str) -> str:
    """Give a word as it is compared: without capitals, outer or doubled white space or curly quotes."""
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_ALIKE)
    return " ".join(unicodedata.normalize("NFKC", plain.casefold()).split())


def meanings_from(
    words: Mapping[str, Mapping[str, object]], known: Mapping[str, Meaning] | None = None
) -> dict[str, Meaning]:
    """Read configured words into meanings by folded word; `same_as` may name a word in `known`.

    Raises:
        VocabularyError: It names the word, the key, the value and what to write instead.
    """
    found: dict[str, Meaning] = {}
    typed: dict[str, str] = {}
    later: list[tuple[str, str]] = []
    for word, spec in words.items():
        unknown = sorted(set(spec) - _KEYS)
        if unknown:
            raise _wrong(word, unknown[0], f"is not a key; the keys are {', '.join(sorted(_KEYS))}")
        names = [word, *_texts(word, "also", spec.get("also", []))]
        for name in names:
            folded = fold_word(name)
            if not folded:
                raise _wrong(word, "also" if name is not word else word, "is an empty word")
            if folded in typed:
                raise VocabularyError(
                    f'"{name}" and "{typed[folded]}" are the same word',
                    mend="Keep one of them; capitals and spaces do not matter",
                )
            typed[folded] = name
        if "same_as" in spec:
            later.extend((fold_word(name), _text(word, "same_as", spec["same_as"])) for name in names)
            continue
        meaning = _meaning(word, spec)
        found.update((fold_word(name), meaning) for name in names)
    for folded, other in later:
        meaning_of = found.get(fold_word(other)) or (known or {}).get(fold_word(other))
        if meaning_of is None:
            raise _wrong(typed[folded], "same_as", f'names "{other}", which has no meaning yet')
        found[folded] = meaning_of
    return found


def _meaning(word: str, spec: Mapping[str, object]) -> Meaning:
    """Read one word's keys."""
    if "ask" in spec:
        return Meaning(
            outcome=None,
            ask=_texts(word, "ask", spec["ask"]),
            words=_text(word, "words", spec.get("words", "")),
        )
    if "outcome" not in spec:
        raise _wrong(word, "outcome", f"is missing; write one of {_listed(Outcome)}")
    outcome = _one_of(word, "outcome", spec["outcome"], Outcome)
    if outcome in NOT_STATED and outcome is not Outcome.NOT_YET_TAKEN:
        raise _wrong(word, "outcome", f'is "{outcome.value}", which only the hub can say')
    reason = spec.get("reason")
    if reason is not None and outcome is not Outcome.ABSENT:
        raise _wrong(word, "reason", 'belongs only to outcome = "absent"')
    mode = spec.get("mode")
    return Meaning(
        outcome=outcome,
        reason=None if reason in {None, _REQUIRED} else _one_of(word, "reason", reason, ReasonKind),
        reason_required=reason == _REQUIRED,
        minutes=_one_of(word, "minutes", spec.get("minutes", _minutes_of(outcome)), MinutesRule),
        mode=None if mode is None else _one_of(word, "mode", mode, Mode),
        note=_text(word, "note", spec.get("note", "")),
    )


def _minutes_of(outcome: Outcome) -> str:
    """Say whether minutes are read where the configuration does not."""
    return "optional" if outcome in {Outcome.LATE, Outcome.LEFT_EARLY} else "none"


def _one_of(word: str, key: str, value: object, kind: type[E]) -> E:
    if isinstance(value, str):
        try:
            return kind(value)
        except ValueError:
            pass
    raise _wrong(word, key, f"is {value!r}; write one of {_listed(kind)}")


def _text(word: str, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(word, key, f"is {value!r}; write words in quotes")
    return value


def _texts(word: str, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise _wrong(word, key, 'is not a list of words; write it like ["one", "other"]')
    return tuple(value)


def _listed(kind: type[StrEnum]) -> str:
    return ", ".join(member.value for member in kind)


def _wrong(word: str, key: str, fault: str) -> VocabularyError:
    return VocabularyError(
        f'In the meaning of "{word}", {key} {fault}', done="No words of this provider were changed"
    )
