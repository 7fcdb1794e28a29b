"""What a policy promises, as lines of a test; what no line expects fails the week."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from aphub.store import tables as t
from tests.policies.said import Said, wall

if TYPE_CHECKING:
    from tests.policies.week import Week

ARROW = " => "
"""Between the words about a pupil and the code that the school should consider: "attended => B"."""


@dataclass
class Expect:
    """Takes each message, task, question and leaf of the week off the list of what was not expected."""

    week: "Week"
    taken: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    known_steps: set[str] = field(default_factory=set)
    questions: set[str] = field(default_factory=set)
    leaves: Counter[str] = field(default_factory=Counter)

    def message(
        self,
        kind: str,
        *,
        to: str,
        by: str,
        about: dict[str, str],
        at: str = "",
        via: str = "email",
        says: tuple[str, ...] = (),
        late: bool = False,
    ) -> Said:
        """Expect the next message of a kind to a school or council: about exactly these pupils, gone by then.

        `about` gives each pupil's words, parted by "; ", and after " => " the codes to consider (none, where
        nothing follows).
        """
        latest = self.week.instant(by)
        open_now = self._such(to, kind, via)
        if not open_now:
            self._pass_until(by)
            open_now = self._such(to, kind, via)
        assert open_now, f"no {kind} to {to} by {via} until {by}\n{self.story()}"
        # Threads of two agreements leave in any order at one instant.
        now = [one for one in open_now if one.at == open_now[0].at]
        one = next((one for one in now if one.pupils == set(about)), now[0])
        self.taken.add(one.reference)
        assert one.at <= latest, f"gone at {wall(one.at)}, after {by}\n{one}"
        assert not at or wall(one.at) == at, f"gone at {wall(one.at)}, not at {at}\n{one}"
        assert late or one.at <= one.due, f"promised by {wall(one.due)}\n{one}"
        assert one.pupils == set(about), f"about {sorted(one.pupils)}\n{one}\n{self.story()}"
        for name, expected in about.items():
            self._says(one, name, expected)
        for words in says:
            assert words in one.text, f"does not say {words!r}\n{one.text}"
        for name in self.week.numbers:
            assert name not in one.subject
        return one

    def task(self, kind: str, *, by: str, about: str = "", says: str = "", done: bool = False) -> Row[Any]:
        """Expect a task for a person, raised by now and due by then; `done` where what happened has cleared it."""
        pupils = self.week.pupil_ids()
        found = [
            row
            for row in self.week.rows(t.tasks)
            if row.ref not in self.tasks
            and row.kind == kind
            and (not about or pupils.get(row.pupil_id) == about)
        ]
        assert found, f"no task {kind} about {about or 'anybody'}\n{self.story()}"
        row = found[0]
        self.tasks.add(row.ref)
        assert row.due_at <= self.week.instant(by), f"due {wall(row.due_at)}, after {by}: {row.words}"
        assert says in row.words, row.words
        assert (row.state != "open") is done, f"{row.state}: {row.words}"
        for name in self.week.numbers:
            assert name not in row.words
        return row

    def steps(self, about: str, ladder: str, *, on: str = "", **due: str) -> dict[str, Row[Any]]:
        """Expect exactly these steps of a ladder in a pupil's case, each by its time (of today, or "Wed 12:00").

        `on` names the day of the case, where a pupil has several with new steps.
        """
        pupils = self.week.pupil_ids()
        mine = {
            row.case_id
            for row in self.week.rows(t.cases)
            if pupils.get(row.pupil_id) == about and (not on or row.day == self.week.day(on))
        }
        found = {
            row.name.replace("-", "_"): row
            for row in self.week.rows(t.steps, ladder=ladder)
            if row.case_id in mine and row.ref not in self.known_steps
        }
        walls = {name: row.due_at for name, row in found.items()}
        expected = {name: self.week.instant(when) for name, when in due.items()}
        assert walls == expected, "\n".join(
            [f"{about}, {ladder}:", *(f"  {name} by {wall(at)}" for name, at in walls.items()), self.story()]
        )
        self.known_steps.update(row.ref for row in found.values())
        for row in found.values():
            for name in self.week.numbers:
                assert name not in row.words
        return found

    def question(self, kind: str) -> Row[Any]:
        """Expect a mark that became a question."""
        found = [
            row for row in self.week.rows(t.questions) if row.ref not in self.questions and row.kind == kind
        ]
        assert found, f"no question {kind}\n{self.story()}"
        self.questions.add(found[0].ref)
        return found[0]

    def leaf(self, kind: str, times: int = 1) -> None:
        """Expect statements in the ledger beside those that every register and every message leave."""
        self.leaves[kind] += times

    def quiet(self, until: str) -> None:
        """Expect that nothing more is said, asked or asked for until then."""
        self._pass_until(until)
        self.all_expected()

    def all_expected(self) -> None:
        """Check that every message, task and question so far was expected."""
        messages = [str(one) for one in self._open()]
        tasks = [f"task {row.kind}: {row.words}" for row in self._open_tasks()]
        steps = [
            f"step {row.ladder} {row.name} by {wall(row.due_at)}: {row.words}"
            for row in self.week.rows(t.steps)
            # Hours a week and what comes round have tests of their own; they come in every week alike.
            if row.ref not in self.known_steps and row.trigger != "weekly_hours"
        ]
        questions = [f"question {row.kind}" for row in self._open_questions()]
        found = [*messages, *tasks, *steps, *questions]
        assert not found, "\n".join(["not expected:", *found])

    def the_end(self, at: str = "Fri 18:00") -> None:
        """Check at the week's end that nothing was said beyond what was expected, and that the ledger proves it."""
        self.quiet(at)
        said = self.week.said()
        accepted = sum(row.rung == "accepted" for row in self.week.rows(t.dispatches))
        usual = Counter(
            {
                "snapshot.published": 1,
                "intake.taken": self.week.files,
                "report.prepared": len(self.week.rows(t.dispatches)),
                "dispatch.handed_over": len(said),
                "dispatch.accepted": accepted,
                "case.raised": len(self.week.rows(t.cases)),
                "step.done": self.week.acts,
                "call.made": self.week.calls,
                "step.overdue": sum(row.overdue_told_at is not None for row in self.week.rows(t.steps)),
            }
        )
        expected = +(usual + self.leaves)
        assert self.week.leaves() == expected, f"{self.week.leaves()} and not {expected}"
        subjects = Counter((row.subject, row.kind) for row in self.week.rows(t.statements))
        for one in said:
            assert subjects[one.reference, "report.prepared"] == 1
            assert subjects[one.reference, "dispatch.handed_over"] == 1
        assert self.week.ledger_verifies()

    def story(self) -> str:
        """Tell what was said and raised today, what was not expected with a question mark."""
        now = wall(self.week.clock.now())
        told = [(one.at, one.reference in self.taken, str(one)) for one in self.week.said()]
        told += [
            (row.raised_at, row.ref in self.tasks, f"task {row.kind} due {wall(row.due_at)}: {row.words}")
            for row in self.week.rows(t.tasks)
        ]
        pupils, cases = self.week.pupil_ids(), {row.case_id: row for row in self.week.rows(t.cases)}
        told += [
            (
                max(row.opens_at, cases[row.case_id].raised_at),
                row.ref in self.known_steps,
                f"step for {pupils.get(cases[row.case_id].pupil_id)}, {row.ladder} {row.name}, {row.state}",
            )
            for row in self.week.rows(t.steps)
        ]
        today = [f"  {'' if known else '? '}{words}" for at, known, words in told if wall(at)[:3] == now[:3]]
        return "\n".join(
            [f"It is {now}.", *today, *(f"  ? question {row.kind}" for row in self._open_questions())]
        )

    def _pass_until(self, when: str) -> None:
        if self.week.instant(when) > self.week.clock.now():
            self.week.at(when)

    def _such(self, to: str, kind: str, via: str) -> list[Said]:
        return [one for one in self._open() if (one.to, one.kind, one.adapter) == (to, kind, via)]

    def _open(self) -> list[Said]:
        return [one for one in self.week.said() if one.reference not in self.taken]

    def _open_tasks(self) -> list[Row[Any]]:
        round_again = {"reminder", "reminder_chased"}
        rows = self.week.rows(t.tasks)
        return [row for row in rows if row.ref not in self.tasks and row.kind not in round_again]

    def _open_questions(self) -> list[Row[Any]]:
        return [row for row in self.week.rows(t.questions) if row.ref not in self.questions]

    def _says(self, one: Said, name: str, expected: str) -> None:
        words, _, codes = expected.partition(ARROW)
        block = one.blocks.get(name)
        if block is None:
            rows = [row for row in one.rows if one.names[row["upn"]] == name]
            told = ("outcome", "minutes_late", "reason_text", "actions")
            block = " ".join(row[name] for row in rows for name in told if row[name])
        for part in words.split("; "):
            assert part in block, f"of {name} it does not say {part!r}: {block}"
        assert one.codes[name] == set(codes.split(", ")), f"{name}: {one.codes[name]}"
