"""Reading registers: the inbox, the vocabulary and the suggestions against bare csv with dates parsed."""

import csv
import io
import random
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from aphub.api import SourceBatch
from aphub.domain.placements import ArrangedBy, Purpose, Registration
from aphub.domain.vocabulary import Vocabulary
from aphub.plugins import load
from aphub.services.normalise import Arrangement, read_rows
from benchmarks.result import Measured, at_least, at_most

ROWS = 100_000
READ_BAR, MEMORY_BAR = 0.3, 50.0
_MARKS = [("/", "", ""), ("L", "12", ""), ("I", "", "ill"), ("N", "", ""), ("/", "", ""), ("/", "", "")]


@dataclass(slots=True)
class Bare:
    """A row as the floor keeps it."""

    ref: str
    upn: str
    name: str
    day: date
    starts: str
    mark: str
    minutes: str
    reason: str


def register(rows: int) -> bytes:
    """Write a register of one month; every third row has a reason of its own."""
    chance = random.Random(1)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["Pupil Ref", "UPN", "Name", "Date", "Start time", "Mark", "Minutes late", "Reason"])
    for number in range(rows):
        mark, minutes, reason = chance.choice(_MARKS)
        if number % 3 == 0:
            reason = f"note {number}"
        day = f"2026-03-{number % 28 + 1:02d}"
        upn = f"A99940012{number % 10000:04d}"
        writer.writerow([f"{number % 5000:05d}", upn, "Sam Example", day, "09:00", mark, minutes, reason])
    return out.getvalue().encode()


def floor(content: bytes) -> int:
    """Read with csv, a dict a row, and a slots dataclass with its date parsed."""
    count = 0
    for row in csv.DictReader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")):
        Bare(
            row["Pupil Ref"],
            row["UPN"],
            row["Name"],
            date.fromisoformat(row["Date"]),
            row["Start time"],
            row["Mark"],
            row["Minutes late"],
            row["Reason"],
        )
        count += 1
    return count


def ours(content: bytes) -> Callable[[], int]:
    """Give the hub's whole pass: read, normalise, suggest; nothing stored."""
    source_class = load().sources["inbox"]
    source = source_class(source_class.settings_class.model_validate({"folder": "x"}))
    vocabulary = Vocabulary.from_config({}, date(2026, 3, 3), base="dfe-2024-08")
    kinds = [Arrangement(by, Registration.HOME, Purpose.HOME_SCHOOL) for by in ArrangedBy]
    arranged = {f"{number:05d}": kinds[number % 2] for number in range(5000)}

    def read() -> int:
        batch = SourceBatch("a.csv", "text/csv", content)
        return sum(
            1 for _ in read_rows(source.rows(batch), vocabulary, lambda row: arranged.get(row.pupil_ref))
        )

    return read


def measure(rounds: int) -> list[Measured]:
    """Measure speed in turns, then memory."""
    content = register(ROWS)
    read = ours(content)
    ratios = []
    for _ in range(rounds):
        began = time.process_time()
        floor(content)
        bare = time.process_time() - began
        began = time.process_time()
        if read() != ROWS:
            message = "rows were lost"
            raise RuntimeError(message)
        ratios.append(bare / (time.process_time() - began))
    tracemalloc.start()
    read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return [
        at_least(
            f"read, normalise, suggest {ROWS} rows", ratios, READ_BAR, words="of csv + dict + dataclass"
        ),
        at_most("its memory above start", peak / 1e6, MEMORY_BAR, "MB"),
    ]
