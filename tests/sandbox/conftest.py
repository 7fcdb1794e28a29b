"""Far sides for tests of far sides: one authority for the run, since keys cost time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aphub.sandbox import DemoAuthority, SmtpSink


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    """Give a demo authority."""
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sink(authority: DemoAuthority, tmp_path: Path) -> Iterator[SmtpSink]:
    """Run a mail server."""
    with SmtpSink(authority, tmp_path / "mail") as sink:
        yield sink
