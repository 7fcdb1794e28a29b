"""What the house tests look at: the project's files, and what its Python defines."""

import ast
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# Where git cannot be asked (an unpacked archive), these folders are not the project's.
_MADE_HERE = frozenset({"var", "build", "dist", "out", "__pycache__"})


@cache
def project_files() -> tuple[Path, ...]:
    """List the files of the project: those that git keeps, and new ones that it would keep."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        paths = {ROOT / name for name in names if name}
    else:
        paths = {path for path in ROOT.rglob("*") if not _is_made_here(path.relative_to(ROOT))}
    return tuple(sorted(path for path in paths if path.is_file()))


def _is_made_here(path: Path) -> bool:
    return any(part in _MADE_HERE or (part.startswith(".") and part != ".ci") for part in path.parts)


def python_files(*folders: str) -> list[Path]:
    """List the project's Python below some folders (all of it if none is named)."""
    tops = [ROOT / folder for folder in folders] or [ROOT]
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and any(path.is_relative_to(top) for top in tops)
    ]


def shipped_python() -> list[Path]:
    """List the Python that ends in a wheel: the core's and the plugins'."""
    return [path for path in python_files("src", "plugins") if "tests" not in path.relative_to(ROOT).parts]


def manual_files() -> list[Path]:
    """List what people read: the README, the plugins' READMEs and docs/."""
    return [path for path in project_files() if path.suffix == ".md"]


@cache
def manual() -> str:
    """Give all that people read, as one text."""
    return "\n".join(path.read_text() for path in manual_files())


@cache
def parsed(path: Path) -> ast.Module:
    """Parse a module once for all house tests."""
    return ast.parse(path.read_text(), str(path))


class Definition(NamedTuple):
    """A class or a function that a module defines."""

    place: str
    name: str
    docstring: str | None
    is_public: bool


def definitions(path: Path) -> Iterator[Definition]:
    """Walk through a module's classes, methods and functions; what is inside a function is private."""

    def walk(node: ast.AST, *, public: bool) -> Iterator[Definition]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                is_public = public and not child.name.startswith("_")
                place = f"{path.relative_to(ROOT)}:{child.lineno}"
                yield Definition(place, child.name, ast.get_docstring(child), is_public)
                yield from walk(child, public=is_public and isinstance(child, ast.ClassDef))
            else:
                yield from walk(child, public=public)

    return walk(parsed(path), public=True)


@cache
def projects() -> dict[Path, dict[str, Any]]:
    """Read every pyproject: the core's first, then the plugins'."""
    paths = [ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("aphub-*/pyproject.toml"))]
    return {path.parent: tomllib.loads(path.read_text()) for path in paths}
