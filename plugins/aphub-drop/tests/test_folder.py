import errno

import pytest

from aphub.api import (
    Answer,
    Document,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.testing import sample_delivery, sample_tools
from aphub_drop import FolderAdapter, FolderConnection, FolderRoute
from aphub_drop.placing_here import place_in_folder

ROUTE = FolderRoute(folder="hill")


@pytest.fixture
def hill(tmp_path):
    hill = tmp_path / "hill"
    hill.mkdir()
    return hill


@pytest.fixture
def adapter(hill):
    return FolderAdapter(FolderConnection(path=hill.parent, must_be_mounted=False), sample_tools())


def delivery(content=b"ours"):
    return sample_delivery(FolderAdapter, ROUTE, documents=(Document("file.csv", "text/csv", content),))


def says(number):
    def refuse(*_: object) -> None:
        raise OSError(number, "played")

    return refuse


def answers(result):
    return {one.answer for one in result.results}


def test_a_file_is_whole_or_not_there_and_never_overwritten(adapter, hill):
    assert answers(adapter.deliver(delivery())) == {Answer.TAKEN}
    assert answers(adapter.deliver(delivery())) == {Answer.ALREADY_THERE}
    assert answers(adapter.deliver(delivery(b"mine"))) == {Answer.DIFFERS}
    assert {path.name: path.read_bytes() for path in hill.iterdir()} == {"file.csv": b"ours"}


def test_a_share_that_is_not_mounted_is_not_written_to(hill):
    adapter = FolderAdapter(FolderConnection(path=hill.parent), sample_tools())
    with pytest.raises(TransientDeliveryError, match="not mounted"):
        adapter.deliver(delivery())
    assert list(hill.iterdir()) == []


def test_a_link_planted_in_the_place_of_the_unfinished_file_is_not_followed(adapter, hill, tmp_path):
    target = tmp_path / "elsewhere"
    (hill / ".file.csv.part").symlink_to(target)
    with pytest.raises(TransientDeliveryError):
        adapter.deliver(delivery())
    assert not target.exists()


@pytest.mark.parametrize("call", ["sync", "link"])
@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, TransientDeliveryError, "disk full"),
        (errno.EDQUOT, TransientDeliveryError, "disk full"),
        (errno.ESTALE, TransientDeliveryError, "ESTALE"),
        (errno.EACCES, RefusedDeliveryError, "permission denied"),
    ],
)
def test_what_the_share_says_is_told_by_what_happens_next(hill, call, number, kind, code):
    if call == "link":
        named = {errno.ESTALE: (UncertainDeliveryError, "connection lost")}
        full = (TransientDeliveryError, "disk full")
        kind, code = named.get(
            number, full if code == "disk full" else (RefusedDeliveryError, "rename refused")
        )
    with pytest.raises(kind) as said:
        place_in_folder(hill, delivery().documents[0], **{call: says(number)})
    assert said.value.code == code
    assert list(hill.iterdir()) == []


def test_a_share_without_links_gets_its_files_by_renaming(hill):
    link = says(errno.EOPNOTSUPP)
    assert place_in_folder(hill, delivery().documents[0], link=link) is Answer.TAKEN
    assert place_in_folder(hill, delivery(b"mine").documents[0], link=link) is Answer.DIFFERS
    assert {path.name: path.read_bytes() for path in hill.iterdir()} == {"file.csv": b"ours"}
