"""Answer files: by which names their system says what became of ours, and what they mean."""

import hashlib
from dataclasses import dataclass, field

from aphub.api import Answer, Delivery, DeliveryResult, Document, ReportResult, Rung
from aphub_drop.settings import DropRoute

MOST_BYTES = 65_536
_MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """One answer file to look for; a rejection is looked for first, since bad news outweighs good."""

    path: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An answer file as it lies there."""

    wanted: Wanted
    content: bytes = field(repr=False)


def main_file(delivery: Delivery) -> Document:
    """Give the file that the others accompany: its name is the beginning of all others'."""
    return min(delivery.documents, key=lambda document: len(document.name))


def wanted(delivery: Delivery, route: DropRoute) -> tuple[Wanted, ...]:
    """Name the answer files of a delivery, below the place where files go; none where none were agreed."""
    agreed = route.answers
    if agreed is None:
        return ()
    name = main_file(delivery).name
    names = {"file": name, "stem": name.partition(".")[0]}
    folder = (agreed.folder or route.folder).rstrip("/")
    return tuple(
        Wanted(f"{folder}/{pattern.format_map(names)}", accepted)
        for pattern, accepted in ((agreed.rejected, False), (agreed.accepted, True))
    )


def result_of_answer(delivery: Delivery, found: Found, *, hops: str) -> DeliveryResult:
    """Say what an answer file means: for every report of the message, in the far side's words."""
    answer = Answer.TAKEN if found.wanted.accepted else Answer.REFUSED
    words = words_of(found.content)
    code = "" if found.wanted.accepted else "rejected by file"
    return DeliveryResult(
        Rung.ACCEPTED if found.wanted.accepted else Rung.HANDED_OVER,
        tuple(ReportResult(report, answer, words, code) for report in delivery.reports),
        reference=found.wanted.path,
        evidence={
            "answer file": found.wanted.path,
            "answer file SHA-256": hashlib.sha256(found.content).hexdigest(),
            "answer file words": words,
        },
        hops=hops,
    )


def words_of(content: bytes) -> str:
    """Give the beginning of an answer file as one line of text, whatever it is written in."""
    text = content.decode("utf-8-sig", errors="replace")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:_MOST_WORDS]
