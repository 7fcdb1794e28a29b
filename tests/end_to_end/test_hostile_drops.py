"""A hub whose councils' secure folders are broken, mistaken or hostile, each in its own way.

For each: what left the machine (as captured), the state of the message, the words that a person is shown.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from aphub.sandbox.sftp import SftpSink
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.world import DAILY, Placed, World, build_world

FALLBACK = (("email", "told", "other"),)
CUT = "The connection was lost before the file was complete. Nothing was handed over."


@dataclass(frozen=True)
class Hostile:
    """One server: what it does, where the message ends, what was said of the first try, what came there."""

    slug: str
    mood: Callable[[SftpSink], object]
    states: tuple[str, ...]
    words: str
    files: int = 0
    content: bool = True
    signs_in: bool = True
    task: bool = False


SERVERS = [
    Hostile(
        "swapped-key",
        lambda sink: sink.swaps_host_key(),
        ("refused", "handed_over"),
        "The server is not the one you approved. We have stopped before signing in.",
        content=False,
        signs_in=False,
        task=True,
    ),
    Hostile(
        "no-write",
        lambda sink: sink.refuses(at="open"),
        ("refused", "handed_over"),
        "We may not write into the folder. Nothing was sent.",
        content=False,
        task=True,
    ),
    Hostile(
        "no-rename",
        lambda sink: sink.refuses(at="rename"),
        ("refused", "handed_over"),
        "We can write to the folder but not rename. The unfinished file was removed where allowed.",
        task=True,
    ),
    Hostile(
        "full-disk",
        lambda sink: sink.is_full(),
        ("replaced", "handed_over"),
        "Their disk is full. Nothing was handed over; we will try again.",
    ),
    Hostile(
        "damaging",
        lambda sink: sink.damages(),
        ("replaced", "handed_over"),
        "What their server kept is not what we sent. The file did not get its name; we will try again.",
    ),
    Hostile(
        "cut-mid-file",
        lambda sink: sink.cuts_off_after_reading(at="write", times=1),
        ("handed_over",),
        CUT,
        files=1,
    ),
    Hostile(
        "cut-at-rename",
        lambda sink: sink.cuts_off_after_reading(at="rename", kept=True, times=1),
        ("handed_over",),
        "",  # it looked, and found every byte under its name
        files=1,
    ),
    Hostile(
        "old-rename",
        lambda sink: sink.has_no_posix_rename(),
        ("handed_over",),
        "",
        files=1,
    ),
]


@dataclass
class Played:
    """A hub, its drops and one pupil of each school, by the schools' names."""

    world: World
    sinks: dict[str, SftpSink]
    placed: dict[str, Placed]


@pytest.fixture
def played(tmp_path: Path, sqlite_url: str) -> Iterator[Played]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    world = build_world(tmp_path / "home", sqlite_url, schools=[])
    world.hub.keys.set_secret("drop", SecretStr(key.export_private_key().decode()), world.clock.now())
    sinks, schools, connections = {}, [], ""
    with ExitStack() as stack:
        for one in SERVERS:
            (tmp_path / one.slug / "in").mkdir(parents=True)
            public = [key.export_public_key().decode()]
            sink = stack.enter_context(SftpSink(tmp_path / one.slug, authorized_keys=public))
            host, port = sink.address
            connections += (
                f'[connections.{one.slug}]\nadapter = "drop"\nhost = "{host}"\nport = {port}\nuser = "aphub"\n'
                f'host_key = "{sink.fingerprint}"\nclient_key = "secret:drop"\ntimeout = 5\n'
            )
            channel = f'[[channels]]\nname = "drop"\nconnection = "{one.slug}"\nfolder = "in"\n'
            schools.append(School(one.slug, FALLBACK, channel))
            sinks[one.slug] = sink
        world.configure(schools=schools, agreements=DAILY, provider=f"{PROVIDER}\n{connections}")
        world.go_live()
        yield Played(world, sinks, {slug: world.pupil(slug) for slug in sinks})
    world.hub.close()


def test_what_leaves_what_stands_and_what_is_said_for_each_hostile_drop(played: Played):
    world = played.world
    for one in SERVERS:
        one.mood(played.sinks[one.slug])
    world.owe()
    world.at("09:05")
    world.enter(played.placed.values())
    world.go()
    for wall in ("09:10", "09:20", "09:45", "09:50"):
        world.at(wall)

    words: dict[int, list[str]] = {}
    for row in world.rows(t.attempts):
        words.setdefault(row.dispatch_id, []).append(row.words or "")
    tasks = {row.organisation: row for row in world.tasks("fix_channel")}
    for one in SERVERS:
        slug, sink = one.slug, played.sinks[one.slug]
        first, *more = [row for row in world.dispatches() if row.organisation == slug]
        assert (slug, *(row.state for row in (first, *more))) == (slug, *one.states)
        assert (slug, words[first.dispatch_id][0]) == (slug, one.words)
        assert [row.channel for row in more] == ["email"] * (len(one.states) - 1)
        # Whole files with their names, once; nothing half written stays, and a stranger gets not even our key.
        assert (slug, len(sink.files())) == (slug, one.files)
        assert (slug, played.placed[slug].upn.encode() in sink.received_bytes) == (slug, one.content)
        assert (slug, sink.sign_ins > 0) == (slug, one.signs_in)
        assert (slug, world.owed(played.placed[slug]).state) == (slug, "met")
        assert (slug, slug in tasks) == (slug, one.task)
        if one.task:
            assert one.words.rstrip(".") in tasks[slug].words
    assert "Example0" not in repr([world.rows(table) for table in (t.attempts, t.tasks, t.dispatches)])
    assert world.verify().ok
