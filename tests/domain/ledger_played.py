"""A small log for the ledger's tests, as a store would hold it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aphub.domain.ledger.merkle import EMPTY, NodeKey, append, leaf_hash
from aphub.domain.ledger.notes import Checkpoint, sign_checkpoint, verifying_key
from aphub.domain.ledger.statements import leaf_bytes
from aphub.domain.ledger.verdicts import Verdict
from aphub.domain.ledger.verify import verify_log

SEED = bytes(range(32))
ORIGIN = "hub.example.org/sentre"
VKEY = verifying_key(ORIGIN, SEED).vkey


def leaf(number: int) -> bytes:
    """Give the statement that the played log holds at `number`."""
    return leaf_bytes(
        {
            "type": "report.missed",
            "version": 1,
            "at": f"2026-03-03T09:{number // 60 % 60:02d}:{number % 60:02d}Z",
            "owed": "7K3M9QXA",
            "due": "2026-03-03T09:45:00Z",
        },
    )


@dataclass
class PlayedLog:
    """Statements by number, stored nodes, and the checkpoints that were signed after each batch."""

    leaves: dict[int, bytes] = field(default_factory=dict)
    hashes: list[bytes] = field(default_factory=list)
    nodes: dict[NodeKey, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, *sizes: int) -> "PlayedLog":
        """Play a log that signed a checkpoint at each of `sizes`."""
        log = cls()
        for size in sizes:
            log.grow([leaf(number) for number in range(len(log.leaves), size)])
        return log

    def grow(self, leaves: Sequence[bytes], epoch: int = 1) -> None:
        """Append a batch and sign it."""
        for one in leaves:
            self.leaves[len(self.leaves)] = one
            self.hashes.append(leaf_hash(one))
        frontier, new = append(EMPTY, self.hashes)
        self.nodes = {(node.level, node.position): node.hash for node in new}
        self.notes.append(self.note(frontier.size, frontier.root(), epoch))

    @staticmethod
    def note(size: int, root: bytes, epoch: int = 1) -> str:
        """Sign a state with the log's key."""
        return sign_checkpoint(Checkpoint.of_epoch(ORIGIN, size, root, epoch), ORIGIN, SEED)

    def get(self, keys: Sequence[NodeKey]) -> list[bytes]:
        """Read stored nodes."""
        return [self.nodes[key] for key in keys]

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Give the statements in the order of their numbers."""
        yield from sorted(self.leaves.items())

    def verdict(self) -> Verdict:
        """Check the log as it now stands."""
        return verify_log(self.rows(), self.hashes, self.notes, [VKEY])
