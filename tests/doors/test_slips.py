"""Slips of a newcomer's hand, each answered with what to type instead."""

from datetime import date

from aphub.cli.ground import DAY


def test_a_newcomers_slips_are_answered_one_by_one(applied):
    slips = {
        (
            "today",
            "--day",
            "3rd of March",
        ): "'3rd of March' is no day. Write it like 2026-03-03 or 3 March 2026.",
        ("ingest", "no-such-file.csv"): "File 'no-such-file.csv' does not exist.",
        (
            "approve",
            "hill-school",
            "office",
        ): 'We need the name of whoever does this. Add: --by "Your name, role"',
        ("summary", "fortnight"): "'fortnight' is not one of",
    }
    for typed, answer in slips.items():
        said = applied(*typed, gives=2).stderr
        assert answer in said
        assert "Invalid" not in said


def test_a_day_is_read_as_people_write_it():
    days = [DAY.convert(typed, None, None).date() for typed in ("2026-03-04", "04/03/2026", "4 March 2026")]

    assert set(days) == {date(2026, 3, 4)}


def test_every_way_to_a_school_is_checked_where_none_is_named(applied):
    said = applied("check", "hill-school").stdout

    assert said.startswith("hill-school office\n")
    assert max(len(line) for line in said.splitlines() if "/" not in line) <= 80
    assert "Next: aphub test-report hill-school office" in said


def test_who_does_not_agree_is_told_that_nothing_more_was_changed(aphub):
    said = aphub("apply", gives=1, types="n\n")

    assert "Stopped. Nothing more was changed." in said.stderr
    assert "Aborted" not in said.output


def test_of_a_file_that_cannot_be_read_only_that_is_said(aphub):
    aphub.change("providers/riverbank.toml", ('name = "Riverbank AP"', 'name = "Riverbank AP'))

    said = aphub("apply", gives=2).stderr

    assert [line for line in said.splitlines() if line.startswith("  providers/")] == [
        line for line in said.splitlines() if "not TOML" in line
    ]


def test_a_column_misspelt_is_answered_with_what_it_may_mean(applied):
    people = applied.home / "examples" / "people.csv"
    people.write_text(people.read_text().replace("pupil_ref", "pupil_reff", 1))

    said = applied("import", str(people), gives=1).stderr

    assert "Did you mean pupil_ref by 'pupil_reff'?" in said
