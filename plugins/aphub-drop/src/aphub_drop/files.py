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
)
from aphub_drop.cells import lines_of
from aphub_drop.layout import Layout
from aphub_drop.naming import stem
from aphub_drop.settings import DropRoute
from aphub_drop.writing import NotExpressibleError, written

RECEIPT = "handed over: it lies there under its name and every byte was read back; accepted only by an answer file of theirs"
PROTECTION = (
    "as is: whoever may read the folder reads the file; openpgp or cms: only whoever has the recipient's key"
)
LAYOUTS = "aphub-1, week, xporter, sims7-xml, g4s, or columns of your own; what has no place goes another way"
_CHARSETS = {"utf-8 with mark": "utf-8"}

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def composed(outbound: Outbound, route: DropRoute) -> tuple[Document, ...]:
    """Make the files of a message in the order in which they must appear there.

    What a collector looks for comes last: the file itself, or the ready file where they want one. A summary is for
    people, whatever the layout.

    Raises:
        NotExpressibleError: Something has no place in the layout; it should have gone another way.
        KeyEndedError: The recipient's key does not hold any more.
    """
    message, layout = outbound.message, route.content
    if message.paper is not None:
        return _summary(outbound, route)
    if not message.is_test:
        for report in message.reports:
            if why := route.cannot_carry(report):
                raise NotExpressibleError(why)
    lines = list(lines_of(message, outbound.rows))
    content, rows = written(layout, message, lines, for_people=route.opened_by == "people")
    name = f"{stem(route.file_name, message, layout=layout.name, version=layout.version)}.{layout.ending}"
    return _placed(Document(name, _media_type(layout), content), outbound, route, rows)


def _summary(outbound: Outbound, route: DropRoute) -> tuple[Document, ...]:
    """Make a summary's files for people: its workbook, and its PDF where one can be made."""
    layout, found = route.content, outbound.rendering.by_name
    name = stem(route.file_name, outbound.message, layout=layout.name, version=layout.version)
    documents: list[Document] = []
    for kind, ending in (("summary-xlsx", "xlsx"), ("summary-pdf", "pdf")):
        if kind in found or ending == "xlsx":
            content = outbound.rendering.render(kind, outbound.message, named=True)
            file = Document(f"{name}.{ending}", found[kind].media_type, content)
            documents += _placed(file, outbound, route, len(outbound.rows))
    return tuple(documents)


def _placed(file: Document, outbound: Outbound, route: DropRoute, rows: int) -> tuple[Document, ...]:
    """Lock a file where they want it locked, and give it with what accompanies it, in order."""
    if (reader := route.reader) is not None:
        locked = reader.locked(file.content, outbound.message.made_at)
        file = Document(f"{file.name}.{reader.ending}", reader.media_type, locked)
    beside = {
        "sha256": lambda: f"{digest(file.content)}  {file.name}\n",
        "count": lambda: f"{rows}\n",
    }
    others = [Document(f"{file.name}.{kind}", "text/plain", beside[kind]().encode()) for kind in route.beside]
    if route.ready_file:
        return (file, *others, Document(f"{file.name}{route.ready_file}", "text/plain", b""))
    return (*others, file)


def _media_type(layout: Layout) -> str:
    if layout.form == "xml":
        return "application/xml"
    charset = _CHARSETS.get(layout.encoding, layout.encoding)
    return f"text/csv; charset={charset}; header={'present' if layout.header else 'absent'}"


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
    """Say what became of a delivery from the answers of its files, each with its path there.

    Where the organisation sends answer files, its own system has not spoken yet.
    """
    order = (Answer.DIFFERS, Answer.TAKEN, Answer.ALREADY_THERE)
    worst = next(answer for answer in order if answer in {one for _, one in answers} or answer is order[-1])
    differs = worst is Answer.DIFFERS
    words = "Another file with this name and other content is there." if differs else ""
    code = "file exists" if differs else ""
    route = delivery.route
    said = Answer.PENDING if not differs and isinstance(route, DropRoute) and route.answers else worst
    sizes = {f"{document.name} SHA-256": digest(document.content) for document in delivery.documents}
    return DeliveryResult(
        Rung.PREPARED if differs else Rung.HANDED_OVER,
        tuple(ReportResult(report, said, words, code) for report in delivery.reports),
        reference=", ".join(path for path, _ in answers),
        evidence=sizes | {key: str(value) for key, value in evidence.items()},
        hops=hops,
    )
