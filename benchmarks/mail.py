"""Mail: the hub's send, and its prepare and send, against smtplib with ready-made bytes and against Apprise."""

import os
import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from datetime import time as wall
from email import message_from_bytes
from pathlib import Path
from statistics import median

from sqlalchemy import delete, select, update

from aphub.daemon import lanes_of, settle_process, until_quiet
from aphub.hub import Hub
from aphub.services import deliver, tell
from aphub.services.desk import Desk, place_of
from aphub.store import lanes as lane_rows
from aphub.store import tables as t
from aphub.store.frozen import unpack
from benchmarks.mail_sink import Sink
from benchmarks.result import Measured, at_least, at_most
from benchmarks.world import RunningClock, at, fill, make_hub, new_home, write_config

APPRISE_MESSAGES = 40
SEND_BAR, WHOLE_BAR, APPRISE_BAR, COST_BAR, LATE_BAR = 0.8, 0.35, 5.0, 1.2, 1.1


ROUTE: dict[str, object] = {
    "address": "attendance@school-{n}.example.org",
    "protection": "attested",
    "attestation": {"kind": "mta-sts", "what": "MTA-STS in enforce mode", "on": date(2026, 1, 5)},
}


def connection_to(sink: Sink) -> dict[str, object]:
    """Give the settings of a verified connection to the sink."""
    return {
        "adapter": "email",
        "host": "localhost",
        "port": sink.port,
        "security": "tls",
        "ca_file": str(sink.ca_file),
        "from_address": "attendance@riverbank.example.org",
    }


@dataclass(slots=True)
class Mailing:
    """A hub whose reports are all due, with ways to bring it back to before it told or before it sent."""

    hub: Hub
    desk: Desk
    messages: int
    clock: RunningClock

    @classmethod
    def made(cls, folder: Path, sink: Sink, placements: int) -> "Mailing":
        """Make a hub with so many placements owed at 9:45."""
        home, clock = new_home(folder)
        write_config(home, placements // 10, connection_to(sink), ROUTE)
        hub = make_hub(home, clock)
        desk = fill(hub, placements)
        clock.advance_to(at(wall(9, 43)))
        return cls(hub, desk, placements // 10, clock)

    def forget(self) -> None:
        """Go back to before anything was told."""
        with self.desk.store.transaction() as connection:
            for table in (t.dispatch_reports, t.receipts, t.attempts, t.dispatches, t.reports):
                connection.execute(delete(table))
            connection.execute(update(t.threads).values(last_number=0))
            connection.execute(
                update(t.owed_reports).values(
                    state="owed", version=0, look_at=t.owed_reports.c.send_at, handed_over_at=None
                )
            )

    def unsend(self) -> None:
        """Go back to before anything was sent."""
        with self.desk.store.transaction() as connection:
            connection.execute(delete(t.receipts))
            connection.execute(delete(t.attempts))
            connection.execute(
                update(t.dispatches).values(
                    state="waiting",
                    next_at=t.dispatches.c.send_at,
                    attempts=0,
                    rung="prepared",
                    lease_by=None,
                )
            )
            connection.execute(update(t.owed_reports).values(state="prepared", handed_over_at=None))

    def prepare(self) -> None:
        """Tell everything that is due."""
        tell.tell_all(self.desk, int)

    def whole(self) -> None:
        """Tell and deliver everything that is due, as the daemon does."""
        with closing(lanes_of(self.hub)) as lanes:
            done = until_quiet(self.hub, lanes, threading.Event(), wait=True)
        self._all_went(done.handed_over)

    def _all_went(self, sent: int) -> None:
        if sent != self.messages:
            message = f"{sent} of {self.messages} messages were handed over"
            raise RuntimeError(message)

    def send(self) -> None:
        """Deliver everything that waits, with receipts in the ledger."""
        with self.desk.store.reading() as connection:
            lanes = lane_rows.lanes_with_work(connection, self.desk.provider_id, self.desk.now)
        sent = sum(deliver.deliver_lane(self.desk, lane, self.hub.adapter).handed_over for lane in lanes)
        self._all_went(sent)

    def ready_made(self) -> list[tuple[str, str, bytes]]:
        """Give sender, recipient and bytes of every frozen message."""
        with self.desk.store.reading() as connection:
            rows = connection.execute(select(t.dispatches)).all()
        packed = self.desk.vault.open_many(
            [
                (row.key_id, place_of("dispatches", row.provider_id, row.dispatch_id), row.sealed)
                for row in rows
            ]
        )
        contents = [unpack(one)[0][0].content for one in packed]
        heads = [message_from_bytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n") for content in contents]
        return [(str(head["From"]), str(head["To"]), one) for head, one in zip(heads, contents, strict=True)]


def with_smtplib(sink: Sink, mails: list[tuple[str, str, bytes]]) -> None:
    """Send ready-made bytes with the standard library on one reused, verified connection: the floor."""
    context = ssl.create_default_context(cafile=str(sink.ca_file))
    with smtplib.SMTP_SSL("localhost", sink.port, context=context) as client:
        for sender, recipient, content in mails:
            client.sendmail(sender, [recipient], content)


def with_apprise(sink: Sink, mails: list[tuple[str, str, bytes]]) -> None:
    """Send texts of the same size with Apprise, its throttle off: what a user might pick instead."""
    os.environ["SSL_CERT_FILE"] = str(sink.ca_file)
    import apprise  # noqa: PLC0415 - only here, and slow to import

    for _, recipient, content in mails:
        one = apprise.Apprise()
        one.add(
            f"mailtos://localhost:{sink.port}/?from=a@riverbank.example.org&to={recipient}&mode=ssl&verify=no"
        )
        one[0].request_rate_per_sec = 0
        if not one.notify(title="AP attendance", body=content.decode()):
            message = "Apprise could not send"
            raise RuntimeError(message)


def timed(work: Callable[[], None]) -> float:
    """Give the seconds that something took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(folder: Path, sink: Sink, *, placements: int, rounds: int) -> list[Measured]:
    """Measure every row about mail."""
    big = Mailing.made(folder, sink, placements)
    settle_process()  # as the daemon does
    big.prepare()
    mails = big.ready_made()
    big.send()
    with_smtplib(sink, mails)
    send, whole, floor = [], [], []
    for _ in range(rounds):
        floor.append(timed(lambda: with_smtplib(sink, mails)))
        big.unsend()
        send.append(timed(big.send))
        big.forget()
        whole.append(timed(big.whole))
    some = mails[:APPRISE_MESSAGES]
    apprise = timed(lambda: with_apprise(sink, some)) / len(some)
    floor_rate = len(mails) / median(floor)
    return [
        Measured("smtplib, one reused verified connection", round(floor_rate), "messages/s"),
        at_least("mail: send", _ratios(floor, send), SEND_BAR, words="of smtplib's messages/s"),
        at_least("mail: prepare and send", _ratios(floor, whole), WHOLE_BAR, words="of smtplib's messages/s"),
        at_least("mail: against Apprise, throttle off", [apprise * len(mails) / median(whole)], APPRISE_BAR),
        *_late(big, floor, send, placements),
    ]


def _ratios(floor: list[float], ours: list[float]) -> list[float]:
    return [one / other for one, other in zip(floor, ours, strict=True)]


def _late(big: Mailing, floor: list[float], send: list[float], placements: int) -> list[Measured]:
    """Say how long before or after the promise reports were handed over, on a clock that runs."""
    big.unsend()
    big.clock.run()
    big.send()
    big.clock.stand()
    with big.desk.store.reading() as connection:
        rows = connection.execute(select(t.dispatches.c.handed_over_at, t.dispatches.c.due_by)).all()
    late = sorted((row.handed_over_at - row.due_by).total_seconds() for row in rows)
    began = at(wall(9, 43))
    phase = sorted((row.handed_over_at - began).total_seconds() for row in rows)
    p50, p99 = (late[int(len(late) * share)] for share in (0.5, 0.99))
    reached = median(floor) / median(send)
    return [
        Measured(
            f"lateness against the promise at {placements} (p99)",
            round(p99, 2),
            "s",
            words=f"p50 {p50:.2f} s, max {late[-1]:.2f} s; negative is early",
        ),
        at_most(
            "p99 of the send phase", phase[int(len(phase) * 0.99)], LATE_BAR * median(floor) / reached, "s"
        ),
    ]


def cost(folder: Path, sink: Sink, small: int, large: int) -> Measured:
    """Compare the cost of a report at two sizes, in processor time."""
    per_report = []
    for placements in (small, large):
        one = Mailing.made(folder, sink, placements)
        one.prepare()
        one.send()
        tries = []
        for _ in range(3):
            one.forget()
            began = time.process_time()
            one.prepare()
            one.send()
            tries.append((time.process_time() - began) / placements)
        per_report.append(min(tries))
        one.hub.close()
    return at_most(
        f"cost of a report at {large} against {small}", per_report[1] / per_report[0], COST_BAR, "x"
    )
