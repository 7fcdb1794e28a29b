"""The RFC 6962 Merkle tree: appended in batches, its complete nodes kept by (level, position).

Only complete subtrees are stored: the node at `level` and `position` stands for the 2**level leaves that start at
position * 2**level. They never change, and any proof reads O(log n) of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aphub.domain.ledger.errors import LedgerError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""

NodeKey = tuple[int, int]
"""Level and position of a complete node; level 0 holds the leaf hashes."""

GetNodes = Callable[[Sequence[NodeKey]], Sequence[bytes]]
"""Reads stored nodes: gives their hashes in the order of the keys."""


class Node(NamedTuple):
    """A complete node, as a table keeps it."""

    level: int
    position: int
    hash: bytes


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf (RFC 6962 section 2.1: a zero byte before it keeps leaves and nodes apart)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What must be remembered to go on appending: the size, and the complete subtrees from the largest down."""

    size: int
    peaks: tuple[bytes, ...]

    def root(self) -> bytes:
        """Give the tree's root hash."""
        return fold_peaks(self.peaks)


EMPTY = Frontier(0, ())
"""The frontier of a log without leaves."""


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """Combine neighbouring complete subtrees, given from left to right, into the root over all of them."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def append(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
    """Append a batch of leaf hashes; give the new frontier and every node that became complete, leaves first.

    Works level by level, so that a batch costs about one hash and one node a leaf beyond the leaf itself.
    """
    row = list(leaf_hashes)
    size = frontier.size + len(row)
    old_peaks = {key[0]: peak for key, peak in zip(peak_keys(frontier.size), frontier.peaks, strict=True)}
    new_peaks: list[bytes] = []
    nodes: list[Node] = []
    position, level, sha256 = frontier.size, 0, hashlib.sha256
    while size >> level:
        nodes += [Node(level, position + offset, value) for offset, value in enumerate(row)]
        # An odd start means that the left sibling of the first new node has been waiting on the frontier.
        waiting = old_peaks.get(level)
        if waiting is not None:
            row.insert(0, waiting)
            position -= 1
        if (position + len(row)) & 1:
            new_peaks.append(row.pop())
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
        position >>= 1
        level += 1
    return Frontier(size, tuple(reversed(new_peaks))), nodes


def peak_keys(size: int) -> list[NodeKey]:
    """Name the complete subtrees of a log of `size`, from the largest down."""
    return cover(0, size)


def frontier_of(size: int, get_nodes: GetNodes) -> Frontier:
    """Rebuild the frontier of a log of `size` from its stored nodes."""
    return Frontier(size, tuple(_read(get_nodes, peak_keys(size))))


def root_of(size: int, get_nodes: GetNodes) -> bytes:
    """Give the root that the log had at `size`, from its stored nodes."""
    return frontier_of(size, get_nodes).root()


def cover(start: int, until: int) -> list[NodeKey]:
    """Name the fewest complete nodes over the leaves from `start` to before `until`, from left to right."""
    keys: list[NodeKey] = []
    while start < until:
        level = (until - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        keys.append((level, start >> level))
        start += 1 << level
    return keys


def inclusion_proof(index: int, size: int, get_nodes: GetNodes) -> list[bytes]:
    """Prove that the leaf at `index` is in the log of `size` (RFC 6962 section 2.1.1)."""
    return inclusion_proofs([index], size, get_nodes)[0]


def inclusion_proofs(indexes: Sequence[int], size: int, get_nodes: GetNodes) -> list[list[bytes]]:
    """Prove several leaves against one size, reading the stored nodes once."""
    for index in indexes:
        if not 0 <= index < size:
            message = f"Record {index} is not in a log of {size} records."
            raise LedgerError(message)
    return _hash_ranges([_inclusion_ranges(index, size) for index in indexes], get_nodes)


def consistency_proof(old_size: int, size: int, get_nodes: GetNodes) -> list[bytes]:
    """Prove that the log of `size` begins with the log of `old_size` (RFC 6962 section 2.1.2)."""
    if not 0 <= old_size <= size:
        message = f"A log of {size} records cannot begin with one of {old_size}."
        raise LedgerError(message)
    if old_size in {0, size}:
        return []
    return _hash_ranges([_consistency_ranges(old_size, size)], get_nodes)[0]


def _split(count: int) -> int:
    """Give the largest power of two below `count`, where RFC 6962 splits a tree."""
    return 1 << (count - 1).bit_length() - 1


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    start, until, siblings = 0, size, []
    while until - start > 1:
        middle = start + _split(until - start)
        if index < middle:
            siblings.append((middle, until))
            until = middle
        else:
            siblings.append((start, middle))
            start = middle
    return siblings[::-1]


def _consistency_ranges(old_size: int, size: int) -> list[tuple[int, int]]:
    start, until, ranges = 0, size, []
    while until != old_size:
        middle = start + _split(until - start)
        if old_size <= middle:
            ranges.append((middle, until))
            until = middle
        else:
            ranges.append((start, middle))
            start = middle
    # The old tree's own part is left out where the verifier knows it already: it is the whole old tree.
    if start:
        ranges.append((start, until))
    return ranges[::-1]


def _hash_ranges(proofs: Sequence[Sequence[tuple[int, int]]], get_nodes: GetNodes) -> list[list[bytes]]:
    covers = {part: cover(*part) for proof in proofs for part in proof}
    keys = list(dict.fromkeys(key for part in covers.values() for key in part))
    hashes = dict(zip(keys, _read(get_nodes, keys), strict=True))
    folded = {part: fold_peaks([hashes[key] for key in part_keys]) for part, part_keys in covers.items()}
    return [[folded[part] for part in proof] for proof in proofs]


def _read(get_nodes: GetNodes, keys: Sequence[NodeKey]) -> Sequence[bytes]:
    if not keys:
        return []
    hashes = get_nodes(keys)
    if len(hashes) != len(keys) or any(len(value) != HASH_BYTES for value in hashes):
        message = "The ledger's stored nodes are incomplete. Run `aphub verify` to see from which record on."
        raise LedgerError(message)
    return hashes


def includes(proof: Sequence[bytes], index: int, size: int, leaf: bytes, root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162 section 2.1.3.2); `leaf` is the leaf's hash."""
    if not 0 <= index < size:
        return False
    first, last, value = index, size - 1, leaf
    for sibling in proof:
        if not last or len(sibling) != HASH_BYTES:
            return False
        first, last, left = _climb(first, last)
        value = node_hash(sibling, value) if left else node_hash(value, sibling)
    return last == 0 and value == root


def extends(proof: Sequence[bytes], old_size: int, old_root: bytes, size: int, root: bytes) -> bool:
    """Check a consistency proof (RFC 9162 section 2.1.4.2): the new tree begins with the old one."""
    if not 0 < old_size < size:
        known = old_root == (root if old_size == size else EMPTY_ROOT)
        return 0 <= old_size <= size and not proof and known
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path or any(len(value) != HASH_BYTES for value in path):
        return False
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_value = value = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        first, last, left = _climb(first, last)
        if left:
            old_value = node_hash(sibling, old_value)
        value = node_hash(sibling, value) if left else node_hash(value, sibling)
    return last == 0 and old_value == old_root and value == root


def _climb(first: int, last: int) -> tuple[int, int, bool]:
    """Step over one hash of a proof; say whether it stands to the left of what is known."""
    left = bool(first & 1) or first == last
    # A last node without a sibling moves up until it is somebody's right child.
    while left and not first & 1 and first:
        first, last = first >> 1, last >> 1
    return first >> 1, last >> 1, left
