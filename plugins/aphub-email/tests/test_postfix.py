"""The same promises against a real Postfix, on loopback, with a configuration and a queue of its own."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from aphub.api import Delivery, DeliveryResult, Outbound, RefusedDeliveryError
from aphub.sandbox.certificates import DemoAuthority
from aphub_email import EmailAdapter, EmailConnection, EmailRoute

ADDRESS = "attendance@hill-school.example.org"
MASTER = Path("/usr/lib/postfix/sbin/master")
OWNED = "active bounce corrupt defer deferred flush hold incoming private saved trace"

MAIN = """
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
virtual_mailbox_domains = hill-school.example.org
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = inline:{{ {{ {address} = office/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_mynetworks, reject
message_size_limit = 200000
smtpd_error_sleep_time = 0
"""

MASTER_CF = """
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
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""


@dataclass(frozen=True)
class Postfix:
    port: int
    mailbox: Path

    def mails(self, references: set[str]) -> dict[str, bytes]:
        """Give the delivered mails with these queue ids, once all are there, with mail line ends."""
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            files = [file.read_bytes().replace(b"\n", b"\r\n") for file in self.mailbox.glob("new/*")]
            found = {mail.partition(b" id ")[2].split()[0].rstrip(b";").decode(): mail for mail in files}
            if references <= set(found):
                return {reference: found[reference] for reference in references}
            time.sleep(0.02)
        pytest.fail(f"Postfix did not deliver {len(references)} mails in time")


def _needs_postfix() -> None:
    missing = "" if MASTER.exists() else "needs postfix" if os.geteuid() == 0 else "needs postfix and root"
    missing = missing or ("" if os.geteuid() == 0 else "needs root, as postfix does")
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{missing}, which CI must have", pytrace=False)
    if missing:
        pytest.skip(f"not run: {missing}")


@pytest.fixture(scope="module")
def postfix(authority: DemoAuthority) -> Iterator[Postfix]:
    _needs_postfix()
    owner = pwd.getpwnam("postfix")
    with (
        tempfile.TemporaryDirectory(prefix="postfix-") as folder,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        home = Path(folder)
        home.chmod(0o755)
        for name in ("conf", "queue", "queue/pid", "queue/public"):
            (home / name).mkdir()
        for name in [*(f"queue/{one}" for one in OWNED.split()), "queue/maildrop", "data", "mail"]:
            (home / name).mkdir(mode=0o700)
            os.chown(home / name, owner.pw_uid, owner.pw_gid)
        os.chown(home / "queue/public", owner.pw_uid, owner.pw_gid)
        issued = authority.issue()
        words = {
            "home": home,
            "address": ADDRESS,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "certificate": issued.certificate,
            "key": issued.key,
            "port": port,
        }
        (home / "conf/main.cf").write_text(MAIN.format(**words))
        (home / "conf/master.cf").write_text(MASTER_CF.format(**words))
        shutil.copy("/etc/postfix/dynamicmaps.cf", home / "conf")
        with subprocess.Popen([MASTER, "-c", home / "conf", "-d"], start_new_session=True) as server:
            try:
                _wait_for(port)
                yield Postfix(port, home / "mail/office")
            finally:
                server.terminate()
                server.wait(10)


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.recv(100)
            return
        time.sleep(0.02)
    pytest.fail("Postfix did not start")


@pytest.fixture
def postfix_adapter(
    postfix: Postfix, authority: DemoAuthority, adapters: Callable[[EmailConnection], EmailAdapter]
) -> EmailAdapter:
    return adapters(
        EmailConnection(
            host="localhost",
            port=postfix.port,
            ca_file=authority.ca_path,
            from_address="reports@riverbank.example.org",
        )
    )


def test_postfix_takes_a_burst_and_delivers_what_was_composed(
    postfix: Postfix,
    postfix_adapter: EmailAdapter,
    delivery_of: Callable[..., Delivery],
    outbound_of: Callable[..., Outbound],
    attested: EmailRoute,
):
    (composed,) = EmailAdapter.compose(outbound_of(html="<p>Tŷ Gwyn</p>\n".encode() * 30), attested)
    burst = [delivery_of(composed.content, key="composed")]
    burst += [delivery_of(b"Subject: %d\r\n\r\n.dotted\r\n..\r\n" % n, key=f"d{n}") for n in range(30)]
    wrong = delivery_of(key="wrong", address="attendnace@hill-school.example.org")
    answers = dict(postfix_adapter.deliver_many([*burst[:10], wrong, *burst[10:]]))

    refused = answers.pop("wrong")
    assert isinstance(refused, RefusedDeliveryError)
    assert (refused.code, refused.words) == (
        "550 5.1.1",
        "The school's server says this address does not exist.",
    )

    receipts = {key: answer for key, answer in answers.items() if isinstance(answer, DeliveryResult)}
    assert set(receipts) == {delivery.key for delivery in burst}
    assert {receipt.hops for receipt in receipts.values()} == {"TLS 1.3 to localhost (verified)"}

    mails = postfix.mails({receipt.reference for receipt in receipts.values()})
    assert len(mails) == 31
    ours = mails.pop(receipts["composed"].reference)
    assert ours.endswith(composed.content)
    assert message_from_bytes(ours, policy=default)["X-Aphub-Reference"] == "RB-7Q4K-2"
    assert all(mail.endswith(b"\r\n\r\n.dotted\r\n..\r\n") for mail in mails.values())


def test_postfix_passes_the_connection_check(postfix_adapter: EmailAdapter, route: EmailRoute):
    assert [step.ok for step in postfix_adapter.check(route)] == [True] * 8


def test_postfix_is_not_given_what_it_says_is_too_large(
    postfix_adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    large = delivery_of(b"Subject: x\r\n\r\n" + b"a line of a large message\r\n" * 10_000)
    ((_, answer),) = postfix_adapter.deliver_many([large])
    assert str(answer) == "The message is larger than their mail server takes."


def test_postfix_ends_a_session_after_too_many_errors_and_the_others_still_arrive(
    postfix_adapter: EmailAdapter, delivery_of: Callable[..., Delivery]
):
    # smtpd_hard_error_limit is 20: then Postfix says 421 and leaves.
    good = [delivery_of(key=f"good{n}") for n in range(2)]
    wrong = [delivery_of(key=f"wrong{n}", address=f"no{n}@hill-school.example.org") for n in range(25)]
    answers = dict(postfix_adapter.deliver_many([good[0], *wrong, good[1]]))
    assert isinstance(answers["good0"], DeliveryResult)
    assert len(answers) == 27
    assert {getattr(answers[one.key], "code", "") for one in wrong} <= {"550 5.1.1", "421 4.7.0"}
