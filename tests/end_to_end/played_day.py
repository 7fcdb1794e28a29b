"""What a played day left behind, read as its receivers read it."""

import csv
import io
import json
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aphub.demo.invented import Invented
from aphub.demo.pupils import everyone, pupil


@dataclass(frozen=True)
class Mail:
    message: EmailMessage
    text: str
    html: str
    attachments: dict[str, bytes]

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def reference(self) -> str:
        return str(self.message["X-Aphub-Reference"])

    @property
    def is_test(self) -> bool:
        return self.subject.startswith("TEST")

    @property
    def is_for_our_office(self) -> bool:
        return self.subject.endswith((": something waits for a person", ": figures"))

    def rows(self) -> list[dict[str, str]]:
        return [
            row
            for name, content in self.attachments.items()
            if name.endswith(".csv")
            for row in csv.DictReader(io.StringIO(content.decode()))
        ]


@dataclass(frozen=True)
class Played:
    home: Path
    status: int
    output: str
    seconds: float
    mails: tuple[Mail, ...]
    office_mails: tuple[Mail, ...]

    @property
    def day_mails(self) -> list[Mail]:
        return [mail for mail in self.mails if not mail.is_test]

    def drop_files(self) -> dict[str, bytes]:
        """Give the files in every secure folder and in the shared one, by organisation and name."""
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for root in (self.home / "drop", self.home / "share")
            for path in root.rglob("*")
            if path.is_file()
        }

    def rows(self) -> list[tuple[str, dict[str, str]]]:
        """Give every row of every machine copy of the day, with the organisation that it went to."""
        found = [(organisation_of(mail.to), row) for mail in self.day_mails for row in mail.rows()]
        for name, content in self.drop_files().items():
            if name.endswith(".csv") and "TEST" not in name:
                found += [
                    (name.partition("/")[0], row) for row in csv.DictReader(io.StringIO(content.decode()))
                ]
        return found

    def rows_of(self, ref: str) -> list[tuple[str, dict[str, str]]]:
        return [(organisation, row) for organisation, row in self.rows() if row["upn"] == pupil(ref).upn]

    def mails_to(self, organisation: str) -> list[Mail]:
        return [mail for mail in self.day_mails if organisation_of(mail.to) == organisation]


def organisation_of(address: str) -> str:
    return address.partition("@")[2].removesuffix(".example.org")


def parse(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    parts = {"text/plain": "", "text/html": ""}
    attachments = {}
    for part in message.walk():
        assert not part.defects
        if part.get_content_disposition() == "attachment":
            file = part.get_payload(decode=True)
            assert isinstance(file, bytes)
            attachments[str(part.get_filename())] = file
        elif part.get_content_type() in parts:
            parts[part.get_content_type()] += part.get_content()
    return Mail(message, parts["text/plain"], parts["text/html"], attachments)


def arrival(path: Path) -> tuple[int, int]:
    """Give a Maildir file's place: second, and running number within the server's life."""
    seconds, number = path.name.split("_")[:2]
    return int(seconds.partition(".")[0]), int(number)


def told_to(organisation: str) -> set[str]:
    return {one.upn for one in everyone() if organisation in {slug for slug, _ in one.told}}


def due_on_tuesday() -> list[Invented]:
    return [one for one in everyone() if "Tue" in one.timetable]


def marks_in(played: Played, school: str) -> dict[tuple[str, str], tuple[str, str]]:
    page = json.loads((played.home / "mis" / f"{school}.json").read_text())
    return {(mark["upn"], mark["session"]): (mark["code"], mark["made_by"]) for mark in page["marks"]}
