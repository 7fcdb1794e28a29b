"""What people and nights do, cut off before each of its commits by SIGKILL and then done again: whole, once, provable.

`test_kill.py` does this to the day's stages, at named boundaries and with real far sides. Here are the other writes:
calls, cases, news, cancellations, people, notes, erasure, purge, leaving, restore, a message gone wrong. All go by the
same transactions on both kinds of store, so PostgreSQL is tried with one that locks the ledger and one that loads in bulk.
"""

import os
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from aphub.clock import PlayedClock
from aphub.domain.absences import Stretch, Teller
from aphub.domain.calls import CallResult
from aphub.domain.entries import Fact
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import (
    absences,
    calling,
    cancel,
    case_acts,
    decisions,
    erase,
    offboard,
    people,
    purge,
    receipts,
    rectify,
    restore,
    sheet,
    wrong_school,
)
from aphub.store import tables as t
from tests.ladders import LEFT, MISSING, missing, roles
from tests.postgres import PostgresServer
from tests.registers import people_file, person
from tests.told import FarSides
from tests.world import PROVIDER, TWO_A_DAY, World, build_world, opened

pytestmark = pytest.mark.slow

JO = "Jo Office, office manager"
TOMORROW = date(2026, 3, 4)
Do = Callable[[World], object]


@dataclass(frozen=True)
class Act:
    """One thing that is done; `ended` holds when it was done once and whole.

    After a crash a person does it again, or is told that it was done; `again` is what a night does by itself.
    """

    do: Do
    ended: Callable[[World], bool]
    again: Do | None = None


def pupil_refs(world: World) -> list[str]:
    return [row.ref for row in world.rows(t.pupils)]


def answered(world: World) -> object:
    [case] = world.rows(t.cases)
    call = calling.Call(
        CallResult.ANSWERED, JO, answered_by="Ms Example, mother", reason=ReasonKind.ILL, safe=True
    )
    return calling.call_about_step(world.desk, case.ref, call)


def leave(world: World) -> object:
    folders = (world.home.parent / f"ledger-{number}" for number in range(9))
    folder = next(one for one in folders if not one.exists())
    return offboard.leave(world.desk, JO, folder, lambda _would: True)


def take_people(world: World) -> object:
    rows = [person("0041"), person("0042")]
    return people.take_people(world.desk, people.read_people(world.desk, "p.csv", people_file(*rows)), JO)


def grown_old(world: World) -> object:
    world.clock.advance(timedelta(days=91))
    return purge.purge(world.desk)


def all_purged(world: World) -> bool:
    return not purge.preview(world.desk) and not any(bytes(row.sealed) for row in world.dispatches())


def news(world: World) -> object:
    stretch = Stretch(TOMORROW, TOMORROW)
    told = absences.News(
        pupil_refs(world)[1],
        Fact(Outcome.ABSENT, ReasonKind.ILL),
        stretch,
        Teller.PARENT,
        "mother",
        "has a cold",
    )
    return absences.know_absence(world.desk, told, JO)


def decided(world: World) -> object:
    stretch = Stretch(TOMORROW, TOMORROW)
    one = decisions.Decided(
        pupil_refs(world)[0], "hill-school", ReasonKind.LEAVE_GRANTED, stretch, "Mr Hill, head", world.day
    )
    return decisions.record_decision(world.desk, one, JO)


def typed(world: World) -> object:
    printed = sheet.make_sheet(world.desk, TOMORROW)
    world.clock.advance(timedelta(hours=25))
    return sheet.type_in(world.desk, printed.ref, {1: ("present", "", ""), 2: ("late", "10", "")}, JO)


def wrong(world: World) -> object:
    [first, *_] = [row.reference for row in world.dispatches() if row.handed_over_at]
    return wrong_school.went_wrong(world.desk, first, JO)


def tomorrows(world: World) -> Counter:
    """Count the versions of tomorrow's entries by outcome."""
    days = {row.lesson_id: row.day for row in world.rows(t.lessons)}
    return Counter(row.outcome for row in world.rows(t.entries) if days[row.lesson_id] == TOMORROW)


ACTS = {
    "call": Act(
        answered,
        lambda world: (
            world.said().count("call.made") == len(world.rows(t.calls)) == 1
            and [row.reason for row in world.rows(t.entries, current=True) if row.outcome == "absent"]
            == ["ill"]
        ),
    ),
    "step": Act(
        lambda world: case_acts.skip_step(
            world.desk, world.rows(t.steps, name="call-home")[0].ref, JO, "her brother is here"
        ),
        lambda world: [row.result for row in world.rows(t.steps)].count("a person left it out") == 1,
    ),
    "news": Act(
        news, lambda world: len(world.rows(t.known_absences)) == 1 and tomorrows(world) == {"absent": 2}
    ),
    "decision": Act(decided, lambda world: len(world.rows(t.school_decisions)) == 1),
    "cancel": Act(
        lambda world: cancel.cancel_lessons(
            world.desk, cancel.Which(TOMORROW, until_time=time(12)), cancel.Because.STAFF, JO
        ),
        lambda world: world.said().count("lessons.cancelled") == 1 and tomorrows(world) == {"cancelled": 3},
    ),
    "people": Act(
        take_people,
        lambda world: (
            len(world.rows(t.pupils)) == len(world.rows(t.placements)) == 5
            and len({row.placement_id for row in world.rows(t.lessons)}) == 5
        ),
    ),
    "sheet": Act(typed, lambda world: tomorrows(world) == {"present": 1, "late": 1}),
    "note": Act(
        lambda world: rectify.add_note(world.desk, pupil_refs(world)[1], JO, "I was there"),
        lambda world: (
            len(world.rows(t.record_notes))
            == world.said().count("record.noted")
            == len(world.tasks("tell_note"))
            == 1
        ),
    ),
    "wrong school": Act(
        wrong,
        lambda world: (
            len(world.rows(t.disclosures)) == world.said().count("disclosure.recorded") == 1
            and {row.state for row in world.rows(t.channels)} == {"paused"}
        ),
    ),
    "erase": Act(
        lambda world: erase.erase(world.desk, pupil_refs(world)[1], JO, "asked for"),
        lambda world: (
            [row.erased_at is not None for row in world.rows(t.erasures)] == [True]
            and not world.desk.vault.names_of(world.rows(t.pupils)[1].pupil_id, erase.APART)
            and world.said().count("record.erased") == 1
        ),
        again=lambda world: erase.go_on(world.desk) if world.rows(t.erasures) else ACTS["erase"].do(world),
    ),
    "purge": Act(grown_old, all_purged),
    "restore": Act(
        lambda world: restore.begin_again(world.desk, world.clock.now() - timedelta(hours=1), JO),
        lambda world: (
            world.said().count("epoch.started") == 1
            and {row.state for row in world.rows(t.channels)} == {"paused"}
        ),
    ),
    "leave": Act(
        leave,
        lambda world: (
            world.rows(t.pupils) == world.rows(t.dispatches) == []
            and world.said().count("provider.closed") == 1
            and world.hub.desks() == []
        ),
    ),
}


ON_POSTGRESQL = ("call", "people")


@dataclass(frozen=True)
class Morning:
    """A morning that was lived once; every try begins with a copy of it. `database` is its own on PostgreSQL."""

    world: World
    server: PostgresServer
    database: str = ""

    @contextmanager
    def again(self, home: Path) -> Iterator[Path]:
        """Give a copy of its hub."""
        shutil.copytree(self.world.home, home)
        if not self.database:
            yield home
            return
        name = self.server.create_database(self.database)
        settings = (home / "hub.toml").read_text()
        (home / "hub.toml").write_text(
            settings.replace(self.server.url(self.database), self.server.url(name))
        )
        yield home
        self.server.drop_database(name)


@pytest.fixture(scope="module")
def morning(
    request, tmp_path_factory, _sqlite_template, _postgres_template, postgres_server
) -> Iterator[Morning]:
    """Live a morning: a pupil is missing and has a case, two came, one has left us."""
    home = tmp_path_factory.mktemp("morning") / "home"
    home.mkdir()
    database, url = "", "sqlite:///hub.db"
    if request.param == "postgresql":
        database = postgres_server.create_database(_postgres_template)
        url = postgres_server.url(database)
    else:
        shutil.copyfile(_sqlite_template, home / "hub.db")
    written = PROVIDER + roles(leadership="Kim Hart, head") + MISSING + LEFT
    world = build_world(home, url, provider=written)
    others = [world.pupil(slots=TWO_A_DAY), world.pupil(slots=TWO_A_DAY)]
    missing(world, slots=TWO_A_DAY)
    world.enter(others)
    world.at("09:43").at("09:46")
    world.change(t.placements, {"ends_day": world.day}, placement_id=others[1].placement_id)
    world.hub.close()
    yield Morning(world, postgres_server, database)
    if database:
        postgres_server.drop_database(database)


@pytest.mark.parametrize(
    ("morning", "name"),
    [*(("sqlite", name) for name in ACTS), *(("postgresql", name) for name in ON_POSTGRESQL)],
    indirect=["morning"],
)
def test_act_that_was_cut_off_is_whole_and_done_once_when_it_is_done_again(morning, name, tmp_path):
    act = ACTS[name]
    nth, died = 0, True
    while died:
        nth += 1
        with morning.again(tmp_path / str(nth) / "home") as home:
            died = _dies_at_commit(nth, home, morning.world, act.do)
            world = _reopened(home, morning.world)
            try:
                refused = _again(act.again or act.do, world) if died else ""
                assert act.ended(world), (name, nth, died, refused)
                numbers = [row.number for row in world.rows(t.statements)]
                assert numbers == list(range(len(numbers)))
                assert receipts.verify_of(world.hub.store, morning_provider(world)).ok
            finally:
                world.hub.close()
    assert nth > 1, "it wrote nothing"


def morning_provider(world: World) -> int:
    """Name the one provider, who may have left."""
    [row] = world.rows(t.providers)
    return int(row.provider_id)


def _again(do: Do, world: World) -> str:
    """Do it again; give the words with which that was refused, as when it was done already."""
    try:
        do(world)
    except AphubError as exc:
        return str(exc)
    return ""


def _reopened(home: Path, morning: World) -> World:
    clock, sides = PlayedClock(morning.clock.now()), FarSides()
    return World(home, opened(home, clock, sides), clock, sides)


def _dies_at_commit(nth: int, home: Path, morning: World, do: Do) -> bool:
    """Do it in a process that is killed as it is about to commit for the nth time; say whether it was."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return True
        assert os.waitstatus_to_exitcode(status) == 0
        return False
    left = nth
    try:
        world = _reopened(home, morning)

        def count(_connection: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "commit", count)
        do(world)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it was, the parent reads the status
        traceback.print_exc()
        os._exit(1)
