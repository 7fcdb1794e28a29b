"""One played day: its folder, its proof, and what comes after."""

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import select

from aphub import demo
from aphub.cli.root import main
from aphub.demo.day import at
from aphub.demo.folder import Folder, NotADemoError
from aphub.demo.pupils import everyone
from aphub.domain.identifiers import UpnState, check_upn
from aphub.hub import Hub, SimulatedStoreError, open_hub
from aphub.services import receipts
from aphub.services.whose import desk_with
from aphub.settings.models import OrganisationConfig
from aphub.store import tables as t
from tests.end_to_end.played_day import (
    Played,
)

pytestmark = pytest.mark.slow


# The whole


def test_the_day_is_played_to_its_end(played: Played, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f"\nplayed in {played.seconds:.1f} s")  # noqa: T201 - the wall time is told, not judged
    assert played.status == 0, played.output


def test_everything_lies_in_one_folder(played: Played):
    assert {path.name for path in played.home.iterdir() if not path.name.startswith("hub.db")} == {
        "config",
        "daemon.lock",
        "demo.json",
        "drop",
        "evidence",
        "hub.toml",
        "inbox",
        "keys",
        "mail",
        "mis",
        "papers",
        "people",
        "share",
    } - ({"daemon.lock"} if not (played.home / "daemon.lock").exists() else set())


def test_what_is_printed_fits_eighty_columns_and_names_no_pupil(played: Played):
    # Commands and paths are printed whole, however long the folder's name is.
    lines = [line for line in played.output.splitlines() if str(played.home) not in line]
    assert max(map(len, lines)) <= 80
    for one in everyone():
        assert one.family_name not in played.output
        assert one.upn not in played.output


def test_every_organisation_stands_in_the_table(played: Played, organisations: dict[str, OrganisationConfig]):
    assert len(organisations) == 17
    for one in organisations.values():
        assert one.name in played.output


def test_the_end_names_what_waits_and_how_to_verify(played: Played):
    assert "Waiting for a person" in played.output
    assert "verify" in played.output
    for part in ("config", "mail", "drop", "mis", "inbox", "papers", "evidence"):
        assert re.search(rf"/{part}\b", played.output)


def test_the_invented_pupils_cover_every_arrangement():
    people = everyone()
    assert 30 <= len(people) <= 70
    assert len({one.upn for one in people}) == len(people)
    assert all(check_upn(one.upn).state is UpnState.OK and one.upn[1:4] == "999" for one in people)
    assert {(one.arranged_by, one.registration) for one in people} == {
        ("school", "home"),
        ("council", "home"),
        ("school", "dual"),
        ("council", "own"),
        ("council", "no_roll"),
    }
    assert {one.power for one in people} == {"", "s.19", "s.42(2)", "s.61(1)"}
    assert {"sport", "work experience", "online", "1:1 tuition at home"} <= {one.nature for one in people}


# Proof


def test_the_ledger_verifies(hub: Hub):
    for desk in hub.desks():
        assert receipts.verify(desk).ok


def test_every_channel_was_approved_by_a_second_person(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(select(t.channels)).all()
    assert {row.state for row in rows} == {"live"}
    assert all(row.approved_by != row.tested_by for row in rows)


def test_evidence_of_the_day_can_be_checked_without_the_hub(played: Played):
    for provider in ("sentre", "ypm", "cst", "safe-space", "red-everywhere"):
        assert receipts.verify_folder(played.home / "evidence" / provider).ok


def test_no_pupil_lies_readable_in_the_hubs_own_files(played: Played):
    own = [
        *played.home.glob("hub.db*"),
        *(played.home / "inbox").rglob("*"),
        *(played.home / "keys").rglob("*"),
    ]
    for path in own:
        content = path.read_bytes() if path.is_file() else b""
        for one in everyone():
            assert one.upn.encode() not in content, path
            assert one.name.encode() not in content, path


# Afterwards


_LISTS = (
    "today",
    "waiting",
    "channels",
    "log",
    "cases",
    "absences",
    "reasons",
    "plans",
    "not-due",
    "cancelled",
)


@pytest.mark.parametrize("provider", ["cst", "red-everywhere", "safe-space", "sentre", "ypm"])
def test_whatever_a_person_may_list_is_told_of_every_provider(played: Played, provider: str):
    for verb in _LISTS:
        told = CliRunner().invoke(main, ["--home", str(played.home), "--provider", provider, verb])
        assert told.exit_code in {0, 1}, (verb, told.output)
        assert "did not expect" not in told.output, (verb, told.output)


def test_what_may_be_listed_needs_no_provider_and_a_reference_says_whose_it_is(played: Played, hub: Hub):
    said = {}
    for verb in (*_LISTS, "legal-hold", "viewed"):
        told = CliRunner().invoke(main, ["--home", str(played.home), verb])
        assert told.exit_code in {0, 1}, (verb, told.output)
        said[verb] = told.output
    for verb in ("reasons", "not-due", "waiting", "cases"):
        assert "(--provider ypm)" in said[verb], verb
    rows = json.loads(CliRunner().invoke(main, ["--home", str(played.home), "waiting", "--json"]).output)
    typed = [word for row in rows for word in re.findall(r"aphub (\S+ \S+)", f"{row['words']} {row['mend']}")]
    assert {word.split()[0] for word in typed} == {"--provider"}
    found = json.loads(CliRunner().invoke(main, ["--home", str(played.home), "cases", "--json"]).output)
    assert len({one["provider"] for one in found}) > 1
    for one in found:
        whose = desk_with(hub.desks(), one["ref"].lower())
        assert whose is not None
        assert whose.slug == one["provider"]
    assert desk_with(hub.desks(), "00000000") is None
    told = CliRunner().invoke(main, ["--home", str(played.home), "case", "00000000"])
    assert "has anything by this reference" in told.output


def test_played_again_it_says_that_nothing_is_owed(played: Played):
    before = sorted((played.home / "mail").glob("new/*"))
    out = io.StringIO()
    assert demo.play(played.home, Console(file=out, width=80)) == 0
    assert "Nothing is owed." in out.getvalue()
    assert sorted((played.home / "mail").glob("new/*")) == before


def test_a_real_hub_refuses_the_played_store(played: Played):
    with pytest.raises(SimulatedStoreError):
        open_hub(played.home)


def test_the_played_time_is_kept(hub: Hub):
    assert hub.clock.now() == at("18:00")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotADemoError):
        Folder(tmp_path).begin(again=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_day_played_before_makes_room_only_when_asked(tmp_path: Path):
    folder = Folder(tmp_path / "demo")
    assert folder.begin(again=False)
    folder.finish()
    (folder.mail / "letter").write_text("old")
    assert not folder.begin(again=False)
    assert (folder.mail / "letter").exists()
    assert folder.begin(again=True)
    assert not (folder.mail / "letter").exists()
