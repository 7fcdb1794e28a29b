"""A bundle is checked with nothing but the log's key, and tells what was done to it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.ledger.bundles import (
    CONTENTS,
    HASHES,
    checkpoint_file,
    extension_file,
    make_bundle,
    proof_file,
    statement_file,
    verify_bundle,
)
from aphub.domain.ledger.canonical import canonical
from aphub.domain.ledger.errors import LedgerError
from aphub.domain.ledger.merkle import leaf_hash
from aphub.domain.ledger.notes import verifying_key
from aphub.domain.ledger.verdicts import Damage

from .ledger_played import ORIGIN, VKEY, PlayedLog, leaf

LOG = PlayedLog.of(5, 13, 30)
SOME = make_bundle({number: LOG.leaves[number] for number in (2, 3, 11, 29)}, LOG.notes, LOG.get)
WHOLE = make_bundle(LOG.leaves, LOG.notes, LOG.get, with_proofs=False)
BUNDLES = pytest.mark.parametrize("made", [SOME, WHOLE], ids=["some", "whole"])


@BUNDLES
def test_an_untouched_bundle_has_no_findings(made: dict[str, bytes]) -> None:
    assert verify_bundle(made, [VKEY]) == []


@BUNDLES
def test_another_key_vouches_for_nothing(made: dict[str, bytes]) -> None:
    assert verify_bundle(made, [verifying_key(ORIGIN, bytes(32)).vkey])


@BUNDLES
def test_a_changed_statement_is_named(made: dict[str, bytes]) -> None:
    findings = verify_bundle({**made, statement_file(3): leaf(99)}, [VKEY])
    assert [(one.record, one.damage) for one in findings] == [(3, Damage.CHANGED)]


def test_without_its_leaf_hashes_a_whole_log_names_the_first_record_in_doubt() -> None:
    bundle = {name: content for name, content in WHOLE.items() if name != HASHES}
    assert verify_bundle(bundle, [VKEY]) == []
    findings = verify_bundle({**bundle, statement_file(7): leaf(99)}, [VKEY])
    assert [(one.record, one.damage) for one in findings] == [(5, Damage.REWRITTEN)]


@BUNDLES
def test_a_deleted_statement_is_named(made: dict[str, bytes]) -> None:
    bundle = {name: content for name, content in made.items() if name != statement_file(3)}
    assert [(one.record, one.damage) for one in verify_bundle(bundle, [VKEY])] == [(3, Damage.DELETED)]


@BUNDLES
def test_a_bundle_whose_end_was_cut_off_is_named(made: dict[str, bytes]) -> None:
    bundle = {
        name: content for name, content in made.items() if name not in {statement_file(29), proof_file(29)}
    }
    assert [(one.record, one.damage) for one in verify_bundle(bundle, [VKEY])] == [(29, Damage.CUT_OFF)]


def test_swapped_statements_are_named() -> None:
    bundle = {
        **SOME,
        statement_file(3): SOME[statement_file(11)],
        statement_file(11): SOME[statement_file(3)],
    }
    assert [(one.record, one.damage) for one in verify_bundle(bundle, [VKEY])] == [
        (3, Damage.SWAPPED),
        (11, Damage.SWAPPED),
    ]


def test_statements_swapped_together_with_their_proofs_are_named() -> None:
    bundle = dict(SOME)
    for name in (statement_file, proof_file):
        bundle[name(3)], bundle[name(11)] = SOME[name(11)], SOME[name(3)]
    assert [(one.record, one.damage) for one in verify_bundle(bundle, [VKEY])] == [
        (3, Damage.SWAPPED),
        (11, Damage.SWAPPED),
    ]


def test_a_changed_proof_is_told_from_a_changed_statement() -> None:
    lines = SOME[proof_file(3)].split(b"\n")
    lines[3], lines[4] = lines[4], lines[3]
    findings = verify_bundle({**SOME, proof_file(3): b"\n".join(lines)}, [VKEY])
    assert [(one.record, one.damage) for one in findings] == [(3, Damage.HASH_CHANGED)]


def test_a_hash_beside_the_proof_is_not_believed_by_itself() -> None:
    forged = leaf(99)
    text = SOME[proof_file(3)].decode()
    extra = next(line for line in text.split("\n") if line.startswith("extra "))
    text = text.replace(extra, "extra " + base64.b64encode(leaf_hash(forged)).decode())
    findings = verify_bundle({**SOME, statement_file(3): forged, proof_file(3): text.encode()}, [VKEY])
    assert [(one.record, one.damage) for one in findings] == [(3, Damage.HASH_CHANGED)]


def test_a_statement_without_a_proof_or_not_listed_is_named() -> None:
    bundle = {name: content for name, content in SOME.items() if name != proof_file(11)}
    assert [(one.record, one.damage) for one in verify_bundle(bundle, [VKEY])] == [(11, Damage.UNSIGNED)]
    more = {**SOME, statement_file(7): LOG.leaves[7]}
    assert {(one.record, one.damage) for one in verify_bundle(more, [VKEY])} == {
        (7, Damage.ADDED),
        (7, Damage.UNSIGNED),
    }


@BUNDLES
def test_a_changed_or_missing_checkpoint_is_named(made: dict[str, bytes]) -> None:
    name = checkpoint_file(30)
    changed = {**made, name: made[name].replace(b"\n30\n", b"\n31\n")}
    missing = {key: content for key, content in made.items() if key != name}
    for bundle in (changed, missing):
        found = verify_bundle(bundle, [VKEY])
        assert (found[0].damage, found[0].file) == (Damage.CHECKPOINT, name)


def test_a_log_that_was_rewritten_between_two_checkpoints_is_found() -> None:
    older = PlayedLog()
    older.grow([leaf(number) for number in range(70, 75)])
    bundle = {**SOME, checkpoint_file(5): older.notes[0].encode()}
    assert [(one.damage, one.file) for one in verify_bundle(bundle, [VKEY])] == [
        (Damage.REWRITTEN, extension_file(5, 13)),
    ]


def test_a_broken_list_of_contents_is_told_and_the_rest_still_checked() -> None:
    for content in (b"", b"{}", b"[]", b"\xff", SOME[CONTENTS] + b"\n"):
        findings = verify_bundle({**SOME, CONTENTS: content, statement_file(3): leaf(99)}, [VKEY])
        assert findings[0].file == CONTENTS
        assert (3, Damage.CHANGED) in [(one.record, one.damage) for one in findings]


def test_a_list_of_contents_that_claims_too_much_is_answered_at_once() -> None:
    claim = canonical({"type": "evidence.bundle", "version": 1, "size": 30, "records": [[0, 2**52]]})
    assert verify_bundle({**SOME, CONTENTS: claim}, [VKEY])


@BUNDLES
@given(data=st.data())
def test_any_changed_byte_is_found(made: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(made)))
    content = bytearray(made[name])
    place = data.draw(st.integers(0, len(content) - 1))
    line = content[content.rfind(b"\n", 0, place) + 1 :]
    content[place] ^= data.draw(st.integers(1, 255))
    # The hash beside a proof is a hint without a signature; only its line may change unseen.
    if not line.startswith(b"extra "):
        assert verify_bundle({**made, name: bytes(content)}, [VKEY])


@given(st.dictionaries(st.sampled_from([*SOME, "notes.txt"]), st.binary(max_size=60), max_size=8))
def test_checking_is_total(bundle: dict[str, bytes]) -> None:
    assert verify_bundle(bundle, [VKEY])


def test_a_bundle_needs_a_checkpoint_that_covers_it() -> None:
    with pytest.raises(LedgerError):
        make_bundle({0: LOG.leaves[0]}, [], LOG.get)
    with pytest.raises(LedgerError):
        make_bundle({29: LOG.leaves[29]}, LOG.notes[:2], LOG.get)
