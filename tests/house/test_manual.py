"""The manual and the code agree: what people are told exists, and what exists is told."""

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from pydantic import BaseModel

import aphub.api
from aphub.api import hooks
from aphub.plugins import load
from aphub.settings import agreed, following, models, shapes
from tests.house.project import ROOT, definitions, manual, manual_files, python_files

README = (ROOT / "README.md").read_text()
REFERENCE = ROOT / "docs" / "reference.md"
PATH_IN_TEXT = re.compile(r"`((?:\.ci|benchmarks|config|docs|plugins|src|tests|tools)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
COMMAND = re.compile(r"(?:^\$ |`)aphub(?P<words>(?: +(?!#)[^\s`]+)+)", flags=re.MULTILINE)


def section(text: str, heading: str) -> str:
    """Give a section of a text, without those after it."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_map_of_the_house_shows_every_part_of_it():
    house = ROOT / "src" / "aphub"
    parts = {
        path.relative_to(house).parts[0]
        for path in python_files("src/aphub")
        if not path.relative_to(house).parts[0].startswith("__")
    }
    shown = set(re.findall(r"`([\w.-]+?)/?`", section(README, "The house")))

    assert {part for part in parts if part not in shown and part.removesuffix(".py") not in shown} == set()


def test_the_map_of_the_house_shows_nothing_else():
    table = "\n".join(line for line in section(README, "The house").splitlines() if line.startswith("| `"))
    names = {name for line in table.splitlines() for name in re.findall(r"`([\w./-]+)`", line.split("|")[1])}
    house = ROOT / "src" / "aphub"

    assert names
    assert {
        name for name in names if not (house / name).exists() and not (house / f"{name}.py").exists()
    } == set()


def test_every_file_that_people_are_sent_to_exists():
    lost = {
        f"{path.relative_to(ROOT)} names {name}"
        for path in manual_files()
        for name in PATH_IN_TEXT.findall(path.read_text())
        if not (ROOT / name).exists() and not (path.parent / name).exists()
    } | {
        f"{path.relative_to(ROOT)} links to {name}"
        for path in manual_files()
        for name in LINK.findall(path.read_text())
        if not (path.parent / name).exists()
    }

    assert lost == set()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Walk through the command line: `("apply", ...)`, `("secret set", ...)`."""
    from aphub.cli import main

    def below(prefix: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found, f"aphub {prefix}{name} is listed, and cannot be loaded"
                yield f"{prefix}{name}", found
                yield from below(f"{prefix}{name} ", found)

    assert isinstance(main, click.Group)
    yield from below("", main)


def test_every_command_that_people_read_exists():
    from aphub.cli import main

    known = dict(commands())
    hub_options = {option for parameter in main.params for option in parameter.opts}
    wrong: set[str] = set()
    for hit in COMMAND.finditer(manual()):
        words = hit["words"].split()
        while words and words[0] in hub_options:
            words = words[2:] if words[0] not in {"--help", "--version"} else words[1:]
        name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None)
        if words and not words[0].startswith("-") and name is None:
            wrong.add(hit.group().strip("`"))
        elif name:
            taken = {option for parameter in known[name].params for option in (*parameter.opts, "--help")}
            told = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
            wrong |= {f"aphub {name} {option}" for option in told - taken - {"--"}}

    assert wrong == set()


def test_every_command_is_in_the_reference():
    text = REFERENCE.read_text()

    assert {name for name, _ in commands() if f"`aphub {name}" not in text} == set()


def test_the_reference_is_what_the_code_says():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "write-reference"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"{done.stderr}Run: .venv/bin/python tools/write-reference"


def hook_names() -> list[str]:
    """Name the hooks that a plugin may implement."""
    return [name for name in vars(hooks) if name.startswith(("register_", "on_"))]


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_is_in_the_manual(name: str):
    assert f"`{name}" in manual()


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_has_a_test_named_after_it(name: str):
    tests = {found.name for path in python_files("tests") for found in definitions(path)}

    assert f"test_hook_{name}" in tests


@pytest.mark.parametrize(
    "model",
    dict.fromkeys(
        m
        for part in (models, agreed, following, shapes)
        for m in vars(part).values()
        if isinstance(m, type) and not m.__name__.startswith("_")
    ),
    ids=lambda m: m.__name__,
)
def test_every_setting_is_in_the_reference(model: type):
    if not issubclass(model, BaseModel):
        return
    text = REFERENCE.read_text()
    names = {field.alias or name for name, field in model.model_fields.items()}

    assert {name for name in names if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("folder", sorted((ROOT / "plugins").glob("aphub-*")), ids=lambda folder: folder.name)
def test_every_setting_of_an_adapter_is_in_its_readme(folder):
    text = (folder / "README.md").read_text()
    package = folder.name.replace("-", "_")
    settings = [
        model
        for adapter in load().adapters.values()
        if adapter.__module__.partition(".")[0] == package
        for model in (adapter.connection_class, adapter.route_class)
    ]

    assert {n for model in settings for n in model.model_fields if f"`{n}`" not in text} == set()


def test_every_error_that_an_adapter_may_raise_is_in_the_manual():
    errors = {
        name
        for name in aphub.api.__all__
        if isinstance(found := getattr(aphub.api, name), type) and issubclass(found, Exception)
    }

    assert {name for name in errors if f"`{name}" not in manual()} == set()
