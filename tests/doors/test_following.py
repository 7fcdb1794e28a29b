"""A case's whole life at the command line: what is looked at fits a screen, and programs read no name."""

import json
import re
from pathlib import Path

import pytest

from aphub.domain.outcomes import Outcome
from aphub.hub import keep_played_time
from tests.doors.conftest import CommandLine
from tests.ladders import LEFT, ladder, roles, rung
from tests.world import PROVIDER, TUESDAY, build_world

WIDEST, STILL = 80, {"open", "later"}
BY_WORDS = {
    "Phone home": "call-home",
    "Phone home again: the pupil is found and safe": "safe-call-home",
    "Check the letter home and release it": "letter",
    "Arrange a welfare visit": "visit",
    "Search the site and near it": "search",
    "Tell the leadership": "tell-head",
    "Tell the leadership again: the pupil is found and safe": "safe-tell-head",
    "Write the record": "incident",
}
JO, LEAD = "Jo Weaver, office", "Ada Example, safeguarding lead"
LADDERS = (
    roles(leadership="Kim Hart, head")
    + ladder(
        "missing",
        "unexplained absence",
        rung("call-home", "phone home", "start + 15 min", until="reached", if_not_done="leadership"),
        rung("letter", "letter home", "next school day", letter="warning", until="done"),
        rung("visit", "welfare visit", "next school day", until="done"),
    )
    + LEFT
    + ladder("known", "unexplained absence", rung("text", "text home", "start + 30 min"), plan=True)
    + '\n[letters.warning]\nsubject = "Attendance"\nbody = "{pupil} was away. Phone {provider}, {phone}."\n'
)


@pytest.fixture
def played(tmp_path: Path, sqlite_url: str) -> CommandLine:
    """Play a morning: Sam does not come, Kit leaves the site; then close the hub, so that people type."""
    world = build_world(tmp_path / "home", sqlite_url, provider=PROVIDER + LADDERS)
    sam, kit, alex = world.pupil(given="Sam"), world.pupil(given="Kit"), world.pupil(given="Alex")
    world.owe()
    world.at("09:20")
    world.enter([sam, alex], outcome=Outcome.ABSENT)
    world.enter(kit, outcome=Outcome.LEFT_SITE)
    world.go()
    keep_played_time(world.hub)
    world.hub.close()
    return CommandLine(world.home)


def test_a_case_is_followed_from_its_first_call_to_its_end(played):
    listed = {row["pupil_ref"]: row for row in json.loads(played("cases", "--json", gives=1).output)}
    sam, kit, alex = (listed[ref]["ref"] for ref in ("P0001", "P0002", "P0003"))
    assert "not here, reason not known" in played("cases", gives=1).output
    steps = {case: names_of(played, case) for case in (sam, kit, alex)}
    shown = played("case", sam, "--by", JO).output
    assert "Sam Example001 (P0001)" in shown
    assert "Try now: first contact" in shown
    assert "Example001" not in played("case", sam, "--json", "--by", JO).output
    assert "is yours, Jo Weaver" in played("acknowledge", sam, "--by", JO).output
    assert f"Taken on by {JO}" in played("cases", gives=1).output

    # Calls: one thing each, in order, and only an answer is an answer.
    call = steps[sam]["call-home"]
    played("call", call, "--by", JO, gives=2)
    assert "Next: second contact" in played("call", call, "--result", "no-answer", "--by", JO).output
    assert (
        "never names a pupil"
        in played("call", call, "--result", "voicemail", "--at", "9:19am", "--by", JO).output
    )
    played("call", call, "--result", "busy", gives=2)
    assert "not come yet" in played("call", call, "--result", "engaged", "--at", "23:59", gives=None).output
    answered = ("--answered-by", "Ms Example, mother", "--safe", "--said", "She will bring her.", "--by", JO)
    assert "somebody answered" in played("call", call, *answered).output
    played("step", steps[sam]["visit"], "--by", JO, gives=2)
    played("step", steps[sam]["visit"], "--not-needed", "the mother brings her", "--by", JO)

    keep_home_apart(played, steps[sam], alex, steps[alex])

    # Found safe by the same routes, then everything is ended by somebody's name.
    assert (
        "Found safe at 9:19am"
        in played("found", kit, "--at", "9:19am", "--said", "in the park", "--by", JO).output
    )
    assert "found" in played("found", kit, "--by", JO, gives=None).output
    assert "left the site" in played("found", sam, "--by", JO, gives=None).output
    for case in (kit, alex, kit):  # who was told that a pupil left is told of the end too: a step of its own
        for name, ref in names_of(played, case).items():
            played(
                "step",
                ref,
                *(("--not-needed", "told by phone") if name == "letter" else ("--done",)),
                "--by",
                JO,
            )
    assert played("cases").output.strip() == "Nobody is waited for."
    over = json.loads(played("cases", "--all", "--day", TUESDAY.isoformat(), "--json").output)
    assert {row["state"] for row in over} == {"cleared"}
    assert "Over:" in played("cases", "--all", "--day", TUESDAY.isoformat()).output

    fits_a_screen(played)


def keep_home_apart(played, sam: dict[str, str], case: str, alex: dict[str, str]) -> None:
    """Read a letter before it goes, and reach no home that must not be reached."""
    letter = sam["letter"]
    assert "read and released" in played("step", letter, "--done", "--by", JO, gives=None).output
    assert "This is a draft" in played("letter", letter, "--by", JO).output
    assert "Sam Example001 was away" in played("letter", letter, "--release", "--by", JO).output
    order = "Court order 12/26: not the father."
    said = played("contact", "P0003", "--restrict", "no-contact", "--note", order, "--by", JO).output
    assert "Nobody at home may be contacted" in said
    assert f"STOP. Nobody at home may be contacted about this pupil. {order}" in " ".join(
        played("case", case, "--by", JO).output.split()
    )
    call = ("call", alex["call-home"], "--result", "no-answer", "--by", JO)
    assert "Nobody at home may be contacted" in played(*call, gives=None).output
    played(*call, "--despite", LEAD)
    assert "Only the safeguarding lead" in played("contact", "P0003", "--lift", "--by", JO, gives=None).output
    played("contact", "P0003", "--lift", "--by", LEAD)
    assert "not restricted" in played("contact", "P0003", "--by", JO).output
    assert "in your own file" in played("contact", "P0003", "--by", JO).output


def test_a_plan_a_sheet_and_a_census_by_hand(played, tmp_path):
    placement = json.loads(played("log", "--json").output)[0]["reference"]
    placement = json.loads(played("show", placement, "--json").output)["reports"][0]["placement"]
    agreed = ("--agreed-with", "Ms Hill, Hill School")
    plan = ("plan", placement, "--ladder", "known", "--until", "2026-03-20", *agreed, "--by", JO)
    assert "nobody else" in played(*plan, "--signed-by", "Jo Weaver", gives=None).output
    played("plan", placement, "--by", JO, gives=2)
    assert "holds from today" in played(*plan, "--signed-by", "Ada Example").output
    assert [row["ladder"] for row in json.loads(played("plans", "--json").output)] == ["known"]
    assert "known" in played("plans").output
    assert "has ended" in played("plan", placement, "--end", "--by", JO).output

    # Papers: the sheet of a day, the census of a commissioner, copies of the keys.
    assert (
        "Sheet "
        in played("sheet", "--day", "2026-03-04", "--as", "html", "--to", str(tmp_path / "out")).output
    )
    lacking = played(
        "export", "placements", "--organisation", "hill-school", "--to", str(tmp_path / "out"), gives=1
    )
    assert "3 lack something" in lacking.output
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".csv", ".html"]
    assert "There is no copy" in played("key-copies").output
    assert "no copy of the keys of this name" in played("key-copies", "--gone", "x.keys", gives=None).output
    assert "as they were signed" in played("verify").output
    fits_a_screen(played)


def fits_a_screen(played) -> None:
    """No list and no case that people look at is wider than a screen."""
    looked_at = [said for said in played.said if re.match(r"Case |Plan |[0-9A-Z]{8}  ", said)]
    assert looked_at
    assert [line for said in looked_at for line in said.splitlines() if len(line) > WIDEST] == []


def names_of(played: CommandLine, case: str) -> dict[str, str]:
    """Give the references of a case's open steps, by what they do."""
    view = json.loads(played("case", case, "--json", "--by", JO).output)
    return {
        BY_WORDS[step["words"].partition(".")[0]]: step["ref"]
        for step in view["steps"]
        if step["state"] in STILL
    }
