"""What people may ask for: everything held, a note that travels, and what happens when a wrong school was told."""

import json
from datetime import timedelta

import pytest

from aphub.domain.errors import AphubError
from aphub.domain.ledger import append, open_checkpoint
from aphub.domain.ledger.merkle import EMPTY, leaf_hash
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import (
    access_request,
    accesses,
    evidence,
    legal_holds,
    offboard,
    overview,
    receipts,
    rectify,
    tell,
    wrong_school,
)
from aphub.store import about_pupil, erasing
from aphub.store import tables as t
from tests.services.test_erase import JO, ref_of, told_day
from tests.world import School, World

SCHOOLS = [School(), School("vale-school", (("email", "told", "vale"), ("phone-mail", "told", "vale-two")))]


@pytest.fixture
def world(make_world_anew) -> World:
    """Give a world with two schools on SQLite: nothing here depends on the database."""
    return make_world_anew(schools=SCHOOLS)


def test_every_table_is_either_about_pupils_or_said_not_to_be():
    names = {table.name for table in t.metadata.sorted_tables}
    reached = {table.name for table in t.metadata.sorted_tables if about_pupil.is_reached(table)}
    assert names - reached == about_pupil.NOT_ABOUT_PUPILS
    assert reached & about_pupil.NOT_ABOUT_PUPILS == set()
    # Whatever is sealed for a pupil is found by an erasure: by the pupil's number, or by the key of a class of its own.
    for table in erasing.sealed_tables():
        assert about_pupil.is_reached(table) or table.name == "channels", table.name


def test_everything_held_about_a_pupil_is_written_without_the_names_of_others(world, tmp_path):
    sam, other = world.pupil(), world.pupil(given="Alexandra")
    world.owe()
    world.at("09:05")
    note = "was pushed by Alexandra Example002 on the way, says the driver of the bus to Mill Lane"
    world.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.ILL, note=note)
    world.enter(other)
    world.go()
    rectify.add_note(world.desk, ref_of(world, sam), JO, "We phoned at 8am, with EXAMPLE002 standing by.")
    found = access_request.answer(world.desk, ref_of(world, sam), tmp_path / "out", JO, "parent, 3 March")
    assert sorted(path.suffix for path in found.files) == [".html", ".json"]
    said = json.loads(next(path for path in found.files if path.suffix == ".json").read_text())
    texts = [path.read_text() for path in found.files]
    for text in texts:
        assert "Example001" in text
        assert "Example002" not in text
        assert "EXAMPLE002" not in text
        assert "Alexandra" not in text
        assert other.upn not in text
        assert access_request.OTHER in text
        assert "Jo Office" not in text
    records = said["records"]
    assert {"pupils", "placements", "recipients", "lessons", "entries", "reports", "dispatches"} <= set(
        records
    )
    assert records["entries"][0]["content"]["note"].startswith(f"was pushed by {access_request.OTHER}")
    assert records["record_notes"][0]["made_by"] == "office manager"
    assert "sealed" not in records["dispatches"][0]
    assert found.to_read >= 2
    assert {path.stat().st_mode & 0o077 for path in found.files} == {0}
    [line] = accesses.viewed(world.desk, ref_of(world, sam))
    assert (line.what, line.because) == ("access request", "parent, 3 March")
    with pytest.raises(AphubError, match="already"):
        access_request.answer(world.desk, ref_of(world, sam), tmp_path / "out", JO, "again")


def test_note_on_a_record_travels_with_its_evidence_and_is_told_to_who_had_it(world, tmp_path):
    sam = world.pupil()
    told_day(world, sam)
    ref, told = rectify.add_note(
        world.desk,
        ref_of(world, sam),
        JO,
        "He was there until ten.",
        about="2026-03-03",
        answer="We keep our mark.",
    )
    assert told == ["hill-school"]
    assert [task.organisation for task in world.tasks("tell_note")] == ["hill-school"]
    folder = evidence.evidence(world.desk, world.dispatches()[0].reference, tmp_path / "evidence", by=JO)
    [note] = sorted((folder / "notes").iterdir())
    assert json.loads(note.read_text())["says"] == "He was there until ten."
    assert evidence.verify_folder(folder).ok
    bare = evidence.evidence(world.desk, world.dispatches()[0].reference, tmp_path / "bare", contents=False)
    assert not (bare / "notes").exists()
    assert ref in {row.subject for row in world.rows(t.statements) if row.kind == "record.noted"}
    for wrong in ("", "x" * (rectify.LONGEST + 1)):
        with pytest.raises(rectify.CannotNoteError):
            rectify.add_note(world.desk, ref_of(world, sam), JO, wrong)


def test_wrong_school_is_stopped_first_then_recorded_with_the_clock_and_led_to_its_end(world):
    sam = world.pupil("vale-school")
    told_day(world, sam)
    [message] = [row.reference for row in world.dispatches()]
    noticed = world.clock.now()
    world.clock.advance(timedelta(hours=1))
    with pytest.raises(wrong_school.WrongSchoolError, match="ahead"):
        wrong_school.went_wrong(world.desk, message, JO, world.clock.now() + timedelta(hours=1))
    with pytest.raises(wrong_school.WrongSchoolError, match="Nothing is recorded"):
        wrong_school.deleted(world.desk, message, JO, "Mr Vale")
    found = wrong_school.went_wrong(world.desk, message, JO, noticed)
    assert found.report_by == noticed + timedelta(hours=72)
    assert (found.pupils, found.reports) == (1, 1)
    assert set(found.paused) == {"email", "phone-mail"}
    assert {row.state for row in world.rows(t.channels, organisation="vale-school")} == {"paused"}
    everything = "\n".join(found.drafts.values())
    assert "Example001" not in everything
    assert sam.upn not in everything
    assert "health" in found.drafts["4-breach-record.txt"]
    assert message in found.drafts["2-ask-them-to-delete.txt"]
    assert "Ada Example" in found.drafts["1-what-to-do.txt"]
    kinds = [one.kind for one in overview.waiting(world.desk) if one.kind.startswith("breach")]
    assert sorted(kinds) == ["breach_decide", "breach_delete", "breach_lead", "breach_tell"]
    # Asked again it is the same record, and the clock does not begin anew.
    again = wrong_school.went_wrong(world.desk, message, JO)
    assert (again.ref, again.report_by) == (found.ref, found.report_by)
    wrong_school.deleted(world.desk, message, JO, "Mr Vale, office")
    with pytest.raises(wrong_school.WrongSchoolError, match="Why not"):
        wrong_school.decided(world.desk, message, JO, reported=False)
    world.clock.advance(timedelta(days=4))
    assert "later than 72 hours" in wrong_school.decided(world.desk, message, JO, reported=True)
    [row] = world.rows(t.disclosures)
    assert (row.deleted_by, row.decision) == ("Mr Vale, office", "reported")
    assert [one for one in world.said() if one.startswith(("disclosure", "channel"))] == [
        "channel.paused",
        "channel.paused",
        "disclosure.recorded",
        "disclosure.deleted",
        "disclosure.decided",
    ]
    assert accesses.viewed(world.desk, ref_of(world, sam))[-1].what == "wrong school"
    assert world.verify().ok


def test_message_that_has_not_left_is_no_disclosure(world):
    world.pupil()
    world.owe()
    world.clock.advance(timedelta(hours=2, minutes=43))
    tell.tell_now(world.desk)
    [message] = [row.reference for row in world.dispatches()]
    with pytest.raises(wrong_school.WrongSchoolError, match="nobody has it"):
        wrong_school.went_wrong(world.desk, message, JO)
    assert {row.state for row in world.rows(t.channels)} == {"live"}


def test_provider_that_leaves_keeps_only_its_ledger_and_that_verifies(make_world, tmp_path):
    world = make_world()
    sam = world.pupil()
    told_day(world, sam)
    legal_holds.place(world.desk, ref_of(world, sam), JO, "court case 12/26")
    with pytest.raises(offboard.CannotLeaveError, match="legal hold"):
        offboard.leave(world.desk, JO, tmp_path / "ledger", lambda _would: True)
    legal_holds.end(world.desk, ref_of(world, sam), JO)
    desk = world.desk
    assert offboard.leave(desk, JO, tmp_path / "ledger", lambda _would: False) is None
    assert world.rows(t.pupils) != []
    gone = offboard.leave(desk, JO, tmp_path / "ledger", lambda _would: True)
    assert gone is not None
    assert gone.pupils == 1
    left = {
        table.name for table in t.metadata.sorted_tables if "provider_id" in table.c and world.rows(table)
    }
    assert left == {"providers", "statements", "ledger_nodes", "checkpoints", "verifying_keys"}
    assert desk.vault.classes() == {}
    assert receipts.verify_of(world.hub.store, desk.provider_id).ok
    # What was written out verifies by itself: the leaves give the root that the last checkpoint signs.
    leaves = (tmp_path / "ledger" / offboard.STATEMENTS).read_bytes().splitlines()
    keys = (tmp_path / "ledger" / offboard.KEYS).read_text().split()
    note = (tmp_path / "ledger" / offboard.CHECKPOINTS).read_text().split("\n\x1e\n")[-1]
    signed = open_checkpoint(note, keys)
    frontier, _ = append(EMPTY, [leaf_hash(leaf) for leaf in leaves])
    assert (signed.size, signed.root) == (len(leaves), frontier.root())
    assert world.hub.desks() == []
    with pytest.raises(AphubError, match="has left"):
        world.hub.apply("test")
