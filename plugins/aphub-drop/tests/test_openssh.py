"""The same adapter against the real sshd."""

import hashlib

import asyncssh
import pytest

from aphub.api import Answer, Document, RefusedDeliveryError, Rung
from aphub.testing import PLANTED, sample_delivery, sample_message, sample_tools, search_for_planted
from aphub_drop import DropAdapter, DropRoute


@pytest.fixture
def folder(openssh, tmp_path):
    folder = openssh.folder / tmp_path.name
    folder.mkdir()
    return folder


@pytest.fixture
def adapter(openssh):
    adapter = DropAdapter(openssh.connection(), sample_tools())
    adapter.open()
    yield adapter
    adapter.close()


def delivery_to(folder, number=0, content=None):
    route = DropRoute(folder=str(folder))
    documents = None if content is None else (Document(f"file-{number}.csv", "text/csv", content),)
    message = sample_message(thread=f"to openssh {number}")
    return sample_delivery(DropAdapter, route, message=message, documents=documents)


def test_a_file_arrives_under_its_own_name_and_is_proved(adapter, folder):
    delivery = delivery_to(folder)
    result = adapter.deliver(delivery)
    (document,) = delivery.documents
    assert [path.name for path in folder.iterdir()] == [document.name]
    assert (folder / document.name).read_bytes() == document.content
    assert result.rung is Rung.HANDED_OVER
    assert result.evidence[f"{document.name} SHA-256"] == hashlib.sha256(document.content).hexdigest()
    assert "aes128-gcm@openssh.com" in result.hops


def test_the_same_file_again_is_recognised_and_another_is_never_overwritten(adapter, folder):
    adapter.deliver(delivery_to(folder, content=b"ours"))
    again = adapter.deliver(delivery_to(folder, content=b"ours"))
    assert {one.answer for one in again.results} == {Answer.ALREADY_THERE}
    for other in (b"mine", b"longer than ours"):
        differs = adapter.deliver(delivery_to(folder, content=other))
        assert {one.answer for one in differs.results} == {Answer.DIFFERS}
        assert differs.rung is Rung.PREPARED
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"file-0.csv": b"ours"}


@pytest.mark.parametrize("size", [0, 1, 30_000, 30_001, 5_000_000])
def test_files_of_any_size_arrive_whole(adapter, folder, size):
    content = hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1)
    adapter.deliver(delivery_to(folder, content=content[:size]))
    assert (folder / "file-0.csv").read_bytes() == content[:size]
    found = adapter.look_up(delivery_to(folder, content=content[:size]))
    assert found is not None
    assert {one.answer for one in found.results} == {Answer.ALREADY_THERE}


def test_a_burst_of_two_hundred_answers_for_each(adapter, folder):
    burst = [delivery_to(folder, number) for number in range(200)]
    answers = dict(adapter.deliver_many(burst))
    assert answers.keys() == {delivery.key for delivery in burst}
    assert {one.answer for result in answers.values() for one in result.results} == {Answer.TAKEN}
    assert len(list(folder.iterdir())) == 200


def test_a_folder_that_is_not_there_is_refused_and_not_made(adapter, openssh):
    with pytest.raises(RefusedDeliveryError, match="make no folders"):
        adapter.deliver(delivery_to(openssh.folder / "nowhere"))
    assert not (openssh.folder / "nowhere").exists()


def test_a_fingerprint_of_the_servers_rsa_key_is_as_good(openssh, folder):
    adapter = DropAdapter(openssh.connection(host_key=openssh.rsa_host_key), sample_tools())
    adapter.open()
    adapter.deliver(delivery_to(folder))
    adapter.close()
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("bits", [2048, 3072])
def test_an_rsa_key_signs_in_with_sha2(openssh, folder, bits):
    key = asyncssh.generate_private_key("ssh-rsa", key_size=bits)
    with openssh.authorized.open("ab") as authorized:
        authorized.write(key.export_public_key())
    adapter = DropAdapter(openssh.connection(client_key=key.export_private_key().decode()), sample_tools())
    adapter.open()
    adapter.deliver(delivery_to(folder))
    adapter.close()
    assert len(list(folder.iterdir())) == 1


def test_another_fingerprint_stops_before_anybody_signs_in(openssh):
    wrong = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    before = openssh.log.read_text().count("Accepted")
    with pytest.raises(RefusedDeliveryError, match="not the one you approved") as refused:
        DropAdapter(openssh.connection(host_key=wrong), sample_tools()).open()
    assert refused.value.code == "host key changed"
    assert "by phone" in refused.value.what_now
    assert openssh.log.read_text().count("Accepted") == before


def test_a_key_that_they_do_not_know_is_refused_in_words(openssh):
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(RefusedDeliveryError, match="did not accept our key"):
        DropAdapter(openssh.connection(client_key=stranger), sample_tools()).open()


def test_a_check_ticks_every_step_and_leaves_nothing(openssh, folder):
    adapter = DropAdapter(openssh.connection(), sample_tools())
    steps = list(adapter.check(DropRoute(folder=str(folder))))
    assert [step.step for step in steps if not step.ok] == []
    assert len(steps) == 11
    assert list(folder.iterdir()) == []


def test_the_servers_own_log_holds_no_pupil(adapter, openssh, folder):
    adapter.deliver(delivery_to(folder))
    assert not search_for_planted(openssh.log, planted=PLANTED)
