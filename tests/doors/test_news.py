"""News by phone, typed at the command line: who is away, what a school decided, which lessons we cancel."""

import csv
import json
import re
from datetime import date, timedelta

import pytest

from tests.doors.conftest import OFFICE


@pytest.fixture
def placed(applied):
    applied("import", str(applied.home / "examples" / "people.csv"), "--yes")
    with (applied.home / "examples" / "people.csv").open(newline="", encoding="utf-8-sig") as file:
        applied.pupils = [row["pupil_ref"] for row in csv.DictReader(file)]
    return applied


def reference_in(output: str) -> str:
    found = re.search(r"\b[0-9A-HJ-NP-TV-Z]{8}\b", output)
    assert found, output
    return found.group(0)


def test_a_weeks_absence_a_decision_and_a_cancelled_day_in_five_commands(placed):
    first, second = placed.pupils[:2]
    tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011 - the command line's own days
    week = ("--from", tomorrow.isoformat(), "--to", (tomorrow + timedelta(days=6)).isoformat())
    said = placed("absence", first, "ill", *week, "--told-by", "parent", "--by", OFFICE).output
    absent = reference_in(said)
    placed("absence", first, "dancing", gives=2)
    placed("absence", "nobody", "ill", gives=2)
    decided = placed(
        *("decision", second, "leave granted", *week, "--school", "hill-school"),
        *("--decided-by", "Mrs Example, head of year", "--by", OFFICE),
    ).output
    placed("decision", second, "leave granted", "--school", "hill-school", "--decided-by", "Mrs", gives=2)
    rows = json.loads(placed("absences", "--json").output)
    assert {row["ref"] for row in rows} >= {absent, reference_in(decided)}
    assert "Mrs Example" not in placed("absences").output

    placed("end-absence", absent, gives=2)
    ended = placed("end-absence", absent, "--last-day", tomorrow.isoformat(), "--by", OFFICE).output
    assert "registers are owed again" in ended
    assert "no longer stands" in placed("end-absence", reference_in(decided), "--by", OFFICE).output

    day = (tomorrow + timedelta(days=3)).isoformat()
    placed("cancel-lessons", "--day", day, "--because", "staff-ill", types="n\n", gives=1)
    done = placed("cancel-lessons", "--day", day, "--because", "staff-ill", "--yes", "--by", OFFICE).output
    cancelled = reference_in(done)
    assert cancelled in placed("cancelled").output
    placed("cancelled", cancelled, gives=1)
    for pupil in {
        row["pupil"] for row in json.loads(placed("cancelled", cancelled, "--json", gives=1).output)
    }:
        placed("stays", cancelled, pupil, "home", "--by", OFFICE)
    assert "stays at home" in placed("cancelled", cancelled).output
