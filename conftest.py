"""What every test of the project shares, those of the plugins too."""

import logging
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.house.run_report"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one option of our own."""
    parser.addoption(
        "--faults-many", action="store_true", help="kill at 1,000 random moments instead of 25 on each store"
    )


@pytest.fixture(autouse=True)
def _log_levels_do_not_outlive_a_test() -> Iterator[None]:
    """Undo what opening a hub does to the process's loggers, so that no test depends on another."""
    names = ("httpx", "httpcore", "asyncssh", "alembic")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)
