"""Calls of far sides, over TLS: heard once, on the disk before we say so, and only ever a reason to ask."""

import http.client
import json
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from aphub import receiver
from aphub.hub import Hub
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.xporter import XporterStandIn
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.school_systems import MIS_FIRST, channel_to, connection_to, stand_in
from tests.world import Placed, World, build_world


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@dataclass
class Called:
    """A hub that can be called, and a queue that calls it."""

    world: World
    far_side: XporterStandIn
    address: tuple[str, int]
    trust: ssl.SSLContext
    sam: Placed = field(init=False)

    def send(self) -> "Called":
        self.sam = self.world.pupil()
        self.world.owe()
        self.world.at("09:05")
        self.world.enter(self.sam)
        self.world.go()
        return self

    @property
    def dispatch(self):
        return self.world.dispatches()[0]

    @property
    def url(self) -> str:
        [body] = [json.loads(one.body) for one in self.far_side.requests if b"Callback" in one.body]
        return str(body["Callback"]["Url"])

    def another_port(self) -> Hub:
        """Let the hub that was opened again listen, while the first still does."""
        settings = self.world.hub.settings.callbacks
        assert settings is not None
        changed = settings.model_copy(update={"listen": "127.0.0.1:0"})
        self.world.hub.settings = self.world.hub.settings.model_copy(update={"callbacks": changed})
        return self.world.hub

    def post(self, path: str, body: bytes = b"", *, method: str = "POST", **headers: str) -> int:
        with closing(http.client.HTTPSConnection(*self.address, timeout=5, context=self.trust)) as line:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            assert answer.read() == b""
            return answer.status


@pytest.fixture
def called(tmp_path, sqlite_url, authority) -> Iterator[Called]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = build_world(tmp_path / "home", sqlite_url)
    with stand_in("xporter", authority, world) as far_side:
        issued = authority.issue()
        with (world.home / "hub.toml").open("a") as file:
            file.write(
                f'[callbacks]\npublic_url = "https://127.0.0.1:{port}/hub"\nlisten = "127.0.0.1:{port}"\n'
                f'certificate = "{issued.certificate}"\nkey = "{issued.key}"\n'
            )
        world.reopen()
        connection = connection_to("xporter", far_side, authority, world, more="queued = true\n")
        hill = School(extra=channel_to("xporter", far_side))
        world.configure(schools=[hill], agreements=MIS_FIRST, provider=f"{PROVIDER}\n{connection}")
        world.go_live()
        with receiver.receiving(world.hub) as address:
            assert address == ("127.0.0.1", port)
            yield Called(world, far_side, address, authority.client_context())
    world.hub.close()


def test_a_call_is_written_down_and_the_register_is_read_before_it_counts(called):
    called.send()
    assert (called.dispatch.state, called.dispatch.channel) == ("handed_over", "mis")
    assert called.url.startswith(f"https://127.0.0.1:{called.address[1]}/hub/callbacks/riverbank/")
    token = called.url.rpartition("/")[2]
    assert len(token) >= 43  # 256 bits
    files = [path for path in called.world.home.parent.rglob("*") if path.is_file()]
    assert [path.name for path in files if token.encode() in path.read_bytes()] == []
    called.world.wait(timedelta(seconds=20))
    assert called.dispatch.rung == "handed_over"  # asked, and the register does not show it yet
    called.world.hub.wake.clear()
    called.far_side.work_off()
    assert called.far_side.calls.answers == [204]
    [row] = called.world.rows(t.callbacks)
    assert (row.heard_at, row.state) == (called.world.clock.now(), "done")
    assert called.world.hub.wake.is_set()
    assert called.dispatch.rung == "handed_over"  # a call is no receipt
    called.world.go()
    assert called.dispatch.rung == "accepted"
    assert called.world.verify().ok


def test_a_call_that_says_no_sends_the_report_another_way(called):
    called.far_side.closed_days.add("2026-03-03")
    called.send().far_side.work_off()
    called.world.go()
    assert [row.state for row in called.world.dispatches()] == ["refused", "handed_over"]
    assert len(called.world.sides.to("far")) == 1


def test_a_call_that_lies_is_believed_by_nobody(called):
    called.far_side.calls.lies = True
    called.send().far_side.work_off()
    called.world.go()
    assert called.dispatch.rung == "handed_over"
    called.world.wait(timedelta(minutes=60))
    assert called.dispatch.rung == "handed_over"
    assert called.world.tasks("not_confirmed")


def test_a_forger_uses_the_address_up_and_still_settles_nothing(called):
    called.far_side.calls.forged = True
    called.send().far_side.work_off()
    assert called.far_side.calls.answers == [204, 409]
    called.world.wait(timedelta(minutes=1))
    assert called.dispatch.rung == "accepted"  # the register was read, as where no call comes at all


def test_only_a_call_is_heard_and_only_once(called, caplog):
    caplog.set_level(logging.DEBUG)
    called.far_side.calls.twice = True
    path = called.send().url.partition(f":{called.address[1]}")[2]
    good = b"trackingid=1&XodCompleted=True"
    assert called.post(path, b"trackingid=1&XodCompleted=Perhaps") == 400
    assert called.post(path, b"\xff" * 100) == 400
    assert called.post(path + "x", good) == 404
    assert called.post("/callbacks/riverbank", good) == 404
    assert called.post("/callbacks/nobody/here", good) == 404
    assert called.post("/", good) == 404
    assert called.post(path, method="GET") == 501
    assert called.post(path, **{"Content-Length": str(receiver.BODY_LIMIT + 1)}) == 413
    assert called.post(path, **{"Content-Length": "1", "Transfer-Encoding": "chunked"}) == 411
    idle = [socket.create_connection(called.address) for _ in range(receiver.MOST_AT_ONCE + 4)]
    assert called.post(path + "x") == 404  # callers who say nothing make room for one who does
    for one in idle:
        one.close()
    assert [row.heard_at for row in called.world.rows(t.callbacks)] == [None]
    called.far_side.work_off()
    assert called.far_side.calls.answers == [204, 204]
    [before] = called.world.rows(t.callbacks)
    called.world.reopen()  # what was heard outlives the process
    with receiver.receiving(called.another_port()) as called.address:
        assert called.post(path, good) == 409
        called.world.clock.advance(timedelta(hours=25))
        assert called.post(path, good) == 410
    assert called.world.rows(t.callbacks) == [before]
    assert path.rpartition("/")[2] not in caplog.text
