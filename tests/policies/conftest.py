"""A week of any provider, on each kind of store."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.policies.week import Child, PlayWeek, Week, play

MONDAY = date(2026, 3, 9)
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the test's own is made in it


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that needs no disk, where there is one: a week commits some thousand times."""
    if not IN_MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=IN_MEMORY) as name:
        yield Path(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def week_at(request: pytest.FixtureRequest, folder: Path) -> Iterator[PlayWeek]:
    """Give `week_at("ypm", Lee=child(...), ...)`."""
    made: list[Week] = []
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), folder / "hub.db")
        url = f"sqlite:///{folder / 'hub.db'}"
    else:
        url = request.getfixturevalue("postgres_url")

    def begin(
        slug: str,
        *,
        monday: date = MONDAY,
        edit: Mapping[str, Callable[[str], str]] | None = None,
        **children: Child,
    ) -> Week:
        made.append(play(folder / "home", url, slug, monday, children, edit or {}))
        return made[-1]

    yield begin
    for week in made:
        week.hub.close()
