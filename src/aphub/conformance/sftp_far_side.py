"""An SFTP far side: the stand-in of `aphub.sandbox`, with the kit's moods."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from aphub.conformance.far_sides import Kept
from aphub.sandbox.far_side import Mood
from aphub.sandbox.sftp import SftpSink

TEMPORARY = ".part"


class _CountingSink(SftpSink):
    """Counts the files that somebody began to write."""

    begun = 0

    def trouble(self, name: str, at: str = "") -> Mood | None:
        """Every opening for writing asks for this one."""
        if (name, at) == ("refuses", "open"):
            self.begun += 1
        return super().trouble(name, at)


class SftpFarSide:
    """A folder behind an SFTP server on loopback; `sink` is the stand-in, for more of its moods."""

    keeps_names = True
    asks_to_wait: timedelta | None = None
    cut_at = ""
    """Ending of the file that comes last, where several make one delivery."""

    def __init__(self, folder: Path, *, authorized_keys: Sequence[str], **options: Any) -> None:
        """Start the server; `options` are the stand-in's."""
        self.sink = _CountingSink(folder, authorized_keys=authorized_keys, **options)
        self.sink.start()

    def close(self) -> None:
        """Stop the server."""
        self.sink.stop()

    def accepts(self) -> None:
        """Take everything."""
        self.sink.accepts()

    def refuses(self) -> None:
        """Let nobody write."""
        self.sink.accepts()
        self.sink.refuses()

    def is_busy(self) -> None:
        """Hang up before the greeting."""
        self.sink.accepts()
        self.sink.is_busy()

    def is_unreachable(self) -> None:
        """Close the port."""
        self.sink.is_unreachable()

    def cuts_off_after_reading(self) -> None:
        """Rename, and leave instead of answering."""
        self.sink.accepts()
        self.sink.cuts_off_after_reading(kept=True, ending=self.cut_at)

    def falls_silent(self) -> None:
        """Keep every question waiting."""
        self.sink.accepts()
        self.sink.is_slow(120)

    @property
    def received(self) -> tuple[Kept, ...]:
        """The finished files."""
        return tuple(
            Kept(content, name=Path(name).name, identity=name)
            for name, content in self.sink.files().items()
            if not name.endswith(TEMPORARY)
        )

    @property
    def everything(self) -> bytes:
        """Names and contents that reached the server."""
        return self.sink.received_bytes

    @property
    def tries(self) -> int:
        """How many files were opened for writing."""
        return self.sink.begun

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """Its port."""
        return frozenset({self.sink.address})
