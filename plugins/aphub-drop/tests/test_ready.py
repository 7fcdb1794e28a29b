"""Ready-file mode: for folders in which nothing may be renamed, and whose readers wait for a last, empty file."""

import pytest

from aphub.api import (
    Answer,
    Document,
    RefusedDeliveryError,
    Rung,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.testing import sample_delivery, sample_tools
from aphub_drop import DropAdapter, DropRoute, FolderAdapter, FolderConnection, FolderRoute

ROUTE = DropRoute(folder="hill", ready_file=".done", beside=("count",))


@pytest.fixture
def sink(far_side):
    return far_side.sink


def delivery(content=b"ours" * 10_000, route=ROUTE, adapter=DropAdapter):
    documents = (
        Document("file.csv", "text/csv", content),
        Document("file.csv.count", "text/plain", b"3\n"),
        Document("file.csv.done", "text/plain", b""),
    )
    return sample_delivery(adapter, route, documents=documents)


def answers(result):
    return {one.answer for one in result.results}


ALL = {"hill/file.csv": b"ours" * 10_000, "hill/file.csv.count": b"3\n", "hill/file.csv.done": b""}


def test_all_is_there_before_the_ready_file_and_nothing_is_renamed(sink, opened):
    sink.refuses(at="rename")
    adapter = opened()
    assert answers(adapter.deliver(delivery())) == {Answer.TAKEN}
    assert sink.files() == ALL
    assert answers(adapter.deliver(delivery())) == {Answer.ALREADY_THERE}
    assert sink.received_bytes.rindex(b"file.csv.done") > sink.received_bytes.rindex(b"oursours")


def test_a_cut_in_the_middle_leaves_no_ready_file_and_the_next_try_goes_on(sink, opened):
    sink.cuts_off_after_reading(at="write", times=1)
    with pytest.raises(TransientDeliveryError):
        opened().deliver(delivery())
    assert "hill/file.csv.done" not in sink.files()
    begun = sink.files()["hill/file.csv"]
    assert ALL["hill/file.csv"].startswith(begun)
    sink.accepts()
    assert answers(opened().deliver(delivery())) == {Answer.TAKEN}
    assert sink.files() == ALL


def test_an_empty_begun_file_is_ours_to_finish(sink, opened):
    (sink.folder / "hill" / "file.csv").touch()
    assert answers(opened().deliver(delivery())) == {Answer.TAKEN}
    assert sink.files() == ALL


def test_somebody_elses_file_is_left_and_no_ready_file_follows_it(sink, opened):
    (sink.folder / "hill" / "file.csv").write_bytes(b"theirs")
    result = opened().deliver(delivery())
    assert (answers(result), result.rung) == ({Answer.DIFFERS}, Rung.PREPARED)
    assert sink.files() == {"hill/file.csv": b"theirs"}


@pytest.mark.parametrize("kept", [True, False])
def test_a_lost_answer_to_the_ready_file_is_uncertain_and_settled_by_looking(sink, opened, kept):
    adapter = opened()
    sink.cuts_off_after_reading(at="open", ending=".done", kept=kept, times=1)
    with pytest.raises(UncertainDeliveryError, match="ready file"):
        adapter.deliver(delivery())
    sink.accepts()
    assert (adapter.look_up(delivery()) is not None) is kept
    assert answers(adapter.deliver(delivery())) == {Answer.ALREADY_THERE if kept else Answer.TAKEN}


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        ("is_full", TransientDeliveryError, "disk full"),
        ("damages", TransientDeliveryError, "read-back differs"),
        ("may_not_read", RefusedDeliveryError, "read refused"),
    ],
)
def test_what_cannot_be_kept_is_told_apart_and_taken_away_again(sink, opened, mood, kind, code):
    adapter = opened()
    if mood == "may_not_read":
        sink.refuses(at="read")
    else:
        getattr(sink, mood)()
    with pytest.raises(kind) as said:
        adapter.deliver(delivery())
    assert said.value.code == code
    assert sink.files() == {}


def test_a_check_writes_without_renaming(sink, connection):
    sink.refuses(at="rename")
    steps = list(DropAdapter(connection, sample_tools()).check(ROUTE))
    assert [step.step for step in steps if not step.ok] == []
    assert not any("renamed" in step.step for step in steps)
    assert sink.files() == {}


def test_a_mounted_folder_does_the_same(tmp_path):
    hill = tmp_path / "hill"
    hill.mkdir()
    adapter = FolderAdapter(FolderConnection(path=tmp_path, must_be_mounted=False), sample_tools())
    route = FolderRoute(folder="hill", ready_file=".done", beside=("count",))
    ours = delivery(route=route, adapter=FolderAdapter)
    (hill / "file.csv").write_bytes(b"oursour")
    assert answers(adapter.deliver(ours)) == {Answer.TAKEN}
    assert answers(adapter.deliver(ours)) == {Answer.ALREADY_THERE}
    assert {f"hill/{path.name}": path.read_bytes() for path in hill.iterdir()} == ALL
    (hill / "file.csv").write_bytes(b"theirs")
    (hill / "file.csv.done").unlink()
    assert answers(adapter.deliver(ours)) == {Answer.DIFFERS}
    assert not (hill / "file.csv.done").exists()
    assert [step.ok for step in adapter.check(route)] == [True, True, True]
