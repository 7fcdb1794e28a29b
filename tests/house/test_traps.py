"""Each trap that the published policies hold has a test that names it."""

import re
from pathlib import Path

TRAPS = 20
BY_ANOTHER_NAME = {12}
"""The three exports for auditors are tested each by itself, with what it must hold."""
TESTS = Path(__file__).parents[1]


def test_each_trap_of_the_policies_has_a_test_that_names_it():
    named = {
        int(number)
        for path in TESTS.rglob("test_*.py")
        for number in re.findall(r"^def test_trap_(\d+)_", path.read_text("utf-8"), re.MULTILINE)
    }
    assert named | BY_ANOTHER_NAME == set(range(1, TRAPS + 1))


BAD_INPUT = {
    "a correction to a report never sent": "a_correction_before_anything_was_sent",
    "a correction to an erased one": "a_correction_to_an_erased_pupil",
    "corrections out of order": "corrections_out_of_order",
    "a correction twice": "the_same_correction_twice",
    "a reason longer than any field": "a_reason_as_long_as_a_page",
    "a safeguarding narrative in a reason": "a_safeguarding_concern_travels_as_a_flag",
    "a timetable that contradicts the calendar": "a_timetable_that_contradicts_the_calendar",
    "a placement that overlaps itself": "a_placement_that_overlaps_itself",
    "dual or own roll without a URN": "a_roll_without_a_school",
}
"""What an office may give by mistake, and how the test that shows the answer to it is named."""


def test_each_kind_of_bad_input_has_a_test_that_names_it():
    tests = "\n".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py") if path != Path(__file__))
    missing = {
        what
        for what, name in BAD_INPUT.items()
        if not re.search(rf"^def test_\w*{name}", tests, re.MULTILINE)
    }
    assert missing == set()
