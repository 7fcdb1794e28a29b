"""MIS write-back: the Wonde adapter's bursts, reading before it writes, against a bare httpx.Client with the same bodies."""

import json
import multiprocessing
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from aphub.api import Delivery, DeliveryResult
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.mis_state import MisState
from aphub.sandbox.wonde import WondeStandIn
from aphub.testing import SAMPLE_DAY, invented_upn, register_delivery, sample_row, sample_tools
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute
from benchmarks.mail import timed
from benchmarks.result import Measured, at_least

TOKEN = "t0ken-of-a-benchmark"  # noqa: S105 - invented
BURST, MARKS, BAR = 32, 10, 0.8


@dataclass(frozen=True, slots=True)
class Far:
    """A stand-in of Wonde in a process of its own, with one school."""

    url: str
    school_id: str
    ca_file: Path
    pipe: Connection

    def tell(self, word: str) -> Any:
        """Have it do something, and wait until it has."""
        self.pipe.send(word)
        return self.pipe.recv()


@contextmanager
def far_side(folder: Path, pupils: int) -> Iterator[Far]:
    """Start the stand-in and stop it again."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, folder, pupils))
    process.start()
    try:
        url, school_id, ca_file = ours.recv()
        yield Far(url, school_id, Path(ca_file), ours)
        ours.send("stop")
    finally:
        process.join(10)
        process.kill()


def serve(pipe: Connection, folder: Path, pupils: int) -> None:
    """Be the stand-in until told to stop."""
    authority = DemoAuthority.create(folder / "authority")
    state = MisState()
    school = state.add_school("Hill School")
    for number in range(pupils):
        state.add_student(school, invented_upn(number), "Invented", "Pupil")
    with WondeStandIn(authority, state, token=TOKEN, pending_polls=0) as stand_in:
        pipe.send((stand_in.url, school.id, str(authority.ca_path)))
        while (word := pipe.recv()) != "stop":
            if word == "bodies":
                pipe.send([one.body for one in stand_in.requests if one.writes])
            else:
                with state.lock:
                    written = len(school.marks)
                    school.marks.clear()
                pipe.send(written)


def measure(folder: Path, *, bursts: int, rounds: int) -> list[Measured]:
    """Measure the one row about registers, and the floor beside it, burst after burst in turns."""
    with far_side(folder, BURST * MARKS) as far:
        deliveries = _deliveries(far, bursts)
        bodies = _bodies(far, deliveries)
        floor, ours = [[inf] * bursts for _ in range(2)]
        for _ in range(rounds):
            with _bare_client(far) as client, closing(_adapter(far)) as adapter:
                for at, burst in enumerate(deliveries):
                    same = bodies[at * BURST : (at + 1) * BURST]
                    floor[at] = min(floor[at], timed(lambda some=same: _post(client, far, some)))
                    _emptied(far)
                    ours[at] = min(ours[at], timed(lambda some=burst: _write(adapter, some)))
                    _emptied(far)
    # The best of several rounds for each burst, on both sides: other work on the machine only ever adds to a time.
    rate = round(len(bodies) / sum(floor))
    ratio = sum(floor) / sum(ours)
    words = f"of bare httpx.Client's requests/s; {1000 * sum(ours) / len(bodies):.2f} ms a request, reads included"
    return [
        Measured("bare httpx.Client, the same bodies", rate, "requests/s"),
        at_least("MIS write-back", [ratio], BAR, words=words),
    ]


def _emptied(far: Far) -> None:
    """Empty the register, and see that all of the burst had been written."""
    written = far.tell("clear")
    assert written == BURST * MARKS, f"{written} marks were written"


def _deliveries(far: Far, bursts: int) -> list[list[Delivery]]:
    """Give bursts of deliveries of ten marks, each burst about another week: what it reads is an empty register."""
    route = WondeRoute(school_id=far.school_id)
    return [
        [
            register_delivery(
                route,
                *(
                    sample_row(
                        invented_upn(number * MARKS + pupil),
                        date=(SAMPLE_DAY + timedelta(weeks=burst)).isoformat(),
                    )
                    for pupil in range(MARKS)
                ),
                key=f"{burst}-{number}",
            )
            for number in range(BURST)
        ]
        for burst in range(bursts)
    ]


def _bodies(far: Far, deliveries: list[list[Delivery]]) -> list[dict[str, Any]]:
    """Give the bodies that the adapter sends, by letting it send them once."""
    with closing(_adapter(far)) as adapter:
        for burst in deliveries:
            _write(adapter, burst)
            _emptied(far)
    bodies = [json.loads(body) for body in far.tell("bodies")]
    assert len(bodies) == sum(len(burst) for burst in deliveries)
    return bodies


def _adapter(far: Far) -> WondeAdapter:
    connection = WondeConnection(base_url=far.url, token=SecretStr(TOKEN), ca_file=far.ca_file)
    adapter = WondeAdapter(connection, sample_tools(seconds=20.0))
    adapter.open()
    return adapter


def _write(adapter: WondeAdapter, burst: list[Delivery]) -> None:
    for _, answer in adapter.deliver_many(burst):
        assert isinstance(answer, DeliveryResult), answer


def _bare_client(far: Far) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(far.ca_file))
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    return httpx.Client(base_url=far.url, headers=headers, verify=context, timeout=20, trust_env=False)


def _post(client: httpx.Client, far: Far, bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        answer = client.post(f"schools/{far.school_id}/attendance/session/", json=body)
        answer.raise_for_status()
        assert answer.json()["writeback_id"]
