"""A hub whose schools' own systems are mistaken or hostile: redirects, floods, a yes that says no, an answer too late.

For each: what left the machine (as captured), the state of the message, the words that a person is shown, and that
the school was told by its next channel.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.json_api import JsonStandIn
from aphub.services.life import show
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.school_systems import MIS_FIRST, channel_to, codes_in_register, connection_to, stand_in
from tests.world import Placed, World, build_world

THEIRS = "Zebedee Invented is not on roll"
"""What a far side says of a pupil, which is nobody's business but theirs."""
NONE = "Their system took none of the reports."
NOT_THERE = "Their system does not have it."


@dataclass(frozen=True)
class Hostile:
    """One school's system: what it does, and what the hub says of the message in the end."""

    kind: str
    does: str
    mood: Callable[[JsonStandIn, str], object]
    ends: tuple[str, ...]
    words: str
    writes: int = 1
    kept: bool = False
    task: str = ""
    timeout: float = 5.0

    @property
    def slug(self) -> str:
        """The school's name in the configuration."""
        return f"{self.kind}-{self.does}"


def redirects(kind: str, vendor: str) -> Hostile:
    """Give one that sends what it gets to somewhere else."""
    words = f"{vendor} sent us to another address, which we do not follow. We changed nothing."
    ends = ("refused", "handed_over")
    return Hostile(
        kind, "redirects", lambda far, trap: far.redirects(trap), ends, words, task=f"({words}). Check"
    )


def says_no(kind: str) -> Hostile:
    """Give one whose 200 holds a plain no."""
    mood, ends = (lambda far, _: far.errs_inside(THEIRS)), ("refused", "handed_over")
    return Hostile(kind, "says-no", mood, ends, NONE, task="(their system rejected the message). Check")


def says_nothing(kind: str) -> Hostile:
    """Give one whose 200 leaves open whether it took anything, so that its register is asked, and asked again."""
    mood, ends = (lambda far, _: far.errs_inside(THEIRS)), ("replaced", "handed_over")
    return Hostile(kind, "says-nothing", mood, ends, NOT_THERE, writes=2)


def floods(kind: str) -> Hostile:
    """Give one whose answer never ends, though it kept the marks."""
    return Hostile(kind, "floods", lambda far, _: far.floods(), ("accepted",), "", kept=True)


def late(kind: str) -> Hostile:
    """Give one that keeps the marks and says so when we have gone."""
    mood = lambda far, _: far.answers_late(30, times=1)  # noqa: E731 - a mood like the others
    return Hostile(kind, "late", mood, ("accepted",), "", kept=True, timeout=0.5)


WAYS = [
    redirects("wonde", "Wonde"),
    redirects("rest", "Example MIS"),
    floods("wonde"),
    floods("arbor"),
    says_no("xporter"),
    says_no("rest"),
    says_nothing("arbor"),
    late("xporter"),
]


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """Listen where no school is, inside the operator's own network."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@dataclass
class Played:
    """A hub, the schools' systems and one pupil of each, by the schools' names."""

    world: World
    far_sides: dict[str, JsonStandIn]
    placed: dict[str, Placed]


@pytest.fixture
def played(tmp_path: Path, sqlite_url: str) -> Iterator[Played]:
    authority = DemoAuthority.create(tmp_path / "authority")
    world = build_world(tmp_path / "home", sqlite_url, schools=[])
    far_sides, schools, connections = {}, [], ""
    with ExitStack() as stack:
        for number, way in enumerate(WAYS, 1):
            far = stack.enter_context(stand_in(way.kind, authority, world, [number]))
            connections += connection_to(way.kind, far, authority, world, name=way.slug, timeout=way.timeout)
            schools.append(School(way.slug, extra=channel_to(way.kind, far, connection=way.slug)))
            far_sides[way.slug] = far
        world.configure(schools=schools, agreements=MIS_FIRST, provider=f"{PROVIDER}\n{connections}")
        world.go_live()
        yield Played(world, far_sides, {slug: world.pupil(slug) for slug in far_sides})
    world.hub.close()


def test_what_leaves_what_stands_and_what_is_said_for_each_hostile_register(
    played: Played, trap: socket.socket
):
    world = played.world
    for way in WAYS:
        way.mood(played.far_sides[way.slug], f"https://127.0.0.1:{trap.getsockname()[1]}/")
    world.owe()
    world.at("09:05")
    world.enter(played.placed.values())
    world.go()
    world.at("09:45")

    words: dict[int, str] = {row.dispatch_id: row.words or "" for row in world.rows(t.attempts)}
    tasks = {row.organisation: row for row in world.tasks("fix_channel")}
    for way in WAYS:
        far, slug = played.far_sides[way.slug], way.slug
        first, *more = [row for row in world.dispatches() if row.organisation == slug]
        assert (slug, *(row.state for row in (first, *more))) == (slug, *way.ends)
        assert (slug, words[first.dispatch_id]) == (slug, way.words)
        # What it was sent is what it was asked to write, no oftener than the words say, and nobody else got it.
        assert (slug, sum(far.is_write(one) for one in far.requests)) == (slug, way.writes)
        assert (slug, codes_in_register(far)) == (slug, ["B"] if way.kept else [])
        assert b"Example0" not in far.received_bytes
        assert (slug, world.owed(played.placed[slug]).state) == (slug, "met")
        assert [row.channel for row in more] == ["email"] * (len(way.ends) - 1)
        assert (slug in tasks) is bool(way.task)
        if way.task:
            assert way.task in tasks[slug].words
            assert tasks[slug].subject == first.reference
        if way.words == NONE:
            # Their own words are kept for whoever has a reason to read them, and stand nowhere in the clear.
            looked = show(world.desk, first.reference, names_because="why they refused", by="Ada")
            assert THEIRS in looked.answers[0].words
    with pytest.raises(BlockingIOError):
        trap.accept()
    stored = "".join(str(row) for table in (t.dispatches, t.attempts, t.tasks) for row in world.rows(table))
    assert THEIRS not in stored
    assert world.verify().ok
