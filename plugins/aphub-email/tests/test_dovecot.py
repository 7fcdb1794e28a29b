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
from aphub.sandbox.token_service import TokenService
from aphub.testing import sample_tools
from aphub_email import EmailAdapter, EmailConnection

OWN, WORD = "reports@riverbank.example.org", "quiet-otter-lamp-31"
SECRET = "planted-secret-of-the-application"
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
auth_mechanisms = plain xoauth2
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2
}}
passdb {{
  driver = static
  mechanisms = plain
  args = password={word}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail
}}
mail_location = maildir:{home}/mail/box
first_valid_uid = 1
"""
OAUTH2 = """
introspection_mode = post
introspection_url = https://localhost:{port}/{tenant}/oauth2/v2.0/introspect
tls_ca_cert_file = {authority}
username_attribute = username
active_attribute = active
active_value = true
"""
MAIL = """From: office@hill-school.example.org\r
Message-ID: <{number}@hill-school.example.org>\r
Subject: Re: AP attendance\r
In-Reply-To: <{about}@riverbank.example.org>\r
\r
He is at home today.\r
"""


@pytest.fixture(scope="module")
def service(authority):
    with TokenService(
        authority, client_secret=SECRET, mailboxes=[OWN], tenant="dovecot.example.org"
    ) as service:
        yield service


@pytest.fixture(scope="module")
def dovecot(authority, service):
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
        # Dovecot asks as its own user, who may not look into our folders.
        (home / "ca.pem").write_bytes(authority.ca_path.read_bytes())
        asked = {"port": service.address[1], "tenant": service.tenant, "authority": home / "ca.pem"}
        (home / "oauth2").write_text(OAUTH2.format(**asked))
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


def test_a_token_opens_the_mailbox_and_one_that_was_ended_is_renewed_once(dovecot, authority, service):
    port, _ = dovecot
    connection = EmailConnection(
        way="graph",
        ca_file=authority.ca_path,
        sign_in="client_credentials",
        tenant=service.tenant,
        token_url=service.url,
        client_id="aphub-mail",
        client_secret=SECRET,
        from_address=OWN,
        imap_host="localhost",
        imap_port=port,
        timeout=10,
    )
    one = EmailAdapter(connection, sample_tools())
    assert one.collect("").mark
    assert one.collect("").mark
    assert service.given == 1
    service.revokes()
    assert one.collect("").mark
    assert service.given == 2
    assert b"outlook.office365.com" in service.requests[0].body  # also where Graph is the way of sending
    service.is_unreachable()  # the token is kept, and Dovecot cannot ask whom it opens
    with pytest.raises(TransientDeliveryError, match="cannot check the sign-in now"):
        EmailAdapter(connection, sample_tools()).collect("")
    service.up()
    service.mailboxes = {"nobody@riverbank.example.org"}
    with pytest.raises(RefusedDeliveryError, match="refused the sign-in") as refused:
        EmailAdapter(connection, sample_tools()).collect("")
    assert "that our application may read it" in refused.value.what_now


def test_a_mailbox_that_is_not_there_is_tried_later(authority):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientDeliveryError):
        adapter(port, authority, datetime.now(UTC)).collect("")
