"""`aphub plugins new` makes what installs and keeps every rule, and the manual for authors shows just that."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aphub.api.mis import RegisterAdapter
from aphub.cli import main as command_line
from aphub.cli.plugging import new_plugin
from aphub.plugins import load
from tests.house.project import ROOT

MANUAL = (ROOT / "docs" / "write-an-adapter.md").read_text(encoding="utf-8")
NAME = "our-portal"
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    """Give the code blocks of the manual in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", MANUAL, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_what_the_manual_types_makes_a_plugin_that_keeps_every_rule(tmp_path: Path):
    [console] = blocks("console")
    words = [shlex.split(line.removeprefix("$ ")) for line in console.splitlines()]
    assert [one[0] for one in words] == ["aphub", "pip", "pytest"]
    made, install, check = words
    site = tmp_path / "site"
    # Installed beside the project's own packages, not among them; nothing is fetched, since all it needs is here.
    offline = ["--quiet", "--offline", "--no-deps", "--no-build-isolation", "--target", site]
    folder = install[-1].partition("[")[0]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment["PYTHONPATH"] = str(site)
    for command in (
        [BIN / "aphub", *made[1:]],
        [BIN / "uv", "pip", "install", "--python", sys.executable, *offline, folder],
        [BIN / "python", "-m", "pytest", "-p", "no:cacheprovider", *check[1:]],
        [BIN / "aphub", "plugins", "--json"],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        if check[0] in command:
            assert f"{NAME} (TestOurPortal): bronze, 20 rules kept, 0 broken, 0 exempt" in done.stdout
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found[NAME]["from"] == f"aphub-{NAME} 0.1.0"
    assert "not yet run against the vendor" in found[NAME]["can"]


def test_the_manual_shows_the_adapter_that_is_made():
    made = new_plugin(NAME)
    assert made["src/aphub_our_portal/adapter.py"] in blocks("python")
    assert not any("$" in text.replace("40}$", "") for text in made.values())


@pytest.mark.parametrize(
    "name", ["Portal", "our_portal", "-portal", "our--portal", "../portal", "p" * 31, "9ways"]
)
def test_a_name_that_is_none_writes_nothing(name, tmp_path: Path):
    done = CliRunner().invoke(command_line, ["plugins", "new", "--to", str(tmp_path / "made"), "--", name])
    assert done.exit_code == 2
    assert "Nothing was written" in done.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_written_over(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    done = CliRunner().invoke(command_line, ["plugins", "new", NAME, "--to", str(tmp_path)])
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_register_says_what_it_can_in_code_on_the_screen_and_in_its_page():
    registers = {name: one for name, one in load().adapters.items() if issubclass(one, RegisterAdapter)}
    listed = json.loads(CliRunner().invoke(command_line, ["plugins", "--json"]).output)
    can = {one["name"]: one["can"] for one in listed}
    assert registers.keys() >= {"arbor", "rest", "wonde", "xporter"}
    for name, adapter in registers.items():
        page = (ROOT / "docs" / "adapters" / f"{name}.md").read_text(encoding="utf-8")
        for what, how in adapter.capabilities.items():
            assert f"| {what} | {how} |" in page
            assert f"{what}: {how}" in can[name]
        assert "not yet run against" in adapter.capabilities["run against the vendor"]
