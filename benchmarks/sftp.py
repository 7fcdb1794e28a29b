"""SFTP: the drop's files, made durable and read back, against bare asyncssh, which does neither."""

import asyncio
import gc
from collections.abc import Callable
from datetime import time as wall
from pathlib import Path
from statistics import median

import asyncssh
from sqlalchemy import select

from aphub.api import Delivery, DeliveryError, Document
from aphub.services.desk import place_of
from aphub.store import tables as t
from aphub.store.frozen import unpack
from aphub.testing import sample_delivery, sample_tools
from aphub_drop import DropAdapter, DropConnection, DropRoute
from benchmarks.mail import Mailing, timed
from benchmarks.result import Measured, at_least
from benchmarks.ssh_server import SshServer
from benchmarks.world import at, fill, make_hub, new_home, write_config

BAR = 0.8
IN_FLIGHT = 32
"""Files on their way at once in the bare client: measured as its best."""
SHORT_ROUNDS = 3
"""Short rounds in each of the benchmark's: what else runs on the machine then falls on all alike."""

Files = list[tuple[str, bytes]]


def connection_to(server: SshServer) -> dict[str, object]:
    """Give a connection's settings."""
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "host_key": server.host_key,
        "client_key_file": str(server.client_key),
    }


def made(folder: Path, server: SshServer, placements: int) -> Mailing:
    """Make a hub with so many placements owed at 9:45, whose schools have a folder each at the server."""
    home, clock = new_home(folder)
    connection = {"adapter": "drop", **connection_to(server)}
    write_config(home, placements // 10, connection, {"folder": str(server.folder)})
    hub = make_hub(home, clock)
    desk = fill(hub, placements)
    clock.advance_to(at(wall(9, 43)))
    return Mailing(hub, desk, placements // 10, clock)


def ready_made(sending: Mailing) -> Files:
    """Give name and bytes of every frozen file."""
    with sending.desk.store.reading() as connection:
        rows = connection.execute(select(t.dispatches)).all()
    packed = sending.desk.vault.open_many(
        [(row.key_id, place_of("dispatches", row.provider_id, row.dispatch_id), row.sealed) for row in rows]
    )
    documents = [document for one in packed for document in unpack(one)[0]]
    return [(document.name, document.content) for document in documents]


def with_asyncssh(server: SshServer, files: Files) -> None:
    """Put ready-made files there as asyncssh's users do: write, rename, stat; many at once over one connection."""

    async def put() -> None:
        async with (
            asyncssh.connect(
                "127.0.0.1",
                server.port,
                username=server.user,
                client_keys=[str(server.client_key)],
                known_hosts=None,
                config=None,
                agent_path=None,
                encryption_algs=["aes128-gcm@openssh.com"],
            ) as line,
            line.start_sftp_client() as client,
        ):
            waiting = iter(files)

            async def work() -> None:
                for name, content in waiting:
                    temporary, final = f"{server.folder}/.{name}.part", f"{server.folder}/{name}"
                    async with client.open(temporary, "wb") as file:
                        await file.write(content)
                    await client.posix_rename(temporary, final)
                    await client.stat(final)

            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    asyncio.run(put())


def emptied(server: SshServer, expected: int) -> None:
    """Take every file away, as their system does; all must be there."""
    there = list(server.folder.iterdir())
    if len(there) != expected:
        message = f"{len(there)} of {expected} files arrived"
        raise RuntimeError(message)
    for path in there:
        path.unlink()


def with_the_adapter(server: SshServer, deliveries: list[Delivery]) -> None:
    """Put the same files there as the hub has it done, in bursts; each is made durable, read back, and answered for."""
    adapter = DropAdapter(DropConnection.model_validate(connection_to(server)), sample_tools())
    adapter.open()
    try:
        for start in range(0, len(deliveries), adapter.burst):
            for _, answer in adapter.deliver_many(deliveries[start : start + adapter.burst]):
                if isinstance(answer, DeliveryError):
                    raise answer
    finally:
        adapter.close()


def measure(folder: Path, server: SshServer, *, placements: int, rounds: int) -> list[Measured]:
    """Measure all three, one after the other in every round, and judge the median of the ratios."""
    sending = made(folder, server, placements)
    sending.prepare()
    files = ready_made(sending)
    route = DropRoute(folder=str(server.folder))
    deliveries = [
        sample_delivery(DropAdapter, route, documents=(Document(name, "text/csv", content),), key=name)
        for name, content in files
    ]

    def round_of(work: Callable[[], None]) -> float:
        sending.unsend()
        gc.collect()
        seconds = timed(work)
        emptied(server, len(files))
        return seconds

    bare, adapter, hub = [], [], []
    for number in range(rounds * SHORT_ROUNDS + 1):
        took = (
            round_of(lambda: with_asyncssh(server, files)),
            round_of(lambda: with_the_adapter(server, deliveries)),
            round_of(sending.send),
        )
        if number:  # the first round warms all of them
            for times, seconds in zip((bare, adapter, hub), took, strict=True):
                times.append(seconds)
    sending.hub.close()
    ratios = [one / other for one, other in zip(bare, adapter, strict=True)]
    whole = [one / other for one, other in zip(bare, hub, strict=True)]
    return [
        Measured("asyncssh, neither durable nor read back", round(len(files) / median(bare)), "files/s"),
        at_least("SFTP: files durable and read back", ratios, BAR, words="of asyncssh's files/s"),
        Measured(
            "SFTP: the hub's whole send, receipts and ledger too",
            round(median(whole), 2),
            "x",
            words=f"{min(whole):.2f} to {max(whole):.2f} of asyncssh's files/s",
        ),
    ]
