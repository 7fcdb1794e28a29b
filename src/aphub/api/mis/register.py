"""One school's register as its vendor shows it: may we write, which codes it has, which pupils, which marks stand there."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from aphub.api.callbacks import Called, CallState
from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError
from aphub.api.lent import Memory
from aphub.api.mis.marks import Existing, Mark, Slot
from aphub.api.mis.settings import State

_FRESH = timedelta(seconds=30)
"""How long marks that were read count as what stands there now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must be so before anything is written; what is `passing` may be well again in an hour."""

    step: str
    ok: bool
    found: str
    mend: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A school's own codes: what stands for each letter there; a letter that stands for two things is `twice`."""

    targets: Mapping[str, str] = field(repr=False)
    letters: Mapping[str, str] = field(repr=False)
    twice: frozenset[str] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "CodeTable":
        """Build it from pairs of letter and what stands for it."""
        seen: dict[str, str] = {}
        letters: dict[str, str] = {}
        twice: set[str] = set()
        for text, target in pairs:
            letter = text.strip()
            letters[target] = letter
            if seen.setdefault(letter, target) != target:
                twice.add(letter)
        return cls({one: ref for one, ref in seen.items() if one not in twice}, letters, frozenset(twice))

    def why_not(self, letter: str) -> str:
        """Say why a letter has nothing that stands for it."""
        if letter in self.twice:
            return f"The school's system has the code {letter} twice, so we cannot tell which is meant."
        return f"The school's system has no code {letter}."


class Entry(NamedTuple):
    """One mark on its way into the register, with the school's own ids."""

    mark: Mark
    pupil_id: str
    target: str

    @property
    def slot(self) -> Slot:
        """What it belongs to."""
        return self.pupil_id, self.mark.day, self.mark.session

    def __repr__(self) -> str:
        """Show nothing of the pupil."""
        return f"Entry({self.mark!r})"


@dataclass(frozen=True, slots=True)
class Written:
    """What they said to one request that writes.

    `refused` has their words for each mark that they turned away. `stale_ids` says that ids may have changed.
    """

    reference: str = ""
    evidence: dict[str, str] = field(repr=False, default_factory=dict)
    hops: str = ""
    refused: Mapping[Slot, str] = field(repr=False, default_factory=dict)
    code: str = ""
    stale_ids: bool = False

    @classmethod
    def turned_away(
        cls, entries: Iterable[Entry], words: str, code: str, *, stale_ids: bool = False
    ) -> "Written":
        """Say that they turned all of these away, in their own words."""
        evidence = {"answer": words, "code": code}
        refused = {entry.slot: words for entry in entries}
        return cls(evidence=evidence, refused=refused, code=code, stale_ids=stale_ids)


@dataclass(frozen=True, slots=True)
class Asked:
    """What they say of an earlier write; `word` is their status, `words` all that they said.

    With `may_show`, the register may show what is still pending, since nobody but the register says when it is done.
    """

    state: State
    word: str = ""
    words: str = field(repr=False, default="")
    may_show: bool = False


def asked_of(called: Called) -> Asked:
    """Give what they said when they called, as if they had been asked."""
    states = {CallState.DONE: State.CONFIRMED, CallState.FAILED: State.FAILED, CallState.OPEN: State.PENDING}
    word = f"they called: {called.word}" if called.word else "they called"
    return Asked(states[called.state], word, word, may_show=True)


class Register(ABC):
    """A school's codes and pupils, kept for as long as the adapter lives, and its marks, for seconds.

    A vendor's class says how each is read and written. Pupils' ids are remembered by the hub (`memory`, under
    `place`) until the far side refuses one.
    """

    by_pupil = False
    """Whether marks are read pupil by pupil; else a school's whole days are."""

    def __init__(self, place: str, memory: Memory) -> None:
        """Read nothing yet."""
        self._place = place
        self._memory = memory
        self._refusal: RefusedDeliveryError | None = None
        self._may_write = False
        self._codes: CodeTable | None = None
        self._pupils: dict[str, str] = {}
        self._asked: set[str] = set()
        self._marks: dict[Slot, Existing] = {}
        self._days: set[str] = set()
        self._for: set[str] = set()
        self._read_at: datetime | None = None

    # What a vendor's class says

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """Look at what must be so before anything is written, one thing after the other; sends no pupil's data."""

    def shown(self, today: date) -> Iterator[Finding]:  # noqa: ARG002 - many have nothing to look at
        """Look at what only a check needs to know, such as whether filters are heard; sends no pupil's data."""
        yield from ()

    @abstractmethod
    def read_codes(self) -> Iterable[tuple[str, str]]:
        """Read the school's own code table: letter, and what stands for it."""

    @abstractmethod
    def find_pupils(self, upns: Sequence[str]) -> Iterable[tuple[str, str]]:
        """Read numbers (UPN) and ids of pupils, at least of those that were asked for and are there."""

    @abstractmethod
    def read_marks(self, days: Sequence[str], pupil_ids: Sequence[str]) -> dict[Slot, Existing]:
        """Read what stands in the register on these days (in order), at least for these pupils."""

    @abstractmethod
    def write(self, entries: Sequence[Entry]) -> Written:
        """Write these marks, once and in one request."""

    queues = False
    """Whether writes are queued there, with an address of ours that they call when the write is done."""

    def queue(self, entries: Sequence[Entry], address: str) -> Written:
        """Queue these marks in one request, and have them call `address` then; only where it `queues`."""
        raise NotImplementedError

    def batches(self, entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """Part marks into what one request may hold; by default all."""
        yield entries

    def ask(self, reference: str) -> Asked | None:  # noqa: ARG002 - most have nobody to ask
        """Ask what became of a write; None where they do not know it. By default only the register can tell."""
        return Asked(State.CONFIRMED)

    # What all share

    def require_writing(self) -> None:
        """Make sure, once, that the school lets us write.

        Raises:
            RefusedDeliveryError: It does not; the words say what to ask for.
            TransientDeliveryError: Its system is offline now.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._may_write:
            return
        try:
            for finding in self.findings():
                if finding.ok:
                    continue
                kind = TransientDeliveryError if finding.passing else RefusedDeliveryError
                raise kind(finding.found, what_now=finding.mend)
        except RefusedDeliveryError as exc:
            self._refusal = exc
            raise
        self._may_write = True

    def codes(self) -> CodeTable:
        """Give the school's own code table, read once."""
        if self._codes is None:
            self._codes = CodeTable.of(self.read_codes())
        return self._codes

    def pupils(self, upns: set[str], together: Iterable[str] = ()) -> dict[str, str]:
        """Give the id of each number that is one pupil's there.

        Asks only for those not known yet, and then for those of `together` in the same breath.
        """
        if upns <= self._asked:
            return self._pupils
        missing = {upn for upn in (*upns, *together) if upn} - self._asked
        known = self._memory.recall(self._place, sorted(missing - self._pupils.keys()))
        self._pupils.update(known)
        missing -= self._pupils.keys()
        if missing:
            self._find(missing)
        self._asked |= missing | known.keys()
        return self._pupils

    def _find(self, missing: set[str]) -> None:
        """Find pupils by number; a number that two pupils have is nobody's, and one nobody asked for is not kept."""
        ids: dict[str, str] = {}
        twice = set()
        for text, pupil_id in self.find_pupils(sorted(missing)):
            upn = text.strip().upper()
            if upn in missing and pupil_id and ids.setdefault(upn, pupil_id) != pupil_id:
                twice.add(upn)
        found = {upn: one for upn, one in ids.items() if upn not in twice}
        self._pupils.update(found)
        self._memory.remember(self._place, found)

    def ask_again(self) -> None:
        """Let the next question ask again for those who were not found: enrolments take time."""
        self._asked = set(self._pupils)

    def forget_pupils(self, upns: set[str]) -> dict[str, str]:
        """Drop what is known of these pupils, since ids change when a pupil is enrolled again; gives what was known."""
        self._asked -= upns
        self._memory.forget(self._place, sorted(upns))
        return {upn: self._pupils.pop(upn, "") for upn in upns}

    def marks(
        self, days: set[str], pupil_ids: set[str], now: datetime, *, fresh: bool
    ) -> dict[Slot, Existing]:
        """Give what stands in the register; it is kept for seconds, so that a burst reads it once."""
        stale = self._read_at is None or not timedelta(0) <= now - self._read_at < _FRESH
        lacking = not self._days >= days or (self.by_pupil and not self._for >= pupil_ids)
        if fresh or stale or lacking:
            self._marks = self.read_marks(sorted(days), sorted(pupil_ids))
            self._days, self._for, self._read_at = set(days), set(pupil_ids), now
        return self._marks
