"""Each mood in which a school's own system can be started by hand, lived through by a whole hub: nothing is lost or guessed."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.json_api import JsonStandIn
from aphub.sandbox.moods import moods_of, put_into
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.school_systems import KINDS, MIS_FIRST, channel_to, codes_in_register, connection_to, stand_in
from tests.world import Placed, World, build_world

pytestmark = pytest.mark.slow

KEEPS_IT = {"accepts", "answers-late", "cuts-off", "floods"}
"""Moods in which the register takes the mark, however badly it says so: it is found by looking."""


@dataclass
class Played:
    """A hub, and for each kind of system a school in each of its moods, with one pupil."""

    world: World
    far_sides: dict[str, JsonStandIn]
    moods: dict[str, str]
    placed: dict[str, Placed]


@pytest.fixture
def played(tmp_path: Path, sqlite_url: str) -> Iterator[Played]:
    authority = DemoAuthority.create(tmp_path / "authority")
    world = build_world(tmp_path / "home", sqlite_url, schools=[])
    far_sides, moods, schools, connections = {}, {}, [], ""
    with ExitStack() as stack:
        for kind in KINDS:
            for mood in moods_of(stand_in(kind, authority, world)):
                if mood.startswith("calls-"):
                    continue  # there is nobody to be called here: see tests/services/test_callbacks.py
                slug = f"{kind}-{mood}"
                far = stack.enter_context(stand_in(kind, authority, world, [len(moods) + 1]))
                connections += connection_to(kind, far, authority, world, name=slug, timeout=0.3)
                schools.append(School(slug, extra=channel_to(kind, far, connection=slug)))
                far_sides[slug], moods[slug] = far, mood
        world.configure(schools=schools, agreements=MIS_FIRST, provider=f"{PROVIDER}\n{connections}")
        world.go_live()
        yield Played(world, far_sides, moods, {slug: world.pupil(slug) for slug in far_sides})
    world.hub.close()


def test_in_every_mood_the_school_is_told_once_and_the_truth_is_said_of_its_register(played: Played):
    world = played.world
    for slug, far in played.far_sides.items():
        assert put_into(far, played.moods[slug])
    world.owe()
    world.at("09:05")
    world.enter(played.placed.values())
    world.go()
    for _ in range(10):
        world.wait(timedelta(minutes=4))
    tried = {row.dispatch_id: row.words for row in world.rows(t.attempts)}
    for slug, far in played.far_sides.items():
        first, *more = [row for row in world.dispatches() if row.organisation == slug]
        in_register, mood = codes_in_register(far) == ["B"], played.moods[slug]
        assert world.owed(played.placed[slug]).state == "met", slug
        # What is said to stand in a register stands there; where it does not, the school reads it, once, by its next way.
        assert in_register or first.state != "accepted", slug
        told = [(row.channel, row.state) for row in more]
        assert told == ([] if first.state == "accepted" else [("email", "handed_over")]), slug
        if mood in KEEPS_IT:
            assert (first.state, in_register) == ("accepted", True), slug
        elif mood != "half-fails":  # of one mark, one half is all or nothing
            assert (first.state in {"refused", "replaced"}, in_register) == (True, False), slug
            assert tried[first.dispatch_id], slug
    assert world.verify().ok
