"""Publishing: numbered snapshots, what changes for whom, and a changed destination waits for approval again."""

import json

import pytest

from aphub.settings.load import ConfigurationError
from aphub.store import tables as t
from tests.world import PROVIDER, School, write_config


def test_the_same_configuration_is_published_once(world):
    world.configure()
    world.configure()
    assert [row.number for row in world.rows(t.snapshots)] == [1]
    assert world.said().count("snapshot.published") == 1


def test_a_change_is_a_new_number_and_the_old_one_stays(world):
    world.configure(provider=PROVIDER.replace("01632 960000", "01632 960001"))
    assert [row.number for row in world.rows(t.snapshots)] == [1, 2]
    assert world.desk.snapshot == 2
    assert json.loads(world.rows(t.snapshots)[0].body)["provider"]["phone"] == "01632 960000"


def test_plan_says_what_changes_for_whom_and_changes_nothing(world):
    world.schools = [School(), School("vale-school")]
    write_config(world.home, world.schools, world.agreements, PROVIDER)
    _, changes = world.hub.plan()
    assert {(one.about, one.words) for one in changes} >= {("vale-school", "School or council is new.")}
    assert len(world.rows(t.snapshots)) == 1


def test_plan_names_a_way_that_was_right_when_it_was_written_and_is_not_any_more(make_world):
    world = make_world(schools=[School(channels=(("drop", "told", "ended"),))])
    _, changes = world.hub.plan()
    assert [(one.about, one.words) for one in changes] == [
        ("hill-school drop", "Not usable: their certificate ended before 2026.")
    ]


def test_changed_destination_waits_for_approval_again_and_nothing_leaves_meanwhile(world):
    sam = world.pupil()
    world.owe()
    world.configure(schools=[School(channels=(("email", "told", "elsewhere"),))])
    [channel] = world.rows(t.channels)
    assert (channel.state, channel.because) == ("changed", "its destination changed")
    assert channel.approved_destination != channel.destination
    assert "channel.changed" in world.said()
    world.at("09:05")
    world.enter(sam)
    world.at("09:43")
    # The old address hears that it changes, and nobody hears more.
    assert [delivery.reports for _, delivery in world.sides.heard] == [()]


def test_what_waits_on_a_way_that_changed_is_held(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.hub.boundary = lambda name: (
        world.configure(schools=[School(channels=(("email", "told", "elsewhere"),))])
        if name == "tell.kept"
        else None
    )
    world.go()
    # The old address hears that it changes, and nobody hears more.
    assert [delivery.reports for _, delivery in world.sides.heard] == [()]
    assert [row.state for row in world.dispatches()] == ["held"]


def test_channel_that_was_never_approved_stays_a_draft(make_world):
    world = make_world(live=False)
    world.configure(schools=[School(channels=(("email", "told", "elsewhere"),))])
    assert [row.state for row in world.rows(t.channels)] == ["draft"]


def test_what_is_not_a_destination_keeps_the_approval(world):
    world.configure(schools=[School(extra='phone = "01632 960555"')])
    assert [row.state for row in world.rows(t.channels)] == ["live"]


def test_wrong_configuration_publishes_nothing(world):
    with pytest.raises(ConfigurationError):
        world.configure(provider=PROVIDER + 'colour = "blue"\n')
    assert len(world.rows(t.snapshots)) == 1
