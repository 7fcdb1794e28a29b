"""What far sides call our pupils is remembered sealed, and goes with the pupil."""

from datetime import timedelta

import pytest

from aphub.services import erase
from aphub.services.far_ids import KEPT, FarIds
from aphub.store import tables as t
from tests.world import World

HERE, THERE = "wonde api.wonde.com A1930499544", "wonde api.wonde.com A1930499545"


@pytest.fixture
def ids(world: World) -> FarIds:
    return FarIds(world.desk)


def test_an_id_is_remembered_for_its_place_and_for_a_pupil_of_ours_only(world: World, ids: FarIds) -> None:
    sam = world.pupil()
    ids.remember(HERE, {sam.upn: "S1-of-the-school", "Z999400125004": "S2"})
    assert ids.recall(HERE, [sam.upn, "Z999400125004"]) == {sam.upn: "S1-of-the-school"}
    assert ids.recall(THERE, [sam.upn]) == {}
    ids.remember(HERE, {sam.upn: "S3"})
    ids.remember(HERE, {})
    assert FarIds(world.desk).recall(HERE, [sam.upn]) == {sam.upn: "S3"}


def test_neither_the_number_nor_the_id_stands_there_in_clear(world: World, ids: FarIds) -> None:
    sam = world.pupil()
    ids.remember(HERE, {sam.upn: "S1-of-the-school"})
    [row] = world.rows(t.far_pupils)
    for column in row:
        assert sam.upn not in str(column)
        assert b"S1-of" not in (column if isinstance(column, bytes) else b"")


def test_what_they_refused_is_forgotten(world: World, ids: FarIds) -> None:
    sam, jo = world.pupil(), world.pupil()
    ids.remember(HERE, {sam.upn: "S1", jo.upn: "S2"})
    ids.forget(HERE, [sam.upn])
    assert ids.recall(HERE, [sam.upn, jo.upn]) == {jo.upn: "S2"}


def test_what_is_old_is_looked_up_again(world: World, ids: FarIds) -> None:
    sam = world.pupil()
    ids.remember(HERE, {sam.upn: "S1"})
    world.clock.advance_to(world.clock.now() + KEPT)
    assert ids.recall(HERE, [sam.upn]) == {sam.upn: "S1"}
    world.clock.advance_to(world.clock.now() + timedelta(seconds=1))
    assert ids.recall(HERE, [sam.upn]) == {}


def test_it_goes_with_the_pupil_and_does_not_come_back(world: World, ids: FarIds) -> None:
    gone, sam = world.pupil(given="Gone"), world.pupil()
    ids.remember(HERE, {gone.upn: "S1", sam.upn: "S2"})
    world.change(t.placements, {"ends_day": world.day}, placement_id=gone.placement_id)
    ref = next(row.ref for row in world.rows(t.pupils) if row.pupil_id == gone.pupil_id)
    erase.erase(world.desk, ref, "Jo Office, office manager", "asked for by the parent")
    ids.remember(HERE, {gone.upn: "S1"})
    assert ids.recall(HERE, [gone.upn, sam.upn]) == {sam.upn: "S2"}
    left = {row.pupil_id: (row.sealed, row.place_index) for row in world.rows(t.far_pupils)}
    assert left.get(gone.pupil_id, (b"", None)) == (b"", None)
