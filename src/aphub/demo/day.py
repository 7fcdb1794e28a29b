"""What happens on the played day, and when: the registers that come in, and the far sides that fail."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from aphub.demo import registers
from aphub.demo import registers_of_three as three
from aphub.demo.far_sides import FarSides
from aphub.demo.folder import Folder
from aphub.domain.calendar import to_utc

THURSDAY, FRIDAY, MONDAY = date(2026, 2, 26), date(2026, 2, 27), date(2026, 3, 2)
TUESDAY = registers.DAY


def at(clock: str, day: date = TUESDAY) -> datetime:
    """Give the instant of a London clock time, on the Tuesday unless another day is named."""
    return to_utc(day, time.fromisoformat(clock))


DAYS_BEFORE = at("06:00", FRIDAY)
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
    """Give what happens from outside."""

    def arrives(provider: str, name: str, content: Callable[[], bytes]) -> Callable[[datetime], object]:
        return lambda now: put(folder.inbox(provider) / name, content(), now)

    def comes(
        clock: str, provider: str, words: str, marks: registers.Marks, starts: str, day: date = TUESDAY
    ) -> Happening:
        name = f"register {day.day} {clock.replace(':', '')}.csv"
        return Happening(at(clock, day), words, arrives(provider, name, three.register(marks, starts, day)))

    return (
        *(
            comes("09:38", "red-everywhere", f"Red Everywhere: {words}", three.RED_DAYS_BEFORE, "09:30", day)
            for day, words in ((FRIDAY, "a pupil is away, unexplained"), (MONDAY, "the same pupil again"))
        ),
        comes(
            "08:40",
            "safe-space",
            "Safe Space: a mentor is ill, the afternoon is cancelled",
            three.SPACE_CANCELLED,
            "13:15",
        ),
        comes(
            "09:04",
            "cst",
            "CST AEP: the morning's register (an old list of letters)",
            three.CST_MORNING,
            "09:00",
        ),
        comes("09:24", "safe-space", "Safe Space: the first lesson's register", three.SPACE_MORNING, "09:15"),
        comes("09:38", "red-everywhere", "Red Everywhere: the day's register", three.RED_MORNING, "09:30"),
        comes(
            "10:08",
            "safe-space",
            "Safe Space: who came online, who did not, who could not",
            three.SPACE_ONLINE,
            "10:00",
        ),
        comes("10:36", "safe-space", "Safe Space: the second lesson's register", three.SPACE_SECOND, "10:30"),
        comes("13:04", "cst", "CST AEP: the afternoon's register", three.CST_AFTERNOON, "13:00"),
        comes("13:40", "cst", "CST AEP: a pupil has left the site", three.CST_ABSCONDED, "13:00"),
        Happening(
            at("08:50"),
            "YPM: a tutor is ill, one lesson is cancelled",
            arrives("ypm", "tutor off.csv", registers.ypm_cancelled),
        ),
        Happening(
            at("09:20"),
            "SENtre: the morning's register (CSV, DfE letters)",
            arrives("sentre", "AM register 03-03.csv", registers.sentre_morning),
        ),
        Happening(
            at("09:24"),
            "SENtre: the same file again, under another name",
            arrives("sentre", "AM register 03-03 (1).csv", registers.sentre_morning),
        ),
        Happening(
            at("09:37"),
            "The mail server says: busy, come back later",
            lambda _: sides.smtp.is_busy(),
            bad=True,
        ),
        Happening(
            at("09:38"),
            "YPM: the morning's register (XLSX, plain words)",
            arrives("ypm", "Register Tuesday.xlsx", registers.ypm_morning),
        ),
        Happening(at("09:39"), "The mail server works again", lambda _: sides.smtp.accepts()),
        Happening(at("09:41"), "The secure folders cannot be reached", lambda _: sides.sftp.down(), bad=True),
        Happening(at("10:05"), "The secure folders can be reached again", lambda _: sides.sftp.up()),
        Happening(
            at("13:11"),
            "SENtre: the afternoon's register (XLSX, zeros eaten)",
            arrives("sentre", "PM register.xlsx", registers.sentre_afternoon),
        ),
        Happening(
            at("13:40"),
            "YPM: the afternoon's register, ten minutes late (CSV)",
            arrives("ypm", "afternoon.csv", registers.ypm_afternoon),
        ),
        Happening(
            at("14:20"),
            "SENtre: two marks of the morning are put right",
            arrives("sentre", "AM corrections.csv", registers.sentre_correction),
        ),
    )


def put(path: Path, content: bytes, now: datetime) -> None:
    """Put a file into a folder whole, as a careful program does, with the played time as its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.utime(temporary, (now.timestamp(), now.timestamp()))
    temporary.rename(path)
