"""Notes, checkpoints and proof files hold to C2SP, and any change in them is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.ledger.errors import LedgerError, NoteError, ProofError
from aphub.domain.ledger.merkle import EMPTY, append, consistency_proof, inclusion_proof, leaf_hash
from aphub.domain.ledger.notes import (
    Checkpoint,
    note_sign,
    note_verify,
    open_checkpoint,
    parse_checkpoint,
    parse_vkey,
    sign_checkpoint,
    verifying_key,
)
from aphub.domain.ledger.proofs import (
    Proof,
    extension_text,
    parse_proof,
    proof_text,
    verify_extension,
    verify_proof,
)

SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
ORIGIN = "hub.example.org/sentre"
VKEY = verifying_key(ORIGIN, SEED).vkey
WITNESS = "witness.example.org"
WITNESS_VKEY = verifying_key(WITNESS, OTHER_SEED).vkey
LEAVES = [b"statement %d" % number for number in range(11)]
FRONTIER, NEW = append(EMPTY, map(leaf_hash, LEAVES))
NODES = {(node.level, node.position): node.hash for node in NEW}
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 11, FRONTIER.root()), ORIGIN, SEED)


def proof_of(index: int) -> str:
    hashes = inclusion_proof(index, 11, lambda keys: [NODES[key] for key in keys])
    return proof_text(Proof(index, tuple(hashes), NOTE, b"beside"))


# The key and the note in the documentation of golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_that_go_signed_is_read() -> None:
    assert note_verify(GO_NOTE, [GO_VKEY]).signers[0].name == "PeterNeumann"
    with pytest.raises(NoteError):
        note_verify(GO_NOTE.replace("answer", "cure"), [GO_VKEY])


def test_a_verifying_key_comes_back_from_its_line() -> None:
    assert parse_vkey(VKEY) == verifying_key(ORIGIN, SEED)
    assert parse_vkey(GO_VKEY).vkey == GO_VKEY


@given(place=st.integers(0, len(VKEY) - 1), letter=st.sampled_from("ab01+=/ Z"))
def test_a_changed_verifying_key_is_refused(place: int, letter: str) -> None:
    changed = VKEY[:place] + letter + VKEY[place + 1 :]
    if changed.strip() != VKEY:
        with pytest.raises(NoteError):
            parse_vkey(changed)


@given(data=st.data())
def test_any_changed_byte_of_a_note_is_refused(data: st.DataObject) -> None:
    note = bytearray(NOTE.encode())
    note[data.draw(st.integers(0, len(note) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(NoteError):
        open_checkpoint(bytes(note), [VKEY])


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_reading_a_note_is_total(content: bytes | str) -> None:
    with pytest.raises(NoteError):
        note_verify(content, [VKEY])


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_reading_a_proof_is_total(content: bytes | str) -> None:
    with pytest.raises(ProofError):
        parse_proof(content)


def test_unknown_signatures_do_no_harm_and_no_good() -> None:
    stranger = note_sign(NOTE.rpartition("\n\n")[0] + "\n", WITNESS, OTHER_SEED).rpartition("\n\n")[2]
    both = NOTE + stranger
    assert open_checkpoint(both, [VKEY]).size == 11
    assert len(note_verify(both, [VKEY, WITNESS_VKEY]).signers) == 2
    # A witness alone does not make a checkpoint the log's own.
    with pytest.raises(NoteError, match="not signed by the log"):
        open_checkpoint(both, [WITNESS_VKEY])
    with pytest.raises(NoteError, match="None of the trusted keys"):
        open_checkpoint(NOTE, [WITNESS_VKEY])


def test_a_key_of_the_same_name_is_still_another_key() -> None:
    with pytest.raises(NoteError):
        open_checkpoint(NOTE, [verifying_key(ORIGIN, OTHER_SEED).vkey])


def test_one_logs_key_does_not_vouch_for_anothers_log() -> None:
    foreign = sign_checkpoint(Checkpoint("hub.example.org/ypm", 11, FRONTIER.root()), ORIGIN, SEED)
    with pytest.raises(NoteError, match="not signed by the log"):
        open_checkpoint(foreign, [VKEY])


@given(size=st.integers(0, 10**12), root=st.binary(min_size=32, max_size=32), epoch=st.integers(1, 99))
def test_a_checkpoint_comes_back_from_its_text(size: int, root: bytes, epoch: int) -> None:
    checkpoint = Checkpoint.of_epoch(ORIGIN, size, root, epoch)
    assert parse_checkpoint(checkpoint.text()) == checkpoint
    assert checkpoint.epoch == epoch
    assert checkpoint.text().split("\n")[:3] == [ORIGIN, str(size), base64.b64encode(root).decode()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\n" + "A" * 43 + "=\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "a\n1\nAAAA\n",
        "a\n1\n" + "A" * 43 + "=",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize("index", range(11))
def test_a_proof_file_proves_its_statement_and_no_other(index: int) -> None:
    text = proof_of(index)
    assert text.startswith(f"c2sp.org/tlog-proof@v1\nextra YmVzaWRl\nindex {index}\n")
    assert text.endswith("\n\n" + NOTE)
    assert proof_text(parse_proof(text)) == text
    assert verify_proof(LEAVES[index], text.encode(), [VKEY]).size == 11
    for other in LEAVES[:index] + LEAVES[index + 1 :]:
        with pytest.raises(ProofError):
            verify_proof(other, text, [VKEY])


@given(index=st.integers(0, 10), data=st.data())
def test_any_changed_byte_of_a_proof_is_refused(index: int, data: st.DataObject) -> None:
    text = bytearray(proof_of(index).encode())
    unsigned = range(text.index(b"extra"), text.index(b"index"))
    place = data.draw(st.integers(0, len(text) - 1).filter(lambda place: place not in unsigned))
    text[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LedgerError):
        verify_proof(LEAVES[index], bytes(text), [VKEY])


def test_a_proof_in_a_log_of_one_has_no_hashes() -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(b"only")), ORIGIN, SEED)
    text = proof_text(Proof(0, (), note))
    assert text == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"
    assert verify_proof(b"only", text, [VKEY]).size == 1


def test_an_extension_proves_that_nothing_was_rewritten() -> None:
    older_frontier, _ = append(EMPTY, map(leaf_hash, LEAVES[:6]))
    older = Checkpoint(ORIGIN, 6, older_frontier.root())
    text = extension_text(6, consistency_proof(6, 11, lambda keys: [NODES[key] for key in keys]), NOTE)
    assert verify_extension(text, older, [VKEY]).size == 11
    with pytest.raises(ProofError):
        verify_extension(text, Checkpoint(ORIGIN, 6, leaf_hash(b"another")), [VKEY])
    with pytest.raises(ProofError):
        verify_extension(text, Checkpoint("hub.example.org/ypm", 6, older.root), [VKEY])
