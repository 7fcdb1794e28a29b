"""`aphub --help` is quick, since nothing heavy is loaded before it is needed; and each verb can be loaded."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from aphub.cli import main
from aphub.cli.root import GROUPS, VERBS

HEAVY = (
    "sqlalchemy",
    "cryptography",
    "httpx",
    "pydantic",
    "rich",
    "alembic",
    "jinja2",
    "aphub.hub",
    "aphub.demo",
)


def test_help_loads_nothing_heavy():
    program = (
        "import sys; from aphub.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stderr.strip() == "[]"
    assert "Commands:" in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_loaded_and_explains_itself(verb):
    command = main.get_command(click.Context(main), verb)

    assert command is not None
    assert command.name == verb
    assert command.help
    assert CliRunner().invoke(main, [verb, "--help"]).exit_code == 0


def test_the_house_has_no_verb_that_the_help_does_not_show():
    shown = CliRunner().invoke(main, ["--help"]).output

    assert [verb for verb in VERBS if f"  {verb} " not in shown] == []


def test_no_verb_stands_in_two_groups_of_the_help_and_none_that_is_not_there():
    grouped = [name for names in GROUPS.values() for name in names]

    assert len(grouped) == len(set(grouped))
    assert set(grouped) <= set(VERBS)
