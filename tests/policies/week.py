"""A school week at one provider of `config/`, played on a clock: steps that read as a policy reads.

`week.at("Tue 09:05").register("09:00", Lee="Present")` is what people at the provider do; `week.expect` is what the
policy promises. The configuration is the repository's own, intake, rendering and the spine are real; only the far
sides are recorded. Nothing may be said, asked or written into the ledger that no line of the test expects.
"""

import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, Table, select, update

from aphub.clock import PlayedClock
from aphub.daemon import prepare_days
from aphub.demo.day import put
from aphub.demo.loop import pass_until_quiet
from aphub.domain.absences import Stretch, Teller
from aphub.domain.calendar import LONDON, WEEKDAYS, to_utc
from aphub.domain.calls import CallResult
from aphub.domain.entries import Fact
from aphub.domain.ledger.verify import verify_log
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.hub import Hub, built_in, create_hub, open_hub
from aphub.plugins import Plugins, load
from aphub.sealing import MasterKey
from aphub.services import (
    absences,
    answering,
    calling,
    cancel,
    case_acts,
    decisions,
    letters_home,
    not_due,
    people,
    receipts,
    telling_by_phone,
)
from aphub.services.absences import News
from aphub.services.calling import Call
from aphub.services.decisions import Decided
from aphub.services.desk import Desk
from aphub.store import ledger as ledger_rows
from aphub.store import tables as t
from aphub.testing import Recorder
from tests.house.project import ROOT
from tests.policies.expect import Expect
from tests.policies.said import Said, read
from tests.registers import Person, people_file

HEADER = ("Ref", "Date", "Start time", "AM/PM", "Mark", "Minutes", "Reason", "Action")
OFFICE = "Jo Weaver, office"
MOMENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Mark:
    """One line of a register: the word, and what stands beside it."""

    word: str
    reason: str = ""
    minutes: str = ""
    did: str = ""


@dataclass(frozen=True)
class Child:
    """An invented pupil: the organisation that placed them, their timetable, and other columns of the people file."""

    school: str
    timetable: str
    agreement: str
    also_told: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    second: "Child | None" = None

    def and_placed(self, second: "Child") -> "Child":
        """Place the same pupil a second time, beside the first."""
        return replace(self, second=second)


def child(school: str, timetable: str, agreement: str, *also_told: str, **columns: str) -> Child:
    """Place an invented pupil."""
    return Child(school, timetable, agreement, also_told, columns)


@dataclass
class Week:
    """One provider's hub, its clock, and everything that it has said."""

    hub: Hub
    clock: PlayedClock
    recorder: Recorder
    monday: date
    slug: str
    numbers: dict[str, int]
    children: dict[str, Child] = field(default_factory=dict)
    files: int = 0
    acts: int = 0
    calls: int = 0
    stirred: bool = False
    prepared: date | None = None
    told: list[Said] = field(default_factory=list)
    expect: Expect = field(init=False)

    def __post_init__(self) -> None:
        self.expect = Expect(self)

    @property
    def desk(self) -> Desk:
        """The provider's desk."""
        return self.hub.desk(self.slug)

    # What people do

    def at(self, when: str) -> "Week":
        """Let it be this London time of the week, such as "Tue 09:05", having done all that was due until then."""
        until = self.instant(when)
        assert until >= self.clock.now(), f"it is already later than {when}"
        self.play_until(until)
        return self

    def register(self, starts: str, *, on: str = "", **marks: str | Mark) -> "Week":
        """Put a register of the lesson that starts then (or of "PM") into the inbox, today's unless a weekday is named."""
        day = self.day(on) if on else self.clock.now().astimezone(LONDON).date()
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for name, given in marks.items():
            mark = Mark(given) if isinstance(given, str) else given
            when = ("", starts) if starts in {"AM", "PM"} else (starts, "")
            row = (f"{day:%d/%m/%Y}", *when, mark.word, mark.minutes, mark.reason, mark.did)
            writer.writerow((self.ref(name), *row))
        self.files += 1
        put(self.inbox / f"register {self.files}.csv", out.getvalue().encode(), self.clock.now())
        self.stirred = True
        return self

    def answer(self, question: Row[Any], choice: str) -> "Week":
        """Say what a mark means that could not be read, as a person at the provider does."""
        answering.answer_question(self.desk, question.ref, OFFICE, choice=choice)
        self.stirred = True
        return self

    def done(self, step: Row[Any], said: str = "") -> "Week":
        """Say that a step of a case was done."""
        case_acts.do_step(self.desk, step.ref, OFFICE, said)
        self.acts += 1
        self.stirred = True
        return self

    def called(
        self, step: Row[Any], result: str, answered_by: str = "", *, ends: int | None = None, **said: Any
    ) -> "Week":
        """Keep a telephone call about a step, with what came of it; an answer ends one step, or as many as `ends`."""
        call = Call(CallResult(result), OFFICE, answered_by=answered_by, **said)
        calling.call_about_step(self.desk, step.ref, call)
        self.calls += max(ends or 1, 1)
        self.acts += ends if ends is not None else call.result is CallResult.ANSWERED
        self.stirred = True
        return self

    def released(self, step: Row[Any]) -> "Week":
        """Read the letter of a step and release it."""
        letters_home.release(self.desk, step.ref, OFFICE)
        self.acts += 1
        self.stirred = True
        return self

    def phoned(self, task: Row[Any], answered_by: str, *, repeated: bool = False) -> "Week":
        """Tell a school or council by telephone what a message says, and keep who answered."""
        call = Call(CallResult.ANSWERED, OFFICE, answered_by=answered_by, repeated=repeated)
        telling_by_phone.call_about_message(self.desk, task.subject, call)
        self.calls += 1
        self.stirred = True
        return self

    def confirmed(self, said: Said, by: str) -> "Week":
        """Keep that somebody at a school said that they have a message."""
        receipts.confirm(self.desk, said.reference, by, "")
        self.expect.leaf("dispatch.confirmed")
        self.stirred = True
        return self

    def decided(self, name: str, school: str, reason: str, first: str, last: str) -> "Week":
        """Keep what a pupil's school decided for some days."""
        stretch = Stretch(self.day(first), self.day(last))
        word = Decided(self.ref(name), school, ReasonKind(reason), stretch, "Mrs Example, head of year")
        decisions.record_decision(self.desk, word, OFFICE)
        self.expect.leaf("decision.recorded")
        self.stirred = True
        return self

    def school_closed(self, school: str, day: str, *away: str) -> "Week":
        """Say who stays away on a day on which their school is closed."""
        gone = [self.ref(name) for name in away]
        not_due.answer_closure(self.desk, school, self.day(day), OFFICE, away=gone)
        self.stirred = True
        return self

    def moves(self, name: str, school: str) -> "Week":
        """Take a file of people in which a pupil has another school from today on."""
        one = replace(self.children[name], school=school)
        _take(self, {name: one})
        self.stirred = True
        return self

    def told_ahead(self, name: str, reason: str, day: str, until: str = "") -> "Week":
        """Keep what home says of an absence to come."""
        on = Stretch(self.day(day), self.day(until or day))
        fact = Fact(Outcome.ABSENT, ReasonKind(reason))
        absences.know_absence(self.desk, News(self.ref(name), fact, on, Teller.PARENT), OFFICE)
        self.stirred = True
        return self

    def cancel(self, from_time: str, place: str = "") -> "Week":
        """Cancel all of today's lessons from a time on, or those at a place, in one step."""
        today = self.clock.now().astimezone(LONDON).date()
        which = cancel.Which(today, time.fromisoformat(from_time), place=place)
        cancel.cancel_lessons(self.desk, which, cancel.Because.STAFF, OFFICE)
        self.expect.leaf("lessons.cancelled")
        self.stirred = True
        return self

    def instead(self, name: str, where: str) -> "Week":
        """Keep where a pupil is whose lesson was cancelled, as home says."""
        ref = self.rows(t.cancellations)[-1].ref
        cancel.take_answer(self.desk, ref, self.ref(name), cancel.Instead(where), OFFICE)
        self.acts += 1
        self.stirred = True
        return self

    def found(self, name: str) -> "Week":
        """Say that a pupil who left the site was found safe."""
        pupils = self.pupil_ids()
        mine = [row for row in self.rows(t.cases) if pupils.get(row.pupil_id) == name]
        case_acts.found_safe(self.desk, mine[-1].ref, OFFICE)
        self.acts += 1
        self.stirred = True
        return self

    # What can be seen

    @property
    def inbox(self) -> Path:
        """The folder into which the office puts registers."""
        return self.hub.home / "inbox" / self.slug

    def said(self) -> list[Said]:
        """Give every message so far, in order; each is read once."""
        self.settle()
        new = self.recorder.heard[len(self.told) :]
        if new:
            made = {row.reference: row for row in self.rows(t.dispatches)}
            names = {self.upn(name): name for name in self.numbers}
            for one in new:
                row = made[one.delivery.key]
                self.told.append(
                    read(one, row.organisation, row.kind, row.due_by, urgent=row.urgent, names=names)
                )
        return self.told

    def rows(self, table: Table, **where: Any) -> list[Row[Any]]:
        """Give rows of a table in the order of their keys."""
        self.settle()
        with self.hub.store.reading() as connection:
            chosen = select(table).order_by(*table.primary_key.columns)
            for name, value in where.items():
                chosen = chosen.where(table.c[name] == value)
            return list(connection.execute(chosen).all())

    def leaves(self) -> Counter[str]:
        """Count the ledger's statements by type."""
        return Counter(row.kind for row in self.rows(t.statements))

    def pupil_ids(self) -> dict[int, str]:
        """Give each pupil's name by its number in the store."""
        desk = self.desk
        index = {desk.vault.index("reference", self.ref(name)): name for name in self.numbers}
        return {row.pupil_id: index[row.ref_index] for row in self.rows(t.pupils)}

    def ledger_verifies(self) -> bool:
        """Check the whole ledger against its checkpoints."""
        desk = self.desk
        with desk.store.reading() as connection:
            rows = ledger_rows.statements_from(connection, desk.provider_id)
            leaves = connection.execute(
                select(t.ledger_nodes.c.hash)
                .where(t.ledger_nodes.c.level == 0)
                .order_by(t.ledger_nodes.c.position)
            ).scalars()
            return verify_log(
                [(row.number, bytes(row.body)) for row in rows],
                list(leaves),
                ledger_rows.all_checkpoints(connection, desk.provider_id),
                ledger_rows.vkeys(connection, desk.provider_id),
            ).ok

    def ref(self, name: str) -> str:
        """Give the provider's reference of a pupil."""
        return f"P{self.numbers[name]:03d}"

    def upn(self, name: str) -> str:
        """Give a pupil's number."""
        usual = Person(f"{self.numbers[name]}").row()["upn"]
        return self.children[name].columns.get("upn", usual)

    # Time

    def day(self, weekday: str) -> date:
        """Give the date of a weekday of this week, of the next one, or of one to come: "Tue", "next Tue", "Tue +4"."""
        words = weekday.removeprefix("next ").split()
        weeks = int(words[1]) if len(words) > 1 else int(weekday.startswith("next "))
        places = {name[:3]: number for number, name in enumerate(WEEKDAYS)}
        return self.monday + timedelta(days=places[words[0]] + 7 * weeks)

    def instant(self, when: str) -> datetime:
        """Give the instant of "Tue 09:05", or of "09:05" today."""
        day, _, clock = when.rpartition(" ")
        today = self.clock.now().astimezone(LONDON).date()
        return to_utc(self.day(day) if day else today, time.fromisoformat(clock))

    def settle(self) -> None:
        """Let the hub do what follows from what people did at this instant, before anybody looks."""
        if self.stirred:
            self.play_until(self.clock.now())

    def play_until(self, until: datetime) -> None:
        """Do all that is due, instant by instant, up to this one."""
        self.stirred = False
        while True:
            today = self.clock.now().astimezone(LONDON).date()
            if today != self.prepared:
                prepare_days(self.hub)
                self.prepared = today
            result = pass_until_quiet(self.hub, None)
            now = self.clock.now()
            if now >= until:
                return
            due = result.next_at or until
            midnight = to_utc(today + timedelta(days=1), time())
            self.clock.advance_to(min(due if due > now else now + MOMENT, until, midnight))


def play(
    home: Path,
    store_url: str,
    slug: str,
    monday: date,
    children: dict[str, Child],
    edit: Mapping[str, Callable[[str], str]],
) -> Week:
    """Make the hub of one provider of `config/` on a Monday at 7am, with these children placed.

    `edit` rewrites files of the configuration, by path; a file that is not there begins empty.
    """
    home.mkdir()
    shutil.copytree((ROOT / "config").resolve(), home / "config")
    for other in (home / "config" / "providers").glob("*.toml"):
        if other.stem != slug:
            other.unlink()
    for path, change in edit.items():
        file = home / "config" / path
        file.write_text(change(file.read_text() if file.exists() else ""))
    (home / "hub.toml").write_text(f'log_level = "error"\n[store]\nurl = "{store_url}"\n')
    create_hub(home, MasterKey.generate(), simulated=True)
    clock, recorder = PlayedClock(to_utc(monday, time(7))), Recorder()
    hub = open_hub(home, clock=clock, plugins=_recorded(recorder), environment={})
    text = (home / "config" / "providers" / f"{slug}.toml").read_text()
    for secret in set(re.findall(r'"secret:([a-z0-9-]+)"', text)):
        hub.keys.set_secret(secret, SecretStr("invented"), clock.now())
    hub.apply(OFFICE)
    with hub.store.transaction() as connection:
        connection.execute(
            update(t.channels).values(state="live", approved_destination=t.channels.c.destination)
        )
    numbers = {name: number for number, name in enumerate(children, 1)}
    week = Week(hub, clock, recorder, monday, slug, numbers, children)
    week.inbox.mkdir(parents=True)
    _take(week, children)
    return week


def _take(week: Week, children: dict[str, Child]) -> None:
    rows = [
        Person(
            f"{week.numbers[name]}",
            {
                "pupil_ref": week.ref(name),
                "given_name": name,
                "family_name": "Example",
                "school_pupil_ref": "" if one.columns.get("registration") == "no roll" else week.ref(name),
                "commissioner": one.school,
                "timetable": one.timetable,
                "agreement": one.agreement,
                "recipient": told,
                **one.columns,
            },
        )
        for name, first in children.items()
        for one in (first, first.second)
        if one is not None
        for told in (one.school, *one.also_told)
    ]
    preview = people.read_people(week.desk, "people.csv", people_file(*rows, extra=("standing",)))
    assert preview.problems == (), preview.problems
    people.take_people(week.desk, preview, OFFICE)


def _recorded(recorder: Recorder) -> Plugins:
    plugins = load(built_in())
    # What people deliver is played as people do it.
    plugins.adapters = {
        name: kind if kind.asks_person else recorder.stand_in(kind) for name, kind in plugins.adapters.items()
    }
    return plugins


PlayWeek = Callable[..., Week]
