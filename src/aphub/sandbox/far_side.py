"""What all stand-ins share: moods that change while they run, a record of what reached them, start and stop."""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from aphub.sandbox.certificates import CertificateKind

NOT_THE_VENDOR = "stand-in, not the vendor: not yet run against the vendor"


@dataclass(frozen=True, slots=True)
class Mood:
    """How a far side behaves; `times` counts down to "accepts", None never does."""

    name: str = "accepts"
    seconds: float = 0.0
    at: str = ""
    status: int = 0
    kept: bool = True
    words: str = ""
    times: int | None = None


class FarSide(ABC):
    """A school's or council's system, played on loopback.

    Moods are set by method calls from any thread and hold until the next one; a new mood ends the waiting of the
    old one at once. `received_bytes` is everything that reached it, decrypted, for searches after leaks.
    """

    def __init__(self) -> None:
        """Begin in the mood that accepts everything."""
        self._lock = threading.Condition()
        self._mood = Mood()
        self._changed = threading.Event()
        self._chunks: list[bytes] = []
        self._certificate = CertificateKind.GOOD
        self._old_tls = False

    # Coming and going

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Host and port; the port stays the same across `down` and `up`."""

    @abstractmethod
    def up(self) -> None:
        """Listen, on the same port as before; listening already, do nothing."""

    @abstractmethod
    def down(self) -> None:
        """Stop listening and cut every open connection; down already, do nothing."""

    def start(self) -> Self:
        """Listen, and give itself so that calls chain."""
        self.up()
        return self

    def stop(self) -> None:
        """End waiting answers, close everything and join every thread."""
        self._be(Mood())
        self.down()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    # Moods

    def accepts(self) -> None:
        """Take everything: the mood at the start, and the end of every other; certificates become good again."""
        with self._lock:
            self._certificate, self._old_tls = CertificateKind.GOOD, False
        self._be(Mood())
        self.up()

    def is_busy(self, *, times: int | None = None) -> None:
        """Say "not now" without keeping anything."""
        self._be(Mood("busy", times=times))

    def is_slow(self, seconds: float, *, times: int | None = None) -> None:
        """Let every answer wait."""
        self._be(Mood("slow", seconds=seconds, times=times))

    def answers_late(self, seconds: float, *, times: int | None = None) -> None:
        """Keep what came at once, and say so only after `seconds`, when the client may have gone."""
        self._be(Mood("late", seconds=seconds, times=times))

    def cuts_off_after_reading(self, *, kept: bool = True, times: int | None = None) -> None:
        """Read everything, keep it (or not), and close without an answer."""
        self._be(Mood("cuts_off", kept=kept, times=times))

    def is_unreachable(self) -> None:
        """Close the listening socket; `up()` or `accepts()` opens it again."""
        self.down()

    @property
    def mood(self) -> Mood:
        """The mood as it stands."""
        with self._lock:
            return self._mood

    def _be(self, mood: Mood) -> None:
        with self._lock:
            self._mood = mood
            self._changed.set()
            self._changed = threading.Event()

    def _takes(self, name: str, at: str = "") -> Mood | None:
        """Give the mood if it has this name (and place), and count it down."""
        with self._lock:
            mood = self._mood
            if mood.name != name or (at and mood.at != at):
                return None
            if mood.times is not None:
                left = mood.times - 1
                self._mood = replace(mood, times=left) if left > 0 else Mood()
            return mood

    def _waits(self, name: str) -> None:
        """Wait as the mood says, or until the mood changes."""
        with self._lock:
            changed = self._changed
        mood = self._takes(name)
        if mood is not None:
            changed.wait(mood.seconds)

    # Record

    @property
    def received_bytes(self) -> bytes:
        """Everything that reached this far side, as it was after decryption."""
        with self._lock:
            return b"".join(self._chunks)

    def hears(self, words: bytes, seconds: float = 5.0) -> bool:
        """Wait until `words` have reached this far side; say whether they have."""
        with self._lock:
            return self._lock.wait_for(lambda: words in b"".join(self._chunks), seconds)

    def _record(self, chunk: bytes) -> None:
        with self._lock:
            self._chunks.append(chunk)
            self._lock.notify_all()
