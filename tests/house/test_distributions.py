"""Each distribution stands alone: built as a wheel, put into an empty environment, found by its entry point."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house.project import ROOT, projects

pytestmark = pytest.mark.slow

PLUGINS = [folder for folder in projects() if folder != ROOT]
# Not a virtual environment's business, or not in the cache since pip brought it.
_NOT_NEEDED = ("uv",)

_WHAT_IS_FOUND = """
import json, sys
from importlib.metadata import entry_points
from importlib.util import find_spec
points = {point.name: point for point in entry_points(group="aphub")}
plugin = points[sys.argv[1]].load()
from aphub.plugins import load
loaded = load()
print(json.dumps({
    "points": sorted(points),
    "places": [plugin.__file__, find_spec("aphub").origin],
    "quarantined": [f"{one.name}: {one.why}" for one in loaded.quarantined],
    "abilities": sorted({*loaded.adapters, *loaded.sources, *loaded.renderers}),
}))
"""


def uv(*words: str | Path) -> None:
    """Run the uv of our own environment; what it needs lies in its cache since `make setup`."""
    command = [Path(sys.executable).with_name("uv"), "--quiet", "--offline", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Build every distribution with the pinned backend, from a copy, so that nothing is left in the tree."""
    built: dict[Path, Path] = {}
    for folder in projects():
        copy = tmp_path_factory.mktemp(folder.name)
        (copy / "project").mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE", "quality.toml"):
            if (folder / name).exists():
                shutil.copy(folder / name, copy / "project")
        made_here = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(folder / "src", copy / "project" / "src", ignore=made_here)
        uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable,
           "--out-dir", copy / "out", copy / "project")  # fmt: skip
        (built[folder],) = (copy / "out").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def locked() -> Iterator[Path]:
    """Make an environment that has what the lock pins, and nothing of ours; on disk, where uv's cache is linked to."""
    folder = Path(tempfile.mkdtemp(prefix="aphub-alone-")) / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    lock = (ROOT / "requirements.lock").read_text()
    for name in _NOT_NEEDED:
        start = lock.index(f"\n{name}==") + 1
        after = lock.find("\n", lock.find("    # via", start))
        lock = lock[:start] + lock[after + 1 :]
    (folder / "lock").write_text(lock)
    uv(
        "pip",
        "install",
        "--python",
        folder / "bin/python",
        "--require-hashes",
        "--no-deps",
        "-r",
        folder / "lock",
    )
    yield folder / "bin/python"
    shutil.rmtree(folder.parent)


class Alone(NamedTuple):
    """A plugin with the core, both from their wheels, in an environment without the other plugins."""

    folder: Path
    python: Path

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "CI") if name in os.environ}
        command = [str(self.python), *words]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300
        )


@pytest.fixture(scope="module", params=PLUGINS, ids=lambda folder: folder.name)
def alone(request: pytest.FixtureRequest, wheels: dict[Path, Path], locked: Path) -> Alone:
    """Install each plugin in turn, and take the others away."""
    folder: Path = request.param
    uv("pip", "uninstall", "--python", locked, *(one.name for one in PLUGINS if one != folder))
    as_they_are = ("--no-deps", "--no-index", "--reinstall")
    uv("pip", "install", "--python", locked, *as_they_are, wheels[ROOT], wheels[folder])
    return Alone(folder, locked)


def test_a_plugin_is_found_when_it_comes_from_its_wheel(alone: Alone, tmp_path: Path):
    (name,) = projects()[alone.folder]["project"]["entry-points"]["aphub"]

    run = alone.run("-I", "-W", "error", "-c", _WHAT_IS_FOUND, name, cwd=tmp_path)

    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["points"] == [name]
    assert found["quarantined"] == []
    assert found["abilities"]
    assert all(Path(place).is_relative_to(alone.python.parents[1]) for place in found["places"])


def test_a_plugin_passes_its_own_tests_from_its_wheel(alone: Alone, tmp_path: Path):
    for part in ("pyproject.toml", "quality.toml", "README.md"):
        if (alone.folder / part).exists():
            shutil.copy(alone.folder / part, tmp_path / part)
    shutil.copytree(alone.folder / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))

    run = alone.run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)

    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]


def test_the_wheel_of_the_core_holds_all_its_files(wheels: dict[Path, Path]):
    source = wheels[ROOT].parents[1] / "project" / "src"
    kept = {str(path.relative_to(source)) for path in (source / "aphub").rglob("*") if path.is_file()}

    with zipfile.ZipFile(wheels[ROOT]) as wheel:
        shipped = set(wheel.namelist())

    assert kept
    assert kept - shipped == set()
