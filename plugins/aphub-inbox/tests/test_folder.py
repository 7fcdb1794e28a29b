"""The folder: what waits, in which order, and how it is put away."""

import os
import stat
from typing import Any

import pytest

from aphub.api import SourceRefusedError
from aphub_inbox import Inbox, InboxSettings
from aphub_inbox.inbox import FolderMissingError

CONTENT = b"Ref,Date,Mark\n1,03/03/2026,/\n"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "inbox").mkdir()
    return tmp_path


def box(home, **settings: Any):
    return Inbox(InboxSettings(**{"folder": "inbox", "still_for": 60, **settings}), home)


def put(home, name, age=120, content=CONTENT):
    path = home / "inbox" / name
    path.write_bytes(content)
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    return path


def names(home):
    return sorted(
        path.relative_to(home / "inbox").as_posix() for path in (home / "inbox").rglob("*") if path.is_file()
    )


def test_files_wait_oldest_first(home):
    put(home, "b.csv", age=200)
    put(home, "a.csv", age=100)
    put(home, "C.XLSX", age=300)

    assert [batch.name for batch in box(home).waiting()] == ["C.XLSX", "b.csv", "a.csv"]


def test_a_file_that_just_changed_is_left_alone(home):
    put(home, "a.csv", age=5)

    assert list(box(home).waiting()) == []


def test_a_clock_that_runs_ahead_elsewhere_holds_nothing_back(home):
    put(home, "a.csv", age=-7200)

    assert len(list(box(home).waiting())) == 1


@pytest.mark.parametrize(
    "name", ["~$a.xlsx", ".a.csv", "a.csv.part", "a.csv.crdownload", "notes.docx", "a.tmp"]
)
def test_what_is_no_finished_register_is_left_alone(home, name):
    put(home, name)

    assert list(box(home).waiting()) == []


def test_links_and_folders_are_left_alone(home):
    secret = home / "elsewhere.csv"
    secret.write_bytes(CONTENT)
    (home / "inbox" / "link.csv").symlink_to(secret)
    (home / "inbox" / "folder.csv").mkdir()

    assert list(box(home, still_for=0).waiting()) == []


def test_only_the_wanted_names_are_taken(home):
    put(home, "Register 3.csv")
    put(home, "Menu.csv")

    assert [batch.name for batch in box(home, patterns=["register*.csv"]).waiting()] == ["Register 3.csv"]


@pytest.mark.parametrize(("taken", "folder"), [(True, "done"), (False, "refused")])
def test_what_was_settled_stays_sealed_with_its_report_and_the_plain_file_goes(home, taken, folder):
    put(home, "a.csv")
    source = box(home)
    [batch] = source.waiting()
    source.settled(batch, taken=taken, report="All well.", sealed=b"sealed bytes")

    assert names(home) == [f"{folder}/a.csv.report.txt", f"{folder}/a.csv.sealed"]
    kept = home / "inbox" / folder / "a.csv.sealed"
    assert kept.read_bytes() == b"sealed bytes"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_same_name_on_another_day_replaces_nothing(home):
    for sealed in (b"one", b"two"):
        put(home, "a.csv")
        source = box(home)
        [batch] = source.waiting()
        source.settled(batch, taken=True, report="", sealed=sealed)

    assert {path.read_bytes() for path in (home / "inbox" / "done").glob("*.sealed")} == {b"one", b"two"}


def test_settling_again_after_an_interruption_leaves_one_copy(home):
    path = put(home, "a.csv")
    source = box(home)
    [batch] = source.waiting()
    source.settled(batch, taken=True, report="", sealed=b"one")
    path.write_bytes(CONTENT)  # as if the plain file had not gone yet
    box(home).settled(batch, taken=True, report="", sealed=b"one")

    assert names(home) == ["done/a.csv.report.txt", "done/a.csv.sealed"]


def test_a_file_that_was_overwritten_meanwhile_stays_for_its_own_turn(home):
    put(home, "a.csv")
    source = box(home)
    [batch] = source.waiting()
    put(home, "a.csv", content=CONTENT + b"2,03/03/2026,/\n")
    source.settled(batch, taken=True, report="", sealed=b"one")

    assert "a.csv" in names(home)


def test_an_original_from_elsewhere_is_not_looked_for(home):
    source = box(home)
    put(home, "a.csv")
    [batch] = source.waiting()
    (home / "inbox" / "a.csv").unlink()
    source.settled(batch, taken=True, report="", sealed=b"one")

    assert names(home) == []


def test_a_file_that_is_too_large_is_never_opened_and_kept_as_it_came(home):
    put(home, "a.csv", content=b"x" * 1_000_001)
    source = box(home, largest_mb=1)
    [batch] = source.waiting()
    with pytest.raises(SourceRefusedError, match="larger than 1 MB"):
        source.rows(batch)
    source.settled(batch, taken=False, report="Too large.", sealed=b"")

    assert batch.content == b""
    assert names(home) == ["refused/a.csv", "refused/a.csv.report.txt", "refused/a.csv.sealed"]


def test_a_folder_that_is_not_there_is_said_and_never_made(tmp_path):
    with pytest.raises(FolderMissingError, match="connect the drive"):
        list(Inbox(InboxSettings(folder="inbox"), tmp_path).waiting())
    assert not (tmp_path / "inbox").exists()


def test_an_unknown_column_in_the_settings_is_named():
    with pytest.raises(ValueError, match="'code' is no column of ours"):
        InboxSettings(folder="x", columns={"code": "Mark"})


def test_the_hub_finds_the_source():
    from importlib.metadata import entry_points

    [point] = [point for point in entry_points(group="aphub") if point.name == "inbox"]
    found = []
    point.load().register_sources(register=found.append)
    assert found == [Inbox]
