"""PIPELINING (RFC 2920) to a real Postfix that is 20 ms away: `python -m benchmarks.pipelining`.

Three ways take turns over five rounds, each through a relay that holds every piece back by 10 ms in each direction: the
mail plugin with PIPELINING, the same without, and the standard library's smtplib on one reused connection. Postfix
throws away what it takes, after it has queued it. Needs Postfix, and root as Postfix does.
"""

import contextlib
import os
import pwd
import queue
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from aphub.api import Delivery, DeliveryResult, Document
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import sample_tools
from aphub_email import EmailAdapter, EmailConnection, EmailRoute

ONE_WAY = 0.010
MESSAGES, ROUNDS = 60, 5
SENDER, ADDRESS = "reports@riverbank.example.org", "attendance@hill-school.example.org"
MAIL = (
    f"From: {SENDER}\r\nTo: {ADDRESS}\r\nMessage-ID: <%d@riverbank.example.org>\r\n\r\n".encode()
    + b"A line of the report, as long as most of them are.\r\n" * 90
)
MASTER = Path("/usr/lib/postfix/sbin/master")
_OWNED = "active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public"
_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.hill-school.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
relay_domains = hill-school.example.org
relay_transport = discard
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""
_MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
"""


@contextmanager
def postfix(authority: DemoAuthority) -> Iterator[int]:
    """Start a Postfix of its own; give its port."""
    owner = pwd.getpwnam("postfix")
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        for name in ("conf", "queue", "queue/pid"):
            (home / name).mkdir()
        for name in [*(f"queue/{one}" for one in _OWNED.split()), "data"]:
            (home / name).mkdir(mode=0o700)
            os.chown(home / name, owner.pw_uid, owner.pw_gid)
        (home / "queue/public").chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        issued = authority.issue()
        (home / "conf/main.cf").write_text(
            _MAIN.format(home=home, certificate=issued.certificate, key=issued.key)
        )
        (home / "conf/master.cf").write_text(_MASTER_CF.format(port=port))
        shutil.copy("/etc/postfix/dynamicmaps.cf", home / "conf")
        with subprocess.Popen([MASTER, "-c", home / "conf", "-d"], start_new_session=True) as server:
            try:
                _wait_for(port)
                yield port
            finally:
                server.terminate()
                server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.recv(100)
            return
        time.sleep(0.02)
    raise RuntimeError("Postfix did not start")


@contextmanager
def far_away(port: int) -> Iterator[int]:
    """Put 10 ms each way before a port; give the nearer one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    far = socket.create_connection(("127.0.0.1", port))
                    for one, other in ((near, far), (far, near)):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        threading.Thread(target=_carry, args=(one, other), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]


def _carry(one: socket.socket, other: socket.socket) -> None:
    """Carry every piece as it came, later; pieces overtake nobody."""
    held: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def hand_on() -> None:
        with contextlib.suppress(OSError):
            while True:
                at, piece = held.get()
                time.sleep(max(at - time.monotonic(), 0))
                if not piece:
                    other.shutdown(socket.SHUT_WR)
                    return
                other.sendall(piece)

    threading.Thread(target=hand_on, daemon=True).start()
    with contextlib.suppress(OSError):
        while piece := one.recv(65_536):
            held.put((time.monotonic() + ONE_WAY, piece))
    held.put((time.monotonic() + ONE_WAY, b""))


def by_plugin(port: int, ca_file: Path, pipelining: Any) -> float:
    """Send the burst through the mail plugin; give the seconds after sign-in."""
    connection = EmailConnection(
        host="localhost", port=port, ca_file=ca_file, from_address=SENDER, pipelining=pipelining
    )
    adapter = EmailAdapter(connection, sample_tools())
    deadline = datetime.now(UTC) + timedelta(hours=1)
    burst = [
        Delivery(
            key=str(number),
            thread_ref="7Q4K",
            deadline=deadline,
            route=EmailRoute(address=ADDRESS),
            documents=(Document("aphub.eml", "message/rfc822", MAIL % number),),
            rows=(),
            reports=("r1",),
            row_reports=(),
        )
        for number in range(MESSAGES)
    ]
    adapter.open()
    began = time.perf_counter()
    answers = list(adapter.deliver_many(burst))
    took = time.perf_counter() - began
    adapter.close()
    if not all(isinstance(answer, DeliveryResult) for _, answer in answers):
        raise RuntimeError(str(answers))
    return took


def by_smtplib(port: int, ca_file: Path) -> float:
    """Send the burst through the standard library on one connection; give the seconds after EHLO."""
    with smtplib.SMTP("localhost", port) as server:
        server.starttls(context=ssl.create_default_context(cafile=ca_file))
        server.ehlo()
        began = time.perf_counter()
        for number in range(MESSAGES):
            server.sendmail(SENDER, [ADDRESS], MAIL % number)
        return time.perf_counter() - began


def main() -> int:
    """Measure, and print messages a second and the ratios; the order turns with each round."""
    if not MASTER.exists() or os.geteuid() != 0:
        sys.stderr.write("It needs Postfix, and root as Postfix does.\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        authority = DemoAuthority.create(Path(folder))
        with postfix(authority) as port, far_away(port) as near:
            ways = {
                "plugin, PIPELINING": lambda: by_plugin(near, authority.ca_path, "auto"),
                "plugin, step by step": lambda: by_plugin(near, authority.ca_path, "off"),
                "smtplib": lambda: by_smtplib(near, authority.ca_path),
            }
            took: dict[str, list[float]] = {name: [] for name in ways}
            for turn in range(ROUNDS):
                names = list(ways)[turn % 3 :] + list(ways)[: turn % 3]
                for name in names:
                    took[name].append(ways[name]())
    usual = median(took["smtplib"])
    for name, rounds in took.items():
        rate, spread = MESSAGES / median(rounds), max(rounds) / min(rounds)
        sys.stdout.write(
            f"{name:22} {rate:7.1f} messages/s   {usual / median(rounds):5.2f} of smtplib   spread {spread:.2f}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
