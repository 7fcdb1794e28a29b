"""A hub with many placements owed at the same minute, 10 to an organisation, made directly in its store."""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic

from sqlalchemy import insert, select, update

from aphub.clock import PlayedClock
from aphub.domain.calendar import to_utc
from aphub.domain.identifiers import upn_check_letter
from aphub.domain.placements import TimetableSlot
from aphub.hub import Hub, create_hub, open_hub
from aphub.sealing import MasterKey
from aphub.services import owe
from aphub.services.desk import Desk, place_of
from aphub.store import tables as t
from aphub.store.bulk import add_many
from aphub.store.engine import allocate
from aphub.store.placements import timetable_to_text

DAY = date(2026, 3, 3)
NEXT_DAY = DAY + timedelta(days=1)
MORNING = TimetableSlot(DAY.weekday(), time(9), time(12))
PER_ORGANISATION = 10
_BATCH = 1000


class RunningClock(PlayedClock):
    """A played clock that can be let run as fast as real time, from where it stands."""

    def __init__(self, start: datetime) -> None:
        """Stand still at first."""
        super().__init__(start)
        self._runs_since: float | None = None

    def run(self) -> None:
        """Run from now on."""
        self._runs_since = monotonic()

    def stand(self) -> None:
        """Stand still again, where it began to run."""
        self._runs_since = None

    def now(self) -> datetime:
        """Give the instant it shows."""
        passed = 0.0 if self._runs_since is None else monotonic() - self._runs_since
        return super().now() + timedelta(seconds=passed)


def write_config(
    home: Path,
    organisations: int,
    connection: dict[str, object],
    route: dict[str, object],
    further: Sequence[dict[str, object]] = (),
    due: str = "09:45",
) -> None:
    """Write a provider, its schools and one daily agreement; `{n}` in a route is the school's number.

    With `further` connections the schools take all of them in turn.
    """
    config = home / "config"
    provider = {
        "name": "Riverbank AP",
        "prefix": "RB",
        "phone": "01632 960000",
        "hours": "8:30am to 3:30pm",
        "reply_to": "office@riverbank.example.org",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in provider.items()]
    lines += ["[safeguarding]", 'name = "Ada Example"', 'role = "safeguarding lead"']
    connections = [connection, *further]
    for number, one in enumerate(connections):
        lines += [
            f"[connections.far-{number}]",
            *(f"{key} = {json.dumps(value)}" for key, value in one.items()),
        ]
    (config / "providers" / "riverbank.toml").write_text("\n".join(lines))
    may_write = "true" if connection["adapter"] == "wonde" else "false"
    (config / "agreements" / "daily.toml").write_text(
        f'from = 2025-09-01\ncadence = "daily"\ndue = "{due}"\nsend = "at time"\nmay_write = {may_write}\n'
    )
    for number in range(organisations):
        lines = [f'name = "School {number}"', f'urn = "{900000 + number}"']
        lines += ["[[channels]]", 'name = "far"', f'connection = "far-{number % len(connections)}"']
        lines += [f"{key} = {_value(value, number)}" for key, value in route.items()]
        if connection["adapter"] == "wonde":
            lines += ["[signed_codes]", 'codes = ["B", "N"]', 'signed_by = "head"', "on = 2026-01-05"]
        (config / "schools" / f"school-{number}.toml").write_text("\n".join(lines))


def _value(value: object, number: int) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(one, number)}" for key, one in value.items()) + "}"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value).replace("{n}", str(number))


def make_hub(home: Path, clock: PlayedClock) -> Hub:
    """Make and open an empty hub with its configuration published."""
    hub = open_hub(home, clock=clock)
    hub.apply("bench")
    return hub


def upn(number: int) -> str:
    """Give an invented permanent UPN of the unused LA 999."""
    body = f"999{number // 1_000_000 % 10000:04d}{number // 1000 % 100:02d}{number % 1000:03d}"
    return upn_check_letter(body) + body


def fill(hub: Hub, placements: int, slots: Sequence[TimetableSlot] = (MORNING,)) -> Desk:
    """Insert pupils, placements and recipients, work out what is owed on the day, and take every register.

    What the timetable has on later days of that week is not owed yet.
    """
    desk = hub.desk()
    now = desk.now
    timetable = timetable_to_text(slots)
    for start in range(0, placements, _BATCH):
        count = min(_BATCH, placements - start)
        _some(desk, start, count, timetable, now)
    owe.regenerate(desk, DAY, NEXT_DAY)
    with desk.store.transaction() as connection:
        connection.execute(update(t.placements).values(ends_day=None))
        connection.execute(
            update(t.channels).values(state="live", approved_destination=t.channels.c.destination)
        )
        lessons = connection.execute(select(t.lessons.c.lesson_id)).scalars().all()
        connection.execute(update(t.lessons).values(state="entered"))
    for start in range(0, len(lessons), _BATCH):
        _enter(desk, lessons[start : start + _BATCH], now)
    return desk


def correct(desk: Desk, one_of: int) -> None:
    """Give one of so many registers a second version: the pupil was late."""
    with desk.store.transaction() as connection:
        lessons = connection.execute(select(t.entries.c.lesson_id)).scalars().all()[::one_of]
    for start in range(0, len(lessons), _BATCH):
        some = lessons[start : start + _BATCH]
        with desk.store.transaction() as connection:
            connection.execute(update(t.entries).where(t.entries.c.lesson_id.in_(some)).values(current=False))
        _enter(desk, some, desk.now, version=2, outcome="late", minutes=10)


def _enter(
    desk: Desk,
    lessons: Sequence[int],
    now: datetime,
    version: int = 1,
    outcome: str = "present",
    minutes: int | None = None,
) -> None:
    with desk.store.transaction() as connection:
        numbers = allocate(connection, "entries", len(lessons))
        add_many(
            connection,
            t.entries,
            [
                {
                    "provider_id": desk.provider_id,
                    "entry_id": number,
                    "lesson_id": lesson,
                    "version": version,
                    "outcome": outcome,
                    "reason": "not_applicable",
                    "minutes": minutes,
                    "by_person": False,
                    "made_by": "register",
                    "because": "",
                    "made_at": now,
                    "current": True,
                    "key_id": 0,
                }
                for number, lesson in zip(numbers, lessons, strict=True)
            ],
        )


def _some(desk: Desk, start: int, count: int, slots: str, now: datetime) -> None:
    provider_id = desk.provider_id
    refs = desk.references(2 * count)
    with desk.store.transaction() as connection:
        pupils = allocate(connection, "pupils", count)
        keys = desk.vault.data_keys(list(pupils), "pupil", desk.year())
        placements = allocate(connection, "placements", count)
        recipients = allocate(connection, "recipients", count)
        connection.execute(
            insert(t.pupils),
            [
                {
                    "provider_id": provider_id,
                    "pupil_id": number,
                    "ref": refs[offset],
                    "version": 1,
                    "key_id": key.key_id,
                    "sealed": desk.vault.seal_json(
                        key,
                        place_of("pupils", provider_id, number),
                        {
                            "given_name": "Sam",
                            "family_name": f"Example {start + offset}",
                            "upn": upn(start + offset),
                            "school_pupil_ref": str(1000 + start + offset),
                            "provider_ref": f"P{start + offset}",
                        },
                    ),
                    "upn_index": desk.vault.index("upn", upn(start + offset)),
                    "suppressed": False,
                    "changed_at": now,
                }
                for offset, (number, key) in enumerate(zip(pupils, keys, strict=True))
            ],
        )
        connection.execute(
            insert(t.placements),
            [
                {
                    "provider_id": provider_id,
                    "placement_id": number,
                    "version": 1,
                    "ref": refs[count + offset],
                    "pupil_id": pupils[offset],
                    "starts_day": date(2026, 1, 5),
                    "ends_day": DAY,
                    "arranged_by": "school",
                    "power": "",
                    "registration": "home",
                    "nature": "alternative provision",
                    "commissioner": f"school-{(start + offset) // PER_ORGANISATION}",
                    "timetable": slots,
                    "attends_on_school_closure": False,
                    "risk_flag": False,
                    "standing": "agreed",
                    "current": True,
                    "made_at": now,
                    "made_by": "bench",
                }
                for offset, number in enumerate(placements)
            ],
        )
        connection.execute(
            insert(t.recipients),
            [
                {
                    "provider_id": provider_id,
                    "recipient_id": number,
                    "placement_id": placements[offset],
                    "organisation": f"school-{(start + offset) // PER_ORGANISATION}",
                    "purpose": "home_school",
                    "agreement": "daily",
                    "starts_day": date(2026, 1, 5),
                    "changed_at": now,
                }
                for offset, number in enumerate(recipients)
            ],
        )


def new_home(folder: Path, store_url: str = "") -> tuple[Path, RunningClock]:
    """Make an empty simulated hub at half past eight on the benchmark's day, in SQLite or at `store_url`."""
    home = folder / f"hub-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    store = f"[store]\nurl = {json.dumps(store_url)}\n" if store_url else ""
    (home / "hub.toml").write_text(f'private_networks = ["127.0.0.0/8", "::1/128"]\n{store}')
    create_hub(home, MasterKey.generate(), simulated=True)
    return home, RunningClock(datetime(DAY.year, DAY.month, DAY.day, 8, 30, tzinfo=UTC))


def at(wall: time) -> datetime:
    """Give an instant of the benchmark's day."""
    return to_utc(DAY, wall)
