"""What is wrong with ways is said by `apply`, by connection and setting, before anything goes by them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pydantic import SecretStr

from aphub.hub import NOT_USABLE
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.store import tables as t
from tests.configured import PROVIDER, School, write_config
from tests.told import facts_of
from tests.world import build_world

XPORTER = 'adapter = "xporter"\nbase_url = "https://mis.example.org"\nrelying_party = "hub.example.org"\n'
DROP = f'adapter = "drop"\nhost = "drop.example.org"\nuser = "hub"\nhost_key = "SHA256:{"a" * 43}"\n'
MIS_FIRST = {"daily": 'cadence = "daily"\ndue = "09:45"\nchannels = ["mis", "email"]\nmay_write = true'}
HILL = """
[signed_codes]
codes = ["B"]
signed_by = "attendance officer"
on = 2026-01-05
[[channels]]
name = "mis"
connection = "gone"
estab = "9994001"
"""


@pytest.fixture
def world(tmp_path, sqlite_url):
    made = build_world(tmp_path / "home", sqlite_url)
    yield made
    made.hub.close()


def configured(world, connections):
    text = "".join(f"[connections.{name}]\n{settings}\n" for name, settings in connections.items())
    write_config(world.home, [School(extra=HILL)], MIS_FIRST, f"{PROVIDER}\n{text}")
    _, changes = world.hub.plan()
    return {
        one.about: one.words.removeprefix(NOT_USABLE) for one in changes if one.words.startswith(NOT_USABLE)
    }


def test_secrets_keys_and_certificates_are_looked_at_by_name_and_nothing_of_them_is_shown(world, tmp_path):
    private = Ed25519PrivateKey.generate()
    good, locked = (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()
        for how in (NoEncryption(), BestAvailableEncryption(b"a passphrase"))
    )
    now = world.clock.now()
    for name, value in (("good", good), ("locked", locked), ("broken", "n0nsense")):
        world.hub.keys.set_secret(name, SecretStr(value), now)
    world.hub.keys.set_secret("over", SecretStr("0ld"), now, date(2026, 3, 1))
    (tmp_path / "none.pem").write_text("no certificate")
    old = DemoAuthority.create(tmp_path / "old", valid_from=datetime(2001, 1, 1, tzinfo=UTC))
    ended = old.issue(kind=CertificateKind.EXPIRED).certificate
    said = configured(
        world,
        {
            "fine": f'{DROP}client_key = "secret:good"',
            "gone": f'{XPORTER}secret = "secret:hill"\nqueued = true',
            "over": f'{XPORTER}secret = "secret:over"',
            "locked": f'{DROP}client_key = "secret:locked"',
            "broken": f'{DROP}client_key = "secret:broken"',
            "no-file": f'{DROP}client_key_file = "{tmp_path}/nowhere"',
            "no-ca": f'{XPORTER}secret = "secret:good"\nca_file = "{tmp_path}/nowhere.pem"',
            "bad-ca": f'{XPORTER}secret = "secret:good"\nca_file = "{tmp_path}/none.pem"',
            "old-ca": f'{XPORTER}secret = "secret:good"\nca_file = "{ended}"',
        },
    )
    assert said.pop("connection gone") == (
        "its secret, the secret 'hill', is not stored. Run: aphub secret set hill. It carries hill-school mis."
    )
    assert "[callbacks] is missing" in said.pop("hill-school mis")
    assert "ended on 01/03/2026" in said.pop("connection over")
    assert "locked with a passphrase" in said.pop("connection locked")
    assert "cannot be read" in said.pop("connection broken")
    assert "client_key_file cannot be read (FileNotFoundError)" in said.pop("connection no-file")
    assert "nowhere.pem cannot be read (FileNotFoundError)" in said.pop("connection no-ca")
    assert "holds no certificate" in said.pop("connection bad-ca")
    assert "ended on" in said.pop("connection old-ca")
    assert said == {}


def test_what_is_owed_meanwhile_goes_by_the_next_way_and_says_that_it_is_late(world):
    configured(world, {"gone": f'{XPORTER}secret = "secret:hill"'})
    world.hub.apply("test")
    world.go_live()
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:45")
    for _ in range(4):
        world.wait(timedelta(minutes=5))
    assert [(row.channel, row.state) for row in world.dispatches()] == [
        ("mis", "replaced"),
        ("email", "handed_over"),
    ]
    [told] = world.sides.to("far")
    assert facts_of(told)["late"]
    assert [row.state for row in world.rows(t.owed_reports, first_day=world.day)] == ["met"]
