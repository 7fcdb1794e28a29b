"""Days on which the machine lets us down: the disk, the database, the log; nothing is lost, nothing is sent in secret."""

import contextlib
import errno
import io
import resource
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from aphub import daemon, logs
from aphub.api.errors import TransientDeliveryError
from aphub.cli.trouble import lines_of
from aphub.clock import PlayedClock
from aphub.domain.outcomes import Outcome
from aphub.services import deliver
from aphub.services.guard import Guard
from aphub.services.lanes import Lanes
from aphub.store import tables as t
from aphub.store.trouble import ground_trouble
from tests.postgres import PostgresServer
from tests.told import facts_of
from tests.world import Placed, School, World, build_world

SCHOOLS = (School(), School("vale-school", (("email", "told", "far-2"),)))
DUE = datetime(2026, 3, 3, 9, 45, tzinfo=UTC)


class HookedClock(PlayedClock):
    """A played clock that says when somebody waits."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.on_wait: Callable[[], None] = lambda: None

    def wait(self, until: datetime, wake: threading.Event) -> None:
        super().wait(until, wake)
        self.on_wait()


# What goes wrong, and comes right again


@contextmanager
def full_disk(world: World, _server: PostgresServer) -> Iterator[None]:
    """Let no file of the database grow, as on a full disk; the pages that are there can be written."""
    journal = Path(f"{make_url(world.hub.store.url).database}-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(world: World, _server: PostgresServer) -> Iterator[None]:
    """Let another program write to the database and not come to an end."""
    with world.hub.store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")  # we have no fifteen seconds here
    path = make_url(world.hub.store.url).database
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def server_away(world: World, server: PostgresServer) -> Iterator[None]:
    """Cut every line to PostgreSQL and take no new one, as while it restarts."""
    name = make_url(world.hub.store.url).database
    server.cut_off(name)
    try:
        yield
    finally:
        server.let_in(name)


FAULTS = {
    "full disk": (full_disk, "The disk does not take what we write."),
    "locked": (locked, "Another program holds the hub's database."),
    "server away": (server_away, "The database server does not answer."),
}


@pytest.fixture(params=FAULTS)
def fault(request, tmp_path, postgres_server):
    """Give a world ready for its day, the fault to come over it, and the words for it."""
    how, words = FAULTS[request.param]
    url = request.getfixturevalue("postgres_url" if how is server_away else "sqlite_url")
    at_time = 'cadence = "daily"\ndue = "09:45"\nsend = "at time"'
    world = build_world(tmp_path / "home", url, agreements={"daily": at_time}, schools=SCHOOLS)
    world.clock = HookedClock(world.clock.now())
    world.reopen()
    placed = [world.pupil(), world.pupil()]
    world.owe()
    world.clock.advance_to(DUE - timedelta(minutes=40))
    world.enter(placed)
    lanes = Lanes(world.hub.adapter, 2, world.hub.wake.set)
    turn(world, lanes)
    assert not world.sides.heard
    world.clock.advance_to(DUE - timedelta(minutes=5))
    yield world, placed, lanes, lambda: how(world, postgres_server), words
    lanes.close()
    world.hub.close()


def turn(world: World, lanes: Lanes) -> daemon.PassResult:
    """Do one turn of the daemon."""
    never = threading.Event()
    return Guard()(lambda: daemon.until_quiet(world.hub, lanes, never, wait=True), daemon.PassResult())


def minutes(world: World, lanes: Lanes, count: int) -> None:
    """Let minutes pass, with as many turns as a daemon that is woken often makes."""
    for _ in range(count):
        world.clock.advance(timedelta(minutes=1))
        for _ in range(3):
            turn(world, lanes)


def told(world: World) -> Counter[str]:
    """Count how often each message was heard."""
    return Counter(delivery.key for _, delivery in world.sides.heard)


def all_is_well(world: World, placed: list[Placed]) -> None:
    assert {world.owed(one).state for one in placed} == {"met"}
    assert {row.state for row in world.dispatches()} <= {"handed_over", "cancelled"}
    assert world.verify().ok


def test_what_cannot_be_written_down_waits_and_then_leaves_once_and_late(fault):
    world, placed, lanes, fails, words = fault
    # One message waits for a far side already, when the trouble begins.
    absent = world.pupil("vale-school")
    world.owe()
    world.enter(absent, outcome=Outcome.ABSENT)
    world.sides.opens["far-2"].append(TransientDeliveryError("Nobody answers."))
    turn(world, lanes)
    with fails(), contextlib.redirect_stderr(io.StringIO()) as said:
        logs.set_up()
        minutes(world, lanes, 12)
        # No far side is knocked at over and over while we cannot work.
        assert len(world.sides.opened) <= 13
        assert len(world.sides.opened) > 1 or not world.hub.store.is_sqlite
        assert not world.sides.heard
    assert words in said.getvalue()
    minutes(world, lanes, 2)
    all_is_well(world, [*placed, absent])
    assert set(told(world).values()) == {1}
    assert all(facts_of(delivery)["late"] for delivery in world.sides.to("far"))
    assert all(world.owed(one).handed_over_at > world.owed(one).due_by for one in placed)


def test_answer_that_cannot_be_written_down_for_a_moment_becomes_no_doubt(fault):
    world, placed, lanes, fails, _ = fault
    over = fails()

    def begin(name: str) -> None:
        if name == "deliver.talked":
            world.hub.boundary = lambda _name: None
            over.__enter__()
            world.clock.on_wait = end

    def end() -> None:
        world.clock.on_wait = lambda: None
        over.__exit__(None, None, None)

    world.hub.boundary = begin
    minutes(world, lanes, 6)
    all_is_well(world, placed)
    assert set(told(world).values()) == {1}
    assert {row.outcome for row in world.rows(t.attempts)} == {"taken"}


def test_answer_that_could_never_be_written_down_is_a_doubt_and_repeated_under_the_same_identity(fault):
    world, placed, lanes, fails, _ = fault
    over = fails()

    def begin(name: str) -> None:
        if name == "deliver.talked":
            world.hub.boundary = lambda _name: None
            over.__enter__()

    world.hub.boundary = begin
    minutes(world, lanes, 6)
    over.__exit__(None, None, None)
    world.change(t.dispatches, {"lease_until": world.clock.now() - deliver.LEASE}, state="started")
    minutes(world, lanes, 6)
    all_is_well(world, placed)
    assert set(told(world).values()) == {2}
    assert len({delivery.documents for _, delivery in world.sides.heard}) == 1
    assert [row.outcome for row in world.rows(t.attempts)] == ["uncertain", "taken"]


class FullStream(io.StringIO):
    """Takes nothing, as a log on a full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_log_that_cannot_be_written_stops_nobody():
    with contextlib.redirect_stderr(FullStream()):
        logs.set_up()
        assert Guard()(lambda: 1 // 0, "goes on") == "goes on"
    logs.set_up()


@pytest.fixture
def small_database(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE one (words)")
    yield engine
    engine.dispose()


def test_codes_of_full_damaged_and_forbidden_databases_have_their_words(small_database, tmp_path):
    def said(*statements: str) -> str:
        with small_database.begin() as connection:
            for statement in statements[:-1]:
                connection.exec_driver_sql(statement)
            with pytest.raises(DBAPIError) as caught:
                connection.exec_driver_sql(statements[-1])
        return str(ground_trouble(caught.value))

    large = "INSERT INTO one VALUES (randomblob(100000))"
    assert "The disk is full. What was not finished was undone" in said("PRAGMA max_page_count=1", large)
    assert "We may not write" in said("PRAGMA query_only=ON", large)
    (tmp_path / "small.db").write_bytes(b"no database at all" * 1000)
    small_database.dispose()
    assert "damaged. What was not finished was undone; nothing that was written down is lost. Stop" in said(
        large
    )
    assert lines_of(OSError(errno.EMFILE, ""))[:2] == [
        "Too many files and connections are open on this machine.",
        "What was not finished was undone; nothing that was written down is lost.",
    ]
    assert ground_trouble(ValueError("something else")) is None
