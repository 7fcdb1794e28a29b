"""Servers that change, fill up, forbid, hang up and dawdle."""

import asyncssh
import pytest
from pydantic import SecretStr

from aphub.api import (
    Answer,
    Delivery,
    Document,
    RefusedDeliveryError,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.testing import sample_delivery, sample_message, sample_tools
from aphub_drop import DropAdapter, DropRoute
from aphub_drop.background import BackgroundLoop


@pytest.fixture
def sink(far_side):
    return far_side.sink


@pytest.fixture
def delivery_of(route):
    def make(number=0, content=b"schema\r\naphub-1\r\n") -> Delivery:
        document = Document(f"file-{number}.csv", "text/csv", content)
        return sample_delivery(
            DropAdapter, route, message=sample_message(thread=f"hostile {number}"), documents=(document,)
        )

    return make


def test_a_swapped_host_key_stops_before_sign_in(sink, opened):
    opened()
    before = sink.sign_ins
    sink.swaps_host_key()
    with pytest.raises(RefusedDeliveryError, match="not the one you approved"):
        opened()
    assert sink.sign_ins == before


def test_a_full_disk_is_told_apart_and_leaves_no_finished_file(sink, opened, delivery_of):
    adapter = opened()
    sink.is_full()
    with pytest.raises(TransientDeliveryError) as full:
        adapter.deliver(delivery_of())
    assert full.value.code == "disk full"
    assert "make space" in full.value.what_now
    assert sink.files() == {}


def test_a_folder_without_rename_is_told_apart_and_left_tidy(sink, opened, delivery_of):
    adapter = opened()
    sink.refuses(at="rename")
    with pytest.raises(RefusedDeliveryError, match="write to the folder but not rename"):
        adapter.deliver(delivery_of())
    assert sink.files() == {}


def test_a_cut_in_the_middle_of_a_file_is_transient_and_the_next_try_completes_it(sink, opened, delivery_of):
    content = b"x" * 200_000
    adapter = opened()
    sink.cuts_off_after_reading(at="write", times=1)
    with pytest.raises(TransientDeliveryError, match="before the file was complete"):
        adapter.deliver(delivery_of(content=content))
    assert "hill/file-0.csv" not in sink.files()
    sink.accepts()
    opened().deliver(delivery_of(content=content))
    assert sink.files() == {"hill/file-0.csv": content}


@pytest.mark.parametrize("kept", [True, False])
def test_a_lost_answer_to_the_rename_is_uncertain_and_settled_by_looking(sink, opened, delivery_of, kept):
    adapter = opened()
    sink.cuts_off_after_reading(at="rename", kept=kept, times=1)
    with pytest.raises(UncertainDeliveryError):
        adapter.deliver(delivery_of())
    sink.accepts()
    # The same adapter connects again by itself: its line has gone.
    found = adapter.look_up(delivery_of())
    assert (found is not None) is kept


def test_a_server_that_dawdles_costs_one_time_out(sink, opened, delivery_of):
    adapter = opened(timeout=0.3)
    sink.is_slow(30)
    with pytest.raises(TransientDeliveryError):
        adapter.deliver(delivery_of())
    sink.accepts()


def test_a_line_that_goes_within_a_burst_answers_for_every_delivery(sink, opened, delivery_of):
    adapter = opened(in_flight=4)
    sink.cuts_off_after_reading(at="rename", times=1)
    burst = [delivery_of(number) for number in range(30)]
    answers = dict(adapter.deliver_many(burst))
    assert answers.keys() == {delivery.key for delivery in burst}
    kinds = {type(answer) for answer in answers.values()}
    assert UncertainDeliveryError in kinds
    assert TransientDeliveryError in kinds


def test_without_posix_rename_files_still_get_their_name(sink, opened, delivery_of):
    adapter = opened()
    sink.has_no_posix_rename()
    result = adapter.deliver(delivery_of())
    assert {one.answer for one in result.results} == {Answer.TAKEN}


def test_another_file_of_the_same_name_is_reported_and_kept(sink, opened, delivery_of):
    adapter = opened()
    (sink.folder / "hill" / "file-0.csv").write_bytes(b"somebody else's")
    result = adapter.deliver(delivery_of())
    assert {one.answer for one in result.results} == {Answer.DIFFERS}
    assert sink.files() == {"hill/file-0.csv": b"somebody else's"}


def test_where_reading_is_denied_the_size_is_proof_enough_if_so_set(opened, delivery_of):
    result = opened(read_back=False).deliver(delivery_of())
    assert result.evidence["read back"] == "size only"


@pytest.mark.parametrize("name", ["../up.csv", "a/b.csv", ".hidden", "a\nb", "\u202efdp.csv", "x" * 201, ""])
def test_an_unsafe_name_is_refused_before_anything_is_written(sink, opened, route, name):
    document = Document(name, "text/csv", b"x")
    with pytest.raises(RefusedDeliveryError):
        opened().deliver(sample_delivery(DropAdapter, route, documents=(document,)))
    assert sink.files() == {}


@pytest.mark.parametrize("text", ["not a key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_an_unreadable_key_is_said_so_without_quoting_it(connection, text):
    broken = connection.model_copy(update={"client_key": SecretStr(text)})
    with pytest.raises(RefusedDeliveryError, match="private key cannot be read") as refused:
        DropAdapter(broken, sample_tools()).open()
    assert refused.value.__cause__ is None
    assert text not in repr(refused.value)


@pytest.mark.parametrize(("kind", "options"), [("ssh-dss", {}), ("ssh-rsa", {"key_size": 1024})])
def test_a_key_that_is_no_longer_safe_is_named_by_the_check(connection, kind, options):
    weak = asyncssh.generate_private_key(kind, **options).export_private_key().decode()
    old = connection.model_copy(update={"client_key": SecretStr(weak)})
    [step] = DropAdapter(old, sample_tools()).check(DropRoute(folder="hill"))
    assert not step.ok
    assert "no longer safe" in step.found
    assert "Ed25519" in step.mend


def test_a_server_inside_a_private_network_is_refused_unless_it_is_listed(connection, sink):
    tools = Tools(http=sample_tools().http, now=sample_tools().now)
    with pytest.raises(RefusedDeliveryError, match="inside a private network"):
        DropAdapter(connection, tools).open()
    assert sink.sign_ins == 0
    *_, step = DropAdapter(connection, tools).check(DropRoute(folder="hill"))
    assert "private_networks" in step.mend


def test_damaged_bytes_never_get_their_name(sink, opened, delivery_of):
    adapter = opened()
    sink.damages()
    with pytest.raises(TransientDeliveryError) as said:
        adapter.deliver(delivery_of())
    assert said.value.code == "read-back differs"
    assert sink.files() == {}


def test_a_key_in_a_file_signs_in_too(connection, key, tmp_path, sink):
    path = tmp_path / "key"
    path.write_bytes(key.export_private_key())
    other = connection.model_copy(update={"client_key": SecretStr(""), "client_key_file": path})
    adapter = DropAdapter(other, sample_tools())
    adapter.open()
    adapter.close()
    assert sink.sign_ins == 1


def test_a_server_without_our_ciphers_is_refused_in_words(connection):
    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            asyncssh.SSHServer,
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            encryption_algs=["aes128-cbc"],
        )

    loop = BackgroundLoop()
    acceptor = loop.run(listen())
    try:
        old = connection.model_copy(update={"port": acceptor.get_port()})
        with pytest.raises(RefusedDeliveryError, match="no longer safe"):
            DropAdapter(old, sample_tools()).open()
    finally:
        acceptor.close()
        loop.run(acceptor.wait_closed())
        loop.stop()
