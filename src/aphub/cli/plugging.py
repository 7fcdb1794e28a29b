"""`aphub plugins`: what is installed and what it can, and a new plugin that keeps every rule from its first day."""

import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import click

from aphub.cli.ground import NEEDS_A_PERSON, USED_WRONGLY
from aphub.cli.shown import as_list, new_table, show_list

if TYPE_CHECKING:
    from rich.table import Table

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 30
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "quality.toml": "quality.toml",
    "__init__.py": "src/$package/__init__.py",
    "adapter.py": "src/$package/adapter.py",
    "settings.py": "src/$package/settings.py",
    "test_rules.py": "tests/test_rules.py",
}


@click.group(invoke_without_command=True)
@as_list
@click.pass_context
def plugins(ctx: click.Context, form: str) -> None:
    """List adapters, sources and renderers that are installed, what they can, and plugins that could not be used.

    Bronze: every rule of the kit that is owed; silver: also answers recorded from the real far side, and a test that runs
    against it each week; gold: also what a receipt proves, and what to do when it fails.
    """
    if ctx.invoked_subcommand is not None:
        return
    from aphub.hub import built_in  # noqa: PLC0415 - only this verb needs no hub to be there
    from aphub.plugins import load  # noqa: PLC0415 - likewise

    there = load(built_in())
    kinds = (("adapter", there.adapters), ("source", there.sources), ("renderer", there.renderers))
    found = [
        {
            "kind": kind,
            "name": name,
            "from": there.origins.get(name, ""),
            "words": _first_sentence(thing),
            "can": "\n".join(f"{what}: {how}" for what, how in getattr(thing, "capabilities", {}).items()),
            "kit": _kit(thing) if kind == "adapter" else "",
        }
        for kind, some in kinds
        for name, thing in sorted(some.items())
    ]
    found += [
        {"kind": "not usable", "name": one.name, "from": "", "words": one.why, "can": "", "kit": ""}
        for one in there.quarantined
    ]

    def table() -> "Table":
        table = new_table("Kind", "Name", "From", "What it is, and what it can", fixed=("Kind", "Name"))
        for one in found:
            kit = f"rules of the kit: {one['kit']}" if one["kit"] else ""
            words = "\n".join(part for part in (one["words"], one["can"], kit) if part)
            table.add_row(one["kind"], one["name"], one["from"], words)
        return table

    show_list(form, found, table)
    ctx.exit(NEEDS_A_PERSON if there.quarantined else 0)


@plugins.command()
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="The new folder; aphub-NAME here by default.",
)
@click.pass_context
def new(ctx: click.Context, name: str, to: Path | None) -> None:
    """Make a new plugin in a folder of its own: an adapter that works, and tests that hold it to every rule."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        click.echo(
            "A plugin's name has small letters, digits and single hyphens, such as our-portal.", err=True
        )
        click.echo("Nothing was written.", err=True)
        ctx.exit(USED_WRONGLY)
    folder = to or Path(f"aphub-{name}")
    if folder.exists() and any(folder.iterdir()):
        click.echo(f"There is something in {folder} already.", err=True)
        click.echo("Nothing was written. Choose another folder with --to.", err=True)
        ctx.exit(USED_WRONGLY)
    for path, text in new_plugin(name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    click.echo(f"The plugin is in {folder}. Next:")
    where = folder if folder.is_absolute() else f"./{folder}"
    click.echo(f"  pip install -e {where}[test]")
    click.echo(f"  pytest {folder}")
    click.echo(
        f"Then change {folder / 'src' / _package(name) / 'adapter.py'} to what is true of your far side."
    )


def new_plugin(name: str) -> dict[str, str]:
    """Give the files of a new plugin by their paths in it."""
    title = "".join(word.capitalize() for word in name.split("-"))
    words = {"name": name, "package": _package(name), "title": title}
    made = {f"src/{_package(name)}/py.typed": ""}
    for template, path in _FILES.items():
        text = (files("aphub.cli") / "new_plugin" / f"{template}.txt").read_text(encoding="utf-8")
        made[Template(path).substitute(words)] = Template(text).substitute(words)
    return made


def _package(name: str) -> str:
    return f"aphub_{name.replace('-', '_')}"


def _kit(adapter: Any) -> str:
    """Say which level of the kit an adapter's distribution states; its own tests hold it to that."""
    from aphub.conformance.quality import find_quality  # noqa: PLC0415 - only this verb asks for it

    home = getattr(sys.modules.get(adapter.__module__.partition(".")[0]), "__file__", None)
    return find_quality(Path(home)).words() if home else ""


def _first_sentence(thing: Any) -> str:
    words = thing.__doc__ if isinstance(thing, type) else type(thing).__doc__
    return (words or "").strip().partition("\n")[0]
