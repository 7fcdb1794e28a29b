"""One day is played for all the tests that look at it."""

import io
from collections.abc import Iterator
from time import monotonic

import pytest
from rich.console import Console

from aphub import demo
from aphub.hub import Hub, open_hub
from aphub.settings.models import OrganisationConfig
from tests.end_to_end.played_day import (
    Played,
    arrival,
    parse,
)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    home = tmp_path_factory.mktemp("played") / "demo"
    out = io.StringIO()
    began = monotonic()
    status = demo.play(home, Console(file=out, width=80))
    seconds = monotonic() - began
    files = sorted((home / "mail").glob("new/*"), key=arrival)
    mails = [parse(path.read_bytes()) for path in files]
    told = tuple(one for one in mails if not one.is_for_our_office)
    return Played(
        home, status, out.getvalue(), seconds, told, tuple(one for one in mails if one.is_for_our_office)
    )


@pytest.fixture(scope="session")
def hub(played: Played) -> Iterator[Hub]:
    opened = open_hub(played.home, allow_simulated=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def organisations(hub: Hub) -> dict[str, OrganisationConfig]:
    return {slug: one for desk in hub.desks() for slug, one in desk.config.organisations.items()}
