"""Erasing one pupil, holding another, purging by age: what goes, what stays, and the proofs that stay valid."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from aphub.domain.calls import CallResult
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.steps import Act
from aphub.services import accesses, erase, evidence, legal_holds, life, purge, receipts, saved_keys
from aphub.services.calling import OFFICE, Call, keep_call
from aphub.services.erased import erased as erased_lines
from aphub.services.whose import UnknownPupilError
from aphub.store import erasing, key_copies
from aphub.store import tables as t
from aphub.store.engine import lock_ledger
from tests.told import facts_of
from tests.world import Placed, School, World

JO = "Jo Office, office manager"
ASKED = "asked for by the parent"


def told_day(world: World, *pupils: Placed) -> None:
    """Tell a morning about these pupils."""
    world.owe()
    world.at("09:05")
    world.enter(list(pupils), outcome=Outcome.ABSENT, reason=ReasonKind.ILL, note="has a cold")
    world.go()


def end_placement(world: World, placed: Placed) -> None:
    world.change(t.placements, {"ends_day": world.day}, placement_id=placed.placement_id)


def phone_about(world: World, references: list[str]) -> None:
    """Phone each message's school, and be answered."""
    call = Call(CallResult.ANSWERED, JO, answered_by="Ms Example", said="They have it.")
    with world.desk.store.transaction() as connection:
        lock_ledger(connection, world.desk.provider_id)
        for reference in references:
            keep_call(world.desk, connection, reference, Act.PHONE_SCHOOL, OFFICE, call, world.clock.now())


def ref_of(world: World, placed: Placed) -> str:
    return str(next(row.ref for row in world.rows(t.pupils) if row.pupil_id == placed.pupil_id))


def left_of(world: World, placed: Placed) -> list[str]:
    """Name the tables in which something sealed of this pupil can still be opened or is still there."""
    found = []
    for table in erasing.sealed_tables():
        if "pupil_id" not in table.c:
            continue
        for row in world.rows(table):
            held = [name for name in erasing.sealed_columns(table) if getattr(row, name)]
            if row.pupil_id == placed.pupil_id and held:
                found.append(table.name)
    return found


def test_erased_pupil_leaves_no_way_back_and_the_others_go_on(world):
    gone, sam = world.pupil(given="Gone"), world.pupil()
    told_day(world, gone, sam)
    end_placement(world, gone)
    before = ref_of(world, gone)
    statements = world.rows(t.statements)
    done = erase.erase(world.desk, before, JO, ASKED)
    assert (done.left, done.messages) == (0, 1)
    assert done.complete_at == world.clock.now()
    assert left_of(world, gone) == []
    [row] = [row for row in world.rows(t.pupils) if row.pupil_id == gone.pupil_id]
    assert (row.upn_index, row.name_index, row.ref_index, row.suppressed) == (None, None, None, True)
    assert row.ref != before
    assert world.desk.vault.names_of(gone.pupil_id, erase.APART) == []
    [entry] = [one for one in world.rows(t.entries) if one.reason == "not_applicable"]
    assert (entry.outcome, entry.sealed, entry.minutes) == ("absent", None, None)
    [report] = [one for one in world.rows(t.reports) if one.pupil_id == gone.pupil_id]
    assert (report.salt, report.digest, bytes(report.sealed)) == (None, "", b"")
    # The message was about both, so its content is gone; the other's own report is not.
    assert life.stored(world.desk, world.dispatches()[0].reference) == ()
    assert left_of(world, sam) != []
    # The proofs: every statement is as it was, one more stands after them, and the whole ledger is valid.
    assert world.rows(t.statements)[: len(statements)] == statements
    assert world.said()[-1] == "record.erased"
    assert receipts.verify(world.desk).ok
    with pytest.raises(UnknownPupilError):
        erase.preview(world.desk, before)
    # The next day everything goes on for the others.
    world.at("09:05", date(2026, 3, 4))
    world.owe()
    world.enter(sam, day=date(2026, 3, 4))
    world.at("09:43", date(2026, 3, 4)).at("09:46", date(2026, 3, 4))
    assert {one["upn"] for one in facts_of(world.sides.to("far")[-1])["rows"]} == {sam.upn}
    assert {task.kind for task in world.tasks()} <= {"phone_home"}


def test_erased_pupils_evidence_still_verifies_without_its_contents(make_world_anew, tmp_path):
    world = make_world_anew()
    gone = world.pupil()
    told_day(world, gone)
    end_placement(world, gone)
    message = world.dispatches()[0].reference
    erase.erase(world.desk, ref_of(world, gone), JO, ASKED)
    folder = evidence.evidence(world.desk, message, tmp_path / "evidence", by=JO)
    checked = evidence.verify_folder(folder)
    assert (checked.ok, checked.openings) == (True, 0)
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"cold" not in written


def test_pupil_who_is_still_placed_is_not_erased_since_the_school_would_hear_nothing(make_world_anew):
    world = make_world_anew()
    sam = world.pupil()
    world.owe()
    with pytest.raises(erase.CannotEraseError, match="hear nothing"):
        erase.erase(world.desk, ref_of(world, sam), JO, ASKED)
    with pytest.raises(AphubError, match="name of whoever"):
        erase.erase(world.desk, ref_of(world, sam), " ", ASKED)
    with pytest.raises(erase.CannotEraseError, match="know why"):
        erase.erase(world.desk, ref_of(world, sam), JO, " ")
    assert left_of(world, sam) == ["pupils"]


def test_legal_hold_stops_erasure_and_keeps_what_the_held_pupil_shares(world):
    gone, kept = world.pupil(given="Gone"), world.pupil()
    told_day(world, gone, kept)
    end_placement(world, gone)
    legal_holds.place(world.desk, ref_of(world, kept), JO, "court case 12/26")
    with pytest.raises(erase.CannotEraseError, match="legal hold"):
        erase.erase(world.desk, ref_of(world, kept), JO, ASKED)
    with pytest.raises(legal_holds.LegalHoldError, match="already"):
        legal_holds.place(world.desk, ref_of(world, kept), JO, "again")
    done = erase.erase(world.desk, ref_of(world, gone), JO, ASKED)
    # The message with both in it stays until the hold ends, and the erasure says that it is not complete.
    assert (done.left, done.complete_at) == (1, None)
    assert "another pupil's legal hold" in done.words
    assert left_of(world, gone) == []
    assert life.stored(world.desk, world.dispatches()[0].reference) != ()
    assert legal_holds.end(world.desk, ref_of(world, kept), JO) == 1
    assert life.stored(world.desk, world.dispatches()[0].reference) == ()
    [row] = world.rows(t.erasures)
    assert (row.left, row.complete_at) == (0, world.clock.now())
    assert [one for one in world.said() if one.startswith(("hold", "record"))] == [
        "hold.placed",
        "record.erased",
        "hold.ended",
        "record.erased",
    ]
    assert world.verify().ok


def test_erasure_is_complete_only_when_the_last_copy_of_the_keys_has_expired(make_world_anew, tmp_path):
    world = make_world_anew()
    gone = world.pupil()
    told_day(world, gone)
    end_placement(world, gone)
    engine, now = world.hub.keys.engine, world.clock.now()
    copy = key_copies.take(engine, tmp_path / "copies", now, timedelta(days=14))
    done = erase.erase(world.desk, ref_of(world, gone), JO, ASKED)
    assert done.complete_at == now + timedelta(days=14)
    world.clock.advance(timedelta(days=14, seconds=1))
    purge.purge(world.desk)
    assert not copy.exists()
    assert key_copies.living(engine) == []
    # A copy on a disk that is not here is a person's to delete, and is named until it is.
    away = key_copies.take(engine, tmp_path / "away", world.clock.now(), timedelta(days=1))
    away.rename(tmp_path / "kept.keys")
    (tmp_path / "away").rmdir()
    world.clock.advance(timedelta(days=2))
    purge.purge(world.desk)
    purge.purge(world.desk)
    [task] = world.tasks("delete_key_copy")
    assert away.name in task.words
    # Nobody is asked any more once a person says what became of it, by name and with the reason.
    keys, now = world.hub.keys, world.clock.now()
    [line] = saved_keys.copies(keys, now)
    assert (line.name, line.expired) == (away.name, True)
    for name, because in (("other.keys", "burnt"), (away.name, " ")):
        with pytest.raises(saved_keys.UnknownCopyError):
            saved_keys.given_up([world.desk], keys, name, JO, because, now)
    saved_keys.given_up([world.desk], keys, f"{tmp_path}/away/{away.name}", JO, "the disk was destroyed", now)
    purge.purge(world.desk)
    assert world.tasks("delete_key_copy") == saved_keys.copies(keys, now) == []
    assert world.said()[-1] == "keys.copy_gone"
    assert world.verify().ok


def test_erasure_that_was_cut_short_is_finished_by_the_next_night(make_world_anew):
    world = make_world_anew()
    gone = world.pupil()
    told_day(world, gone)
    end_placement(world, gone)
    dies = {"at": "erase.emptied"}

    def boundary(name: str) -> None:
        if name == dies["at"]:
            raise KeyboardInterrupt

    world.hub.boundary = boundary
    with pytest.raises(KeyboardInterrupt):
        erase.erase(world.desk, ref_of(world, gone), JO, ASKED)
    dies["at"] = "erase.keys_gone"
    with pytest.raises(KeyboardInterrupt):
        erase.go_on(world.desk)
    world.hub.boundary = lambda _name: None
    assert [row.erased_at for row in world.rows(t.erasures)] == [None]
    assert erase.go_on(world.desk) == 1
    assert left_of(world, gone) == []
    assert world.desk.vault.names_of(gone.pupil_id, erase.APART) == []
    assert world.said()[-1] == "record.erased"


def test_purge_lets_go_by_class_and_age_and_the_ledger_stays_valid(make_world, tmp_path):
    world = make_world(schools=[School(), School("vale-school")])
    sam, held = world.pupil(), world.pupil("vale-school")
    told_day(world, sam)
    world.at("13:00")
    world.enter(held, outcome=Outcome.ABSENT, note="was away")
    world.go()
    shared = [row.reference for row in world.dispatches()]
    phone_about(world, shared)
    legal_holds.place(world.desk, ref_of(world, held), JO, "court case 12/26")
    assert purge.preview(world.desk) == []
    proof = evidence.evidence(world.desk, shared[0], tmp_path / "before", contents=False)
    world.clock.advance(timedelta(days=91))
    assert [part.name for part in purge.preview(world.desk)] == ["message"]
    assert [part.name for part in purge.purge(world.desk)] == ["message"]
    assert purge.purge(world.desk) == []
    there = {ref: bool(life.stored(world.desk, ref)) for ref in shared}
    with_held = {
        row.reference
        for row in world.dispatches()
        for link in world.rows(t.dispatch_reports, dispatch_id=row.dispatch_id)
        for report in world.rows(t.reports, report_id=link.report_id)
        if report.pupil_id == held.pupil_id
    }
    assert {ref for ref, is_there in there.items() if is_there} == with_held
    # Six years after the school year's end the entries go, except those of the pupil who is held.
    for one in (sam, held):
        end_placement(world, one)
    world.change(t.placements, {"ends_day": date(2026, 7, 1)})
    world.clock.advance(date(2033, 9, 2) - world.day)
    names = {part.name for part in purge.preview(world.desk)}
    assert {"entry", "report", "pupil"} <= names
    purge.purge(world.desk)
    assert left_of(world, sam) == []
    assert "pupils" in left_of(world, held)
    assert "reports" in left_of(world, held)
    # So do calls to a school about a message: whoever was told of, the key of such a call is its own.
    assert {row.subject for row in world.rows(t.calls) if row.sealed} == with_held
    gone = [row.pupil_id for row in world.rows(t.pupils) if row.erased_at]
    assert gone == [sam.pupil_id]
    # A year later it is answerable who asked: the rule, and whoever published it.
    [row] = world.rows(t.erasures)
    assert row.asked_by == purge.BY_RULE
    assert "pupil_years = 6" in row.because
    assert "published by" in row.because
    listed = erased_lines(world.desk, world.clock.now() - timedelta(days=1))
    assert listed[0].at >= listed[-1].at
    by_what = {one.what: one for one in listed}
    assert {"all of one pupil", "entry records", "report records"} <= set(by_what)
    assert "pupil records" not in by_what  # the one pupil has a line of its own
    assert {one.by for one in listed} == {purge.BY_RULE}
    assert "published by" in by_what["entry records"].because
    assert by_what["all of one pupil"].ref == row.ref
    bodies = [one.body for one in world.rows(t.statements)]
    bodies = [one for one in bodies if b"class.purged" in one or b"record.erased" in one]
    assert bodies
    assert all(b'"by"' in body and b'"snapshot"' in body for body in bodies)
    assert receipts.verify(world.desk).ok
    assert evidence.verify_folder(proof).ok
    assert len([one for one in world.said() if one == "class.purged"]) >= 4


def test_purge_runs_by_itself_once_a_night(make_world_anew):
    world = make_world_anew()
    told_day(world, world.pupil())
    assert purge.purge_when_due(world.desk) is False
    with world.desk.store.reading() as connection:
        due = purge.next_due(world.desk, connection)
    assert due is not None
    assert due.isoformat() == "2026-03-04T03:30:00+00:00"
    world.clock.advance_to(due)
    assert purge.purge_when_due(world.desk) is True
    assert purge.purge_when_due(world.desk) is False
    world.clock.advance(timedelta(days=120))
    assert purge.purge_when_due(world.desk) is True
    assert life.stored(world.desk, world.dispatches()[0].reference) == ()


def test_whoever_viewed_or_exported_is_kept_and_never_in_the_ledger(world, tmp_path):
    sam, other = world.pupil(), world.pupil("hill-school")
    told_day(world, sam, other)
    [message, *_] = [row.reference for row in world.dispatches()]
    life.show(world.desk, message, names_because="the head asked", by=JO)
    life.read_documents(world.desk, message, "Kim Example")
    evidence.evidence(world.desk, message, tmp_path / "evidence", by=JO)
    evidence.evidence(world.desk, message, tmp_path / "bare", contents=False, by=JO)
    found = accesses.viewed(world.desk, ref_of(world, sam))
    assert [(line.what, line.by, line.subject, line.pupils) for line in found] == [
        ("evidence written", JO, message, 2),
        ("documents shown", "Kim Example", message, 2),
        ("names shown", JO, message, 2),
    ]
    assert found[-1].because == "the head asked"
    with world.desk.store.reading() as connection:
        leaves = b"".join(connection.execute(select(t.statements.c.body)).scalars())
    assert b"Jo Office" not in leaves
    assert b"Kim" not in leaves
    with pytest.raises(AphubError, match="name of whoever"):
        life.read_documents(world.desk, message, "")
