"""A log that was tampered with says so, and names the first record that no signature vouches for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.ledger.merkle import EMPTY_ROOT, leaf_hash
from aphub.domain.ledger.statements import leaf_bytes
from aphub.domain.ledger.verdicts import Damage
from aphub.domain.ledger.verify import verify_log

from .ledger_played import VKEY, PlayedLog, leaf

FORGED = leaf(3000)


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5, unique=True).map(sorted))
def test_an_untouched_log_verifies(sizes: list[int]) -> None:
    verdict = PlayedLog.of(*sizes).verdict()
    assert (verdict.ok, verdict.first_bad_index, verdict.damage) == (True, None, Damage.NONE)
    assert verdict.records == verdict.covered == sizes[-1]


def test_an_empty_log_verifies() -> None:
    assert verify_log([], [], [], [VKEY]).ok
    assert verify_log([], [], [PlayedLog.note(0, EMPTY_ROOT)], [VKEY]).ok


@pytest.mark.parametrize("index", range(20))
def test_a_changed_statement_is_named(index: int) -> None:
    log = PlayedLog.of(8, 20)
    log.leaves[index] = FORGED
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage, verdict.ok) == (index, Damage.CHANGED, False)
    assert verdict.words == f"Record {index} was changed after it was signed."


@pytest.mark.parametrize("index", range(20))
def test_a_changed_hash_is_told_from_a_changed_statement(index: int) -> None:
    log = PlayedLog.of(8, 20)
    log.hashes[index] = leaf_hash(FORGED)
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage) == (index, Damage.HASH_CHANGED)


@pytest.mark.parametrize("index", range(20))
def test_a_forger_who_mends_the_hash_too_is_found_between_two_checkpoints(index: int) -> None:
    log = PlayedLog.of(8, 20)
    log.leaves[index], log.hashes[index] = FORGED, leaf_hash(FORGED)
    verdict = log.verdict()
    first = 0 if index < 8 else 8
    assert (verdict.first_bad_index, verdict.damage) == (first, Damage.REWRITTEN)
    assert verdict.covered == first


@pytest.mark.parametrize("index", range(19))
def test_a_deleted_statement_is_named(index: int) -> None:
    log = PlayedLog.of(8, 20)
    del log.leaves[index]
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage) == (index, Damage.DELETED)


@pytest.mark.parametrize("index", range(19))
def test_a_statement_deleted_with_its_hash_leaves_a_gap_in_the_numbers(index: int) -> None:
    log = PlayedLog.of(8, 20)
    del log.leaves[index], log.hashes[index]
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage) == (0 if index < 8 else 8, Damage.DELETED)
    assert f"Record {index} is missing" in verdict.words


@pytest.mark.parametrize("index", range(19))
def test_closing_the_numbers_over_a_deletion_does_not_hide_it(index: int) -> None:
    log = PlayedLog.of(8, 20)
    kept = [body for number, body in log.rows() if number != index]
    log.leaves = dict(enumerate(kept))
    assert (log.verdict().first_bad_index, log.verdict().damage) == (index, Damage.DELETED)
    del log.hashes[index]
    first = 0 if index < 8 else 8
    assert log.verdict().first_bad_index == first
    assert not log.verdict().ok


@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 17), (9, 12), (18, 19)])
def test_two_swapped_statements_are_named(one: int, other: int) -> None:
    log = PlayedLog.of(8, 20)
    log.leaves[one], log.leaves[other] = log.leaves[other], log.leaves[one]
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage) == (one, Damage.SWAPPED)
    assert f"{one} and {other}" in verdict.words


def test_an_inserted_statement_is_named() -> None:
    log = PlayedLog.of(8, 20)
    bodies = [body for _, body in log.rows()]
    log.leaves = dict(enumerate([*bodies[:5], FORGED, *bodies[5:]]))
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage) == (5, Damage.ADDED)


def test_a_number_that_comes_twice_is_named() -> None:
    log = PlayedLog.of(8, 20)
    rows = list(log.rows())
    verdict = verify_log([*rows[:6], (5, FORGED), *rows[6:]], log.hashes, log.notes, [VKEY])
    assert (verdict.first_bad_index, verdict.damage) == (5, Damage.ADDED)


@pytest.mark.parametrize("kept", range(20))
@pytest.mark.parametrize("hashes_too", [True, False])
def test_a_log_whose_end_was_cut_off_is_found(kept: int, *, hashes_too: bool) -> None:
    log = PlayedLog.of(8, 20)
    log.leaves = {number: body for number, body in log.leaves.items() if number < kept}
    if hashes_too:
        log.hashes = log.hashes[:kept]
    verdict = log.verdict()
    assert verdict.damage is Damage.CUT_OFF
    assert "20 were signed" in verdict.words
    # With the hashes gone, what follows the last checkpoint that can be met is in doubt as well.
    assert verdict.first_bad_index == ((0 if kept < 8 else 8) if hashes_too else kept)


def test_a_checkpoint_that_somebody_else_kept_shows_that_the_end_was_cut_off() -> None:
    log = PlayedLog.of(8, 20)
    kept_by_a_school = log.notes.pop()
    log.leaves = {number: body for number, body in log.leaves.items() if number < 8}
    log.hashes = log.hashes[:8]
    assert log.verdict().ok
    log.notes.append(kept_by_a_school)
    assert (log.verdict().first_bad_index, log.verdict().damage) == (8, Damage.CUT_OFF)


def test_records_that_wait_for_a_signature_are_told_from_tampering() -> None:
    log = PlayedLog.of(8, 20)
    log.notes.pop()
    verdict = log.verdict()
    assert (verdict.first_bad_index, verdict.damage, verdict.covered) == (8, Damage.UNSIGNED, 8)


@pytest.mark.parametrize("place", [0, 1])
def test_a_broken_checkpoint_is_told(place: int) -> None:
    log = PlayedLog.of(8, 20)
    log.notes[place] = log.notes[place].replace("\n8\n", "\n7\n").replace("\n20\n", "\n19\n")
    verdict = log.verdict()
    assert not verdict.ok
    assert "1 checkpoint(s) are broken" in verdict.words
    assert verdict.first_bad_index == (None if place == 0 else 8)


def test_a_log_that_signed_two_histories_is_found() -> None:
    log = PlayedLog.of(8, 20)
    log.notes.append(log.note(20, leaf_hash(b"another history")))
    assert log.verdict().damage is Damage.FORKED


def test_checkpoints_from_before_a_restore_are_set_aside_and_counted() -> None:
    log, lost = PlayedLog.of(8), PlayedLog.of(8, 20)
    root = leaf_hash(b"the newest known root")
    epoch = {"type": "epoch.started", "version": 1, "at": "2026-03-04T07:00:00Z", "epoch": 2, "size": 20}
    log.grow([leaf_bytes({**epoch, "root": root.hex(), "cause": "restored-backup"}), leaf(500)], epoch=2)
    log.notes.append(lost.notes[-1])
    verdict = log.verdict()
    assert verdict.ok
    assert verdict.set_aside == 1
    assert "before a restore" in verdict.words


def test_two_damages_are_told_by_the_first() -> None:
    log = PlayedLog.of(8, 20)
    log.leaves[12] = FORGED
    log.hashes[4] = leaf_hash(FORGED)
    assert log.verdict().first_bad_index in {0, 4}
    assert not log.verdict().ok


@given(data=st.data())
def test_no_tampering_at_all_goes_unseen(data: st.DataObject) -> None:
    log = PlayedLog.of(5, 12)
    bodies = [body for _, body in log.rows()]
    place = data.draw(st.integers(0, 11))
    bodies[place : place + data.draw(st.integers(0, 3))] = data.draw(
        st.lists(st.sampled_from([*bodies, FORGED]), max_size=3),
    )
    unchanged = bodies == [body for _, body in log.rows()]
    log.leaves = dict(enumerate(bodies))
    if data.draw(st.booleans()):
        log.hashes = [leaf_hash(body) for body in bodies]
    verdict = log.verdict()
    assert verdict.ok == unchanged
    first = next((at for at, body in enumerate(bodies) if at > 11 or body != leaf(at)), len(bodies))
    assert unchanged or (verdict.first_bad_index is not None and verdict.first_bad_index <= first)


def test_an_absurd_number_does_not_keep_the_check_busy() -> None:
    log = PlayedLog.of(8, 20)
    log.leaves[10**17] = FORGED
    assert not log.verdict().ok
