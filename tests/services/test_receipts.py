"""Receipts: a ledger in which every change shows, evidence that stands alone, and what people say about a message."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from aphub.api.errors import UncertainDeliveryError
from aphub.domain.errors import AphubError
from aphub.domain.ledger import Damage, verifying_key
from aphub.domain.outcomes import Outcome
from aphub.services import evidence, receipts
from aphub.services.recording import newest_checkpoint_line, origin_of
from aphub.store import tables as t
from tests.world import World

JO = "Jo Weaver, office"


def told_day(world: World, pupils: int = 3) -> None:
    some = [world.pupil() for _ in range(pupils)]
    world.owe()
    world.at("09:05")
    world.enter(some[0], outcome=Outcome.ABSENT)
    world.go()
    world.enter(some[1:])
    world.at("09:06").at("09:44")


def newest(world: World) -> str:
    return str(world.dispatches()[-1].reference)


# The ledger


def test_untouched_ledger_verifies(world):
    told_day(world)
    verdict = receipts.verify(world.desk)
    assert verdict.ok
    assert verdict.covered == verdict.records == len(world.said()) > 4


def test_empty_ledger_verifies(make_world):
    world = make_world()
    with world.hub.store.transaction() as connection:
        for table in (t.statements, t.ledger_nodes, t.checkpoints):
            connection.execute(delete(table))
    assert receipts.verify(world.desk).ok


def test_changed_statement_is_named(world):
    told_day(world)
    body = bytes(world.rows(t.statements, number=2)[0].body).replace(b"2026", b"2025", 1)
    world.change(t.statements, {"body": body}, number=2)
    verdict = receipts.verify(world.desk)
    assert (verdict.ok, verdict.first_bad_index, verdict.damage) == (False, 2, Damage.CHANGED)


def test_statement_that_was_made_text_is_named(make_world_anew):
    world = make_world_anew()  # on SQLite: PostgreSQL keeps the type of a column
    told_day(world)
    with world.hub.store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE statements SET body = replace(body, '2026', '2025') WHERE number = 2"
        )
        connection.exec_driver_sql(
            "UPDATE ledger_nodes SET hash = 'no hash' WHERE level = 0 AND position = 3"
        )
    verdict = receipts.verify(world.desk)
    assert (verdict.ok, verdict.first_bad_index, verdict.damage) == (False, 2, Damage.CHANGED)


def test_deleted_statement_is_named(world):
    told_day(world)
    with world.hub.store.transaction() as connection:
        connection.execute(delete(t.statements).where(t.statements.c.number == 1))
    verdict = receipts.verify(world.desk)
    assert (verdict.first_bad_index, verdict.damage) == (1, Damage.DELETED)


def test_swapped_statements_are_named(world):
    told_day(world)
    one, other = (bytes(world.rows(t.statements, number=number)[0].body) for number in (1, 3))
    world.change(t.statements, {"body": other}, number=1)
    world.change(t.statements, {"body": one}, number=3)
    verdict = receipts.verify(world.desk)
    assert (verdict.first_bad_index, verdict.damage) == (1, Damage.SWAPPED)
    assert "3" in verdict.words


def cut(world: World, size: int, *, with_checkpoints: bool) -> None:
    with world.hub.store.transaction() as connection:
        connection.execute(delete(t.statements).where(t.statements.c.number >= size))
        connection.execute(
            delete(t.ledger_nodes).where(t.ledger_nodes.c.level == 0, t.ledger_nodes.c.position >= size)
        )
        for level in range(1, 8):
            connection.execute(
                delete(t.ledger_nodes).where(
                    t.ledger_nodes.c.level == level, t.ledger_nodes.c.position >= size >> level
                )
            )
        if with_checkpoints:
            connection.execute(delete(t.checkpoints).where(t.checkpoints.c.size > size))


def test_cut_off_end_is_named(world):
    told_day(world)
    cut(world, 2, with_checkpoints=False)
    verdict = receipts.verify(world.desk)
    assert (verdict.ok, verdict.damage) == (False, Damage.CUT_OFF)
    assert verdict.first_bad_index is not None
    assert verdict.first_bad_index <= 2


def test_end_cut_off_with_its_checkpoints_shows_against_a_mails_header(world):
    told_day(world)
    with world.hub.store.reading() as connection:
        line = newest_checkpoint_line(connection, world.desk)
    assert receipts.verify(world.desk, [line]).ok
    size = min(row.size for row in world.rows(t.checkpoints))
    cut(world, size, with_checkpoints=True)
    assert receipts.verify(world.desk).ok
    verdict = receipts.verify(world.desk, [line])
    assert (verdict.first_bad_index, verdict.damage) == (size, Damage.CUT_OFF)


def test_other_history_shows_against_a_mails_header(world):
    told_day(world)
    with world.hub.store.reading() as connection:
        line = newest_checkpoint_line(connection, world.desk)
    origin, size, _ = line.split()
    verdict = receipts.verify(world.desk, [f"{origin} {size} {'A' * 43}="])
    assert verdict.damage is Damage.FORKED


def test_changed_inner_hash_is_named(world):
    told_day(world)
    world.change(t.ledger_nodes, {"hash": b"x" * 32}, level=1, position=1)
    verdict = receipts.verify(world.desk)
    assert (verdict.first_bad_index, verdict.damage) == (2, Damage.HASH_CHANGED)


def test_changed_leaf_hash_is_named(world):
    told_day(world)
    world.change(t.ledger_nodes, {"hash": b"x" * 32}, level=0, position=1)
    assert receipts.verify(world.desk).first_bad_index == 1


# Evidence


@pytest.mark.parametrize("what", ["message", "day", "placement"])
def test_evidence_verifies_without_a_hub(world, tmp_path, what):
    told_day(world)
    placement = world.rows(t.placements)[0].ref
    about = {"message": newest(world), "day": world.day.isoformat(), "placement": placement}[what]
    folder = receipts.evidence(world.desk, about, tmp_path / "evidence")
    world.hub.close()
    checked = receipts.verify_folder(folder)
    assert checked.ok, checked.findings
    assert checked.statements >= 2
    assert checked.openings >= 1
    assert {"index.html", "README.txt", "verifying-keys.txt"} <= {path.name for path in folder.iterdir()}


def test_evidence_names_no_pupil(world, tmp_path):
    told_day(world)
    folder = receipts.evidence(world.desk, world.day.isoformat(), tmp_path / "evidence")
    upns = [row["upn"] for _, delivery in world.sides.heard for row in delivery.rows]
    for path in folder.rglob("*.*"):
        content = path.read_text()
        assert "Sam" not in content
        assert not [upn for upn in upns if upn in content]


def test_evidence_without_contents_holds_no_outcome(world, tmp_path):
    told_day(world)
    folder = receipts.evidence(world.desk, world.day.isoformat(), tmp_path / "evidence", contents=False)
    assert not (folder / "openings").exists()
    assert receipts.verify_folder(folder).ok
    assert "absent" not in "".join(path.read_text() for path in folder.rglob("*.*"))


def test_evidence_page_says_what_was_missed(world, tmp_path):
    world.pupil()
    world.sides.always["far"] = UncertainDeliveryError("lost")
    world.owe()
    world.at("09:13").at("09:43").at("09:46")
    folder = receipts.evidence(world.desk, world.day.isoformat(), tmp_path / "evidence")
    assert "Not sent in time" in (folder / "index.html").read_text()


def test_each_damage_to_a_folder_is_found(world, tmp_path):
    told_day(world)
    folder = receipts.evidence(world.desk, world.day.isoformat(), tmp_path / "evidence")
    victims = [path for path in folder.rglob("*.*") if path.parent != folder]
    for path in victims:
        content = path.read_bytes()
        path.write_bytes(content.replace(b'"', b"'", 1) if b'"' in content else content[:-9] + b"AAAAAAAA\n")
        assert not receipts.verify_folder(folder).ok, path
        path.write_bytes(content)
    for path in (path for path in victims if path.parent.name in {"statements", "proofs"}):
        content = path.read_bytes()
        path.unlink()
        assert not receipts.verify_folder(folder).ok, path
        path.write_bytes(content)
    assert receipts.verify_folder(folder).ok


def test_opening_with_another_outcome_is_found(world, tmp_path):
    told_day(world)
    folder = receipts.evidence(world.desk, world.day.isoformat(), tmp_path / "evidence")
    path = min((folder / "openings").iterdir())
    opening = json.loads(path.read_text())
    opening["content"] = opening["content"].replace("absent", "present").replace("B", "N")
    path.write_text(json.dumps(opening))
    [finding] = receipts.verify_folder(folder).findings
    assert "committed" in finding.words


def test_another_logs_key_is_not_believed(world, tmp_path):
    told_day(world)
    folder = receipts.evidence(world.desk, newest(world), tmp_path / "evidence")
    key = verifying_key(origin_of(world.desk), b"k" * 32).vkey
    assert not receipts.verify_folder(folder, [key]).ok


def test_evidence_is_never_mixed_with_what_is_there(world, tmp_path):
    told_day(world)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(AphubError, match="holds something"):
        receipts.evidence(world.desk, newest(world), tmp_path / "mine")


def test_evidence_about_nothing_says_so(world, tmp_path):
    for what in ("RB-ABCD2345-1", "ABCD2345", "2026-01-01", "nonsense"):
        with pytest.raises(evidence.NothingToShowError):
            receipts.evidence(world.desk, what, tmp_path / "evidence")
    with pytest.raises(evidence.NothingToShowError):
        receipts.verify_folder(tmp_path)


def test_erased_content_leaves_the_evidence_standing(world, tmp_path):
    told_day(world)
    with world.hub.store.transaction() as connection:
        connection.execute(update(t.reports).values(salt=None))
    checked = receipts.verify_folder(receipts.evidence(world.desk, newest(world), tmp_path / "evidence"))
    assert checked.ok
    assert checked.openings == 0


# What people say


def test_confirmation_is_kept_with_who_and_what(world):
    told_day(world)
    receipts.confirm(world.desk, newest(world), "Mrs Hill, attendance officer", "have it, thank you")
    row = world.dispatches()[-1]
    assert (row.state, row.rung) == ("confirmed", "confirmed")
    assert world.said()[-1] == "dispatch.confirmed"
    assert b"Hill" not in world.rows(t.statements)[-1].body
    with pytest.raises(receipts.CannotSettleError):
        receipts.confirm(world.desk, newest(world), JO, "again")
    assert receipts.verify(world.desk).ok


def test_nothing_unsent_is_confirmed(world):
    with pytest.raises(AphubError, match="know no message"):
        receipts.confirm(world.desk, "RB-ABCD2345-1", JO, "")


def doubtful(make_world) -> World:
    from tests.world import School

    world = make_world(schools=[School(channels=(("email", "told-harmful", "far"),))])
    sam = world.pupil()
    world.owe()
    world.sides.says("far", UncertainDeliveryError("The answer was lost."))
    world.at("09:05")
    world.enter(sam)
    world.at("09:06")
    [row] = world.dispatches()
    assert row.state == "uncertain"
    assert {task.kind for task in world.tasks()} >= {"settle"}
    return world


def test_settled_as_arrived_meets_the_debt(make_world):
    world = doubtful(make_world)
    with pytest.raises(receipts.CannotSettleError, match="may not have arrived"):
        receipts.confirm(world.desk, newest(world), JO, "")
    receipts.settle(world.desk, newest(world), "handed_over", JO)
    [row] = world.dispatches()
    assert (row.state, row.rung) == ("handed_over", "handed_over")
    assert {one.state for one in world.rows(t.owed_reports, first_day=world.day)} == {"met"}
    assert world.said()[-1] == "settled.by_person"
    assert world.tasks() == []
    with pytest.raises(receipts.CannotSettleError):
        receipts.settle(world.desk, newest(world), "handed_over", JO)


def test_settled_as_not_arrived_is_sent_again_the_same(make_world):
    world = doubtful(make_world)
    receipts.settle(world.desk, newest(world), "not_handed_over", JO)
    world.go()
    [row] = world.dispatches()
    assert (row.state, row.attempts) == ("handed_over", 2)
    first, second = (delivery for _, delivery in world.sides.heard)
    assert first.documents == second.documents
    assert first.key == second.key
    assert {one.state for one in world.rows(t.owed_reports, first_day=world.day)} == {"met"}


def test_second_doubt_about_the_same_message_is_asked_again(make_world):
    world = doubtful(make_world)
    receipts.settle(world.desk, newest(world), "not_handed_over", JO)
    assert world.tasks("settle") == []
    world.sides.says("far", UncertainDeliveryError("The answer was lost."))
    world.go()
    [again] = world.tasks("settle")
    assert again.subject == newest(world)
    assert len(world.rows(t.tasks, kind="settle")) == 2


def test_withdrawn_is_sent_no_more(make_world):
    world = doubtful(make_world)
    receipts.settle(world.desk, newest(world), "withdrawn", JO)
    world.wait(timedelta(minutes=30))
    assert len(world.sides.heard) == 1
    assert {one.state for one in world.rows(t.owed_reports, first_day=world.day)} == {"withdrawn"}


def test_what_is_not_in_doubt_is_not_settled(world):
    told_day(world)
    with pytest.raises(receipts.CannotSettleError, match="no doubt"):
        receipts.settle(world.desk, newest(world), "withdrawn", JO)
