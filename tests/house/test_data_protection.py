"""The drafts about data protection say what the program does: settings, defaults, tables, fields, commands."""

import re

import pytest

from aphub.domain.placements import Pupil
from aphub.services.wrong_school import SPECIAL
from aphub.settings.models import StoreSettings
from aphub.settings.retention import Retention
from aphub.store import about_pupil, erasing
from aphub.store.tables import metadata
from tests.house.project import ROOT

FOLDER = ROOT / "docs" / "data-protection"
DRAFTS = ("data-sharing-agreement", "dpia", "privacy-notice", "records", "retention", "roles")
CLASSES = {"pupil", "entry", "report", "message", "register", "mark", "access"}
NUMBERS = {1: "one", 2: "two", 6: "six", 90: "90"}


def rows(name: str) -> list[list[str]]:
    """Give the cells of a page's first table whose first cell is a name in code."""
    lines = [line for line in (FOLDER / f"{name}.md").read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", DRAFTS)
def test_each_page_says_that_it_is_a_draft_for_the_data_protection_officer(name):
    text = (FOLDER / f"{name}.md").read_text()
    assert re.search(r"^DRAFT .*data protection officer", text, flags=re.MULTILINE)


def test_retention_page_names_every_setting_with_its_default():
    told = {cells[0].strip("`"): int(cells[1]) for cells in rows("retention")}
    assert told == {name: field.default for name, field in Retention.model_fields.items()}
    days = StoreSettings.model_fields["key_copy_days"].default
    assert f"`key_copy_days` (default {days})" in (FOLDER / "retention.md").read_text()


def test_privacy_notice_promises_the_defaults():
    text = " ".join((FOLDER / "privacy-notice.md").read_text().replace("> ", "").split())
    kept = Retention()
    assert f"Messages are kept for {NUMBERS[kept.message_days]} days" in text
    assert f"what registers said for {NUMBERS[kept.mark_years]} year" in text
    assert f"attendance and reports for {NUMBERS[kept.entry_years]} years" in text
    assert kept.entry_years == kept.report_years
    assert f"names for {NUMBERS[kept.pupil_years]} years after your child leaves" in text


def test_records_page_lists_every_table_that_is_about_pupils_and_whether_it_is_sealed():
    told = {cells[0].strip("`"): cells for cells in rows("records")}
    held = {table.name: table for table in metadata.sorted_tables if about_pupil.is_reached(table)}
    assert set(told) == set(held)
    assert {name for name, cells in told.items() if cells[3] not in CLASSES} == set()
    sealed = {name for name, cells in told.items() if cells[2] == "sealed"}
    assert sealed == {name for name, table in held.items() if erasing.sealed_columns(table)}


def test_records_page_lists_every_field_of_a_pupil():
    text = (FOLDER / "records.md").read_text()
    assert {name for name in Pupil._fields if f"`{name}`" not in text} == {"ref"}


def test_impact_assessment_names_every_special_kind_of_data():
    text = " ".join((FOLDER / "dpia.md").read_text().split())
    assert {kind for kind in SPECIAL if kind not in text} == set()
