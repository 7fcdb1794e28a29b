"""What happens on the played day, and when: the registers that come in, and the far sides that fail."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from aphub.demo import registers
from aphub.demo.far_sides import FarSides
from aphub.demo.folder import Folder
from aphub.domain.calendar import to_utc

MONDAY = date(2026, 3, 2)
TUESDAY = registers.DAY


def at(clock: str, day: date = TUESDAY) -> datetime:
    """Give the instant of a London clock time, on the Tuesday unless another day is named."""
    return to_utc(day, time.fromisoformat(clock))


STARTS = at("06:00")
ENDS = at("18:00")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens to the hub from outside, in words and in deed."""

    at: datetime
    words: str
    do: Callable[[datetime], object]
    bad: bool = False


def happenings(folder: Folder, sides: FarSides) -> Sequence[Happening]:
    """Give the day's happenings in the order of their times."""

    def arrives(provider: str, name: str, content: Callable[[], bytes]) -> Callable[[datetime], object]:
        return lambda now: put(folder.inbox(provider) / name, content(), now)

    return (
        Happening(
            at("08:50"),
            "Old Mill: a tutor is ill, one lesson is cancelled",
            arrives("old-mill", "tutor off.csv", registers.mill_cancelled),
        ),
        Happening(
            at("09:20"),
            "Riverbank: the morning's register (CSV, DfE letters)",
            arrives("riverbank", "AM register 03-03.csv", registers.riverbank_morning),
        ),
        Happening(
            at("09:24"),
            "Riverbank: the same file again, under another name",
            arrives("riverbank", "AM register 03-03 (1).csv", registers.riverbank_morning),
        ),
        Happening(
            at("09:37"),
            "The mail server says: busy, come back later",
            lambda _: sides.smtp.is_busy(),
            bad=True,
        ),
        Happening(
            at("09:38"),
            "Old Mill: the morning's register (XLSX, plain words)",
            arrives("old-mill", "Register Tuesday.xlsx", registers.mill_morning),
        ),
        Happening(at("09:39"), "The mail server works again", lambda _: sides.smtp.accepts()),
        Happening(at("09:41"), "The secure folders cannot be reached", lambda _: sides.sftp.down(), bad=True),
        Happening(at("10:05"), "The secure folders can be reached again", lambda _: sides.sftp.up()),
        Happening(
            at("13:11"),
            "Riverbank: the afternoon's register (XLSX, zeros eaten)",
            arrives("riverbank", "PM register.xlsx", registers.riverbank_afternoon),
        ),
        Happening(
            at("13:40"),
            "Old Mill: the afternoon's register, ten minutes late (CSV)",
            arrives("old-mill", "afternoon.csv", registers.mill_afternoon),
        ),
        Happening(
            at("14:20"),
            "Riverbank: two marks of the morning are put right",
            arrives("riverbank", "AM corrections.csv", registers.riverbank_correction),
        ),
    )


def put(path: Path, content: bytes, now: datetime) -> None:
    """Put a file into a folder whole, as a careful program does, with the played time as its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.utime(temporary, (now.timestamp(), now.timestamp()))
    temporary.rename(path)
