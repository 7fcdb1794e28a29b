"""A week of any provider, on each kind of store."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.policies.week import Child, PlayWeek, Week, play

MONDAY = date(2026, 3, 9)


@pytest.fixture
def week_at(tmp_path: Path, store_url: str) -> Iterator[PlayWeek]:
    """Give `week_at("ypm", Lee=child(...), ...)`."""
    made: list[Week] = []

    def begin(slug: str, *, monday: date = MONDAY, **children: Child) -> Week:
        made.append(play(tmp_path / "home", store_url, slug, monday, children))
        return made[-1]

    yield begin
    for week in made:
        week.hub.close()
