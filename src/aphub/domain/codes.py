"""The attendance codes of England as dated data: what was true on a day, never "the current guidance"."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from aphub.domain.errors import LawUnknownError


class StatisticalClass(StrEnum):
    """How a code counts in the Department for Education's figures."""

    PRESENT = "present"
    EDUCATIONAL_ACTIVITY = "educational_activity"
    AUTHORISED = "authorised"
    UNAUTHORISED = "unauthorised"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a set: one or two characters, its meaning in our words, its class and its source."""

    code: str
    meaning: str
    statistical_class: StatisticalClass
    law: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A code that people still type in a sense that it no longer has, and what to choose instead.

    `until` is the first day on which the old sense was gone, or None where no source names the day.
    """

    code: str
    meaning: str
    until: date | None
    choices: tuple[str, ...]
    advice: str
    lives_on: bool

    @property
    def words(self) -> str:
        """Say what is the matter and what to choose, as on a screen."""
        if self.lives_on:
            first = f"{self.code} is used in several senses."
        elif self.until is None:
            first = f"{self.code} is no longer used."
        else:
            first = f"{self.code} stopped being used on {self.until.day} {self.until:%B %Y}."
        return f"{first} Choose {_one_of(self.choices)}. {self.advice}"


@dataclass(frozen=True, slots=True, eq=False)  # one object a set, so that rules can be remembered by it
class CodeSet:
    """The codes that hold from one day until another: `valid_until` is the first day after, if known."""

    name: str
    valid_from: date
    valid_until: date | None
    codes: Mapping[str, Code]
    retired: Mapping[str, Retired]

    def __contains__(self, code: str) -> bool:
        """Say whether this is a code of the set."""
        return code in self.codes

    def __iter__(self) -> Iterator[str]:
        """Give the codes in the order of the law."""
        return iter(self.codes)


@cache
def code_sets() -> tuple[CodeSet, ...]:
    """Give all code sets that are shipped, oldest first."""
    folder = files("aphub.domain") / "law" / "codes"
    sets = [
        _code_set(tomllib.loads(entry.read_text("utf-8")))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return tuple(sorted(sets, key=lambda one: one.valid_from))


@lru_cache(maxsize=1024)
def code_set_on(day: date) -> CodeSet:
    """Give the code set that held on a London day.

    Raises:
        LawUnknownError: No code set is known for that day.
    """
    for one in reversed(code_sets()):
        if one.valid_from <= day:
            if one.valid_until is not None and day >= one.valid_until:
                break
            return one
    raise LawUnknownError(
        f"We know no attendance codes for {day.isoformat()}",
        mend="Check the date. A later set of codes needs a newer version",
    )


def retired(code: str, day: date) -> Retired | None:
    """Give what to choose instead of a code in a sense that it had lost on that day, if it had.

    Capitals and white space around the code do not matter. X and # are always given: they are
    codes still, but the sense in which somebody typed them has to be asked.
    """
    return code_set_on(day).retired.get(code.strip().upper())


def _code_set(data: Mapping[str, Any]) -> CodeSet:
    codes = {
        code: Code(code, entry["meaning"], StatisticalClass(entry["class"]), entry["law"])
        for code, entry in data["codes"].items()
    }
    gone = {
        code: Retired(
            code=code,
            meaning=entry["meaning"],
            until=entry.get("until"),
            choices=tuple(entry["choices"]),
            advice=entry["advice"],
            lives_on=entry.get("always", False),
        )
        for code, entry in data.get("retired", {}).items()
    }
    return CodeSet(
        name=data["name"],
        valid_from=data["valid_from"],
        valid_until=data.get("valid_until"),
        codes=MappingProxyType(codes),
        retired=MappingProxyType(gone),
    )


def _one_of(choices: tuple[str, ...]) -> str:
    """Join choices as in a sentence."""
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last
