"""A drop in the hub's hands: answer files become receipts, and what cannot go as a file goes another way."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from aphub.domain.outcomes import Outcome
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.told import outcomes_of

ANSWERS = 'answers = { folder = "answers", within_hours = 2 }'


def world_with(make_world_anew, tmp_path, extra=ANSWERS):
    share = tmp_path / "share"
    for folder in ("hill", "answers"):
        (share / folder).mkdir(parents=True)
    provider = (
        PROVIDER + f'[connections.share]\nadapter = "folder"\npath = "{share}"\nmust_be_mounted = false\n'
    )
    channel = f'[[channels]]\nname = "files"\nconnection = "share"\nfolder = "hill"\n{extra}\n'
    world = make_world_anew(schools=[School(extra=channel)], provider=provider)
    return world, share


def told(world, outcome=Outcome.PRESENT, **facts: object):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=outcome, **facts)
    world.go()
    return sam


def test_a_file_is_accepted_only_by_their_answer(make_world_anew, tmp_path):
    world, share = world_with(make_world_anew, tmp_path)
    sam = told(world)
    [file] = (share / "hill").iterdir()
    assert [row.rung for row in world.dispatches()] == ["handed_over"]
    assert world.owed(sam).state == "met"
    world.wait(timedelta(minutes=5))
    assert [row.rung for row in world.dispatches()] == ["handed_over"]
    (share / "answers" / f"{file.name}.ack").write_text("1 row loaded")
    world.wait(timedelta(minutes=10))
    assert [row.rung for row in world.dispatches()] == ["accepted"]
    assert [row.rung for row in world.rows(t.receipts)] == ["handed_over", "accepted"]
    assert world.sides.to("far") == []
    assert world.verify().ok


def test_a_rejected_file_goes_by_the_next_way(make_world_anew, tmp_path):
    world, share = world_with(make_world_anew, tmp_path)
    sam = told(world)
    [file] = (share / "hill").iterdir()
    (share / "answers" / f"{file.name}.rejected").write_text("Row 1: pupil not known")
    world.wait(timedelta(minutes=5))
    assert world.dispatches()[0].state == "refused"
    world.wait(timedelta(minutes=1))
    [mail] = world.sides.to("far")
    assert {upn for upn, _ in outcomes_of(mail)} == {sam.upn}
    assert world.owed(sam).state == "met"
    assert "dispatch.refused" in world.said()


def test_silence_becomes_a_task_at_the_agreed_time_and_a_later_rejection_is_still_heard(
    make_world_anew, tmp_path
):
    world, share = world_with(make_world_anew, tmp_path)
    told(world)
    [file] = (share / "hill").iterdir()
    for _ in range(7):
        world.wait(timedelta(minutes=15))
    assert world.tasks("not_confirmed") == []
    world.wait(timedelta(minutes=15))
    [task] = world.tasks("not_confirmed")
    assert "has not said that it accepted it" in task.words
    (share / "answers" / f"{file.name}.rejected").write_text("Row 1: pupil not known")
    for _ in range(8):
        world.wait(timedelta(minutes=15))
    assert world.dispatches()[0].state == "refused"
    assert len(world.sides.to("far")) == 1


def test_what_a_layout_has_no_place_for_goes_by_mail_and_the_rest_as_a_file(make_world_anew, tmp_path):
    world, share = world_with(make_world_anew, tmp_path, 'layout = "week"')
    sam, kim = world.pupil(), world.pupil(given="Kim")
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.enter(kim, outcome=Outcome.LATE, minutes=20)
    world.go()
    [file] = (share / "hill").iterdir()
    assert sam.upn in file.read_text()
    assert kim.upn not in file.read_text()
    [mail] = world.sides.to("far")
    assert {upn for upn, _ in outcomes_of(mail)} == {kim.upn}


def test_nothing_is_written_for_a_recipient_whose_certificate_has_ended(make_world_anew, tmp_path):
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "council.example.org")])
    ended = datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(ended)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
    extra = f"encryption = \"cms\"\nrecipient_key = '''{certificate}'''"
    world, share = world_with(make_world_anew, tmp_path, extra)
    assert world.hub.plan()[1] == []
    told(world)
    assert list((share / "hill").iterdir()) == []
    assert len(world.sides.to("far")) == 1
    assert "ended on 3 March 2026" in world.hub.plan()[1][0].words
