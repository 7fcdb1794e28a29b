"""The tree is RFC 6962's, whatever the batches, and its proofs prove what they say and nothing else."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.ledger.errors import LedgerError
from aphub.domain.ledger.merkle import (
    EMPTY,
    EMPTY_ROOT,
    Frontier,
    NodeKey,
    append,
    consistency_proof,
    extends,
    frontier_of,
    includes,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    node_hash,
    peak_keys,
    root_of,
)

# The leaves and roots that Certificate Transparency's own implementations test with (sizes 1 to 8).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
sizes = st.integers(1, 200)


class Nodes:
    """Stored nodes, as a table would give them, counting what is read."""

    def __init__(self, count: int, batches: Sequence[int] = ()) -> None:
        self.hashes = [leaf_hash(b"%d" % number) for number in range(count)]
        self.stored: dict[NodeKey, bytes] = {}
        self.read = 0
        self.frontier = EMPTY
        start = 0
        for batch in (*batches, count):
            until = min(count, start + batch)
            self.frontier, new = append(self.frontier, self.hashes[start:until])
            for node in new:
                assert (node.level, node.position) not in self.stored
                self.stored[node.level, node.position] = node.hash
            start = until

    def get(self, keys: Sequence[NodeKey]) -> list[bytes]:
        self.read += len(keys)
        return [self.stored[key] for key in keys]


def plain_root(hashes: Sequence[bytes]) -> bytes:
    """Write down RFC 6962 section 2.1 as it stands there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(plain_root(hashes[:split]), plain_root(hashes[split:]))


def test_roots_are_those_of_certificate_transparency() -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [append(EMPTY, hashes[:size])[0].root().hex() for size in range(1, 9)] == ROOTS
    assert EMPTY.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_known_proofs_are_those_of_certificate_transparency() -> None:
    nodes: dict[NodeKey, bytes] = {
        (n.level, n.position): n.hash for n in append(EMPTY, map(leaf_hash, LEAVES))[1]
    }

    def get(keys: Sequence[NodeKey]) -> list[bytes]:
        return [nodes[key] for key in keys]

    assert [part.hex() for part in inclusion_proof(5, 8, get)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [part.hex() for part in consistency_proof(6, 8, get)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(size=st.integers(0, 120), batches=st.lists(st.integers(0, 40), max_size=12))
def test_the_tree_is_the_same_in_any_batches(size: int, batches: list[int]) -> None:
    nodes = Nodes(size, batches)
    assert nodes.frontier.root() == plain_root(nodes.hashes)
    assert nodes.stored == Nodes(size).stored
    assert frontier_of(size, nodes.get) == nodes.frontier


@given(size=sizes, data=st.data())
def test_every_leaf_is_proved_at_every_size(size: int, data: st.DataObject) -> None:
    nodes, at = Nodes(size), data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, at - 1))
    root = root_of(at, nodes.get)
    nodes.read = 0
    proof = inclusion_proof(index, at, nodes.get)
    assert includes(proof, index, at, nodes.hashes[index], root)
    assert nodes.read <= 2 * at.bit_length()


@given(size=sizes, data=st.data())
def test_a_proof_proves_nothing_else(size: int, data: st.DataObject) -> None:
    nodes, index = Nodes(size), data.draw(st.integers(0, size - 1))
    root, leaf = nodes.frontier.root(), nodes.hashes[index]
    proof = inclusion_proof(index, size, nodes.get)
    assert not includes(proof, index, size, leaf_hash(b"another"), root)
    assert not includes(proof, index, size, leaf, leaf_hash(b"another"))
    assert not includes([*proof, leaf], index, size, leaf, root)
    other = data.draw(st.integers(-1, size + 1))
    assert other == index or not includes(proof, other, size, leaf, root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        assert not includes([*proof[:place], changed, *proof[place + 1 :]], index, size, leaf, root)
        assert not includes(proof[:-1], index, size, leaf, root)
        assert not includes(proof[1:], index, size, leaf, root)


@given(size=sizes, data=st.data())
def test_a_log_that_grew_proves_that_it_kept_its_beginning(size: int, data: st.DataObject) -> None:
    nodes, old = Nodes(size), data.draw(st.integers(0, size))
    old_root, root = root_of(old, nodes.get), nodes.frontier.root()
    nodes.read = 0
    proof = consistency_proof(old, size, nodes.get)
    assert extends(proof, old, old_root, size, root)
    assert nodes.read <= 2 * size.bit_length()
    if old:
        assert not extends(proof, old, leaf_hash(b"another"), size, root)
        assert not extends(proof, old, old_root, size, leaf_hash(b"another"))
    assert not extends([*proof, root], old, old_root, size, root)
    assert not extends(proof, size, root, old, old_root) or old == size
    for place in range(len(proof)):
        changed = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        assert not extends([*proof[:place], changed, *proof[place + 1 :]], old, old_root, size, root)
        assert not extends(proof[:place] + proof[place + 1 :], old, old_root, size, root)


@given(size=st.integers(2, 60), data=st.data())
def test_a_rewritten_beginning_cannot_be_proved(size: int, data: st.DataObject) -> None:
    nodes, old = Nodes(size), data.draw(st.integers(1, size - 1))
    rewritten = list(nodes.hashes)
    rewritten[data.draw(st.integers(0, old - 1))] = leaf_hash(b"another")
    forged, new = append(EMPTY, rewritten)
    stored = {(node.level, node.position): node.hash for node in new}
    proof = consistency_proof(old, size, lambda keys: [stored[key] for key in keys])
    assert not extends(proof, old, root_of(old, nodes.get), size, forged.root())


def test_many_proofs_are_read_at_once_and_are_the_same() -> None:
    nodes = Nodes(77)
    together = inclusion_proofs(range(77), 77, nodes.get)
    assert nodes.read < 2 * 77
    assert together == [inclusion_proof(index, 77, nodes.get) for index in range(77)]


def test_what_is_not_in_the_log_has_no_proof() -> None:
    nodes = Nodes(5)
    for index in (-1, 5):
        with pytest.raises(LedgerError):
            inclusion_proof(index, 5, nodes.get)
    for old, size in ((6, 5), (-1, 5)):
        with pytest.raises(LedgerError):
            consistency_proof(old, size, nodes.get)


def test_a_missing_node_is_an_error_and_not_a_proof() -> None:
    with pytest.raises(LedgerError):
        inclusion_proof(0, 4, lambda _keys: [])


def test_the_frontier_of_a_million_holds_only_its_peaks() -> None:
    assert len(peak_keys(1_000_000)) == (1_000_000).bit_count()
    assert Frontier(0, ()) == EMPTY
