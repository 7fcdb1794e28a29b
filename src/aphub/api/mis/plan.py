"""What to write and what not: each mark of a delivery beside what stands in the register."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from aphub.api.adapters import Delivery
from aphub.api.mis.marks import Mark, Slot, Verdict, judge
from aphub.api.mis.register import Entry, Register

_WHOLE = "Another session of this report cannot be written, so this one was not either."


class Line(NamedTuple):
    """One mark of a report with its judgement; without one, `why_not` says why it cannot be written.

    A tuple, which is made in a fifth of the time: a burst has hundreds.
    """

    report: str
    mark: Mark
    verdict: Verdict | None
    entry: Entry | None = None
    why_not: str = ""
    stands: str = ""
    trouble: str = ""
    ours: bool = False

    @property
    def slot(self) -> Slot | None:
        """Where in the register it belongs, once that is known."""
        return self.entry.slot if self.entry else None

    @property
    def there(self) -> bool:
        """Whether the register shows it, and nothing against it."""
        return (self.verdict is Verdict.THERE or self.verdict is Verdict.NEWER) and not self.trouble

    def __repr__(self) -> str:
        """Show nothing of the mark."""
        return f"Line(report={self.report!r}, verdict={self.verdict!r}, ours={self.ours!r})"


@dataclass(frozen=True, slots=True)
class Plan:
    """All marks of one delivery, judged against one reading of one school's register."""

    school: Register
    lines: tuple[Line, ...]

    @property
    def to_write(self) -> list[Line]:
        """The marks that the register should have and has not."""
        write = Verdict.WRITE
        return [line for line in self.lines if line.verdict is write]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to write, and nothing stands against what was written."""
        stands_against = any(line.verdict is Verdict.DIFFERS or line.trouble for line in self.lines)
        return not self.to_write and not stands_against

    @property
    def any_there(self) -> bool:
        """Whether the register shows a mark of the delivery."""
        return any(line.there for line in self.lines)

    @property
    def shows_ours(self) -> bool:
        """Whether the register shows a mark that this very delivery wrote, known by its comment."""
        return any(line.ours for line in self.lines)

    def entries(self) -> list[Entry]:
        """Give what is to be written, each slot once."""
        return list({line.entry.slot: line.entry for line in self.to_write if line.entry}.values())


class Together:
    """The pupils and days of a whole burst at one school, so that each is read once for all of it."""

    __slots__ = ("days", "upns")

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        """Begin with these marks."""
        self.upns: set[str] = set()
        self.days: set[str] = set()
        self.add(marks)

    def add(self, marks: Iterable[Mark]) -> None:
        """Add one delivery's."""
        for mark in marks:
            self.upns.add(mark.upn)
            self.days.add(mark.day)


def plan_of(
    school: Register,
    delivery: Delivery,
    marks: Sequence[Mark],
    together: Together,
    now: datetime,
    *,
    fresh: bool,
    writing: bool = False,
) -> Plan:
    """Judge each mark; pupils and days of `together` are read along, so that a burst reads once.

    With `writing`, only what the school signed for is let through; reading back asks what stands there, by whoever's
    leave it was written. Of a report of which one session cannot be written, no other is: it goes whole by another channel.
    """
    if fresh:
        school.ask_again()
    codes = school.codes()
    pupils = school.pupils({mark.upn for mark in marks}, together.upns)
    ids = {pupils[upn] for upn in together.upns if upn in pupils} if school.by_pupil else set[str]()
    known = any(mark.upn in pupils for mark in marks)
    standing = school.marks(together.days, ids, now, fresh=fresh) if known else {}
    clashes = _clashes(marks)
    lines = []
    for mark, report in zip(marks, delivery.row_reports, strict=True):
        pupil_id, target = pupils.get(mark.upn, ""), codes.targets.get(mark.code, "")
        why_not = ""
        if not mark.code or (mark.code not in delivery.may_write and (writing or delivery.may_write)):
            why_not = "The school has not signed for this code."
        elif clashes and (mark.upn, mark.day, mark.session) in clashes:
            why_not = "Two reports say different things about this session."
        elif not target:
            why_not = codes.why_not(mark.code)
        elif not pupil_id:
            why_not = "The school's system shows no single pupil with this UPN."
        if why_not:
            lines.append(Line(report, mark, None, why_not=why_not))
            continue
        entry = Entry(mark, pupil_id, target)
        existing = standing.get(entry.slot)
        lines.append(
            Line(
                report,
                mark,
                judge(mark, target, existing, codes.letters),
                entry,
                stands=codes.letters.get(existing.code_id, "another code") if existing else "",
                trouble=existing.trouble if existing else "",
                ours=existing is not None and bool(mark.comment) and existing.comment.strip() == mark.comment,
            )
        )
    if barred := {line.report for line in lines if line.verdict is None}:
        lines = [
            line._replace(verdict=None, why_not=_WHOLE)
            if line.verdict is Verdict.WRITE and line.report in barred
            else line
            for line in lines
        ]
    return Plan(school, tuple(lines))


def _clashes(marks: Sequence[Mark]) -> set[tuple[str, str, str]]:
    """Name the sessions of which a delivery states two codes: nobody can tell which one to write."""
    said: dict[tuple[str, str, str], str] = {}
    return {
        slot
        for mark in marks
        if said.setdefault(slot := (mark.upn, mark.day, mark.session), mark.code) != mark.code
    }
