"""Fixtures of the services' tests: a world on each kind of store."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, build_world

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path, store_url: str) -> Iterator[MakeWorld]:
    """Give `make_world(schools=…, agreements=…, now=…)`."""
    made: list[World] = []

    def make(**options: Any) -> World:
        made.append(build_world(tmp_path / "home", store_url, **options))
        return made[-1]

    yield make
    for world in made:
        world.hub.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Give a world with one school that is told daily by 9:45."""
    return make_world()


@pytest.fixture
def make_world_anew(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeWorld]:
    """Give `make_world_anew(…)` for tests with many examples: each call begins with an empty SQLite store."""
    template: Path = request.getfixturevalue("_sqlite_template")
    made: list[World] = []

    def make(**options: Any) -> World:
        for world in made:
            world.hub.close()
        home = tmp_path / f"home-{len(made)}"
        home.mkdir()
        shutil.copyfile(template, home / "hub.db")
        made.append(build_world(home, f"sqlite:///{home / 'hub.db'}", **options))
        return made[-1]

    yield make
    for world in made:
        world.hub.close()
