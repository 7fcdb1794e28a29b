"""Marks of ours in a school's register, from the hub to the register and back: lost answers, corrections, the school's own word."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from aphub.domain.outcomes import Outcome
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.xporter import XporterStandIn
from aphub.services import approve
from aphub.services.left_in_registers import NOTE
from aphub.services.rechecks import Rechecks
from aphub.services.way import NotYetError
from aphub.testing import invented_upn
from tests.configured import PROVIDER, School
from tests.school_systems import MIS_FIRST, channel_to, connection_to, stand_in
from tests.told import facts_of
from tests.world import World, build_world

DAY = "2026-03-03"


@pytest.fixture
def played(tmp_path, sqlite_url) -> Iterator[tuple[World, XporterStandIn]]:
    authority = DemoAuthority.create(tmp_path / "authority")
    world = build_world(tmp_path / "home", sqlite_url)
    with stand_in("xporter", authority, world) as far_side:
        connection = connection_to("xporter", far_side, authority, world, timeout=2)
        hill = School(extra=channel_to("xporter", far_side, codes='["B", "N"]'))
        world.configure(schools=[hill], agreements=MIS_FIRST, provider=f"{PROVIDER}\n{connection}")
        world.go_live()
        yield world, far_side
    world.hub.close()


def test_a_mark_is_written_once_corrected_while_it_is_ours_and_left_alone_when_it_is_not(played):
    world, far_side = played
    school = far_side.school

    def stands() -> str:
        [mark] = school.marks.values()
        return school.code_of(mark.code_id)

    def minutes() -> int | None:
        [mark] = school.marks.values()
        return mark.minutes_late

    def writes() -> int:
        return sum(far_side.is_write(one) for one in far_side.requests)

    sam = world.pupil()
    world.owe()
    world.at("09:05")
    far_side.cuts_off_after_reading(times=1)
    world.enter(sam)
    world.go()
    world.wait(timedelta(minutes=2))
    # The answer was lost after the mark stood: the register was asked, and nothing was written or told twice.
    assert (writes(), stands()) == (1, "B")
    assert [(row.channel, row.state) for row in world.dispatches()] == [("mis", "accepted")]

    world.at("10:00")
    world.enter(sam, outcome=Outcome.LATE, minutes=12)
    world.wait(timedelta(minutes=3))
    assert (writes(), stands(), minutes()) == (2, "B", 12)  # ours, and nobody had touched it
    world.wait(timedelta(minutes=1))
    assert [row.state for row in world.dispatches()] == ["accepted", "accepted"]
    assert world.sides.to("far") == []

    world.enter(sam, outcome=Outcome.ABSENT)
    world.wait(timedelta(minutes=3))
    # Where a child is, a person reads first; that the register says otherwise is said to them, and to somebody here.
    assert (writes(), stands()) == (2, "B")
    [told] = world.sides.to("far")
    assert NOTE in facts_of(told)["notes"]
    assert [row.subject for row in world.tasks("register_differs")] == [told.key]

    far_side.state.mark_made_by_school(school, invented_upn(1), date=DAY, session="AM", code="I")
    world.at("11:00")
    world.enter(sam)
    world.wait(timedelta(minutes=3))
    assert (writes(), stands()) == (2, "I")  # the school's word stands
    assert len(world.tasks("register_differs")) == 2
    assert "another mark" in str(facts_of(world.sides.to("far")[-1])["notes"])
    assert world.verify().ok


def test_a_letter_that_their_table_lacks_is_found_by_the_check_and_not_by_the_first_mark(played):
    world, far_side = played
    way = ("hill-school", "mis")
    good = approve.check(world.hub, world.desk, *way)
    assert (good[-1].ok, good[-1].found) == (True, "B N, signed 05/01/2026")
    del far_side.school.codes["N"]
    step = approve.check(world.hub, world.desk, *way)[-1]
    assert (step.ok, step.found) == (False, "its system does not have N, so nothing with it can be written")
    with pytest.raises(NotYetError, match="not as it should be"):
        approve.test_report(world.hub, world.desk, *way, "Jo Weaver")
    world.clock.advance(timedelta(days=1))
    Rechecks().look(world.hub, world.desk)
    [task] = world.tasks("check_way")
    assert "does not have N" in task.words
