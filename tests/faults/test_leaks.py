"""A planted pupil and a planted secret go through every failure; then everything left behind is searched for them.

Where they must be is named exactly: in the bodies of what their own school and council are sent, and in the office's own
files. Anywhere else is a leak.
"""

import contextlib
import email
import email.policy
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from aphub import daemon
from aphub.api.answers import LaterKind, LaterNews
from aphub.clock import PlayedClock
from aphub.domain.absences import Stretch, Teller
from aphub.domain.calls import CallResult
from aphub.domain.entries import Fact
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.hub import open_hub
from aphub.services import (
    absences,
    accesses,
    backup,
    calling,
    case_acts,
    erase,
    evidence,
    offboard,
    overview,
    rectify,
    waits,
    wrong_school,
)
from aphub.services.desk import place_of
from aphub.services.hearing import take_news
from aphub.services.recover import recover
from aphub.services.routes import Routes
from aphub.services.telling_by_phone import call_about_message
from aphub.settings.load import ConfigurationError
from aphub.store import erasing
from aphub.store import tables as t
from aphub.store.engine import lock_ledger
from aphub.testing import PLANTED_PUPIL, PLANTED_SECRET, Found, search_for_planted
from tests.faults.conftest import STORES, Case, Stage
from tests.faults.prepared import NOW
from tests.ladders import LEFT, MISSING, roles
from tests.postgres import PostgresServer
from tests.real_servers import needs
from tests.told import FarSides as NoFarSides
from tests.world import Placed, World

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Callable

PUPIL = (
    PLANTED_PUPIL.given_name,
    PLANTED_PUPIL.family_name,
    PLANTED_PUPIL.upn,
    PLANTED_PUPIL.school_pupil_ref,
)


def plant(world: World, school: str) -> Placed:
    """Place the planted pupil, told to one organisation."""
    desk = world.desk
    placed = world.pupil(school)
    data = {
        "given_name": PLANTED_PUPIL.given_name,
        "family_name": PLANTED_PUPIL.family_name,
        "upn": PLANTED_PUPIL.upn,
        "school_pupil_ref": PLANTED_PUPIL.school_pupil_ref,
        "provider_ref": f"P{world.count:04d}",
    }
    [key] = desk.vault.data_keys([placed.pupil_id], "pupil", desk.year())
    place = f"pupils:{desk.provider_id}:{placed.pupil_id}"
    with desk.store.transaction() as connection:
        connection.execute(
            update(t.pupils)
            .where(t.pupils.c.pupil_id == placed.pupil_id)
            .values(
                sealed=desk.vault.seal_json(key, place, data),
                upn_index=desk.vault.index("upn", PLANTED_PUPIL.upn),
                name_index=desk.vault.index("name", PLANTED_PUPIL.name),
            )
        )
    return placed


@pytest.fixture(scope="module", params=[0, 1], ids=STORES)
def left_behind(
    request: pytest.FixtureRequest,
    stages: list[Stage],
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
) -> Iterator[dict[str, Any]]:
    """Live a day in which everything fails once, with all that is said caught."""
    stage = stages[request.param]
    case = Case(stage, tmp_path_factory.mktemp("leaks") / "home")
    shutil.copytree(case.stage.home, case.home)
    database = postgres_server.create_database(stage.database) if stage.database else ""
    url = postgres_server.url(database) if database else "sqlite:///hub.db"
    case.sides.anew()
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        clock = PlayedClock(NOW)
        (case.home / "hub.toml").write_text(
            'log_level = "debug"\nlog_format = "json"\nprivate_networks = ["127.0.0.0/8", "::1/128"]\n'
            f'[store]\nurl = "{url}"\n'
        )
        with (case.home / "config" / "providers" / "riverbank.toml").open("a") as config:
            config.write(roles(leadership="Kim Hart, head") + MISSING + LEFT)
        hub = open_hub(case.home, clock=clock, environment={})
        hub.keys.set_secret("planted", SecretStr(PLANTED_SECRET), NOW)
        hub.apply("test")
        world = World(case.home, hub, clock, NoFarSides())
        try:
            _day(case, world, said)
            _people(world, said)
            _kept_elsewhere(case, world, said)
            outcomes = {row.outcome for row in world.rows(t.attempts)}
            holds = {row.kind for row in world.rows(t.holds)}
            sealed_left = _still_opens(world)
            rows = b"\n".join(
                _written(value)
                for table in t.metadata.sorted_tables
                for row in world.rows(table)
                for value in row
            )
            rungs = {row.rung for row in world.rows(t.receipts)}
            kept = {table: len(world.rows(t.metadata.tables[table])) for table in PEOPLES}
            dump = _dumped(postgres_server, database) if database else b""
        finally:
            hub.close()
    yield {
        "case": case,
        "said": said.getvalue(),
        "outcomes": outcomes,
        "holds": holds,
        "sealed_left": sealed_left,
        "rows": rows,
        "kept": kept,
        "rungs": rungs,
        "dump": dump,
    }
    if database:
        postgres_server.drop_database(database)


def _written(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _day(case: Case, world: World, said: io.StringIO) -> None:
    mail, drop = case.sides.mail, case.sides.drop
    there, here = plant(world, "northshire"), plant(world, "hill-school")
    world.owe()
    inbox = case.home / "inbox"
    row = f"{PLANTED_PUPIL.upn},{PLANTED_PUPIL.name},03/03/2026,09:00"
    header = "UPN,Pupil name,Date,Start time,Attendance,Reason\n"
    # Registers that cannot be read, rows that become questions, a free text with the name in it.
    (inbox / f"{PLANTED_PUPIL.family_name}.csv").write_text(
        f"{header}{row},was here I think,{PLANTED_PUPIL.name} said so\n{row.replace('09:00', '99:99')},present,\n"
    )
    (inbox / f"{PLANTED_PUPIL.given_name}.xlsx").write_bytes(b"PK\x03\x04 not a workbook " + row.encode())
    (inbox / "empty.csv").write_text("")
    failing: list[Callable[[], object]] = [
        lambda: mail.refuses(
            at="rcpt", times=1, words=f"5.1.1 {PLANTED_PUPIL.name} unknown {PLANTED_SECRET}"
        ),
        lambda: mail.is_busy(at="data", times=1),
        lambda: mail.cuts_off_after_reading(times=1),
        lambda: mail.cuts_off_after_reading(kept=False, times=1),
        mail.has_no_starttls,
        mail.is_unreachable,
        lambda: drop.refuses(at="open", times=1),
        lambda: drop.is_full(times=1),
        lambda: drop.cuts_off_after_reading(times=1),
        drop.swaps_host_key,
        drop.is_unreachable,
    ]
    outcomes = [Outcome.ABSENT, Outcome.LATE, Outcome.LEFT_SITE, Outcome.PRESENT]
    world.at("09:05")
    for number, fails in enumerate(failing):
        outcome = outcomes[number % len(outcomes)]
        minutes = number + 1 if outcome is Outcome.LATE else None
        note = f"{PLANTED_PUPIL.name} again"
        world.enter([there, here], outcome=outcome, minutes=minutes, note=note)
        world.clock.advance(timedelta(seconds=61))  # corrections gather for a minute
        fails()
        for _ in range(3):
            daemon.pass_once(world.hub)
        for side in (mail, drop):
            side.accepts()
        world.wait(timedelta(minutes=3)).wait(timedelta(minutes=4))
    _bugs(world, [there, here])
    _wrong_settings(case, world, said)
    for _ in range(6):
        world.wait(timedelta(minutes=4))


PEOPLES = ("cases", "calls", "tasks", "record_notes", "known_absences")
"""Where what people and far sides said in their own words is kept, sealed."""


def _people(world: World, said: io.StringIO) -> None:
    """Let people and far sides name the pupil wherever they may say what they like, and list what is open."""
    desk, name, jo = world.desk, PLANTED_PUPIL.name, "Jo Office"
    called = calling.Call(
        CallResult.ANSWERED, jo, whom=f"mother of {name}", answered_by=f"Ms {name}, mother", said=name
    )
    for row in world.rows(t.steps, name="call-home"):
        if row.state == "open":
            calling.call_about_step(desk, row.ref, called)
    for row in world.steps():
        case_acts.skip_step(desk, row.ref, jo, f"{name} is here")
    for row in world.rows(t.pupils)[-2:]:
        rectify.add_note(desk, row.ref, jo, f"{name} says that this is wrong")
        ill = Fact(Outcome.ABSENT, ReasonKind.ILL, note=name)
        stretch = Stretch(world.day + timedelta(days=1), world.day + timedelta(days=1))
        absences.know_absence(
            desk, absences.News(row.ref, ill, stretch, Teller.PARENT, f"Ms {name}", f"{name} has a cold"), jo
        )
    for task in world.tasks("phone_school"):
        with contextlib.suppress(AphubError):  # some are about a case, not a message
            call_about_message(desk, task.ref, called)
    sent = [row.reference for row in world.dispatches() if row.handed_over_at]
    news = [
        LaterNews(kind, f"<{number}@far.example.org>", (reference,), "", "5.1.1", f"{name} {PLANTED_SECRET}")
        for number, (kind, reference) in enumerate(zip([*LaterKind, *LaterKind], sent, strict=False))
    ]
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        take_news(desk, connection, "mail", news)
    said.write(repr(called) + repr(news) + repr(waits.waiting(desk)) + repr(overview.log(desk)))
    world.wait(timedelta(minutes=4))


def _dumped(server: PostgresServer, database: str) -> bytes:
    """Write the database down as an operator's own backup does, with bytes readable in it."""
    command = [needs("pg_dump"), "-h", server.folder, "-U", server.owner, database]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _kept_elsewhere(case: Case, world: World, said: io.StringIO) -> None:
    """Back everything up, write what may leave the house without contents, and erase the pupil at the end."""
    saved, hub, desk = case.home.parent / "saved", world.hub, world.desk
    backup.take(case.home, hub.store, hub.keys, saved / "data", saved / "keys", world.clock.now(), 14)
    message = next(row.reference for row in world.dispatches() if row.handed_over_at)
    evidence.evidence(desk, message, saved / "evidence", contents=False)
    found = wrong_school.went_wrong(desk, message, "Jo Office")
    for name, text in found.drafts.items():
        (saved / name).write_text(text)
    for row in world.rows(t.pupils):
        with pytest.raises(erase.CannotEraseError) as caught:
            erase.erase(desk, row.ref, "Jo Office", "asked")
        said.write(f"{caught.value!s} {caught.value!r}")
    world.change(t.placements, {"ends_day": world.day})
    for row in world.rows(t.pupils):
        said.write(repr(erase.erase(desk, row.ref, "Jo Office", "asked for")))
    said.write(repr(accesses.viewed(desk)))
    offboard.write_ledger(desk, saved / "ledger")


def _bugs(world: World, placed: list[Placed]) -> None:
    """Let adapters fail with the worst words, die half way, and pupils be held."""
    make = world.hub.adapter

    class Breaks:
        def open(self) -> None:
            raise ValueError(PLANTED_PUPIL.name, PLANTED_SECRET)

        def close(self) -> None:
            raise ValueError(PLANTED_PUPIL.upn)

    world.enter(placed, outcome=Outcome.LATE, minutes=44)
    world.clock.advance(timedelta(seconds=61))
    world.go_with(lambda _desk, _route: Breaks())
    world.wait(timedelta(minutes=6))

    def breaks_in_the_middle(desk: object, route: object) -> object:
        adapter = make(desk, route)  # type: ignore[arg-type]

        def deliver_many(_deliveries: object) -> object:
            raise ValueError(PLANTED_PUPIL.name, PLANTED_SECRET)

        adapter.deliver_many = deliver_many
        return adapter

    world.enter(placed, outcome=Outcome.LATE, minutes=45)
    world.clock.advance(timedelta(seconds=61))
    world.go_with(breaks_in_the_middle)
    recover(world.desk, make, sole=True)
    world.wait(timedelta(minutes=6))
    world.enter(placed, outcome=Outcome.LATE, minutes=46)
    world.hub.boundary = lambda name: (
        world.change(t.recipients, {"organisation": "vale-school"}, recipient_id=placed[1].recipient_ids[0])
        if name == "tell.kept"
        else None
    )
    world.wait(timedelta(minutes=6))
    world.hub.boundary = lambda _name: None


def _still_opens(world: World) -> list[str]:
    """Open whatever is still sealed in the database with the keys that are left, and search it for the pupil."""
    found = []
    for table in erasing.sealed_tables():
        for row in world.rows(table):
            for name in erasing.sealed_columns(table):
                number = getattr(row, list(table.primary_key.columns)[1].name)
                place = place_of(table.name, row.provider_id, number) + (
                    "/name" if name == "sealed_name" else ""
                )
                if table is t.channels or not getattr(row, name):
                    continue
                [plain] = world.desk.vault.try_open_many([(row.key_id, place, getattr(row, name))])
                if plain is not None and search_for_planted(plain, planted=PUPIL):
                    found.append(f"{table.name} {number}")
    return found


def _wrong_settings(case: Case, world: World, said: io.StringIO) -> None:
    """Type the secret where it must not be, and print what is said about it."""
    provider = case.home / "config" / "providers" / "riverbank.toml"
    right = provider.read_text()
    for wrong in (
        f'password = "{PLANTED_SECRET}"',
        f'passwrod = "{PLANTED_SECRET}"',
        f'username = "u"\npassword = ["{PLANTED_SECRET}"]',
    ):
        provider.write_text(right.replace("[connections.mail]\n", f"[connections.mail]\n{wrong}\n"))
        with pytest.raises(ConfigurationError) as caught:
            world.hub.plan()
        said.write(f"{caught.value!s} {caught.value!r}")
    provider.write_text(right)
    used = right.replace(
        "[connections.mail]\n", '[connections.mail]\nusername = "u"\npassword = "secret:planted"\n'
    )
    provider.write_text(used)
    snapshots, _ = world.hub.plan()
    said.write(repr(Routes(snapshots["riverbank"], world.hub.plugins).everything()))
    said.write(repr(world.desk))
    said.write(repr(world.hub.keys.secret("planted")))
    provider.write_text(right)


def test_planted_pupil_and_secret_are_nowhere_but_where_they_must_be(left_behind):
    case, said = left_behind["case"], left_behind["said"]
    # The failures were really lived through.
    assert {"taken", "transient", "uncertain", "refused", "fault"} <= left_behind["outcomes"]
    assert "wrong_school" in left_behind["holds"]
    for event in ("deliver.adapter_failed", "lane.failed", "intake.refused", "SecretStr('**********')"):
        assert event in said, event
    assert search_for_planted(said) == []

    # In the hub's home: nothing, in no file and no file's name, the database and its journal among them.
    assert case.stage.database or (case.home / "hub.db").stat().st_size > 100_000
    assert len(left_behind["rows"]) > 100_000
    assert search_for_planted(left_behind["rows"]) == []
    assert min(left_behind["kept"].values()) > 0, left_behind["kept"]
    assert {"bounced", "reply"} <= left_behind["rungs"]
    assert search_for_planted(left_behind["dump"]) == []
    assert len(left_behind["dump"]) > 100_000 or not case.stage.database
    found = search_for_planted(case.home)
    assert [one for one in found if "/inbox/" not in one.where] == []
    # In the inbox the office's own files are moved, sealed; a report beside one repeats nobody's name.
    assert [one for one in found if not _is_name(one)] == []

    # The secret has reached nobody at all.
    assert search_for_planted(case.sides.mail.received_bytes, planted=[PLANTED_SECRET]) == []
    assert search_for_planted(case.sides.drop.received_bytes, planted=[PLANTED_SECRET]) == []


def _is_name(found: Found) -> bool:
    return found.where.startswith("name of ")


def test_planted_pupil_is_in_no_backup_no_evidence_and_no_draft_and_nothing_opens_after_erasure(left_behind):
    saved = left_behind["case"].home.parent / "saved"
    files = [path for path in saved.rglob("*") if path.is_file()]
    assert {
        *([] if left_behind["case"].stage.database else ["hub.db"]),
        "manifest.json",
        "4-breach-record.txt",
        "statements.jsonl",
        "index.html",
    } <= {path.name for path in files}
    assert any(path.suffix == ".keys" for path in files)
    assert search_for_planted(saved) == []
    assert left_behind["sealed_left"] == []


def test_planted_pupil_stands_in_bodies_for_the_right_organisation_only(left_behind):
    case = left_behind["case"]
    told = 0
    for mail in case.sides.mail.received[case.sides._seen :]:
        head, _, body = mail.raw.partition(b"\r\n\r\n")
        assert search_for_planted(head) == []
        named = search_for_planted(_decoded(mail.raw), planted=PUPIL)
        if mail.rcpt_to == ("attendance@hill-school.example.org",):
            told += bool(named)
        else:
            assert named == []
        assert body
    assert told > 0
    for name, content in case.sides.drop.files().items():
        assert search_for_planted(name) == []
        assert name.startswith("northshire/")
        told += bool(search_for_planted(content, planted=PUPIL))
    assert told > 1


def test_planted_pupil_is_in_no_file_name_of_the_mailbox(left_behind):
    case = left_behind["case"]
    names = [path.name for path in case.sides.mail.maildir.folder.rglob("*")]
    assert search_for_planted(json.dumps(names)) == []
    assert [path.name for path in case.sides.drop.folder.iterdir()] == ["northshire"]


def _decoded(raw: bytes) -> bytes:
    """Give every part of a mail as it reads."""
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    return b"\n".join(part.get_payload(decode=True) for part in parsed.walk() if not part.is_multipart())
