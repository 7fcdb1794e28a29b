"""The far sides of the played day: a mail server, a secure drop, a shared folder and four schools' systems, on loopback."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import asyncssh
from pydantic import SecretStr

from aphub.demo.folder import Folder
from aphub.demo.pupils import everyone
from aphub.demo.school_key import SchoolKey
from aphub.sandbox import (
    ArborStandIn,
    DemoAuthority,
    ExampleMisStandIn,
    MisState,
    SftpSink,
    SmtpSink,
    WondeStandIn,
    XporterStandIn,
)
from aphub.sandbox.mis_state import School

INVENTED = "invented-for-the-demo"
DAY = "2026-03-03"
WONDE_SCHOOLS = {"meadow-high": ("Meadow High", "999103"), "station-road": ("Station Road School", "999104")}
DROP_FOLDERS = ("harbour-college", "fenside-academy", "northshire", "tern-bank")
SHARED_FOLDER = "fern-hall"
OFFICE = "school office"
ALREADY_MARKED = "00419"
"""A pupil of whom the school's own office knows something, and has marked it."""


class FarSides:
    """Everything that schools and councils run themselves, played."""

    def __init__(self, folder: Folder) -> None:
        """Prepare the servers; entering the context starts them."""
        self._stack = ExitStack()
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._school_key = SchoolKey.create(folder.keys / "tern-bank.key")
        self.authority = DemoAuthority.create(folder.keys / "demo-authority")
        self.smtp = SmtpSink(self.authority, folder.mail)
        self.sftp = SftpSink(
            folder.drop,
            authorized_keys=[self._client_key.export_public_key().decode()],
            host_key=folder.keys / "drop-host-key",
        )
        for name in DROP_FOLDERS:
            (folder.drop / name).mkdir(exist_ok=True)
        self._share = folder.share
        (self._share / SHARED_FOLDER).mkdir(exist_ok=True)
        self.wonde = WondeStandIn(self.authority, _several(WONDE_SCHOOLS), token=INVENTED, folder=folder.mis)
        self.xporter = XporterStandIn(
            self.authority,
            *_one("larch-academy", "Larch Academy", "999110"),
            estab="9994010",
            relying_party="sentre.example.org",
            secret=INVENTED,
            folder=folder.mis,
        )
        self.arbor = ArborStandIn(
            self.authority,
            *_one("quarry-hill", "Quarry Hill School", "999111"),
            user="hub@ypm.example.org",
            password=INVENTED,
            folder=folder.mis,
        )
        self.rest = ExampleMisStandIn(
            self.authority,
            *_one("saltern-college", "Saltern College", "999112"),
            slug="saltern",
            user="hub",
            secret=INVENTED,
            subscription=INVENTED,
            folder=folder.mis,
        )

    def __enter__(self) -> Self:
        """Start all of them."""
        for server in (self.smtp, self.sftp, *self.systems):
            self._stack.enter_context(server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all of them."""
        self._stack.close()

    @property
    def systems(self) -> tuple[WondeStandIn | XporterStandIn | ArborStandIn | ExampleMisStandIn, ...]:
        """The schools' own systems."""
        return (self.wonde, self.xporter, self.arbor, self.rest)

    def secrets(self) -> dict[str, SecretStr]:
        """Give the secrets that the configuration names."""
        private = self._client_key.export_private_key().decode()
        names = ("wonde", "xporter-larch", "arbor-quarry-hill", "saltern-api", "saltern-subscription")
        return {"drop-key": SecretStr(private)} | {name: SecretStr(INVENTED) for name in names}

    def filled(self) -> Mapping[str, Mapping[str, str]]:
        """Say which lines of the example configuration stand otherwise while these servers run."""
        ca = f'ca_file = "{self.authority.ca_path.absolute()}"'
        mail = {'host = "mail.example.org"': f'host = "127.0.0.1"\nport = {self.smtp.address[1]}\n{ca}'}
        drop = {
            'host = "drop.example.org"': f'host = "127.0.0.1"\nport = {self.sftp.address[1]}',
            'host_key = "SHA256:0000000000000000000000000000000000000000000"': (
                f'host_key = "{self.sftp.fingerprint}"'
            ),
        }
        share = {'path = "/mnt/trust-share"': f'path = "{self._share.absolute()}"\nmust_be_mounted = false'}
        wonde, xporter, arbor, rest = (
            {f'base_url = "{usual}"': f'base_url = "{here.url}"\n{ca}'}
            for usual, here in zip(
                (
                    "https://api.wonde.com/v1.0/",
                    "https://xporter.groupcall.com/",
                    "https://quarry-hill.uk.arbor.sc/",
                    "https://api.example-mis.example.org/v1/",
                ),
                self.systems,
                strict=True,
            )
        )
        hub = {
            'log_level = "info"': 'log_level = "error"',
            "private_networks = []": 'private_networks = ["127.0.0.0/8"]',
        }
        certificate = {'recipient_key = """': f'recipient_key = """\n{self._school_key.certificate}"""'}
        return {
            "hub": hub,
            "providers/sentre": mail | drop | wonde | xporter,
            "providers/ypm": mail | drop | share | wonde | arbor | rest,
            "providers/safe-space": mail,
            "providers/cst": mail | drop,
            "providers/red-everywhere": mail,
            "schools/quarry-hill": {'school = "quarry-hill.uk.arbor.sc"': 'school = "127.0.0.1"'},
            "schools/tern-bank": certificate,
        }

    def opened(self, locked: bytes) -> bytes:
        """Open a file as the school to which it was locked does."""
        return self._school_key.opened(locked)

    def files(self) -> dict[str, bytes]:
        """Give what lies in the secure folders and in the shared one."""
        shared = {path.name: path.read_bytes() for path in (self._share / SHARED_FOLDER).iterdir()}
        return self.sftp.files() | shared

    def arrived(self) -> dict[str, int]:
        """Count what has arrived: messages, files, and marks that we wrote into registers."""
        marks = 0
        for system in self.systems:
            with system.state.lock:
                schools = system.state.schools.values()
                marks += sum(mark.made_by != OFFICE for one in schools for mark in one.marks.values())
        return {
            "messages": len(self.smtp.received),
            "files": len(self.files()),
            "register marks": marks,
        }

    def mail_by_address(self) -> Counter[str]:
        """Count the messages that each mailbox has."""
        return Counter(address for mail in self.smtp.received for address in mail.rcpt_to)


def _several(schools: Mapping[str, tuple[str, str]]) -> MisState:
    """Fill the registers of schools that one system keeps."""
    state = MisState()
    for slug, (name, urn) in schools.items():
        _fill(state, state.add_school(name, urn=urn), slug)
    return state


def _one(slug: str, name: str, urn: str) -> tuple[MisState, School]:
    """Fill the register of a school that has a system to itself."""
    state = MisState()
    school = state.add_school(name, urn=urn)
    _fill(state, school, slug)
    return state, school


def _fill(state: MisState, school: School, slug: str) -> None:
    """Enrol a school's pupils, and keep the one mark that a school made itself."""
    for one in everyone():
        if one.told[0][0] == slug:
            state.add_student(school, one.upn, one.given_name, one.family_name)
            if one.ref == ALREADY_MARKED:
                state.mark_made_by_school(school, one.upn, date=DAY, session="AM", code="I", made_by=OFFICE)
