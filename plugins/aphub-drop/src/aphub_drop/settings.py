"""Settings of an SFTP server or a mounted folder, and of one organisation's folder there."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from aphub.api import ConnectionSettings, DeliveryError, Ending, Report, RouteSettings
from aphub_drop import naming
from aphub_drop.carrying import why_not
from aphub_drop.layout import Layout, shipped
from aphub_drop.protecting import Recipient, recipient

_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9 ._-]*(/[A-Za-z0-9_][A-Za-z0-9 ._-]*)*|/|\.")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_MD5 = re.compile(r"([0-9a-fA-F]{2}:){15}[0-9a-fA-F]{2}")
_ANSWER = re.compile(r"[A-Za-z0-9._-]*\{(file|stem)\}[A-Za-z0-9._-]*")


class DropConnection(ConnectionSettings):
    """One SFTP server, the key that it must show, and ours."""

    host: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$",
        description="name or address of the server",
    )
    port: int = Field(default=22, ge=1, le=65535, description="port of the server")
    user: str = Field(min_length=1, max_length=100, description="the account that they gave us")
    host_key: str = Field(
        description='fingerprint of the server\'s key, got by phone or letter: "SHA256:" and 43 signs',
    )
    client_key: SecretStr = Field(
        default=SecretStr(""), description="our private key as OpenSSH text; write it as secret:NAME"
    )
    client_key_file: Path | None = Field(
        default=None, description="file that holds our private key, instead of client_key"
    )
    timeout: float = Field(
        default=30, gt=0, le=600, description="seconds to wait for each answer of the server"
    )
    in_flight: int = Field(
        default=64, ge=1, le=128, description="files on their way at once over the one connection"
    )
    channels: int = Field(
        default=4,
        ge=1,
        le=8,
        description="SFTP channels in the one connection; fewer if the server allows fewer",
    )
    read_back: bool = Field(
        default=True,
        description="read every byte back before the file gets its name; false where reading is denied",
    )

    @field_validator("host_key")
    @classmethod
    def _fingerprint(cls, value: str) -> str:
        text = value.strip().removesuffix("=")
        if _FINGERPRINT.fullmatch(text):
            return text
        if text.lower().startswith("md5:") or _MD5.fullmatch(text):
            message = "This is the old MD5 form, which can be forged. Ask for the SHA256 fingerprint"
        elif text.startswith(("ssh-", "ecdsa-", "AAAA")):
            message = "This is the key itself. Write its fingerprint: ssh-keygen -lf FILE shows it"
        else:
            message = 'A fingerprint is "SHA256:" and 43 signs, as ssh-keygen -l shows it'
        raise ValueError(message)

    def complaints(self, now: datetime) -> tuple[str, ...]:  # noqa: ARG002 - a key has no end
        """Say why our own key cannot be used."""
        from aphub_drop.session import client_key  # noqa: PLC0415 - asyncssh is slow to load, and is wanted here only

        try:
            client_key(self)
        except DeliveryError as exc:
            return (f"{exc.words} {exc.what_now}",)
        return ()

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if bool(self.client_key.get_secret_value()) == (self.client_key_file is not None):
            message = "Give client_key or client_key_file, and not both: there is no sign-in by password"
            raise ValueError(message)
        return self


class Answers(BaseModel):
    """Files by which their system says what became of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(default="", description="where their answers are; none means where our files go")
    accepted: str = Field(
        default="{file}.ack", description="name of an acceptance, with {file} or {stem} for our file's name"
    )
    rejected: str = Field(default="{file}.rejected", description="name of a rejection, written alike")
    within_hours: float = Field(
        default=24, gt=0, le=240, description="hours after which a person is asked to look"
    )

    @field_validator("folder")
    @classmethod
    def _safe(cls, value: str) -> str:
        return _folder(value) if value.strip() else ""

    @field_validator("accepted", "rejected")
    @classmethod
    def _names_ours(cls, value: str) -> str:
        if not _ANSWER.fullmatch(value):
            message = "An answer's name holds {file} or {stem}, and beside it letters, digits and . _ -"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.accepted == self.rejected or "{file}" in {self.accepted, self.rejected}:
            message = "Acceptance and rejection need names of their own, which are not our file's"
            raise ValueError(message)
        return self


class DropRoute(RouteSettings):
    """One organisation's folder at the server, and the files it wants there."""

    folder: str = Field(description="folder as they named it, such as incoming/attendance; it must exist")
    layout: str = Field(
        default="aphub-1",
        description="aphub-1, week, xporter, sims7-xml, g4s, or custom with its own columns",
    )
    custom: Layout | None = Field(default=None, description="the columns of layout custom; see the layouts")
    opened_by: Literal["machine", "people"] = Field(
        default="machine",
        description="machine: exact, or not sent; people: formulas in cells are made harmless",
    )
    may_leave_out: tuple[Literal["minutes_late", "actions"], ...] = Field(
        default=(), description="facts that they agreed to do without where the layout has no place for them"
    )
    file_name: str = Field(
        default=naming.USUAL, description="name of the file without its ending, with fields in braces"
    )
    beside: tuple[Literal["sha256", "count"], ...] = Field(
        default=(), description="files beside it: sha256 (its checksum), count (how many rows it has)"
    )
    ready_file: str = Field(
        default="",
        pattern=r"^(\.[A-Za-z0-9_-]{1,12})?$",
        description="ending of an empty file that says all is there, such as .done, instead of renaming",
    )
    encryption: Literal["none", "openpgp", "cms"] = Field(
        default="none", description="lock the file itself: none, openpgp or cms"
    )
    recipient_key: str = Field(
        default="", max_length=20_000, description="their public OpenPGP key, or their certificate, as text"
    )
    answers: Answers | None = Field(default=None, description="their acceptance and rejection files, if any")
    summaries: bool = Field(
        default=False,
        description="put agreed summaries there too, as a spreadsheet and a PDF for people to read",
    )

    @field_validator("folder")
    @classmethod
    def _safe(cls, value: str) -> str:
        return _folder(value)

    @field_validator("file_name")
    @classmethod
    def _safe_name(cls, value: str) -> str:
        return naming.checked(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.layout != "custom" and self.layout not in shipped():
            message = f"There is no layout '{self.layout}'. Choose one of: {', '.join(shipped())}, custom"
            raise ValueError(message)
        if (self.layout == "custom") != (self.custom is not None):
            message = "Layout custom and its columns under [channels.custom] belong together"
            raise ValueError(message)
        if self.opened_by == "people" and self.content.form == "xml":
            message = "XML is for machines: leave opened_by out"
            raise ValueError(message)
        if (self.encryption != "none") != bool(self.recipient_key.strip()):
            message = "encryption and recipient_key belong together: give both or neither"
            raise ValueError(message)
        if self.encryption != "none":
            recipient(self.encryption, self.recipient_key)
        if self.summaries and self.answers is not None:
            message = "A machine answers here, and summaries are for people. Give them a channel and a folder of their own"
            raise ValueError(message)
        return self

    @property
    def content(self) -> Layout:
        """The layout of the files."""
        return self.custom or shipped()[self.layout]

    @property
    def reader(self) -> Recipient | None:
        """Whoever alone can open the files; None where they lie there as they are."""
        return recipient(self.encryption, self.recipient_key) if self.encryption != "none" else None

    def destination(self) -> str:
        """Name who can read; a channel that takes no summaries is the same place that it was before there were any."""
        return self.model_dump_json(exclude=None if self.summaries else {"summaries"})

    def takes_summaries(self) -> bool:
        """Take summaries where people read in the folder."""
        return self.summaries

    def cannot_carry(self, report: Report) -> str:
        """Say what of a report this layout has no place for."""
        return why_not(
            self.content, report, frozenset(self.may_leave_out), for_people=self.opened_by == "people"
        )

    def complaints(self, now: datetime) -> tuple[str, ...]:
        """Say that their key has ended."""
        why = self.reader.why_not(now) if self.reader is not None else ""
        return (why,) if why else ()

    def endings(self) -> tuple[Ending, ...]:
        """Say until when their key holds."""
        ends = self.reader.ends if self.reader is not None else None
        mend = "Ask them for their new key, write it into recipient_key, and run: aphub apply"
        return (Ending("their key for our files", ends, mend),) if ends is not None else ()

    def answered_within(self) -> timedelta:
        """Say how long they may take to answer."""
        return timedelta(hours=self.answers.within_hours if self.answers else 0.5)


def _folder(value: str) -> str:
    folder = value.strip()
    folder = folder.rstrip("/") or folder[:1]
    if not _FOLDER.fullmatch(folder):
        message = "A folder is written with letters, digits, space . _ - and /, and without .."
        raise ValueError(message)
    return folder


class FolderConnection(ConnectionSettings):
    """One mounted share."""

    path: Path = Field(description="where the share is mounted, from the root: /mnt/council")
    must_be_mounted: bool = Field(
        default=True,
        description="write only while something is mounted there; false for a folder of this machine",
    )

    @field_validator("path")
    @classmethod
    def _from_the_root(cls, value: Path) -> Path:
        if not value.is_absolute():
            message = "Write the path from the root, such as /mnt/council"
            raise ValueError(message)
        return value


class FolderRoute(DropRoute):
    """One organisation's folder below the share."""

    @model_validator(mode="after")
    def _below(self) -> Self:
        if self.folder.startswith("/") or (self.answers and self.answers.folder.startswith("/")):
            message = "Name the folder below the share, without / in front"
            raise ValueError(message)
        return self
