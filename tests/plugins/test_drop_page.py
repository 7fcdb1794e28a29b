"""docs/adapters/drop.md and the plugin agree: every setting, field, code and worked example."""

import re
import tomllib

from aphub.testing import sample_outbound
from aphub_drop import DropAdapter, DropConnection, DropRoute, FolderConnection, FolderRoute, words
from aphub_drop.layout import Column, Layout, shipped
from aphub_drop.naming import FIELDS
from aphub_drop.settings import Answers
from tests.house.project import ROOT

MANUAL = (ROOT / "docs" / "adapters" / "drop.md").read_text(encoding="utf-8")


def test_the_manual_names_every_setting():
    for settings in (DropConnection, DropRoute, FolderConnection, FolderRoute, Layout, Column, Answers):
        for name in settings.model_fields:
            assert f"`{name}`" in MANUAL, name


def test_the_manual_explains_every_code():
    codes = {
        error().code
        for name, error in vars(words).items()
        if callable(error)
        and getattr(error, "__module__", "") == words.__name__
        and not error.__code__.co_argcount
    }
    for code in codes:
        assert f"`{code}`" in MANUAL, code


def examples():
    """Give each channel in the manual with what is printed after it, up to the next heading."""
    for part in re.split(r"^#+ ", MANUAL, flags=re.MULTILINE):
        for block in re.findall(r"```toml\n(\[\[channels\]\].*?)```", part, flags=re.DOTALL):
            channel = tomllib.loads(block)["channels"][0]
            if "..." not in block:
                yield channel, part


def test_every_example_of_the_manual_gives_what_is_printed():
    seen = set()
    for channel, part in examples():
        settings = {key: value for key, value in channel.items() if key not in {"name", "connection"}}
        route = DropRoute(**settings)
        seen.add(route.layout)
        for document in DropAdapter.compose(sample_outbound(), route):
            assert f"`{document.name}`" in part
            encoding = "cp1252" if route.custom else "utf-8"
            printed = document.content.decode(encoding).replace("\r\n", "\n").strip()
            assert f"\n{printed}\n```" in part if printed else f"`{document.name}`, empty" in part
    assert seen == {*shipped(), "custom"}


def test_the_manual_names_every_field_of_file_names():
    for field in FIELDS:
        assert f"`{{{field}}}`" in MANUAL


def test_the_answers_in_the_manual_can_be_applied():
    [block] = re.findall(r"```toml\n\[channels.answers\]\n(.*?)```", MANUAL, flags=re.DOTALL)
    assert DropRoute(folder="northshire", answers=tomllib.loads(block)).answers
