"""The week's figures of every placement, counted by the database, and the lists that people look at, warm."""

import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import time as wall
from pathlib import Path

from aphub.services import figures, overview
from aphub.services.desk import Desk
from benchmarks import mail
from benchmarks.result import Measured, at_most
from benchmarks.world import DAY, at, fill, make_hub, new_home, write_config

WEEK_BAR, LOOK_BAR = 60.0, 0.3
GROUPS: Sequence[tuple[str, ...]] = (
    (),
    ("placement",),
    ("organisation",),
    ("weekday",),
    ("starts", "subject"),
    ("kind",),
)


_CONNECTION: dict[str, object] = {
    "adapter": "email",
    "host": "localhost",
    "port": 25,
    "security": "tls",
    "from_address": "attendance@riverbank.example.org",
}
"""Nothing is sent here."""


def measure(placements: int) -> list[Measured]:
    """Fill one large day and count it, as a week's summary does; then look at the day, warm."""
    with tempfile.TemporaryDirectory() as folder:
        home, clock = new_home(Path(folder))
        write_config(home, placements // 10, _CONNECTION, mail.ROUTE)
        hub = make_hub(home, clock)
        try:
            desk = fill(hub, placements)
            clock.advance_to(at(wall(16)))
            rows = [
                at_most(
                    f"week's figures of {placements}, all groups", _counted(desk, placements), WEEK_BAR, "s"
                )
            ]
            for name, look in (("today", overview.today), ("log", overview.log)):
                look(desk)
                began = time.perf_counter()
                look(desk)
                rows.append(
                    at_most(f"{name} at {placements}, warm", time.perf_counter() - began, LOOK_BAR, "s")
                )
        finally:
            hub.close()
    return rows


def _counted(desk: Desk, placements: int) -> float:
    began = time.perf_counter()
    with desk.store.reading() as connection:
        counting = figures.counting_of(desk, connection, *figures.week_of(DAY))
        found = [figures.counted(desk, connection, counting, by) for by in GROUPS]
    taken = time.perf_counter() - began
    assert found[0][()].figures.lessons.in_person == placements
    assert len(found[1]) == placements
    return taken


if __name__ == "__main__":
    for row in measure(int(sys.argv[1])):
        print(row)
