"""The first hour, as the README and the tutorial tell it, on a hub and a mail server that are real."""

import json
import re
import stat
import subprocess
import sys
from email import message_from_bytes, policy

import pytest

from aphub.sandbox import DemoAuthority
from tests.doors.conftest import HEAD, OFFICE

pytestmark = pytest.mark.slow


def for_the_school(post):
    """Give what left for the school; late in the day our own office is mailed what waits, beside it."""
    mails = [message_from_bytes(mail.raw, policy=policy.default) for mail in post.received]
    return [mail for mail in mails if "hill-school" in mail["To"]]


def test_a_newcomer_goes_from_nothing_to_a_receipt_that_verifies(told, post, tmp_path):
    mails = for_the_school(post)
    assert "TEST" in mails[0]["Subject"]
    reference = mails[-1]["X-Aphub-Reference"]

    shown = told("show", reference).output
    assert "sent, their server took it" in shown
    assert "dispatch.handed_over" in shown
    assert "TLS 1.3 to localhost (verified)" in shown
    assert f"Message {reference}" not in shown
    today = json.loads(told("today", "--json").output)
    assert [(one["organisation"], one["owed"]) for one in today] == [("hill-school", 2)]
    assert today[0]["sent"] >= 1
    assert reference in told("log").output
    assert "as they were signed" in told("verify").output
    bundle = tmp_path / "evidence"
    told("evidence", reference, "--to", str(bundle))
    assert "as it was signed" in told("verify", "--bundle", str(bundle)).output


def test_what_was_sent_is_shown_byte_for_byte(told, post):
    reference = json.loads(told("log", "--json").output)[0]["reference"]

    stored = told("preview", reference, "--document", "1").stdout_bytes
    sent = next(mail.raw for mail in reversed(post.received) if reference.encode() in mail.raw)

    # Only what is true at the moment of leaving is added: the newest checkpoint.
    body = stored.partition(b"\r\n\r\n")[2]
    assert body
    assert sent.endswith(body)


def test_the_draft_of_a_day_is_called_a_draft_and_kept_nowhere(live):
    live("import", str(live.home / "examples" / "people.csv"), "--yes")

    said = live("preview", "hill-school").output

    assert "DRAFT" in said or "there is no draft" in said
    assert json.loads(live("log", "--json").output) == []


def test_a_day_is_explained_rule_by_rule(told):
    reference = json.loads(told("log", "--json").output)[0]["reference"]
    report = json.loads(told("show", reference, "--json").output)["reports"][0]
    day = json.loads(told("log", "--json").output)[0]["due"][:10]

    found = json.loads(told("explain", report["placement"], day, "--json").output)

    assert [(one["organisation"], one["why"]) for one in found] == [("hill-school", "sent")]
    assert all(rule["question"] and rule["answer"] for one in found for rule in one["rules"])


def test_a_wrong_code_and_a_lone_approver_are_turned_away(applied, code_in):
    applied("approve", "hill-school", "office", "--by", HEAD, gives=1)
    said = applied("check", "hill-school", "office", "--page", str(applied.home)).output
    for ending in ("html", "txt"):
        page = applied.home / f"for-their-it-hill-school-office.{ending}"
        assert f"Written for their IT team: {page}" in said
        words = page.read_text()
        assert all(
            one in words for one in ("What to allow", "DKIM", "Spreadsheets under a password", "Whom to ask")
        )
    applied("test-report", "hill-school", "office", "--by", OFFICE)

    wrong = applied("read-back", "hill-school", "office", "000000", "--by", OFFICE, gives=1)
    assert wrong.stderr.splitlines()[:2] == ["This is not the code in the TEST message.", "4 tries are left."]
    applied("read-back", "hill-school", "office", code_in(), "--by", OFFICE)
    alone = applied("approve", "hill-school", "office", "--by", "robin, head", gives=1)

    assert "Ask a second person" in alone.stderr
    assert [one["state"] for one in json.loads(applied("channels", "--json").output)] == ["tested"]


def test_a_changed_address_must_be_approved_again(live):
    live.change("schools/hill-school.toml", ("attendance@hill-school", "office@hill-school"))
    live("apply", "--yes")

    [way] = json.loads(live("channels", "--json").output)
    assert way["state"] == "changed"
    assert way["next_step"] == "aphub check hill-school office"


def test_a_way_is_paused_and_resumed(live):
    live("pause", "hill-school", "office", "--by", OFFICE, "--why", "new mailbox")
    assert "paused" in live("channels").output
    assert live("waiting", gives=1).output

    live("resume", "hill-school", "office", "--by", HEAD)
    assert "Nothing waits" in live("waiting").output


def test_what_waits_is_mailed_to_our_own_office_and_its_message_is_known_again(live, post):
    live("pause", "hill-school", "office", "--by", OFFICE, "--why", "new mailbox")

    said = live("waiting", "--mail", gives=1).stderr

    mail = message_from_bytes(post.received[-1].raw, policy=policy.default)
    reference = mail["X-Aphub-Reference"]
    assert mail["To"] == "office@riverbank.example.org"
    assert said == f"Mailed to your office as {reference}.\n"
    assert f"{reference} carried no report: it told our own office" in live("show", reference, gives=2).stderr


def test_an_office_that_nobody_has_published_is_not_mailed_in_silence(aphub):
    assert "Nothing is published yet" in aphub("waiting", "--mail", gives=None).stderr


def test_a_person_at_the_school_confirms(told):
    reference = json.loads(told("log", "--json").output)[0]["reference"]

    told("confirm", reference, "--by", "Kim Archer", "--words", "OK")

    assert "dispatch.confirmed" in told("show", reference).output
    assert "confirmed already" in told("confirm", reference, "--by", "Kim Archer", gives=1).stderr


def test_what_nobody_doubts_is_not_settled_and_what_is_sent_is_not_retried(told):
    reference = json.loads(told("log", "--json").output)[0]["reference"]

    assert "no doubt" in told("settle", reference, "--arrived", gives=1).stderr
    assert "aphub show" in told("retry", reference, gives=1).stderr
    told("settle", reference, gives=2)


def test_the_same_report_goes_out_again_in_a_new_message(told, post):
    before = len(for_the_school(post))
    reference = json.loads(told("log", "--json").output)[0]["reference"]

    told("send-again", reference)
    told("run", "--once")

    assert len(for_the_school(post)) == before + 1
    assert json.loads(told("log", "--json").output)[0]["reference"] != reference


def test_a_correction_takes_one_of_the_providers_words_and_its_reason(told):
    reference = json.loads(told("log", "--json").output)[0]["reference"]
    placement = json.loads(told("show", reference, "--json").output)["reports"][0]["placement"]
    day = json.loads(told("log", "--json").output)[0]["due"][:10]

    starts = (told.home / "examples" / "register.csv").read_text().splitlines()[1].split(",")[2]

    told("correct", placement, day, starts, "Dancing", "--because", "phoned", gives=2)
    told("correct", placement, day, starts, "Present", "--because", "was in the kitchen", "--by", OFFICE)

    assert "Corrected" in told.said[-1]
    named = told("show", reference, "--json").output
    assert "kitchen" not in named


def test_init_shows_the_key_and_has_it_typed_back(tmp_path):
    from click.testing import CliRunner

    from aphub.cli import main

    home = tmp_path / "hub"
    nobody = CliRunner().invoke(main, ["--home", str(home), "init"], input="")
    assert nobody.exit_code != 0
    assert not (home / "hub.db").exists()
    assert re.search(r"(?:[0-9A-Z]{4}-){13}[0-9A-Z]{4}", nobody.output)


def test_init_writes_the_key_for_its_owner_only_and_never_over_a_hub(aphub, tmp_path):
    key = tmp_path / "recovery-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() not in "".join(aphub.said)

    again = aphub("init", "--recovery-key-file", str(tmp_path / "other"), gives=2)

    assert "already" in again.stderr
    assert not (tmp_path / "other").exists()


def test_apply_shows_what_changes_and_asks(aphub):
    DemoAuthority.open_or_create(aphub.home / "sandbox" / "authority")  # as `aphub sandbox smtp` does
    asked = aphub("apply", gives=1, types="n\n")
    assert "Hill School is new" in asked.output
    assert json.loads(aphub("channels", "--json").output) == []

    aphub("apply", types="y\n")
    assert "Nothing changes" in aphub("apply", "--yes").output


def test_the_key_that_was_typed_back_is_the_key_of_the_hub(tmp_path):
    home = tmp_path / "hub"
    command = [sys.executable, "-m", "aphub.cli", "--home", str(home), "init"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as typing:
        assert typing.stdin
        assert typing.stdout
        said = ""
        while not (found := re.search(r"(?:[0-9A-Z]{4}-){13}[0-9A-Z]{4}", said)):
            said += typing.stdout.readline()
        first, _, rest = found.group().partition("-")
        typing.stdin.write(f"{rest}\n{first.lower()} {rest}\n")
        typing.stdin.close()
        said = typing.stdout.read()
        assert typing.wait(timeout=60) == 0

    assert "has 56 letters and figures; this one has 52" in said
    assert (home / "keys" / "master.key").read_text().strip() == found.group()
