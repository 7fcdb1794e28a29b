"""What every test of the project shares, those of the plugins too."""

import logging
from collections import Counter

import pytest

pytest_plugins = ["tests.house.run_report"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of our own."""
    parser.addoption(
        "--faults-many",
        nargs="?",
        type=int,
        const=1000,
        default=25,
        metavar="N",
        help="kill at N (1,000) random moments instead of 25 on each store",
    )
    parser.addoption(
        "--faults-seed",
        type=int,
        default=20260303,
        metavar="S",
        help="choose other random moments, so that many can be tried in parts",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give out what takes long first, then the largest files, so that no worker is left alone with one at the end."""
    if not hasattr(config, "workerinput"):
        return  # one process: the order makes no difference, and stays shuffled
    long = {item.path for item in items if item.get_closest_marker("slow")}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in long, -tests[item.path], item.path))


@pytest.fixture(autouse=True)
def _log_levels_are_fresh() -> None:
    """Undo what opening a hub, in an earlier test or a shared fixture, does to the process's loggers."""
    for name in ("httpx", "httpcore", "asyncssh", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)
