"""What a way rests on: told before it ends, and the way paused when a check finds that it is so no more."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from aphub.api.adapters import AnyAdapter, CheckStep
from aphub.api.papers import Ending, ForTheirIt
from aphub.domain.calendar import to_utc
from aphub.hub import NOT_USABLE
from aphub.services import approve, overview, waits
from aphub.services.desk import Desk
from aphub.services.endings import ends_soon
from aphub.services.it_page import it_page
from aphub.services.rechecks import Rechecks
from aphub.services.rounds import prepare
from aphub.services.routes import Route
from aphub.services.trial import make_trial
from aphub.services.way import NotYetError, route_to
from aphub.store import tables as t
from aphub.testing import search_for_planted
from tests.configured import PROVIDER, School, write_config
from tests.told import Told
from tests.world import DAILY, World, build_world

HILL = ("hill-school", "email")
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)


class Looks:
    """Builds adapters whose check gives these steps."""

    def __init__(self, world: World, *steps: CheckStep) -> None:
        self.world, self.steps = world, steps

    def adapter(self, _desk: Desk, route: Route) -> AnyAdapter:
        steps = self.steps

        class Checked(Told):
            def check(self, route: object) -> Iterator[CheckStep]:
                yield from steps

        return Checked(cast("Any", route.connection_settings), self.world.hub.tools(self.world.desk))


def state(world: World) -> str:
    [row] = [row for row in world.rows(t.channels) if row.name == "email"]
    return str(row.state)


def test_a_way_whose_promise_is_broken_is_paused_until_a_check_finds_it_again(make_world):
    world = make_world()
    wrong = CheckStep("Their last hop", ok=False, found="a policy that is only being tried", stops=True)
    unseen = CheckStep("Their last hop", ok=False, found="the name service did not answer")
    approve.check(Looks(world, unseen), world.desk, *HILL)
    assert state(world) == "live"
    approve.check(Looks(world, wrong), world.desk, *HILL)
    assert state(world) == "paused"
    [line] = [one for one in overview.channels(world.desk) if one.channel == "email"]
    assert line.next_step == "aphub check hill-school email"
    assert any("only being tried" in one.words for one in waits.waiting(world.desk))
    assert "channel.paused" in {row.kind for row in world.rows(t.statements)}
    with pytest.raises(NotYetError, match="not as it was approved"):
        approve.resume(world.desk, *HILL, "Sam Field, head")
    approve.check(Looks(world, CheckStep("Their last hop", ok=True)), world.desk, *HILL)
    assert state(world) == "paused"  # a person lets names go that way again, not the check
    approve.resume(world.desk, *HILL, "Sam Field, head")
    assert state(world) == "live"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=31), ""),
        (timedelta(days=30), "Their key ends in 30 days, on Thursday 2 April 2026."),
        (timedelta(days=7), "Soon: their key ends in 7 days"),
        (timedelta(hours=20), "Last reminder: their key ends within a day"),
        (timedelta(0), "their key ended on Tuesday 3 March 2026. Reports take the next way, or wait."),
    ],
)
def test_what_will_end_is_told_from_thirty_days_before(left, words):
    ending = Ending("their key", NOW + left, "Ask them for the new one.")
    settings = SimpleNamespace(endings=lambda: (ending,))
    nothing = SimpleNamespace(endings=lambda: ())
    route = SimpleNamespace(
        organisation="hill-school",
        channel="email",
        connection="mail",
        settings=settings,
        connection_settings=nothing,
    )
    routes = SimpleNamespace(everything=lambda: [route, route])
    vault = SimpleNamespace(secret_ends=dict)
    config = SimpleNamespace(provider=SimpleNamespace(connections={}))
    found = ends_soon(cast("Desk", SimpleNamespace(now=NOW, routes=routes, vault=vault, config=config)))
    assert [one.words.startswith(words) for one in found] == ([True] if words else [])


def test_what_will_end_is_one_task_at_a_time_raised_anew_as_it_comes_nearer(tmp_path, sqlite_url):
    world = build_world(tmp_path / "home", sqlite_url, live=False)
    ends = world.clock.now().date() + timedelta(days=20)
    world.hub.keys.set_secret("relay", SecretStr("s3cret-of-the-relay"), world.clock.now(), ends)
    connection = (
        '[connections.mail]\nadapter = "email"\nhost = "mail.example.org"\nusername = "us"\n'
        'password = "secret:relay"\nfrom_address = "reports@riverbank.example.org"\n'
    )
    world.configure(schools=[School()], provider=f"{PROVIDER}\n{connection}")

    def raised() -> list[str]:
        prepare(world.desk)
        return [row.subject.rpartition("/")[2] for row in world.tasks("ending")]

    assert raised() == ["30"]
    [task] = world.tasks("ending")
    assert task.words == (
        "connection mail: the secret 'relay' ends on Monday 23 March 2026. "
        "Get a new one, then run: aphub secret set relay."
    )
    assert [one.kind for one in waits.waiting(world.desk)].count("ending") == 1
    world.change(t.tasks, {"state": "done"}, ref=task.ref)
    assert raised() == []  # somebody has seen it
    world.clock.advance(timedelta(days=7))
    assert raised() == ["14"]
    world.clock.advance(timedelta(days=7))
    assert raised() == ["7"]
    world.clock.advance(timedelta(days=6))
    assert raised() == ["0"]
    assert "ended on" in world.tasks("ending")[0].words
    assert "s3cret" not in task.words
    world.hub.keys.set_secret("relay", SecretStr("another"), world.clock.now(), ends + timedelta(days=365))
    assert raised() == []
    world.hub.close()


def test_every_working_morning_live_ways_are_looked_at_again(tmp_path, sqlite_url):
    ways = (("email", "told", "email"), ("other", "told", "other"), ("phone", "told-person", "far"))
    world = build_world(tmp_path / "home", sqlite_url, schools=[School(channels=ways)])
    bad = CheckStep("The folder is there", ok=False, found="There is none", mend="Ask them to make it.")
    broken, well = Looks(world, bad), Looks(world, CheckStep("It answers", ok=True))
    rechecks = Rechecks()

    def look(side: Looks, wall: str, day: date = date(2026, 3, 4), *, until: bool = False) -> int:
        world.clock.advance_to(to_utc(day, time.fromisoformat(wall)))
        return rechecks.look(side, world.desk, lambda: until)

    assert look(broken, "05:59") == 0
    assert look(broken, "06:00", until=True) == 0
    assert look(broken, "06:00") == 2  # nobody is phoned for a look
    assert {row.subject for row in world.tasks("check_way")} == {"hill-school email", "hill-school other"}
    assert world.tasks("check_way")[0].words == (
        "hill-school email would not carry reports now. Not so: The folder is there. There is none. Ask them to make it."
    )
    assert look(broken, "06:30") == 0
    assert look(broken, "07:00") == 2  # an hour later, and still two tasks
    assert len(world.tasks("check_way")) == 2
    assert look(well, "08:00") == 2
    assert world.tasks("check_way") == []
    assert look(well, "15:00") == 0
    world.change(t.channels, {"state": "changed"}, name="other")
    assert look(well, "06:01", date(2026, 3, 5)) == 1  # only what is live
    assert look(well, "06:01", date(2026, 3, 7)) == 0  # on a Saturday nobody is there to mend it
    gone = CheckStep("Their last hop", ok=False, found="a policy that is only being tried", stops=True)
    assert look(Looks(world, gone), "06:01", date(2026, 3, 9)) == 1
    assert state(world) == "paused"
    assert len(world.tasks("check_way")) == 1
    world.hub.close()


def test_the_page_for_an_it_team_says_the_same_in_html_and_in_text(make_world):
    world = make_world()
    route = route_to(world.desk, *HILL)
    about = ForTheirIt(
        "Reports <by> mail.", (("From", "reports@riverbank.example.org"),), ("Let them through.",)
    )
    steps = [
        CheckStep("Their domain takes mail", ok=True, found="mx1.example.org"),
        CheckStep("They ask for encryption", ok=True, found="no policy", mend="Publish one"),
        CheckStep("It answers", ok=False, found="it does not", mend="Open the firewall."),
    ]
    page = it_page(world.desk, route, about, steps)
    assert page.stem == "for-their-it-hill-school-email"
    for words in (
        "reports@riverbank.example.org",
        "Let them through.",
        "Good. Mx1.example.org.",
        "Whom to ask",
    ):
        assert words in page.html
        assert words in page.text
    assert "Please look. No policy. Publish one." in page.text
    assert "Not yet. It does not. Open the firewall." in page.text
    assert "Reports &lt;by&gt; mail." in page.html
    assert world.desk.config.provider.phone in page.text
    assert "size:A4" in page.html
    assert "What to allow" in it_page(world.desk, route, None, []).text


MAILBOX = """
[[channels]]
name = "mailbox"
connection = "mail"
address = "attendance@hill-school.example.org"
protection = "smime"
certificate = '''
{theirs}'''
"""


def test_the_key_that_signs_is_there_while_a_message_is_made_and_in_no_document(tmp_path, sqlite_url):
    world = build_world(tmp_path / "home", sqlite_url)
    theirs, _ = mail_certificate("attendance@hill-school.example.org", world.clock.now())
    ours, key = mail_certificate("reports@riverbank.example.org", world.clock.now())
    connection = (
        '[connections.mail]\nadapter = "email"\nhost = "mail.example.org"\n'
        f"from_address = \"reports@riverbank.example.org\"\nsmime_certificate = '''\n{ours}'''\n"
        'smime_key = "secret:mail-smime"\n'
    )
    hill = School(extra=MAILBOX.format(theirs=theirs))
    write_config(world.home, [hill], {"daily": DAILY["daily"]}, f"{PROVIDER}\n{connection}")

    def not_usable() -> dict[str, str]:
        said = world.hub.plan()[1]
        return {one.about: one.words for one in said if one.words.startswith(NOT_USABLE)}

    assert "the secret 'mail-smime', is not stored" in not_usable()["connection mail"]
    world.hub.keys.set_secret("mail-smime", SecretStr(key), world.clock.now())
    assert not_usable() == {}
    world.hub.apply("a test")
    desk = world.hub.desk("riverbank")
    trial = make_trial(desk, route_to(desk, "hill-school", "mailbox"), "123456", "")
    [document] = trial.delivery.documents
    assert b"smime-type=enveloped-data" in document.content
    assert search_for_planted(document.content, planted=("Sam Example", *key.splitlines()[1:3])) == []
    world.hub.close()


def mail_certificate(address: str, now: datetime) -> tuple[str, str]:
    """Make a certificate for a mailbox, and its key, both as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=90))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
    pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
