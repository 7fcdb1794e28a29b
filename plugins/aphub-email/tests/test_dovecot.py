"""Answers read from a real Dovecot on loopback, with a configuration and a mailbox of its own."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from aphub.api import LaterKind, Reach, RefusedDeliveryError, Tools, TransientDeliveryError
from aphub_email import EmailAdapter, EmailConnection

OWN, WORD = "reports@riverbank.example.org", "quiet-otter-lamp-31"
CONFIG = """
base_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
passdb {{
  driver = static
  args = password={word}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
mail_location = maildir:{home}/mail/box
first_valid_uid = 1
"""
MAIL = """From: office@hill-school.example.org\r
Message-ID: <{number}@hill-school.example.org>\r
Subject: Re: AP attendance\r
In-Reply-To: <{about}@riverbank.example.org>\r
\r
He is at home today.\r
"""


@pytest.fixture(scope="module")
def dovecot(authority):
    program = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    missing = "dovecot" if program is None else "" if os.geteuid() == 0 else "root, as dovecot does"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"needs {missing}, which CI must have", pytrace=False)
    if missing:
        pytest.skip(f"not run: needs {missing}")
    owner = pwd.getpwnam("dovecot")
    with tempfile.TemporaryDirectory(prefix="dovecot-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        for part in ("mail", "mail/box", "mail/box/new", "mail/box/cur", "mail/box/tmp"):
            (home / part).mkdir()
            os.chown(home / part, owner.pw_uid, owner.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        issued = authority.issue()
        values = {
            "certificate": issued.certificate,
            "key": issued.key,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
        }
        (home / "conf").write_text(CONFIG.format(home=home, port=port, word=WORD, **values))
        with subprocess.Popen([program, "-F", "-c", home / "conf"], start_new_session=True) as server:
            try:
                _wait_for(port)
                yield port, home / "mail/box"
            finally:
                server.terminate()
                server.wait(10)


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail("Dovecot did not start")


def arrives(box, number, about):
    path = box / "new" / f"{number}.test"
    path.write_bytes(MAIL.format(number=number, about=about).encode())
    path.chmod(0o644)


def adapter(port, authority, now, password=WORD, reach=None):
    connection = EmailConnection(
        host="localhost",
        ca_file=authority.ca_path,
        username=OWN,
        password=password,
        from_address=OWN,
        imap_host="localhost",
        imap_port=port,
        timeout=10,
    )
    tools = Tools(http=httpx.Client, now=lambda: now, reach=reach or Reach.to("127.0.0.0/8", "::1/128"))
    return EmailAdapter(connection, tools)


def test_answers_are_read_once_and_the_mailbox_is_left_as_it_was(dovecot, authority):
    port, box = dovecot
    now = datetime.now(UTC)
    one = adapter(port, authority, now)
    empty = one.collect("")
    assert empty.news == ()
    arrives(box, 1, "RB-7Q4K2M9P-2")
    arrives(box, 2, "newsletter")
    first = one.collect(empty.mark)
    assert [(news.kind, news.about) for news in first.news] == [(LaterKind.REPLY, ("RB-7Q4K2M9P-2",))]
    assert one.collect(first.mark).news == ()
    arrives(box, 3, "RB-7Q4K2M9P-3")
    assert [news.about for news in one.collect(first.mark).news] == [("RB-7Q4K2M9P-3",)]
    # After a folder was made anew, or our mark was lost, three days are read again.
    assert len(one.collect("12345:7").news) == 2
    assert not [path for path in box.rglob("*.test*") if "S" in path.name.partition(":2,")[2]]
    with pytest.raises(RefusedDeliveryError, match="refused the sign-in") as refused:
        adapter(port, authority, now, "wrong-word-here").collect("")
    assert "wrong-word-here" not in str(refused.value)
    with pytest.raises(RefusedDeliveryError, match="private network"):
        adapter(port, authority, now, reach=Reach()).collect("")


def test_a_mailbox_that_is_not_there_is_tried_later(authority):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientDeliveryError):
        adapter(port, authority, datetime.now(UTC)).collect("")
