"""Go's own note and tlog packages accept our proofs, and refuse what we refuse.

The verifier is `verify_proof.go` beside this file, built from Debian's golang-golang-x-mod-dev without a network: the
code that guards every Go module download, written by people who never saw aphub.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from aphub.domain.ledger.errors import LedgerError
from aphub.domain.ledger.merkle import EMPTY, append, inclusion_proof, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, note_sign, sign_checkpoint, verifying_key
from aphub.domain.ledger.proofs import Proof, proof_text, verify_proof
from aphub.domain.ledger.statements import leaf_bytes
from aphub.services.evidence import evidence
from tests.policies.test_ypm import played
from tests.policies.week import Child, Week, play

SOURCE = Path(__file__).with_name("verify_proof.go")
GO_PATH = Path("/usr/share/gocode")
SEED = bytes(range(32))
ORIGIN = "hub.example.org/sentre"
VKEY = verifying_key(ORIGIN, SEED).vkey

Accepts = Callable[[bytes, str, str], bool]


def made_leaf(number: int) -> bytes:
    """Give a statement of the kind that evidence is most often asked for."""
    return leaf_bytes(
        {
            "type": "dispatch.handed_over",
            "version": 1,
            "at": f"2026-03-03T09:43:{number:02d}Z",
            "dispatch": f"7K3M9QXA-{number + 1}",
            "reports": [leaf_hash(b"%d" % number).hex()],
            "attempt": 1,
            "evidence": leaf_hash(b"queued as 4F1B").hex(),
        },
    )


LEAVES = [made_leaf(number) for number in range(23)]
FRONTIER, NEW = append(EMPTY, map(leaf_hash, LEAVES))
NODES = {(node.level, node.position): node.hash for node in NEW}
NOTE = sign_checkpoint(Checkpoint.of_epoch(ORIGIN, len(LEAVES), FRONTIER.root(), 2), ORIGIN, SEED)


def proof_of(index: int, note: str = NOTE, extra: bytes = b"") -> str:
    """Export a proof as the hub does."""
    hashes = inclusion_proof(index, len(LEAVES), lambda keys: [NODES[key] for key in keys])
    return proof_text(Proof(index, tuple(hashes), note, extra))


@pytest.fixture(scope="session")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the independent verifier once, in a folder of this run."""
    missing = [name for name in ("go",) if shutil.which(name) is None]
    missing += [str(path) for path in (GO_PATH / "src/golang.org/x/mod/sumdb/note",) if not path.is_dir()]
    if missing:
        words = f"the independent verifier needs {' and '.join(missing)} (golang-go, golang-golang-x-mod-dev)"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GO111MODULE": "off",
        "GOPATH": str(GO_PATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }
    program = folder / "verify_proof"
    subprocess.run(
        ["go", "build", "-o", program, SOURCE], check=True, env=environment, cwd=folder, timeout=300
    )
    return program


@pytest.fixture
def go_accepts(go_verifier: Path, tmp_path: Path) -> Accepts:
    """Ask the independent verifier."""

    def accepts(leaf: bytes, proof: str, vkey: str) -> bool:
        statement, proof_file = tmp_path / "statement.json", tmp_path / "statement.tlog-proof"
        statement.write_bytes(leaf)
        proof_file.write_bytes(proof.encode())
        command: list[str | Path] = [go_verifier, vkey, statement, proof_file]
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert run.returncode in {0, 1}, run.stderr
        assert run.stdout.startswith("accepted") == (run.returncode == 0)
        return run.returncode == 0

    return accepts


def we_accept(leaf: bytes, proof: str, vkey: str) -> bool:
    """Ask ourselves."""
    try:
        verify_proof(leaf, proof, [vkey])
    except LedgerError:
        return False
    return True


@pytest.mark.parametrize("index", [0, 1, 7, 15, 16, 21, 22])
def test_both_accept_what_was_signed(go_accepts: Accepts, index: int) -> None:
    for accepts in (we_accept, go_accepts):
        assert accepts(LEAVES[index], proof_of(index, extra=b"a hint"), VKEY)


def lines_of(proof: str, *, at: int, put: str) -> str:
    """Put another line in the place of one."""
    lines = proof.split("\n")
    assert lines[at] != put
    lines[at] = put
    return "\n".join(lines)


PROOF = proof_of(7)
REFUSED = {
    "an altered statement": (LEAVES[7].replace(b"09:43:07", b"09:42:07"), PROOF, VKEY),
    "another statement": (LEAVES[8], PROOF, VKEY),
    "a statement written differently": (LEAVES[7] + b"\n", PROOF, VKEY),
    "another index": (LEAVES[7], PROOF.replace("index 7", "index 8"), VKEY),
    "an altered proof": (LEAVES[7], lines_of(PROOF, at=2, put=proof_of(16).split("\n")[2]), VKEY),
    "a shortened proof": (LEAVES[7], PROOF.replace(PROOF.split("\n")[2] + "\n", "", 1), VKEY),
    "an altered size": (LEAVES[7], PROOF.replace("\n23\n", "\n24\n"), VKEY),
    "an altered root": (LEAVES[7], PROOF.replace(NOTE.split("\n")[2], PROOF.split("\n")[2]), VKEY),
    "an altered origin": (LEAVES[7], PROOF.replace(f"\n{ORIGIN}\n", "\nhub.example.org/ypm\n"), VKEY),
    "an altered epoch": (LEAVES[7], PROOF.replace("epoch 2", "epoch 3"), VKEY),
    "a checkpoint without a signature": (LEAVES[7], PROOF[: PROOF.index("\u2014")], VKEY),
    "a checkpoint that another key signed": (
        LEAVES[7],
        proof_of(7, note_sign(NOTE.rpartition("\n\n")[0] + "\n", ORIGIN, bytes(32))),
        VKEY,
    ),
    "another log's key": (LEAVES[7], PROOF, verifying_key("hub.example.org/ypm", SEED).vkey),
    "a signature from another checkpoint": (
        LEAVES[7],
        proof_of(
            7, NOTE.rpartition("\n\n")[0] + "\n\n" + note_sign("x\n", ORIGIN, SEED).rpartition("\n\n")[2]
        ),
        VKEY,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_both_refuse_what_was_not(go_accepts: Accepts, what: str) -> None:
    assert not we_accept(*REFUSED[what])
    assert not go_accepts(*REFUSED[what])


def test_go_accepts_every_proof_in_the_evidence_of_a_played_week(
    go_accepts: Accepts, tmp_path: Path, sqlite_url: str
) -> None:
    def begin(slug: str, **children: Child) -> Week:
        return play(tmp_path / "home", sqlite_url, slug, date(2026, 3, 9), children, {})

    week = played(begin)
    folder = evidence(week.desk, week.ref("Max"), tmp_path / "evidence", by="Robin, office")
    week.hub.close()
    [vkey] = (folder / "verifying-keys.txt").read_text().split()
    statements = sorted((folder / "statements").iterdir())
    kinds = {json.loads(statement.read_bytes())["type"] for statement in statements}
    assert kinds >= {"report.prepared", "dispatch.handed_over", "dispatch.confirmed", "step.done"}
    for statement in statements:
        proof = next((folder / "proofs").glob(f"{statement.stem}.*")).read_text()
        assert go_accepts(statement.read_bytes(), proof, vkey)
    assert not go_accepts(statements[0].read_bytes() + b" ", proof, vkey)
