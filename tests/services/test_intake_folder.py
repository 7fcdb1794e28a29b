"""Registers in a folder, all the way: found, taken, sealed and put away; or only shown."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import time

import pytest

from aphub.api import SourceBatch
from aphub.domain.calendar import to_utc
from aphub.domain.placements import ArrangedBy, Purpose, Registration
from aphub.plugins import Plugins
from aphub.services import intake
from aphub.services.judging import vocabulary_of
from aphub.services.normalise import Arrangement, normalise, read_rows
from aphub.services.waits import waiting
from aphub.store import tables as t
from tests.registers import Handed, person, place, register
from tests.world import PROVIDER, World

FEED = '[feeds.registers]\nsource = "inbox"\nfolder = "inbox"\nstill_for = 0\n'
CONTENT = b"Ref,Date,Start time,Mark,Minutes\n1,03/03/2026,9am,Present,\n2,03/03/2026,9am,wibble,\n"


class Broken(Handed):
    """A source that fails when it is asked what waits."""

    name = "broken"

    def __init__(self, _settings, _home):
        super().__init__()

    def waiting(self) -> Iterator[SourceBatch]:
        """Fail."""
        raise ZeroDivisionError


@pytest.fixture
def office(make_world):
    world = make_world(provider=PROVIDER + FEED)
    place(world, person("1"), person("2"))
    world.clock.advance_to(to_utc(world.day, time(9, 5)))
    (world.home / "inbox").mkdir()
    return world


def test_a_file_in_the_folder_is_taken_and_only_sealed_copies_remain(office: World):
    (office.home / "inbox" / "Tuesday.csv").write_bytes(CONTENT)
    [result] = intake.take_in_all(office.desk)

    assert (result.state, result.entered, result.questioned) == ("taken", 1, 1)
    left = sorted(path for path in (office.home / "inbox").rglob("*") if path.is_file())
    assert [path.name for path in left] == ["Tuesday.csv.report.txt", "Tuesday.csv.sealed"]
    assert all(b"wibble" not in path.read_bytes() for path in left)
    assert intake.open_original(office.desk, result.ref) == ("Tuesday.csv", CONTENT)
    assert intake.take_in_all(office.desk) == []


def test_a_missing_folder_does_not_hold_another_feed_up(make_world):
    more = '[feeds.gone]\nsource = "inbox"\nfolder = "nowhere"\n' + FEED
    world = make_world(provider=PROVIDER + more)
    place(world, person("1"))
    (world.home / "inbox").mkdir()
    (world.home / "inbox" / "a.csv").write_bytes(CONTENT)

    assert [result.feed for result in intake.take_in_all(world.desk)] == ["registers"]

    # A person hears of it once, for as long as it is so.
    assert intake.take_in_all(world.desk) == []
    [asked] = [one for one in waiting(world.desk) if one.kind == "feed"]
    assert asked.words.startswith(
        "No register comes in by the feed 'gone'. The folder for registers is not there."
    )
    (world.home / "nowhere").mkdir()
    assert intake.take_in_all(world.desk) == []
    assert not [one for one in waiting(world.desk) if one.kind == "feed"]


def test_a_source_with_a_bug_does_not_hold_another_feed_up(office):
    (office.home / "inbox" / "a.csv").write_bytes(CONTENT)
    desk = office.desk
    feeds = {"a-broken": desk.config.provider.feeds["registers"].model_copy(update={"source": "broken"})}
    provider = desk.config.provider.model_copy(update={"feeds": {**feeds, **desk.config.provider.feeds}})
    sources = {**desk.plugins.sources, "broken": Broken}
    desk = replace(
        desk, config=desk.config.model_copy(update={"provider": provider}), plugins=Plugins(sources=sources)
    )

    assert [result.feed for result in intake.take_in_all(desk)] == ["registers"]


def test_showing_a_register_gives_outcome_code_and_why_and_changes_nothing(office):
    source = intake.source_of(office.desk, "registers")
    shown = list(normalise(office.desk, source, SourceBatch("a.csv", "text/csv", CONTENT)))

    assert [(row.number, row.outcome, row.code) for row in shown] == [(2, "present", "B"), (3, "", "")]
    assert "arranged by" in shown[0].why
    assert "not in the provider's words" in shown[1].question
    assert office.rows(t.intakes) == office.rows(t.marks) == []


def test_the_pass_without_a_store_says_the_same_as_the_one_with_it(office):
    source = Handed()
    batch = register(("1", "Present"), ("1", "Ill"), ("1", "Late", "5"), ("2", "wibble"), ("9", "Present"))
    kept = list(normalise(office.desk, source, batch))
    known = Arrangement(ArrangedBy.SCHOOL, Registration.HOME, Purpose.HOME_SCHOOL)
    bare = list(
        read_rows(
            source.rows(batch),
            vocabulary_of(office.desk),
            lambda row: known if row.pupil_ref in {"1", "2"} else None,
        )
    )

    assert bare == kept
