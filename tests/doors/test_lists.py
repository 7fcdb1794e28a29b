"""Lists for programs and spreadsheets: their shapes are promised, so a change here is a change for others."""

import csv
import io
import json

import pytest

from aphub.cli.shown import plain, show_list

SHAPES = {
    "channels": {"organisation", "channel", "adapter", "state", "words", "next_step", "trouble", "approved_by", "approved_at"},
    "today": {"organisation", "name", "owed", "sent", "late", "missing", "held", "next_due", "ways", "summaries"},
    "log": {"reference", "organisation", "channel", "kind", "state", "words", "made", "due", "sent", "attempts", "because"},
    "waiting": {"kind", "ref", "words", "mend", "due", "organisation", "choices", "also"},
    "plugins": {"kind", "name", "from", "words", "can", "kit"},
    "secret list": {"name", "expires_on", "state"},
}  # fmt: skip

OF_A_PROVIDER = {"channels", "today", "log", "waiting"}


@pytest.mark.parametrize("verb", SHAPES)
def test_json_and_csv_have_the_same_promised_columns(told, verb):
    told("secret", "set", "mail", "--expires", "2026-01-31", types="hunter2\n")
    told.change("schools/hill-school.toml", ("attendance@hill-school", "office@hill-school"))
    told("apply", "--yes")

    rows = json.loads(told(*verb.split(), "--json", gives=None).output)
    table = list(csv.DictReader(io.StringIO(told(*verb.split(), "--csv", gives=None).output, newline="")))

    assert rows
    whose = {"provider"} if verb in OF_A_PROVIDER else set()
    assert {frozenset(row) for row in rows} == {frozenset(SHAPES[verb] | whose)}
    assert [set(row) for row in table] == [set(row) for row in rows]
    assert told(*verb.split(), gives=None).output.strip()


def test_no_table_is_wider_than_a_screen(told):
    for verb in SHAPES:
        said = told(*verb.split(), gives=None).output
        assert max(len(line) for line in said.splitlines()) <= 80, said


def test_a_register_is_normalised_for_programs(told):
    rows = json.loads(told("normalise", str(told.home / "examples" / "register.csv"), "--json").output)

    assert [(row["number"], row["outcome"], row["code"]) for row in rows] == [
        (2, "absent", "N"),
        (3, "late", "B"),
    ]


def test_a_whole_message_is_shown_for_programs_without_names(told):
    reference = json.loads(told("log", "--json").output)[0]["reference"]

    shown = json.loads(told("show", reference, "--json").output)

    assert {"line", "name", "reports", "attempts", "receipts", "statements", "documents", "digest"} <= set(
        shown
    )
    assert "Example" not in json.dumps(shown)
    assert "Nothing was shown" in told("show", reference, "--names", "asked by the head", gives=2).stderr
    named = told("show", reference, "--names", "asked by the head", "--by", "Sam, head").output
    assert "Sam Example" in named


def test_a_log_is_filtered(told):
    [line] = json.loads(told("log", "--json", "--limit", "1").output)

    assert json.loads(told("log", "--json", "--organisation", "nobody").output) == []
    assert json.loads(told("log", "--json", "--channel", line["channel"]).output)
    assert json.loads(told("log", "--json", "--from", "2099-01-01").output) == []
    assert json.loads(told("log", "--json", "--until", "2020-01-01").output) == []
    assert json.loads(told("log", "--json", "--state", line["state"]).output)
    assert json.loads(told("log", "--json", "--state", "refused").output) == []


def test_a_cell_is_never_a_formula(capsys):
    show_list("csv", [{"words": "=1+1", "choices": ["a"], "number": -1}], lambda: None)

    assert capsys.readouterr().out == 'words,choices,number\r\n\'=1+1,"[""a""]",-1\r\n'


def test_an_empty_list_says_so(applied):
    assert applied("log").output.strip() == "No messages."
    assert applied("log", "--csv").output == ""
    assert json.loads(applied("log", "--json").output) == []


def test_what_must_not_be_shown_stays_out_of_json():
    from aphub.services.approve import TestSent

    assert "passphrase" not in plain(TestSent("RB-1", "hidden"))
