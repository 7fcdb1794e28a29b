"""One played day: pupils are named where they must be, and nowhere else in what is left behind or listed."""

import shutil
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from aphub.cli import main
from aphub.demo.pupils import everyone
from aphub.testing import search_for_planted
from tests.end_to_end.played_day import Played

pytestmark = pytest.mark.slow

ONE_OF_EACH = {one.told[0][0]: one for one in everyone()}
"""A pupil of every school and council, so of every way in which anything leaves."""
WHO = [word for one in ONE_OF_EACH.values() for word in (one.upn, one.name)]
HOMES = {
    "people": "the office's own lists",
    "papers": "what was asked for to be read or printed",
    "mail": "schools' mailboxes",
    "drop": "councils' secure folders",
    "share": "a trust's own folder",
    "mis": "schools' own registers",
}
"""Where a pupil's name belongs, and why."""
LOCKED = "tern-bank"


def test_pupils_are_named_in_the_offices_and_schools_own_places_and_in_no_store_proof_or_log(played: Played):
    named = {path.name for path in played.home.iterdir() if search_for_planted(path, planted=WHO)}
    assert named == set(HOMES)
    assert {"hub.db", "keys", "evidence", "inbox"} <= {path.name for path in played.home.iterdir()}
    assert search_for_planted(played.home / "drop" / LOCKED, planted=WHO) == []
    assert search_for_planted(played.output, planted=WHO) == []


def lists() -> Iterator[tuple[str, ...]]:
    """Name every verb that gives a list to programs, and needs nothing to be said for it."""

    def below(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        context = click.Context(group)
        for name in group.list_commands(context):
            verb = group.get_command(context, name)
            if isinstance(verb, click.Group):
                yield from below(verb, (*path, name))
            elif verb is not None:
                options = {option for one in verb.params for option in one.opts}
                if {"--json", "--csv"} <= options and not any(one.required for one in verb.params):
                    yield (*path, name)

    yield from below(main, ())


def test_no_list_for_programs_names_a_pupil(played: Played, tmp_path):
    home = tmp_path / "demo"
    shutil.copytree(played.home, home)  # who looks is written down
    said = {}
    for verb in lists():
        done = CliRunner().invoke(main, ["--home", str(home), "--provider", "ypm", *verb, "--json"])
        assert done.exit_code in {0, 1}, (verb, done.output)
        assert search_for_planted(done.output, planted=WHO) == [], verb
        said[verb] = done.output
    for verb in ("cases", "today", "waiting", "log", "not-due", "viewed"):
        assert len(said[verb,]) > 100, verb
