"""The promises that every delivery adapter makes, kept by both adapters of this plugin."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from aphub.conformance import DeliveryAdapterRules, Kept
from aphub_drop import DropAdapter, DropRoute, FolderAdapter, FolderConnection, FolderRoute


class TestDrop(DeliveryAdapterRules):
    """Against the SFTP stand-in; far side, connection and route are this folder's fixtures."""

    adapter_class = DropAdapter

    @pytest.fixture
    def far_side(self, far_side):
        return far_side

    @pytest.fixture
    def connection(self, connection):
        return connection

    @pytest.fixture
    def route(self, route):
        return route


class FolderFarSide:
    """A share that can be pulled out, or have a file where the folder was."""

    keeps_names = True
    asks_to_wait: timedelta | None = None
    everything = b""
    addresses = frozenset()

    def __init__(self, share: Path):
        self.share = share
        self.away = share.with_name("away")
        self.folder = share / "hill"
        self.hidden = share / "hill-hidden"
        self.folder.mkdir(parents=True)

    def accepts(self):
        if self.away.exists():
            self.away.rename(self.share)
        if self.hidden.exists():
            self.folder.unlink()
            self.hidden.rename(self.folder)

    def refuses(self):
        self.accepts()
        self.folder.rename(self.hidden)
        self.folder.touch()

    def is_unreachable(self):
        self.accepts()
        self.share.rename(self.away)

    is_busy = is_unreachable
    cuts_off_after_reading = falls_silent = accepts

    @property
    def received(self):
        return tuple(Kept(path.read_bytes(), path.name, path.name) for path in sorted(self.folder.iterdir()))

    @property
    def tries(self):
        return len(self.received) if self.folder.is_dir() else 0


class TestFolder(DeliveryAdapterRules):
    """Against a folder of this machine."""

    adapter_class = FolderAdapter

    @pytest.fixture
    def far_side(self, tmp_path):
        yield FolderFarSide(tmp_path / "share")
        shutil.rmtree(tmp_path / "share", ignore_errors=True)

    @pytest.fixture
    def connection(self, tmp_path):
        return FolderConnection(path=tmp_path / "share", must_be_mounted=False)

    @pytest.fixture
    def route(self):
        return FolderRoute(folder="hill")


class TestDropLocked(TestDrop):
    """Locked for the recipient, with a checksum beside it, and answer files agreed."""

    @pytest.fixture
    def far_side(self, far_side):
        # The file comes after its checksum: before it, nothing has arrived that anybody would take.
        far_side.cut_at = ".p7m"
        return far_side

    @pytest.fixture
    def route(self, recipient_certificate):
        return DropRoute(
            folder="hill",
            encryption="cms",
            recipient_key=recipient_certificate,
            beside=("sha256",),
            answers={"accepted": "{file}.ack"},
        )


class TestFolderReady(TestFolder):
    """A file for people, written under its own name, with a ready file after it."""

    @pytest.fixture
    def route(self):
        return FolderRoute(folder="hill", layout="xporter", opened_by="people", ready_file=".done")
