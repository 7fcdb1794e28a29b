"""The chapters of the manual about papers and proof are typed as they stand."""

import csv
import json
import re
import shlex

import pytest

from tests.house.project import ROOT

pytestmark = pytest.mark.slow

CHAPTERS = ("Write how a day, week, month or term went", "Write for who audits", "Prove what was done")


def commands_of(heading: str) -> list[list[str]]:
    """Give the commands of a chapter, each as its words."""
    chapter = (
        (ROOT / "docs" / "how-to.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    )
    return [shlex.split(line)[1:] for line in re.findall(r"^\$ (aphub .+)$", chapter, re.MULTILINE)]


def test_papers_and_proof_are_written_as_the_manual_says(told, tmp_path):
    with (told.home / "examples" / "people.csv").open(newline="", encoding="utf-8-sig") as file:
        pupil = next(csv.DictReader(file))["pupil_ref"]
    message = json.loads(told("log", "--json").output)[0]["reference"]
    today = json.loads(told("log", "--json").output)[0]["made"][:10]
    # The manual's pupil was placed in spring; the example's comes from today on.
    meant = {"P001": pupil, "RB-7Q4KM2XP-1": message, "2026-01-05": today, "2026-03-27": today}
    typed = [words for heading in CHAPTERS for words in commands_of(heading)]
    assert len(typed) >= len(CHAPTERS) * 4
    for words in typed:
        told(*(str(tmp_path / word) if word.endswith("/") else meant.get(word, word) for word in words))
    written = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert {"summaries", "for-a-parent", "for-all-parents", "audits", "evidence"} <= written
    assert len(list((tmp_path / "audits").iterdir())) == 6
