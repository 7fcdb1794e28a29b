"""The old address hears that a way changes, and a person phones where it cannot."""

import pytest

from aphub.api import TransientDeliveryError
from aphub.services import overview, waits
from aphub.store import tables as t
from tests.told import text_of
from tests.world import DAILY, School, World, write_config

HILL = "hill-school/email"


@pytest.fixture
def world(make_world):
    return make_world()


def move(world: World) -> None:
    write_config(world.home, [School(channels=(("email", "told", "elsewhere"),))], DAILY)
    world.hub.apply("test")


def task(world: World):
    [row] = [row for row in world.rows(t.tasks) if row.kind == "tell_old_address"]
    return row


def test_old_address_hears_that_the_way_changes_and_no_pupil_is_named(world):
    pupil = world.pupil()
    world.owe()
    move(world)
    [(far, notice)] = world.sides.heard
    words = text_of(notice)
    assert far == "far"
    assert "another one" in words
    assert "phone us now: 01632 960" in words
    assert "any file" not in words  # there is none
    assert "elsewhere" not in words  # whoever reads there need not know
    assert pupil.upn not in str(notice.documents)
    assert notice.reports == ()
    assert (task(world).subject, task(world).state) == (HILL, "done")
    assert world.said()[-2:] == ["channel.changed", "old_address.told"]
    assert world.verify().ok


def test_old_address_that_cannot_be_told_is_a_persons_task(world):
    world.sides.closed_for_good["far"] = TransientDeliveryError("Nobody is there.")
    move(world)
    assert not world.sides.heard
    assert task(world).state == "open"
    assert "Phone them at the number that you already have" in task(world).words


def test_old_address_and_a_person_hear_that_a_way_is_taken_out_and_once(world):
    world.pupil()
    world.owe()
    for schools in ([School(channels=())], [School("brook-academy", (("email", "told", "brook"),))]):
        write_config(world.home, schools, DAILY)
        world.hub.apply("test")
    [(far, notice)] = world.sides.heard
    assert far == "far"
    words = text_of(notice)
    assert "send none here any more" in words
    assert "phone us now: 01632 960" in words
    assert (task(world).subject, task(world).state) == (HILL, "done")
    assert world.said().count("channel.removed") == 1
    assert overview.today(world.desk, world.day)[0].name == "hill-school"  # there is no name any more
    assert world.verify().ok


def test_school_that_is_taken_out_and_cannot_be_told_is_a_persons_task(world):
    world.sides.closed_for_good["far"] = TransientDeliveryError("Nobody is there.")
    write_config(world.home, [School("brook-academy", (("email", "told", "brook"),))], DAILY)
    world.hub.apply("test")
    assert task(world).state == "open"
    assert "how they hear of their pupils now" in task(world).words
    assert any(one.kind == "tell_old_address" for one in waits.waiting(world.desk))


def test_it_is_told_once(world):
    move(world)
    world.hub.apply("test")
    assert len(world.sides.heard) == 1


def test_way_that_was_never_approved_has_nobody_to_tell(make_world):
    world = make_world(live=False)
    move(world)
    assert not world.sides.heard
    assert not world.rows(t.tasks)
