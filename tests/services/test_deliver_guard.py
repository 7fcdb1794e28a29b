"""What never leaves: the second guard, at the edge."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from aphub.services.desk import no_boundary
from aphub.store import tables as t
from tests.services.trying import two_ways, with_report
from tests.told import outcomes_of
from tests.world import School

# What never leaves


def test_recipient_changed_between_freeze_and_delivery_holds_the_message(make_world):
    world = two_ways(make_world)
    sam = with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.recipients, {"organisation": "elsewhere"}, recipient_id=sam.recipient_ids[0])
        if name == "tell.kept"
        else None
    )
    world.go()
    world.hub.boundary = no_boundary
    world.at("09:50").at("11:00")
    assert world.sides.heard == []
    assert [row.state for row in world.dispatches()] == ["held"]
    assert [row.kind for row in world.rows(t.holds)] == ["wrong_school"]
    assert world.rows(t.attempts) == []


def test_pupil_of_another_school_in_the_rows_holds_the_message(world):
    sam = with_report(world)
    other = world.pupil()
    index = world.desk.vault.index("upn", other.upn)
    world.hub.boundary = lambda name: (
        world.change(t.pupils, {"upn_index": index}, pupil_id=sam.pupil_id) if name == "tell.kept" else None
    )
    world.go()
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["wrong_school"]


def test_pupil_suppressed_after_freeze_holds_the_message(world):
    sam = with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.pupils, {"suppressed": True}, pupil_id=sam.pupil_id) if name == "tell.kept" else None
    )
    world.go()
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["do_not_share"]


@pytest.mark.parametrize(
    "values", [{"state": "changed"}, {"approved_destination": "0" * 64}, {"state": "paused"}]
)
def test_channel_that_is_no_longer_approved_holds_the_message_and_is_not_even_connected_for_it(world, values):
    with_report(world)
    world.hub.boundary = lambda name: world.change(t.channels, values) if name == "tell.kept" else None
    world.go()
    world.hub.boundary = no_boundary
    world.at("09:50")
    assert world.sides.heard == []
    assert [row.kind for row in world.rows(t.holds)] == ["channel_not_approved"]


def test_lane_that_the_configuration_no_longer_has_is_held_and_leaves_the_hub_at_rest(world):
    with_report(world)
    world.hub.boundary = lambda name: (
        world.change(t.dispatches, {"lane": "gone"}) if name == "tell.kept" else None
    )
    world.go()
    [row] = world.dispatches()
    assert (row.state, row.next_at) == ("held", None)
    assert row.attempts == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_sent_row_holds_a_pupil_of_another_organisation(make_world_anew, data):
    names = [f"school-{number}" for number in range(4)]
    world = make_world_anew(schools=[School(name, (("email", "told", name),)) for name in names])
    mine: dict[str, set[str]] = {name: set() for name in names}
    for _ in range(data.draw(st.integers(1, 8), label="pupils")):
        told = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        placed = world.pupil(*told)
        for name in told:
            mine[name].add(placed.upn)
    world.owe()
    world.at("09:05")
    rows = world.rows(t.lessons, day=world.day)
    for lesson in rows:
        moved = data.draw(st.sampled_from(["", "", *names]), label="moved before freeze")
        if moved:
            clash = world.rows(t.recipients, placement_id=lesson.placement_id, organisation=moved)
            if not clash:
                [first, *_] = world.rows(t.recipients, placement_id=lesson.placement_id)
                world.change(t.recipients, {"organisation": moved}, recipient_id=first.recipient_id)
    late = data.draw(st.booleans(), label="moved between freeze and delivery")

    def boundary(name: str) -> None:
        if name == "tell.kept" and late:
            with world.hub.store.transaction() as connection:
                [first, *_] = connection.execute(select(t.recipients)).all()
                connection.execute(
                    update(t.recipients)
                    .where(t.recipients.c.recipient_id == first.recipient_id)
                    .values(organisation="elsewhere")
                )

    world.hub.boundary = boundary
    world.at("09:43").at("10:00")
    upns = {row.pupil_id: row.upn_index for row in world.rows(t.pupils)}
    for far, delivery in world.sides.heard:
        placed_by = {
            upns[owed.pupil_id]
            for owed in world.rows(t.owed_reports)
            for recipient in world.rows(t.recipients, recipient_id=owed.recipient_id)
            if recipient.organisation in {far, "elsewhere"}
        }
        assert {world.desk.vault.index("upn", upn) for upn, _ in outcomes_of(delivery)} <= placed_by
