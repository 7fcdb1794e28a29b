"""Say at the end of a run where the time went, and which tests could not run on this machine."""

from collections import defaultdict
from pathlib import PurePosixPath

import pytest

from tests.real_servers import NOT_RUN


class RunReport:
    """Counts seconds by folder while the tests run."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.tests: defaultdict[str, int] = defaultdict(int)
        self.not_run: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of one test to its folder."""
        folder = folder_of(report.nodeid)
        self.seconds[folder] += report.duration
        if report.when == "call":
            self.tests[folder] += 1
        if report.skipped and isinstance(report.longrepr, tuple) and NOT_RUN in report.longrepr[2]:
            self.not_run.append((report.nodeid, report.longrepr[2].partition(NOT_RUN)[2].strip()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print both lists."""
        terminalreporter.section("time by folder")
        for folder, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{seconds:8.2f} s {self.tests[folder]:6} tests  {folder}")
        if self.not_run:
            terminalreporter.section("not run on this machine")
            for name, why in sorted(self.not_run):
                terminalreporter.write_line(f"not run: {name} {why}")


def folder_of(nodeid: str) -> str:
    """Name the folder that a test's time is counted under: `tests/domain`, `plugins/aphub-drop`."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parts[:-1]
    return "/".join(parts[:2]) or "."


def pytest_configure(config: pytest.Config) -> None:
    """Keep one report for the run."""
    config.pluginmanager.register(RunReport(), "aphub-run-report")
