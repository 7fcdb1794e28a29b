"""One erased key: its pupil's record is gone, and everything goes on for the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aphub.services import life, tell
from aphub.services.recover import recover
from aphub.store import tables as t
from aphub.store.keys import open_keys
from tests.told import facts_of

CLASSES = ("pupil", "entry", "report", "intake")


class Skewed:
    """A machine's own clock, which is wrong by some hours."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


def test_one_erased_key_never_makes_telling_fail_for_the_others(world):
    gone, sam = world.pupil(given="Gone"), world.pupil()
    world.owe()
    world.at("09:05")
    world.enter([gone, sam])
    vault = world.desk.vault
    assert vault.erase([gone.pupil_id], CLASSES, [world.desk.year()]) >= 2
    world.hub.keys.forget_erased()
    world.at("09:43").at("09:44")
    [routine] = world.sides.to("far")
    assert {row["upn"] for row in facts_of(routine)["rows"]} == {sam.upn}
    held = world.owed(gone)
    assert (held.state, held.because) == (
        "held",
        "no way to send: this pupil's record cannot be read any more",
    )
    assert len(world.tasks("phone_school")) == 1
    # What was told before goes on too: a correction, a look at the message, its names.
    world.wait(timedelta(minutes=5))
    world.enter(sam, minutes=12)
    world.wait(timedelta(minutes=2))
    assert len(world.sides.to("far")) == 2
    vault.erase([sam.pupil_id], CLASSES, [world.desk.year()])
    shown = life.show(world.desk, world.dispatches()[0].reference, names_because="asked", by="Jo Office")
    assert [one.pupil for one in shown.reports] == ["(erased)"]
    world.enter(sam, minutes=20)
    assert tell.tell_now(world.desk).messages == 0
    assert world.verify().ok


def test_message_whose_content_was_erased_is_held_and_others_leave(make_world):
    world = make_world()
    world.pupil(), world.pupil()
    world.owe()
    world.at("09:05")
    world.clock.advance(timedelta(minutes=40))
    tell.tell_now(world.desk)
    [waiting] = world.dispatches()
    world.desk.vault.erase([waiting.dispatch_id], ["message"], [world.desk.year()])
    world.deliver()
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["content_erased"]
    assert life.stored(world.desk, waiting.reference) == ()


def test_other_processes_forget_an_erased_key(world):
    sam = world.pupil()
    [row] = world.rows(t.pupils)
    place = f"pupils:{row.provider_id}:{sam.pupil_id}"
    other = open_keys(str(world.hub.keys.engine.url), world.hub.keys._master)
    theirs = other.vault(row.provider_id)
    try:
        assert theirs.open_json(row.key_id, place, row.sealed)["given_name"] == "Sam"
        world.desk.vault.erase([sam.pupil_id], ["pupil"], [world.desk.year()])
        other.forget_erased()
        assert theirs.try_open_json_many([(row.key_id, place, row.sealed)]) == [None]
    finally:
        other.close()


def test_lease_is_judged_by_the_databases_clock_where_many_share_it(make_world):
    world = make_world()
    world.pupil()
    world.owe()
    world.at("09:05")
    now = datetime.now(UTC)
    world.clock.advance(timedelta(minutes=40))
    tell.tell_now(world.desk)
    world.change(
        t.dispatches, {"state": "started", "lease_by": "elsewhere", "lease_until": now + timedelta(minutes=2)}
    )
    fast = replace(world.desk, clock=Skewed(timedelta(hours=3)))
    expected = 1 if world.hub.store.is_sqlite else 0
    assert recover(fast, world.hub.adapter, sole=False) == expected
    slow = replace(world.desk, clock=Skewed(-timedelta(hours=3)))
    with world.desk.store.transaction() as connection:
        off = abs(slow.lease_now(connection) - datetime.now(UTC))
    assert (off > timedelta(hours=2)) is world.hub.store.is_sqlite
