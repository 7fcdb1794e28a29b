"""What both adapters share: the file itself, its names, and what is said once it lies there."""

import hashlib
import re
from typing import Any

from aphub.api import (
    Answer,
    Delivery,
    DeliveryResult,
    Document,
    Outbound,
    RefusedDeliveryError,
    ReportResult,
    Rung,
    aphub_csv,
)

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def compose_csv(outbound: Outbound) -> tuple[Document, ...]:
    """Make the one CSV; its name has period and reference, and TEST- in front of a test."""
    name = f"{outbound.message.file_stem}.csv"
    return (Document(name, "text/csv; charset=utf-8; header=present", aphub_csv(list(outbound.rows))),)


def safe_name(document: Document) -> str:
    """Give a document's name, if every server and every operating system takes it.

    Raises:
        RefusedDeliveryError: It could mean something else to somebody.
    """
    if not _SAFE_NAME.fullmatch(document.name):
        raise RefusedDeliveryError(
            "A file's name has signs that are not safe. Nothing was sent.", what_now="Report this as a fault"
        )
    return document.name


def temporary(name: str) -> str:
    """Give the name under which a file is written until it is whole."""
    return f".{name}.part"


def digest(content: bytes) -> str:
    """Give the SHA-256 of a file as receivers print it."""
    return hashlib.sha256(content).hexdigest()


def result_of(
    delivery: Delivery, answers: list[tuple[str, Answer]], *, evidence: dict[str, Any], hops: str
) -> DeliveryResult:
    """Say what became of a delivery from the answers of its files, each with its path there."""
    order = (Answer.DIFFERS, Answer.TAKEN, Answer.ALREADY_THERE)
    worst = next(answer for answer in order if answer in {one for _, one in answers} or answer is order[-1])
    words = "Another file with this name and other content is there." if worst is Answer.DIFFERS else ""
    code = "file exists" if words else ""
    sizes = {f"{document.name} SHA-256": digest(document.content) for document in delivery.documents}
    return DeliveryResult(
        Rung.PREPARED if worst is Answer.DIFFERS else Rung.HANDED_OVER,
        tuple(ReportResult(report, worst, words, code) for report in delivery.reports),
        reference=", ".join(path for path, _ in answers),
        evidence=sizes | {key: str(value) for key, value in evidence.items()},
        hops=hops,
    )
