"""Whatever goes wrong is said in plain words on standard error: what happened, what was done, what to do."""

import json

import click
import pytest

from aphub.api.errors import RefusedDeliveryError
from aphub.cli.trouble import lines_of, status_of
from aphub.domain.errors import AphubError, NeedsCorrectionError
from aphub.sealing import MasterKeyError
from aphub.testing import PLANTED_PUPIL, PLANTED_SECRET, search_for_planted
from tests.doors.conftest import CommandLine


def problems(result) -> list[str]:
    """Give the lines that name a mistake in the configuration."""
    return [line.strip() for line in result.stderr.splitlines() if line.startswith("  ")]


def test_a_misspelt_command_is_answered_with_the_nearest(aphub):
    said = aphub("aply", gives=2).stderr

    assert "There is no command 'aply'. Did you mean 'apply'?" in said


def test_where_there_is_no_hub_nothing_is_made(tmp_path):
    nowhere = CommandLine(tmp_path / "nowhere")

    said = nowhere("today", gives=2).stderr

    assert said.splitlines() == [
        f"There is no hub in {nowhere.home}.",
        "Nothing was changed.",
        "Say where it is: aphub --home DIR, or make one: aphub --home DIR init",
    ]
    assert not nowhere.home.exists()


def test_all_mistakes_in_the_configuration_are_named_one_a_line(aphub):
    aphub.change(
        "schools/hill-school.toml",
        ("protection = ", "protecton = "),
        ("attendance@hill-school.example.org", "attendance@hill school.example.org"),
        ('urn = "999001"', "urn = 999001"),
        ("am_starts = 08:45:00", 'am_starts = "early"'),
    )

    said = aphub("apply", gives=2)

    assert said.stderr.splitlines()[1] == "Nothing was changed."
    named = problems(said)
    assert any("urn" in line for line in named)
    assert any("am_starts" in line for line in named)
    assert all(line.startswith("schools/hill-school.toml, ") for line in named)


@pytest.mark.parametrize(
    ("swap", "words"),
    [
        (("attendance@hill-school.", "attendance@hill school."), "space"),
        (('protection = "file"', 'protecton = "file"'), "Did you mean 'protection'?"),
        (('connection = "mail"', 'connection = "mial"'), "Did you mean 'mail'?"),
        (("[hours]", "[hours"), "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_mend(aphub, swap, words):
    aphub.change("schools/hill-school.toml", swap)

    assert words in "\n".join(problems(aphub("apply", gives=2)))


def test_two_channels_of_one_name_are_refused(aphub):
    path = aphub.home / "config" / "schools" / "hill-school.toml"
    channel = path.read_text().partition("[[channels]]")[2]
    path.write_text(f"{path.read_text()}\n[[channels]]{channel}")

    assert "Two channels are called 'office'" in aphub("apply", gives=2).stderr


def test_a_secret_in_a_file_is_refused_and_not_repeated(aphub):
    aphub.change(
        "providers/riverbank.toml",
        ('host = "localhost"', f'host = "localhost"\nusername = "office"\npassword = "{PLANTED_SECRET}"'),
    )

    said = aphub("apply", gives=2)

    assert "aphub secret set" in said.stderr
    assert not search_for_planted(said.output)


def test_a_missing_secret_is_named_by_apply_and_stops_the_check_and_says_how_to_set_it(applied):
    applied.change(
        "providers/riverbank.toml",
        ('host = "localhost"', 'host = "localhost"\nusername = "office"\npassword = "secret:mail"'),
    )
    told = " ".join(applied("apply", "--yes", gives=1).output.split())
    assert "the secret 'mail'" in told
    assert "configuration 2 is in force" in told

    said = applied("check", "hill-school", "office", gives=1).output

    assert "The secret 'mail' is not in the key store" in said
    assert "aphub secret set mail" in said


def test_mistakes_in_a_file_of_people_are_named_by_row_and_nothing_is_taken(applied):
    path = applied.home / "examples" / "people.csv"
    path.write_text(path.read_text().replace("Mon-Sun", "Funday", 1).replace(",daily", ",dayly", 1))

    said = applied("import", str(path), "--yes", gives=1)

    assert "Row 2, timetable:" in said.output
    assert "Row 2, agreement:" in said.output
    assert "Nothing was taken" in said.stderr
    assert json.loads(applied("today", "--json").output) == []


@pytest.mark.parametrize(
    "words",
    [
        ("show", "RB-AAAAAAAA-1"),
        ("preview", "RB-AAAAAAAA-1"),
        ("explain", "AAAAAAAA", "2026-03-03"),
        ("check", "hill-school", "offfice"),
        ("evidence", "RB-AAAAAAAA-1", "--to", "evidence-that-is-not-there"),
        ("answer", "AAAAAAAA", "present"),
        ("release", "AAAAAAAA"),
        ("--provider", "riverside", "today"),
        ("log", "--state", "sleeping"),
        ("today", "--json", "--csv"),
        ("correct", "AAAAAAAA", "2026-03-03", "09:00", "Present", "--because", "why"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_we_do_not_know_is_used_wrongly(applied, words):
    said = applied(*words, gives=2)

    assert said.stderr.strip()
    assert "Traceback" not in said.output


def test_a_register_that_nobody_can_read_is_refused(applied, tmp_path):
    path = tmp_path / "register.xlsx"
    path.write_bytes(b"this is no workbook")

    said = applied("ingest", str(path), gives=1).output

    assert "Not taken." in said


def test_a_mark_that_we_cannot_read_waits_and_is_answered(applied, tmp_path):
    path = tmp_path / "register.csv"
    text = (applied.home / "examples" / "register.csv").read_text()
    path.write_text(text.replace("Absent", "Gone fishing"))
    applied("import", str(applied.home / "examples" / "people.csv"), "--yes")

    assert "Gone fishing" not in applied("normalise", str(path), gives=1).output
    applied("ingest", str(path), gives=1)
    asked = [
        one for one in json.loads(applied("waiting", "--json", gives=1).output) if one["kind"] != "channel"
    ]
    questions = [one for one in asked if "aphub answer" in one["mend"]]
    assert len(questions) == 1
    applied("answer", questions[0]["ref"], "Absent")

    left = json.loads(applied("waiting", "--json", gives=None).output)
    assert not [one for one in left if one["ref"] == questions[0]["ref"]]


def test_no_childs_data_and_no_secret_stand_in_what_the_command_line_says(applied, tmp_path):
    pupil = PLANTED_PUPIL
    people, register = tmp_path / "people.csv", tmp_path / "register.csv"
    text = (applied.home / "examples" / "people.csv").read_text()
    people.write_text(
        text.replace("Sam,Example", f"{pupil.given_name},{pupil.family_name}")
        .replace("T999400126001", pupil.upn)
        .replace("1201", pupil.school_pupil_ref)
    )
    text = (applied.home / "examples" / "register.csv").read_text()
    register.write_text(text.replace("Absent", f"{pupil.given_name} was {PLANTED_SECRET}"))
    applied("secret", "set", "mail", types=f"{PLANTED_SECRET}\n")
    applied("import", str(people), "--yes")
    applied("normalise", str(register), gives=1)
    applied("ingest", str(register), gives=1)
    for words in (
        ("secret", "list", "--json"),
        ("waiting", "--json"),
        ("waiting",),
        ("run", "--once"),
        ("today", "--json"),
        ("log", "--json"),
        ("verify", "--json"),
    ):
        applied(*words, gives=None)

    assert not search_for_planted(*applied.said)


def test_an_error_that_nobody_expected_shows_its_kind_and_place_and_none_of_its_words():
    try:
        json.loads(PLANTED_SECRET)
    except ValueError as exc:
        lines = lines_of(exc)

    assert "JSONDecodeError at " in lines[0]
    assert not search_for_planted("\n".join(lines))


@pytest.mark.parametrize(
    ("exc", "status", "lines"),
    [
        (AphubError("No such thing", "Nothing was done", "Look again"), 2, 3),
        (NeedsCorrectionError("Wrong", "Nothing was changed"), 2, 2),
        (RefusedDeliveryError("They said no.", code="550 5.1.1", what_now="Phone them."), 1, 2),
        (MasterKeyError("The key file lies open."), 1, 1),
        (FileNotFoundError(2, "No such file or directory", "people.csv"), 1, 1),
    ],
)
def test_each_kind_of_trouble_has_its_lines_and_its_exit_status(exc, status, lines):
    assert len(lines_of(exc)) == lines
    assert status_of(exc) == status
    assert all(line.endswith((".", ")")) for line in lines_of(exc))


def test_click_itself_says_what_is_missing(aphub):
    said = aphub("approve", "hill-school", "office", gives=2).stderr

    assert "--by" in said
    assert issubclass(click.UsageError, Exception)
