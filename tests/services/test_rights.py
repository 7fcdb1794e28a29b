"""What people may ask for: everything held, a note that travels, and what happens when a wrong school was told."""

import csv
import io
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
    papers,
    receipts,
    rectify,
    redaction,
    tell,
    waits,
    wrong_school,
)
from aphub.store import about_pupil, erasing, leaving
from aphub.store import tables as t
from aphub.testing.planted import PLANTED, PLANTED_PUPIL, search_for_planted
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


def marked(content: bytes, decide) -> bytes:
    """Mark each text of a review as a person would: `decide` gives the decision, and words to cut."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, redaction.COLUMNS)
    writer.writeheader()
    for row in rows:
        row["decision"], row["cut also"] = decide(row)
        writer.writerow(row)
    return out.getvalue().encode()


def test_everything_held_is_given_after_a_person_read_it_and_names_nobody_else_in_any_form(world, tmp_path):
    sam, other = world.pupil(), world.pupil(given="Alexandra May")
    planted = PLANTED_PUPIL
    third = world.pupil(given=planted.given_name)
    rename(world, third, family_name=planted.family_name, upn=planted.upn)
    mother = "Ms Quick, mother, 01632 960101"
    rename(world, sam, first_contact=mother, contact_note="Order: the father must not learn of Mill Lane.")
    desk, ref = world.desk, ref_of(world, sam)
    world.owe()
    world.at("09:05")
    note = f"was pushed by Alexandra Example002 and {planted.given_name.upper()}, says Mr Hill of the bus to Mill Lane"
    world.enter(sam, outcome=Outcome.ABSENT, reason=ReasonKind.ILL, note=note)
    world.enter([other, third])
    world.go()
    says = f"We phoned at 8am, {planted.given_name} standing by. In May it may rain. My sister Jo saw it."
    rectify.add_note(desk, ref, JO, says)

    forms = ("html", "txt", "csv", "xlsx", *papers.printable())
    made = access_request.draft(desk, ref, tmp_path / "draft", JO, "parent, 3 March", forms)
    assert all("draft" in path.name or path.name == "review.csv" for path in made.files)
    assert {path.stat().st_mode & 0o077 for path in made.files} == {0}
    review = (tmp_path / "draft" / "review.csv").read_bytes()
    rows = {row["where"]: row for row in csv.DictReader(io.StringIO(review.decode("utf-8-sig")))}
    assert 0 < len(rows) <= made.to_read
    assert "reports, lines, why" not in rows  # the hub's own words
    assert rows["record notes, says"]["taken out already"] == f"{planted.given_name}; May"
    assert (rows["pupils, contact note"]["as it would be given"], rows["pupils, first contact"]["as it would be given"]) == (
        redaction.LEFT_OUT, f"{redaction.OTHER}, mother",
    )  # fmt: skip

    # Nothing is handed over while a text is unread, or marked with a word that we do not know.
    for wrong, said in (
        (lambda _row: ("", ""), "no mark that we know"),
        (lambda _row: ("cut", ""), "nothing to cut"),
        (lambda _row: ("give", "Jo"), "nothing to cut"),
    ):
        with pytest.raises(redaction.ReviewError, match=said):
            hand_over(desk, ref, tmp_path / "none", ("review.csv", marked(review, wrong)))
    one_left = b"\r\n".join(marked(review, lambda _row: ("give", "")).splitlines()[:-1])
    with pytest.raises(redaction.ReviewError, match="1 text was not read"):
        hand_over(desk, ref, tmp_path / "none", ("review.csv", one_left))
    assert not (tmp_path / "none").exists()

    def decide(row) -> tuple[str, str]:
        if row["where"] == "record notes, says":
            return ("cut", "Jo")
        return ("leave out", "") if row["where"] == "entries, note" else ("give", "")

    found = access_request.hand_over(
        desk, ref, tmp_path / "out", "Ada Example, safeguarding lead", "parent, 3 March",
        ("review.csv", marked(review, decide)), forms,
    )  # fmt: skip
    others = (
        *PLANTED,
        other.upn,
        "Example002",
        "Alexandra",
        "Quick",
        "960101",
        "Mr Hill",
        "father",
        "sister Jo",
        "Jo Office",
    )
    assert search_for_planted(tmp_path / "out", planted=others) == []
    texts = [
        path.read_text("utf-8-sig")
        for path in found.files
        if path.suffix in {".html", ".txt", ".csv", ".json"}
    ]
    assert sum("Example001" in text for text in texts) >= 4
    said = json.loads((tmp_path / "out" / "everything.json").read_text())["records"]
    assert {"pupils", "placements", "recipients", "lessons", "entries", "reports", "dispatches"} <= set(said)
    assert said["entries"][0]["content"]["note"] == redaction.LEFT_OUT
    assert said["record_notes"][0]["content"]["says"].endswith(
        f"it may rain. My sister {redaction.OTHER} saw it."
    )
    assert (said["record_notes"][0]["made_by"], said["placements"][0]["arranged_by"]) == (
        "office manager",
        "school",
    )
    assert isinstance(said["placements"][0]["timetable"], list)
    assert "sealed" not in said["dispatches"][0]
    assert {path.stat().st_mode & 0o077 for path in found.files} == {0}
    handed = accesses.viewed(desk, ref)[0]
    assert (handed.by, handed.what, handed.because) == (
        "Ada Example, safeguarding lead", "access request", "parent, 3 March",
    )  # fmt: skip
    with pytest.raises(AphubError, match="already"):
        hand_over(desk, ref, tmp_path / "out", ("review.csv", marked(review, decide)))


def hand_over(desk, ref, folder, review):
    return access_request.hand_over(desk, ref, folder, JO, "again", review)


def rename(world, placed, **words: str) -> None:
    """Keep other words of a pupil, as an import does."""
    [row] = world.rows(t.pupils, pupil_id=placed.pupil_id)
    place = f"pupils:{world.desk.provider_id}:{placed.pupil_id}"
    data = {**world.desk.vault.open_json(row.key_id, place, row.sealed), **words}
    [key] = world.desk.vault.data_keys([placed.pupil_id], "pupil", world.desk.year())
    world.change(
        t.pupils,
        {"key_id": key.key_id, "sealed": world.desk.vault.seal_json(key, place, data)},
        pupil_id=placed.pupil_id,
    )


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
    for wrong, says in {"": "is empty", "x" * (rectify.LONGEST + 1): "longer than 2000 letters"}.items():
        with pytest.raises(AphubError, match=says):
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
    kinds = [one.kind for one in waits.waiting(world.desk) if one.kind.startswith("breach")]
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
    # Cut short after it was closed: nothing is served any more, a person is told, and the same step finishes it.
    with world.hub.store.transaction() as connection:
        leaving.close(connection, desk.provider_id, desk.now)
    assert world.hub.desks() != []
    assert world.hub.serving() == []
    [left_to_do] = waits.waiting(desk)
    assert "not served" in left_to_do.words
    assert "offboard" in left_to_do.mend
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
