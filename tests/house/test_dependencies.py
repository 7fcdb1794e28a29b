"""What is imported is declared, what is declared is pinned, what is pinned has its hashes."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.house.project import ROOT, parsed, projects, python_files

OURS = frozenset(project["project"]["name"] for project in projects().values())
# A pytest plugin is not imported but found; what typing alone needs is installed with what it types.
LOCK = (ROOT / "requirements.lock").read_text()


def normal(requirement: str) -> str:
    """Give the bare name of a requirement, as registries compare them."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def declared(project: dict[str, Any]) -> set[str]:
    """Name all that a distribution may ask for: needed, optional, and for development."""
    optional = project["project"].get("optional-dependencies", {}).values()
    groups = project.get("dependency-groups", {}).values()
    lists = [project["project"].get("dependencies", []), *optional, *groups]
    return {normal(requirement) for one in lists for requirement in one}


def pins() -> dict[str, str]:
    """Give each pin of the lock with the lines under it."""
    blocks = re.findall(r"^([\w.-]+)==(.*(?:\n[ \t].*)*)", LOCK, flags=re.MULTILINE)
    return {normal(name): block for name, block in blocks}


def test_the_lock_pins_every_dependency():
    wanted = {name for project in projects().values() for name in declared(project)} - OURS

    assert wanted - pins().keys() == set()


def test_every_pin_has_hashes():
    assert [name for name, block in pins().items() if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("folder", projects(), ids=lambda folder: folder.name)
def test_a_distribution_declares_what_it_imports(folder: Path):
    known = packages_distributions()
    allowed = declared(projects()[folder]) | {projects()[folder]["project"]["name"]}
    foreign = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files(str((folder / "src").relative_to(ROOT)))
        for module in imported(path)
        if module not in sys.stdlib_module_names
        and not {normal(name) for name in known.get(module, [module])} & allowed
    }

    assert foreign == set()


def imported(path: Path) -> set[str]:
    """Name the top packages that a module imports, wherever in it."""
    modules: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            modules.add(node.module.partition(".")[0])
    return modules
