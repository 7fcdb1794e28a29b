"""`quality.toml`: which rules a plugin keeps, which it is exempt from and why, and what level that makes.

[rules]
tries_once = "done"
says_uncertain_when_it_may_have_arrived = { exempt = "a folder cannot leave between taking and answering" }

[rules-of.TestOtherVariant]   # what differs for one test class
...

[evidence]                    # paths beside this file, or URLs for the last two
real_fixtures = "tests/fixtures"   # silver: recorded from the real far side …
live_test = "tests/live"           # … and a live test that runs weekly
receipts = "README.md"             # gold: what a receipt of this adapter proves …
runbook = "docs/runbook.md"        # … and what an operator does when it fails
"""

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = "quality.toml"
_SHORTEST_REASON = 20


@dataclass(frozen=True, slots=True)
class Quality:
    """What a plugin says of itself; `path` is None where it says nothing."""

    path: Path | None
    rules: dict[str, Any] = field(default_factory=dict)
    rules_of: dict[str, dict[str, Any]] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)

    def stated(self, test_class: str) -> dict[str, Any]:
        """Give what is stated of each rule for one test class."""
        return self.rules | self.rules_of.get(test_class, {})

    def exempt(self, test_class: str, rule: str) -> str:
        """Give the reason why this rule is not owed, empty when it is."""
        stated = self.stated(test_class).get(rule)
        return str(stated.get("exempt", "")) if isinstance(stated, dict) else ""

    def complaints(self, test_class: str, owed: frozenset[str], known: frozenset[str]) -> list[str]:
        """Say what is wrong with the file, in one sentence each."""
        if self.path is None:
            return [
                f"There is no {FILE} above the tests. Write one that says of each rule: done, or exempt and why."
            ]
        stated = self.stated(test_class)
        wrong = [f"The rule {rule} is not mentioned." for rule in sorted(owed - stated.keys())]
        wrong += [f"There is no rule {rule}." for rule in sorted(stated.keys() - known)]
        for rule, word in stated.items():
            if isinstance(word, dict):
                if set(word) != {"exempt"} or len(str(word.get("exempt", ""))) < _SHORTEST_REASON:
                    wrong.append(f'The rule {rule} is exempt without a reason: {{ exempt = "why" }}.')
            elif word != "done":
                wrong.append(f'The rule {rule} is neither "done" nor exempt.')
        return wrong

    def words(self) -> str:
        """Say in a line what the file states, for people who choose among plugins."""
        if self.path is None:
            return "it says nothing of the kit's rules"
        kept = sum(word == "done" for word in self.rules.values())
        away = len(self.rules) - kept
        return f"{self.level()}: {kept} rules kept" + (f", {away} exempt with a reason" if away else "")

    def level(self) -> str:
        """Give the level that the evidence makes once all owed rules pass."""
        if not (self._has("real_fixtures") and self._has("live_test")):
            return "bronze"
        return "gold" if self._has("receipts") and self._has("runbook") else "silver"

    def _has(self, name: str) -> bool:
        where = self.evidence.get(name, "")
        if not where or self.path is None:
            return False
        return where.startswith("https://") or (self.path.parent / where).exists()


@dataclass(slots=True)
class Tally:
    """How the rules of one test class went in this run."""

    name: str
    quality: Quality
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    exempt: dict[str, str] = field(default_factory=dict)

    def note(self, rule: str, *, passed: bool) -> None:
        """Note one result; a rule that failed once has failed."""
        (self.passed if passed else self.failed).add(rule)

    def lines(self) -> list[str]:
        """Give the summary in words."""
        kept = len(self.passed - self.failed)
        level = "no level" if self.failed else self.quality.level()
        lines = [
            f"{self.name}: {level}, {kept} rules kept, {len(self.failed)} broken, {len(self.exempt)} exempt"
        ]
        lines += [f"  broken: {rule.replace('_', ' ')}" for rule in sorted(self.failed)]
        lines += [f"  exempt: {rule.replace('_', ' ')} ({why})" for rule, why in sorted(self.exempt.items())]
        return lines


def find_quality(file: Path) -> Quality:
    """Find the nearest quality.toml above a test file or a module, no higher than its distribution's own folder."""
    for folder in file.parents:
        if (folder / FILE).is_file():
            return _read(folder / FILE)
        if (folder / "pyproject.toml").is_file():
            break
    return Quality(None)


@lru_cache
def _read(path: Path) -> Quality:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Quality(path, content.get("rules", {}), content.get("rules-of", {}), content.get("evidence", {}))
