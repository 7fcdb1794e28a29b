"""Backup and restore, rehearsed on both stores: nothing lost in silence, nothing resent blindly, nobody erased comes back."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from aphub.api.errors import TransientDeliveryError
from aphub.domain.errors import AphubError
from aphub.domain.ledger import read_statement
from aphub.domain.outcomes import Outcome
from aphub.sealing import MasterKey
from aphub.services import actions, approve, backup, erase, receipts, restore, waits
from aphub.services.backup import BackupError
from aphub.services.decide import UNKNOWN
from aphub.services.recording import newest_checkpoint_line
from aphub.services.restore import RestoreError, put_back
from aphub.store import erasing, key_copies
from aphub.store import tables as t
from aphub.store.copying import CopyError
from tests.told import facts_of, text_of
from tests.world import HUB, Placed, School, World, opened

JO = "Jo Office, office manager"
DAYS = 14


def save(world: World, to: Path, keys_to: Path | None) -> backup.Taken:
    hub = world.hub
    return backup.take(world.home, hub.store, hub.keys, to, keys_to, world.clock.now(), DAYS)


def nobody() -> MasterKey:
    raise AssertionError("the master key is not asked for")


@pytest.fixture
def elsewhere(request, tmp_path, store_url) -> Path:
    """Give an empty home on a clean machine, with an empty place for the database."""
    home = tmp_path / "clean"
    home.mkdir()
    if store_url.startswith("sqlite"):
        url = f"sqlite:///{home / 'hub.db'}"
    else:
        url = request.getfixturevalue("empty_postgres_url")
    (home / "hub.toml").write_text(f'{HUB}[store]\nurl = "{url}"\n')
    return home


@dataclass(frozen=True)
class Lost:
    """A hub whose disk is lost: what is left is a backup, a copy of the keys that has expired, and a newer one."""

    gone: Placed
    sam: Placed
    alex: Placed
    first: backup.Taken
    second: backup.Taken
    off_site: Path
    newest: str
    used: frozenset[str]
    heard: int


def live_and_lose(world: World, tmp_path: Path) -> Lost:
    """Back up with one message told and one waiting; then tell more, erase a pupil, and lose the disk."""
    gone, sam, alex = world.pupil(given="Gone"), world.pupil(), world.pupil("vale-school")
    world.owe()
    world.sides.always["vale"] = TransientDeliveryError("busy")
    world.at("09:05")
    world.enter([gone, sam, alex])
    world.go()
    assert [row.state for row in world.dispatches()] == ["handed_over", "waiting"]
    world.change(t.placements, {"ends_day": world.day}, placement_id=gone.placement_id)
    first = save(world, tmp_path / "backups", tmp_path / "keys")
    assert first.keys is not None
    off_site = tmp_path / "off-site.keys"
    shutil.copyfile(first.keys, off_site)
    world.sides.always.clear()
    world.wait(timedelta(minutes=10))
    world.enter(sam, minutes=20)
    world.wait(timedelta(minutes=3))
    used = frozenset(row.reference for row in world.dispatches())
    assert len(used) == 3
    with world.desk.store.reading() as connection:
        newest = newest_checkpoint_line(connection, world.desk)
    [row] = [row for row in world.rows(t.pupils) if row.pupil_id == gone.pupil_id]
    assert erase.erase(world.desk, row.ref, JO, "asked for").complete_at == first.keys_until
    world.clock.advance(timedelta(days=DAYS, minutes=1))
    assert key_copies.delete_expired(world.hub.keys.engine, world.clock.now()) == ([str(first.keys)], [])
    second = save(world, tmp_path / "backups", tmp_path / "keys")
    heard = len(world.sides.heard)
    return Lost(gone, sam, alex, first, second, off_site, newest, used, heard)


def test_restore_on_a_clean_machine_loses_nothing_doubles_nothing_and_brings_nobody_back(
    make_world, elsewhere, tmp_path
):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    lost = live_and_lose(world, tmp_path)
    master = MasterKey.from_file(world.home / "keys" / "master.key")
    world.hub.close()
    now, folder, copy = world.clock.now(), lost.first.folder, lost.second.keys
    with pytest.raises(RestoreError, match="expired"):
        put_back(elsewhere, folder, lost.off_site, lambda: master, now=now)
    with pytest.raises(RestoreError, match="no keys here"):
        put_back(elsewhere, folder, None, nobody, now=now)
    manifest = put_back(elsewhere, folder, copy, nobody, now=now)
    with pytest.raises(CopyError):
        put_back(elsewhere, folder, copy, nobody, now=now)
    again = World(elsewhere, opened(elsewhere, world.clock, world.sides), world.clock, world.sides)
    try:
        found = restore.begin_again(again.desk, manifest.taken_at, JO, seen=lost.newest)
        assert (found.epoch, found.messages_in_doubt, found.ways_paused, found.erased_again) == (2, 1, 2, 1)
        nobody_who_was_erased_is_readable(again, lost)
        nothing_leaves_by_itself(again, lost, found)
        ledger_goes_on_in_a_new_epoch(again, lost)
        what_a_person_lets_go_on_has_a_number_of_its_own(again, lost)
    finally:
        again.hub.close()


def nobody_who_was_erased_is_readable(again: World, lost: Lost) -> None:
    held = [row for row in again.rows(t.pupils) if row.sealed]
    assert {row.pupil_id for row in held} == {lost.sam.pupil_id, lost.alex.pupil_id}
    names = again.desk.vault.open_json_many(
        [(row.key_id, f"pupils:{row.provider_id}:{row.pupil_id}", row.sealed) for row in held]
    )
    assert {one["given_name"] for one in names} == {"Sam"}
    for table in erasing.sealed_tables():
        if "pupil_id" in table.c:
            assert not [one for one in again.rows(table) if one.pupil_id == lost.gone.pupil_id and one.sealed]


def nothing_leaves_by_itself(again: World, lost: Lost, found: restore.Restored) -> None:
    again.owe()
    again.wait(timedelta(minutes=1))
    assert len(again.sides.heard) == lost.heard
    waiting = waits.waiting(again.desk)
    asked = [one for one in waiting if one.kind == "release"]
    assert len(asked) == 2  # one a school
    assert sum(len(one.refs) for one in asked) == found.reports_unknown > 2
    assert [one.kind for one in waiting].count("uncertain") == 1


def ledger_goes_on_in_a_new_epoch(again: World, lost: Lost) -> None:
    leaves = [read_statement(bytes(row.body)) for row in again.rows(t.statements)]
    [opening] = [leaf for leaf in leaves if leaf["type"] == "epoch.started"]
    assert (opening["epoch"], opening["size"]) == (2, int(lost.newest.split()[1]))
    verdict = receipts.verify(again.desk)
    assert verdict.ok, verdict.words


def what_a_person_lets_go_on_has_a_number_of_its_own(again: World, lost: Lost) -> None:
    for slug in ("hill-school", "vale-school"):
        approve.resume(again.desk, slug, "email", JO)
    [doubtful] = [row for row in again.dispatches() if row.state == "uncertain"]
    actions.settle(again.desk, doubtful.reference, "handed_over", JO)
    unknown = [
        row
        for row in again.rows(t.owed_reports)
        if row.because == UNKNOWN and row.placement_id == lost.sam.placement_id
    ]
    before = len(again.sides.heard)
    actions.release(again.desk, unknown[-1].ref, JO)
    again.go()
    fresh = [delivery for _, delivery in again.sides.heard[before:]]
    assert fresh
    assert not {delivery.key for delivery in fresh} & lost.used
    # What was unknown says so; today's news about a missing register is new, and does not.
    warned = [one for one in fresh if "You may already have this: we went back to a backup" in text_of(one)]
    assert [text_of(one).count("Monday 16 March") for one in warned] == [1]
    assert lost.sam.upn in {row["upn"] for one in fresh for row in facts_of(one)["rows"]}


def test_news_about_a_report_that_is_unknown_since_a_restore_reaches_the_school_by_phone(make_world_anew):
    world = make_world_anew()
    sam, alex = world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    taken_at = world.clock.now()
    world.clock.advance(timedelta(hours=2))
    restore.begin_again(world.desk, taken_at, JO, trust_ways=True)
    world.enter(sam)
    world.enter(alex, outcome=Outcome.LEFT_SITE)
    world.go()
    assert world.sides.heard == []
    assert {row.pupil_id for row in world.tasks("phone_school")} == {alex.pupil_id}
    assert {row.because for row in world.rows(t.owed_reports, state="held")} == {UNKNOWN}
    # What is due from now on is told as ever.
    day = world.day + timedelta(days=1)
    world.at("09:05", day)
    world.enter([sam, alex], day=day)
    world.at("09:44", day)
    assert len(world.sides.heard) == 1


def test_backup_is_refused_where_it_would_lie_with_its_keys_and_when_it_is_not_whole(
    make_world_anew, tmp_path
):
    world = make_world_anew()
    world.pupil()
    for keys_to in (tmp_path / "b", tmp_path / "b" / "keys"):
        with pytest.raises(BackupError, match="apart"):
            save(world, tmp_path / "b", keys_to)
    taken = save(world, tmp_path / "b", tmp_path / "k")
    with pytest.raises(BackupError, match="already"):
        save(world, tmp_path / "b", tmp_path / "k")
    assert {path.stat().st_mode & 0o077 for path in (taken.folder / "hub.db", taken.keys)} == {0}
    content = bytearray((taken.folder / "hub.db").read_bytes())
    content[5000] ^= 1
    (taken.folder / "hub.db").write_bytes(content)
    with pytest.raises(BackupError, match="changed"):
        put_back(tmp_path / "new", taken.folder, taken.keys, nobody)
    with pytest.raises(BackupError, match="no whole backup"):
        put_back(tmp_path / "new", tmp_path, taken.keys, nobody)
    with pytest.raises(AphubError, match="no copy of a key store"):
        key_copies.described(taken.folder / "hub.db")
    other = "aphub/another/riverbank 900 " + "A" * 43 + "="
    world.owe()
    world.at("09:45")
    with pytest.raises(RestoreError, match="another ledger"):
        restore.begin_again(world.desk, world.clock.now(), JO, seen=other)
