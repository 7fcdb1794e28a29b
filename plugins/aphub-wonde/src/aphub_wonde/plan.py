"""What to write and what not: each mark of a delivery beside what stands in the register."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aphub.api import Delivery
from aphub_wonde.marks import Mark, Verdict, judge
from aphub_wonde.school import School

_WHOLE = "Another session of this report cannot be written, so this one was not either."


@dataclass(frozen=True, slots=True)
class Line:
    """One mark of a report with its judgement; without one, `why_not` says why it cannot be written."""

    report: str
    mark: Mark = field(repr=False)
    verdict: Verdict | None
    student_id: str = field(repr=False, default="")
    code_id: str = field(repr=False, default="")
    why_not: str = field(repr=False, default="")
    stands: str = field(repr=False, default="")
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All marks of one delivery, judged against one reading of one school's register."""

    school: School
    lines: tuple[Line, ...]

    @property
    def to_write(self) -> list[Line]:
        """The marks that the register should have and has not."""
        return [line for line in self.lines if line.verdict is Verdict.WRITE]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to write, and nothing stands against what was written."""
        return not self.to_write and all(line.verdict is not Verdict.DIFFERS for line in self.lines)

    @property
    def any_there(self) -> bool:
        """Whether the register shows a mark of the delivery."""
        return any(line.verdict in {Verdict.THERE, Verdict.NEWER} for line in self.lines)

    @property
    def shows_ours(self) -> bool:
        """Whether the register shows a mark that this very delivery wrote, known by its comment."""
        return any(line.ours for line in self.lines)

    def body(self) -> list[dict[str, Any]]:
        """Give the records to post, each slot once."""
        return list(dict(self._records()).values())

    def _records(self) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
        for line in self.to_write:
            mark = line.mark
            record: dict[str, Any] = {
                "date": mark.day,
                "session": mark.session,
                "student_id": line.student_id,
                "attendance_code_id": line.code_id,
            }
            if mark.comment:
                record["comment"] = mark.comment
            if mark.minutes_late:
                record["minutes_late"] = mark.minutes_late
            yield (line.student_id, mark.day, mark.session), record


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
    school: School,
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
    codes = school.code_ids()
    students = school.students({mark.upn for mark in marks}, together.upns)
    known = any(mark.upn in students for mark in marks)
    standing = school.marks(together.days, now, fresh=fresh) if known else {}
    clashes = _clashes(marks)
    lines = []
    for mark, report in zip(marks, delivery.row_reports, strict=True):
        student_id, code_id = students.get(mark.upn, ""), codes.get(mark.code, "")
        why_not = ""
        if not mark.code or (mark.code not in delivery.may_write and (writing or delivery.may_write)):
            why_not = "The school has not signed for this code."
        elif (mark.upn, mark.day, mark.session) in clashes:
            why_not = "Two reports say different things about this session."
        elif not code_id:
            why_not = school.why_no_code(mark.code)
        elif not student_id:
            why_not = "The school's system shows no single pupil with this UPN."
        if why_not:
            lines.append(Line(report, mark, None, why_not=why_not))
            continue
        existing = standing.get((student_id, mark.day, mark.session))
        verdict = judge(mark, code_id, existing, school.letters)
        stands = school.letters.get(existing.code_id, "another code") if existing else ""
        ours = existing is not None and bool(mark.comment) and existing.comment.strip() == mark.comment
        lines.append(Line(report, mark, verdict, student_id, code_id, stands=stands, ours=ours))
    barred = {line.report for line in lines if line.verdict is None}
    return Plan(
        school,
        tuple(
            replace(line, verdict=None, why_not=_WHOLE)
            if line.verdict is Verdict.WRITE and line.report in barred
            else line
            for line in lines
        ),
    )


def _clashes(marks: Sequence[Mark]) -> set[tuple[str, str, str]]:
    """Name the sessions of which a delivery states two codes: nobody can tell which one to write."""
    said: dict[tuple[str, str, str], str] = {}
    return {
        slot
        for mark in marks
        if said.setdefault(slot := (mark.upn, mark.day, mark.session), mark.code) != mark.code
    }
