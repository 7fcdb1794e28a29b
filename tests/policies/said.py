"""A message as a school reads it: when it came, about whom, and what it says of each pupil."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy

from aphub.api.adapters import Delivery
from aphub.domain.calendar import LONDON
from aphub.testing import Recorded

_BLOCK = re.compile(r"^  \S")


@dataclass(frozen=True)
class Said:
    """One message that left: `text` is its plain words unwrapped, `blocks` those words by pupil's name."""

    at: datetime
    to: str
    kind: str
    reference: str
    due: datetime
    adapter: str
    urgent: bool
    subject: str
    text: str
    blocks: dict[str, str]
    rows: tuple[dict[str, str], ...]
    names: dict[str, str]

    @property
    def pupils(self) -> set[str]:
        """Whom it is about."""
        return {self.names[row["upn"]] for row in self.rows}

    @property
    def codes(self) -> dict[str, set[str]]:
        """The suggested codes by pupil."""
        found: dict[str, set[str]] = {name: set() for name in self.pupils}
        for row in self.rows:
            found[self.names[row["upn"]]].add(row.get("suggested_code", ""))
        return found

    def __str__(self) -> str:
        """Say it in a line."""
        about = "; ".join(f"{name}: {words}" for name, words in sorted(self.blocks.items()))
        return f"{wall(self.at)} {self.kind} to {self.to} by {self.adapter} ({self.reference}) {about}"


def wall(at: datetime) -> str:
    """Give an instant as the clock on the wall says it: Mon 09:15."""
    return f"{at.astimezone(LONDON):%a %H:%M}"


def read(
    recorded: Recorded, to: str, kind: str, due: datetime, *, urgent: bool, names: dict[str, str]
) -> Said:
    """Read one recorded delivery as its receiver would; `names` are the pupils' given names by UPN."""
    delivery = recorded.delivery
    subject, text = _words(delivery)
    blocks = _blocks(text)
    return Said(
        recorded.at,
        to,
        kind,
        delivery.key,
        due,
        recorded.adapter,
        urgent,
        subject,
        " ".join(text.split()),
        {name: words for name, words in blocks.items() if name in names.values()},
        delivery.rows,
        names,
    )


def _words(delivery: Delivery) -> tuple[str, str]:
    for document in delivery.documents:
        if document.media_type == "message/rfc822":
            mail = message_from_bytes(document.content, policy=policy.default)
            body = mail.get_body(("plain",))
            assert body is not None
            return str(mail["Subject"]), body.get_content()
        if document.media_type.startswith("text/csv"):
            rows = list(csv.DictReader(io.StringIO(document.content.decode())))
            assert rows == [dict(row) for row in delivery.rows]
    return "", ""


def _blocks(text: str) -> dict[str, str]:
    """Part a mail's text by the pupils it is about; a pupil in two parts of a mail has both."""
    blocks: dict[str, list[str]] = {}
    now: list[str] | None = None
    for line in text.splitlines():
        if _BLOCK.match(line):
            now = blocks.setdefault(line.split()[0], [])
        elif not line.startswith("   "):
            now = None
        elif now is not None:
            now.append(line.strip())
    return {name: " ".join(lines) for name, lines in blocks.items()}
