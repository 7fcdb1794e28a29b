"""Every adapter has its page, with the five chapters that people look for, and every setting on it."""

import re

import pytest

from aphub.plugins import load
from tests.house.project import ROOT

CHAPTERS = ("What to ask the school for", "Settings", "Receipts", "Limits", "Troubleshooting")
PAGES = {"folder": "drop"}
"""Adapters that share a page."""
ADAPTERS = load().adapters


def page(name: str) -> str:
    return (ROOT / "docs" / "adapters" / f"{PAGES.get(name, name)}.md").read_text(encoding="utf-8")


def test_there_is_a_page_for_every_adapter_and_no_other():
    pages = {path.stem for path in (ROOT / "docs" / "adapters").glob("*.md")}

    assert pages == {PAGES.get(name, name) for name in ADAPTERS}


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_page_of_an_adapter_has_the_five_chapters(name: str):
    headings = re.findall(r"^## (.+)$", page(name), flags=re.MULTILINE)

    assert [chapter for chapter in CHAPTERS if headings.count(chapter) != 1] == []


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_the_page_of_an_adapter_names_every_setting(name: str):
    adapter, text = ADAPTERS[name], page(name)
    settings = {*adapter.connection_class.model_fields, *adapter.route_class.model_fields}

    assert {setting for setting in settings if f"`{setting}`" not in text} == set()
