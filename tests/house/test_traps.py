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
