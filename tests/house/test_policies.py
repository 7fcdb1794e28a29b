"""The table of clauses and the five providers agree: no empty cell, no test or ladder that is not there."""

import re
import tomllib

import pytest

from aphub.domain.outcomes import Outcome
from tests.house.project import ROOT, definitions, python_files

PAGE = (ROOT / "docs" / "policies.md").read_text()
WHO = {"the hub", "a person, reminded", "a person"}
PROVIDERS = ("safe-space", "ypm", "cst", "sentre", "red-everywhere")


def rows(text: str) -> list[list[str]]:
    """Give the cells of every row of a section's table, without its heading."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def sections() -> dict[str, str]:
    """Give the page's sections by heading."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def of(provider: str) -> str:
    """Give the section about one provider."""
    return next(text for heading, text in sections().items() if f"(`{provider}`)" in heading)


def test_every_clause_has_every_cell():
    for heading, text in sections().items():
        assert rows(text), heading
        for row in rows(text):
            assert len(row) == 4, row
            assert all(row), row
            assert row[2] in WHO, row


def test_every_outcome_is_a_kind_of_day():
    table = sections()["Every kind of day"]
    assert [one.value for one in Outcome if f"`{one.value}`" not in table] == []


def test_every_test_that_a_clause_names_exists():
    known = {found.name for path in python_files("tests", "plugins") for found in definitions(path)}
    named = {
        name
        for text in sections().values()
        for row in rows(text)
        for name in re.findall(r"`(test_\w+)`", row[3])
    }
    assert named
    assert named - known == set()
    assert all("`test_" in row[3] for text in sections().values() for row in rows(text))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_ladder_stands_in_the_table_and_in_the_configuration(provider: str):
    config = tomllib.loads((ROOT / "config" / "providers" / f"{provider}.toml").read_text())
    named = set(re.findall(r"ladder `([a-z-]+)`", of(provider)))

    assert named == set(config["ladders"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_people_are_reminded_of_has_a_ladder(provider: str):
    reminded = [row for row in rows(of(provider)) if row[2] == "a person, reminded"]

    assert reminded
    assert [
        row[0]
        for row in reminded
        if not re.search(r"(ladder|reminders?) `", row[1]) and "found safe" not in row[0].lower()
    ] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_reminder_stands_in_the_table_and_in_the_configuration(provider: str):
    config = tomllib.loads((ROOT / "config" / "providers" / f"{provider}.toml").read_text())
    named = [
        re.findall(r"`([a-z-]+)`", found) for found in re.findall(r"reminders? (`[^)]*)\)", of(provider))
    ]

    assert {name for some in named for name in some} == set(config.get("reminders", {}))


def test_each_provider_has_its_own_week():
    for provider in PROVIDERS:
        assert f"`test_a_week_at_{provider.replace('-', '_')}`" in of(provider)
