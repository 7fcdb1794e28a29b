"""The pytest side of the kit: rules that are owed stay, rules that are not fall away, the level is reported."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aphub.conformance.quality import Quality, Tally

KIT = "aphub_conformance_kit"
_TALLIES = pytest.StashKey[dict[str, "Tally"]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the results."""
    config.stash[_TALLIES] = {}


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
    if _rules_class(item) is not None and (call.when == "call" or report.failed):
        _tally(item.config, item).note(_rule(item), passed=report.passed)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say for each adapter what it has reached."""
    tallies = config.stash[_TALLIES]
    if tallies:
        terminalreporter.section("aphub conformance")
        for tally in tallies.values():
            for line in tally.lines():
                terminalreporter.write_line(line)


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
        _tally(config, item).exempt[_rule(item)] = reason
    return not reason


def _quality(path: Path) -> "Quality":
    from aphub.conformance.quality import find_quality  # noqa: PLC0415 - loaded in every run of pytest

    return find_quality(path)


def _tally(config: pytest.Config, item: pytest.Item) -> "Tally":
    from aphub.conformance.quality import Tally  # noqa: PLC0415 - likewise

    cls = _rules_class(item)
    name = f"{cls.adapter_class.name} ({cls.__name__})" if cls else item.name
    tallies = config.stash[_TALLIES]
    if name not in tallies:
        tallies[name] = Tally(name, _quality(item.path))
    return tallies[name]
