"""Data protection at the command line: first it shows, then it does, and it says when all of it is done."""

import csv
import json

OFFICE = "Robin, office"


def test_backup_and_restore_by_hand_on_a_clean_machine(told, tmp_path):
    saved, keys = tmp_path / "saved", tmp_path / "keys"
    alone = told("backup", str(saved), gives=1).output
    assert "nobody can read this backup" in alone
    said = told("backup", str(tmp_path / "again"), "--keys-to", str(keys)).output
    assert "The keys are in" in said
    [folder], [copy] = (tmp_path / "again").iterdir(), keys.iterdir()
    references = {row["reference"] for row in json.loads(told("log", "--json").output)}
    there = told("restore", str(folder), "--by", OFFICE, gives=None).output
    assert "There is a database" in there
    told.home = tmp_path / "clean"
    recovery = str(tmp_path / "recovery-key")
    lost = ("restore", str(folder), "--recovery-key-file", recovery, "--by", OFFICE)
    assert "no keys here" in told(*lost, gives=1).output
    # Who looks around in between leaves nothing behind that would be in the way.
    assert "aphub restore" in told("waiting", gives=None).output
    assert not (told.home / "hub.db").exists()
    said = told(*lost, "--keys", str(copy), gives=1).output
    assert "epoch 2" in said
    assert "1 way is paused" in said
    assert {row["reference"] for row in json.loads(told("log", "--json").output)} == references
    assert "riverbank" in told("verify").output
    told("resume", "hill-school", "office", "--by", OFFICE)


def test_erase_hold_purge_and_viewed_show_before_they_do(told, tmp_path):
    [message, *_] = [row["reference"] for row in json.loads(told("log", "--json").output)]
    told("show", message, "--names", "the head asked", "--by", OFFICE)
    told("preview", message, "--by", OFFICE)
    lines = json.loads(told("viewed", "--json").output)
    assert [line["what"] for line in lines] == ["documents shown", "names shown"]
    assert "Nothing has been kept too long" in told("purge").output
    pupil = json.loads(told("show", message, "--json").output)["reports"][0]["placement"]
    held = told("legal-hold", pupil, "--because", "court case 12/26", "--by", OFFICE).output
    assert "nothing of this pupil goes" in held
    assert json.loads(told("legal-hold", "--json").output)[0]["because"] == "court case 12/26"
    assert "legal hold" in told("erase", pupil, "--by", OFFICE, gives=None).output
    told("legal-hold", pupil, "--end", "--by", OFFICE)
    refused = told("erase", pupil, "--by", OFFICE, "--because", "asked for", "--yes", gives=None).output
    assert "would hear nothing" in refused
    out = tmp_path / "out"
    asked = ("access-request", pupil, "--because", "parent", "--by", OFFICE)
    said = told(*asked, "--to", str(tmp_path / "draft"), gives=1).output
    assert f"--reviewed {tmp_path / 'draft' / 'review.csv'}" in said
    rows = list(csv.reader((tmp_path / "draft" / "review.csv").read_text("utf-8-sig").splitlines()))
    with (tmp_path / "marked.csv").open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *([*row[:4], "give", ""] for row in rows[1:])])
    said = told(*asked, "--to", str(out), "--reviewed", str(tmp_path / "marked.csv")).output
    assert {path.suffix for path in out.iterdir()} == {".html", ".json"}
    assert "one month" in said
    assert "The note is kept" in told("rectify", pupil, "--says", "He was there.", "--by", OFFICE).output


def test_wrong_school_prints_what_to_do_first_and_writes_the_drafts(told, tmp_path):
    [message, *_] = [row["reference"] for row in json.loads(told("log", "--json").output)]
    said = told("wrong-school", message, "--by", OFFICE, gives=1).output
    assert said.index("phone the safeguarding lead") < said.index("72 hours")
    assert "paused" in told("channels").output
    told("wrong-school", message, "--by", OFFICE, "--to", str(tmp_path / "drafts"), gives=1)
    assert len(list((tmp_path / "drafts").iterdir())) == 4
    told("wrong-school", message, "--by", OFFICE, "--deleted", "Mr Hill, office")
    told("wrong-school", message, "--by", OFFICE, "--not-reported", "low risk: a school, deleted unread")


def test_provider_is_closed_only_when_its_name_is_typed(told, tmp_path):
    away = ("offboard", "--to", str(tmp_path / "ledger"), "--by", OFFICE)
    assert "Name the provider" in told(*away, gives=2).output
    told.said.clear()
    assert (
        "Nothing was changed" in told("--provider", "riverbank", *away, types="riverbnak\n", gives=2).output
    )
    said = told("--provider", "riverbank", *away, types="riverbank\n").output
    assert "It is closed" in said
    assert told("verify").exit_code == 0
    assert "has left" in told("apply", "--yes", gives=None).output


def test_a_frightened_person_reads_plain_words_about_one_pupil(told, tmp_path):
    [message] = {row["reference"] for row in json.loads(told("log", "--json").output)}
    rows = json.loads(told("show", message, "--json").output)["reports"]
    said = told("wrong-school", message, "--by", OFFICE, "--to", str(tmp_path / "drafts"), gives=1).output
    drafts = {path.name: path.read_text() for path in (tmp_path / "drafts").iterdir()}
    counted = f"{len(rows)} report{'' if len(rows) == 1 else 's'}"
    assert counted in said
    every = "\n".join(drafts.values())
    assert " 1 pupils" not in every
    assert " 1 reports" not in said
    assert "On 1" not in every, "a time of day is 'at'"
    assert "hears of its own pupils from you, by phone" in drafts["1-what-to-do.txt"]
    assert "[Once it is so: Our safeguarding" in drafts["3-tell-the-right-school.txt"]
