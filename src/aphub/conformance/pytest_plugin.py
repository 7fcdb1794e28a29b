"""The pytest side of the kit: rules that are owed stay, rules that are not fall away, the level is reported."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aphub.conformance.quality import Quality, Tally

KIT = "aphub_conformance_kit"
_NOTE = "aphub-conformance"
_EXEMPT = pytest.StashKey[dict[str, dict[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the results."""
    config.stash[_EXEMPT] = {}
    config.pluginmanager.register(_Tallies(), "aphub-conformance-tallies")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect rules that this adapter does not owe, or is exempt from with a reason."""
    if not any(_rules_class(item) for item in items):
        return
    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        (kept if _stays(config, item) else gone).append(item)
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how each rule went."""
    report = yield
    cls = _rules_class(item)
    if cls is not None and (call.when == "call" or report.failed):
        name = f"{cls.adapter_class.name} ({cls.__name__})"
        exempt = item.config.stash[_EXEMPT].get(item.nodeid.rpartition("::")[0], {})
        # A report crosses from a worker to the process that prints (pytest-xdist); the stash does not.
        report.user_properties.append((_NOTE, [name, str(item.path), _rule(item), exempt]))
    return report


class _Tallies:
    """Counts how the rules went, in the process that prints."""

    def __init__(self) -> None:
        self._by_name: dict[str, Tally] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how one rule went."""
        for key, value in report.user_properties:
            if key == _NOTE:
                self._note(report, *value)  # type: ignore[misc]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say for each adapter what it has reached."""
        if self._by_name:
            terminalreporter.section("aphub conformance")
            for tally in self._by_name.values():
                for line in tally.lines():
                    terminalreporter.write_line(line)

    def _note(
        self, report: pytest.TestReport, name: str, path: str, rule: str, exempt: dict[str, str]
    ) -> None:
        from aphub.conformance.quality import Tally  # noqa: PLC0415 - loaded in every run of pytest

        if name not in self._by_name:
            self._by_name[name] = Tally(name, _quality(Path(path)), exempt=exempt)
        self._by_name[name].note(rule, passed=report.passed)


def _rules_class(item: pytest.Item) -> type[Any] | None:
    """Give the test class if this item is one of the kit's rules."""
    cls = getattr(item, "cls", None)
    function = getattr(item, "function", None)
    if cls is None or not getattr(cls, KIT, False) or not hasattr(function, "conformance_rule"):
        return None
    return cls  # type: ignore[no-any-return]


def _rule(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name)).removeprefix("test_")


def _stays(config: pytest.Config, item: pytest.Item) -> bool:
    cls = _rules_class(item)
    if cls is None:
        return True
    if not cls.owes(item.function):  # type: ignore[attr-defined]
        return False
    reason = _quality(item.path).exempt(cls.__name__, _rule(item))
    if reason:
        config.stash[_EXEMPT].setdefault(item.nodeid.rpartition("::")[0], {})[_rule(item)] = reason
    return not reason


def _quality(path: Path) -> "Quality":
    from aphub.conformance.quality import find_quality  # noqa: PLC0415 - likewise

    return find_quality(path)
