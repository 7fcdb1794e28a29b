"""Settings of an SFTP server or a mounted folder, and of one organisation's folder there."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from aphub.api import ConnectionSettings, RouteSettings

_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9 ._-]*(/[A-Za-z0-9_][A-Za-z0-9 ._-]*)*|/|\.")


class DropConnection(ConnectionSettings):
    """One SFTP server, the key that it must show, and ours."""

    host: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$",
        description="name or address of the server",
    )
    port: int = Field(default=22, ge=1, le=65535, description="port of the server")
    user: str = Field(min_length=1, max_length=100, description="the account that they gave us")
    host_key: str = Field(
        pattern=r"^SHA256:[A-Za-z0-9+/]{43}$",
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
        default=32, ge=1, le=64, description="files on their way at once over the one connection"
    )
    channels: int = Field(
        default=2,
        ge=1,
        le=8,
        description="SFTP channels in the one connection; fewer if the server allows fewer",
    )
    read_back: bool = Field(
        default=True,
        description="read every byte back before the file gets its name; false where reading is denied",
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if bool(self.client_key.get_secret_value()) == (self.client_key_file is not None):
            message = "Give client_key or client_key_file, and not both: there is no sign-in by password"
            raise ValueError(message)
        return self


class DropRoute(RouteSettings):
    """One organisation's folder at the server; it must exist, since none is ever made."""

    folder: str = Field(description="folder as they named it, such as incoming/attendance")
    layout: Literal["aphub-1"] = Field(
        default="aphub-1", description="layout of the files; see the CSV's own page"
    )

    @field_validator("folder")
    @classmethod
    def _safe(cls, value: str) -> str:
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

    @field_validator("folder")
    @classmethod
    def _below(cls, value: str) -> str:
        if value.startswith("/"):
            message = "Name the folder below the share, without / in front"
            raise ValueError(message)
        return value
