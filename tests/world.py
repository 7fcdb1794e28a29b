"""A small world for tests of the services: a hub in its own folder, schools, pupils, and a clock that is played."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, func, insert, select, update

from aphub.clock import PlayedClock
from aphub.domain.calendar import to_utc
from aphub.domain.entries import Action, Fact
from aphub.domain.ledger.verdicts import Verdict
from aphub.domain.ledger.verify import verify_log
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import Nature, TimetableSlot
from aphub.hub import Hub, built_in, create_hub, open_hub
from aphub.plugins import load
from aphub.sealing import MasterKey
from aphub.services import case_sweeps, cases, deliver, follow, listen, owe, tell, watch
from aphub.services.desk import Desk, place_of
from aphub.services.entering import NewEntry, enter
from aphub.services.summaries.owing import owe_summaries
from aphub.services.summaries.sending import send_summaries
from aphub.store import lanes as lane_rows
from aphub.store import ledger as ledger_rows
from aphub.store import tables as t
from aphub.store.engine import allocate
from aphub.store.placements import timetable_to_text
from aphub.testing import invented_upn
from tests.configured import HUB, PROVIDER, School, write_config
from tests.told import FarSides, adapters_for

TUESDAY = date(2026, 3, 3)
SLOTS = tuple(TimetableSlot(day, time(9), time(12)) for day in range(5))
TWO_A_DAY = SLOTS + tuple(TimetableSlot(day, time(13), time(15)) for day in range(5))


@dataclass(frozen=True)
class Placed:
    """One pupil with a placement and its recipients, by their numbers in the store."""

    pupil_id: int
    placement_id: int
    recipient_ids: tuple[int, ...]
    upn: str


@dataclass
class World:
    """A hub, its one desk, its clock and its far sides."""

    home: Path
    hub: Hub
    clock: PlayedClock
    sides: FarSides
    count: int = 0
    make: deliver.MakeAdapter | None = None
    schools: list[School] = field(default_factory=list)
    agreements: dict[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """The provider's desk with its newest snapshot."""
        return self.hub.desk()

    @property
    def day(self) -> date:
        """Today in London."""
        return self.desk.today

    # Who is told about whom

    def pupil(
        self,
        *schools: str,
        slots: Sequence[TimetableSlot] = SLOTS,
        agreement: str = "daily",
        starts: date = date(2026, 1, 5),
        ends: date | None = None,
        given: str = "Sam",
        suppressed: bool = False,
        risk: bool = False,
        with_upn: bool = True,
    ) -> Placed:
        """Place one invented pupil, told to these schools."""
        self.count += 1
        desk, number = self.desk, self.count
        upn = invented_upn(number) if with_upn else ""
        told = schools or ("hill-school",)
        data = {
            "given_name": given,
            "family_name": f"Example{number:03d}",
            "upn": upn,
            "school_pupil_ref": f"S{number:04d}",
            "provider_ref": f"P{number:04d}",
        }
        with desk.store.transaction() as connection:
            [pupil], [placement] = allocate(connection, "pupils"), allocate(connection, "placements")
            recipients = list(allocate(connection, "recipients", len(told)))
            [key] = desk.vault.data_keys([pupil], "pupil", desk.year())
            own = {"provider_id": desk.provider_id}
            refs = desk.references(2)
            connection.execute(
                insert(t.pupils),
                {
                    **own,
                    "pupil_id": pupil,
                    "ref": refs[0],
                    "version": 1,
                    "key_id": key.key_id,
                    "sealed": desk.vault.seal_json(key, place_of("pupils", desk.provider_id, pupil), data),
                    "ref_index": desk.vault.index("reference", f"P{number:04d}"),
                    "upn_index": desk.vault.index("upn", upn) if upn else None,
                    "suppressed": suppressed,
                    "changed_at": desk.now,
                },
            )
            connection.execute(
                insert(t.placements),
                {
                    **own,
                    "placement_id": placement,
                    "version": 1,
                    "ref": refs[1],
                    "pupil_id": pupil,
                    "starts_day": starts,
                    "ends_day": ends,
                    "arranged_by": "school",
                    "power": "",
                    "registration": "home",
                    "nature": Nature.AP.value,
                    "commissioner": told[0],
                    "timetable": timetable_to_text(slots),
                    "attends_on_school_closure": False,
                    "risk_flag": risk,
                    "current": True,
                    "made_at": desk.now,
                    "made_by": "test",
                },
            )
            connection.execute(
                insert(t.recipients),
                [
                    {
                        **own,
                        "recipient_id": recipient,
                        "placement_id": placement,
                        "organisation": school,
                        "purpose": "home_school" if school == told[0] else "other_school",
                        "agreement": agreement,
                        "starts_day": starts,
                        "changed_at": desk.now,
                    }
                    for recipient, school in zip(recipients, told, strict=True)
                ],
            )
        return Placed(pupil, placement, tuple(recipients), upn)

    def change(self, table: Table, values: dict[str, Any], **where: Any) -> None:
        """Change rows by hand, as something outside the stage under test would."""
        with self.hub.store.transaction() as connection:
            chosen = [table.c[name] == value for name, value in where.items()]
            connection.execute(update(table).where(*chosen).values(**values))

    def go_live(self) -> None:
        """Approve every channel as it is now."""
        with self.hub.store.transaction() as connection:
            connection.execute(
                update(t.channels).values(state="live", approved_destination=t.channels.c.destination)
            )

    def configure(
        self,
        *,
        schools: Iterable[School] | None = None,
        agreements: dict[str, str] | None = None,
        provider: str = PROVIDER,
    ) -> None:
        """Write the configuration anew and publish it; what is left out is as at the start."""
        if schools is not None:
            self.schools = list(schools)
        write_config(self.home, self.schools, agreements or self.agreements, provider)
        self.hub.apply("test")

    # What happens

    def owe(self, days: timedelta = owe.AHEAD) -> owe.OweResult:
        """Work out what is owed from today on."""
        owed = owe.regenerate(self.desk, self.day, self.day + days)
        owe_summaries(self.desk)
        return owed

    def enter(
        self,
        placed: Placed | Iterable[Placed],
        starts: str = "09:00",
        outcome: Outcome = Outcome.PRESENT,
        reason: ReasonKind | None = None,
        *,
        minutes: int | None = None,
        note: str = "",
        actions: Sequence[Action] = (),
        day: date | None = None,
    ) -> None:
        """Keep an entry for a lesson, as intake does; again makes the next version."""
        some = [placed] if isinstance(placed, Placed) else list(placed)
        desk = self.desk
        if reason is None:
            reason = ReasonKind.UNKNOWN if outcome is Outcome.ABSENT else ReasonKind.NOT_APPLICABLE
        with desk.store.transaction() as connection:
            chosen = select(t.lessons).where(
                t.lessons.c.placement_id.in_([one.placement_id for one in some]),
                t.lessons.c.day == (day or self.day),
                t.lessons.c.starts_wall == starts,
            )
            lessons = connection.execute(chosen).all()
            assert len(lessons) == len(some)
            versions = select(t.entries.c.lesson_id, func.max(t.entries.c.version)).group_by(
                t.entries.c.lesson_id
            )
            older = {row[0]: row[1] for row in connection.execute(versions).all()}
            fact = Fact(outcome, reason, minutes, note)
            enter(
                desk,
                connection,
                [
                    NewEntry(
                        lesson.lesson_id,
                        lesson.pupil_id,
                        older.get(lesson.lesson_id, 0) + 1,
                        fact,
                        "register",
                        actions=tuple(actions),
                    )
                    for lesson in lessons
                ],
            )

    def at(self, wall: str | time, day: date | None = None) -> "World":
        """Let it be this London time, and do what is due."""
        when = time.fromisoformat(wall) if isinstance(wall, str) else wall
        self.clock.advance_to(to_utc(day or self.day, when))
        self.go()
        return self

    def wait(self, step: timedelta) -> "World":
        """Let time pass, and do what is due."""
        self.clock.advance(step)
        self.go()
        return self

    def go_with(self, make: deliver.MakeAdapter) -> None:
        """Go once, with adapters made in another way."""
        self.make = make
        self.go()
        self.make = None

    def go(self) -> None:
        """Do the stages in the daemon's order until nothing more happens at this instant."""
        for _ in range(20):
            desk = self.desk
            for stage in (
                watch.watch,
                case_sweeps.follow_registers,
                case_sweeps.judge_rates,
                cases.follow_cases,
            ):
                stage(desk)
            told = tell.tell_now(desk)
            summed = send_summaries(desk)
            tried = self.deliver()
            settled = follow.follow_up(desk, self.make or self.hub.adapter)
            settled += listen.listen_all(desk, self.make or self.hub.adapter)
            watch.watch(desk)
            if not (told.messages or summed or tried or settled):
                return
        message = "the world does not come to rest"
        raise AssertionError(message)

    def deliver(self) -> int:
        """Visit every lane that has work."""
        desk = self.desk
        with desk.store.reading() as connection:
            lanes = lane_rows.lanes_with_work(connection, desk.provider_id, desk.now)
        make = self.make or self.hub.adapter
        return sum(deliver.deliver_lane(desk, lane, make).tried for lane in sorted(lanes))

    def reopen(self) -> None:
        """Close the hub and open it again, as a restart does."""
        self.hub.close()
        self.hub = opened(self.home, self.clock, self.sides)

    # What can be seen

    def rows(self, table: Table, **where: Any) -> list[Row[Any]]:
        """Give the rows of a table, in order of their keys."""
        with self.hub.store.reading() as connection:
            chosen = select(table).order_by(*table.primary_key.columns)
            for name, value in where.items():
                chosen = chosen.where(table.c[name] == value)
            return list(connection.execute(chosen).all())

    def rows_of_summaries(self, first_day: date | None = None) -> list[Row[Any]]:
        """Give what is owed in summaries, of one stretch where its first day is given."""
        rows = [row for row in self.rows(t.owed_reports) if row.summary]
        return [row for row in rows if first_day in {None, row.first_day}]

    def rows_of_placements(self) -> list[Row[Any]]:
        """Give every placement as it is now."""
        return self.rows(t.placements, current=True)

    def dispatches(self) -> list[Row[Any]]:
        """Give every dispatch in the order in which they were made."""
        return self.rows(t.dispatches)

    def states(self) -> list[tuple[str, str, str]]:
        """Give kind, channel and state of every dispatch."""
        return [(row.kind, row.channel, row.state) for row in self.dispatches()]

    def owed(self, placed: Placed, day: date | None = None) -> Row[Any]:
        """Give what is owed for a pupil today, to the first school."""
        rows = self.rows(t.owed_reports, placement_id=placed.placement_id, first_day=day or self.day)
        return next(row for row in rows if row.recipient_id == placed.recipient_ids[0])

    def tasks(self, kind: str = "") -> list[Row[Any]]:
        """Give open tasks."""
        return [row for row in self.rows(t.tasks, state="open") if not kind or row.kind == kind]

    def steps(self, state: str = "open", **where: Any) -> list[Row[Any]]:
        """Give the steps of cases in one state."""
        return self.rows(t.steps, state=state, **where)

    def said(self) -> list[str]:
        """Give the types of all ledger statements, in order."""
        return [row.kind for row in self.rows(t.statements)]

    def verify(self) -> Verdict:
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
            )


def opened(home: Path, clock: PlayedClock, sides: FarSides) -> Hub:
    """Open the hub in a folder with a played clock and these far sides."""
    plugins = load([*built_in(), ("told", adapters_for(sides))])
    assert not plugins.quarantined
    return open_hub(home, clock=clock, plugins=plugins, environment={})


DAILY = {"daily": 'cadence = "daily"\ndue = "09:45"'}


def build_world(
    home: Path,
    store_url: str,
    *,
    schools: Iterable[School] = (School(),),
    agreements: dict[str, str] | None = None,
    provider: str = PROVIDER,
    now: datetime = datetime(2026, 3, 3, 7, 0, tzinfo=UTC),
    live: bool = True,
) -> World:
    """Make a hub in an empty folder over a migrated store, publish its configuration, and open it."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "hub.toml").write_text(f'{HUB}[store]\nurl = "{store_url}"\n')
    create_hub(home, MasterKey.generate(), simulated=True)
    schools, agreements = list(schools), DAILY if agreements is None else agreements
    write_config(home, schools, agreements, provider)
    sides = FarSides()
    clock = PlayedClock(now)
    world = World(home, opened(home, clock, sides), clock, sides, schools=schools, agreements=agreements)
    world.hub.apply("test")
    if live:
        world.go_live()
    return world


ONLINE = (TimetableSlot(1, time(9), time(12), Mode.ONLINE),)
"""One lesson, on Tuesday, online."""
