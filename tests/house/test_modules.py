"""The shape of the code: modules that fit a head, names that say something."""

import re
from pathlib import Path

from tests.house.project import ROOT, definitions, python_files, shipped_python

MOST_LINES = 350
MOST_LINES_OF_TESTS = 450  # a list of cases is read one at a time
EMPTY_WORDS = frozenset({"manager", "handler", "processor", "helper", "util", "info"})
NOT_OUR_NAMES = frozenset({"bind_processor", "result_processor"})  # SQLAlchemy calls these methods of a type


def words_of(name: str) -> set[str]:
    """Split `snake_case` and `CamelCase` into singular small words."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower() for word in words} | {word.lower().removesuffix("s") for word in words}


def too_long(paths: list[Path], most: int) -> dict[str, int]:
    """Name the modules that have more lines than they may."""
    # A migration is as long as the step it takes, and is never read for pleasure.
    lengths = {path: len(path.read_text().splitlines()) for path in paths if path.parent.name != "versions"}
    return {str(path.relative_to(ROOT)): count for path, count in lengths.items() if count > most}


def test_no_module_is_longer_than_a_head_can_hold():
    assert too_long(shipped_python(), MOST_LINES) == {}


def test_no_test_module_is_much_longer():
    assert too_long(python_files(), MOST_LINES_OF_TESTS) == too_long(shipped_python(), MOST_LINES_OF_TESTS)


def test_names_say_what_a_thing_is():
    named = [(str(path.relative_to(ROOT)), path.stem) for path in python_files()]
    named += [(found.place, found.name) for path in python_files() for found in definitions(path)]

    empty = [(place, name) for place, name in named if words_of(name) & EMPTY_WORDS]
    assert [one for one in empty if one[1] not in NOT_OUR_NAMES] == []


def test_everything_public_says_what_it_does():
    silent = [
        f"{found.place} {found.name}"
        for path in shipped_python()
        for found in definitions(path)
        if found.is_public and not found.docstring
    ]

    assert not silent, "\n".join(silent)


def test_a_split_name_gives_its_words():
    assert words_of("TaskManager") == {"task", "manager"}
    assert words_of("http_utils") == {"http", "util", "utils"}
    assert words_of("SMTPInfo") >= {"info"}
