"""The far sides of the played day: a mail server, a secure drop and an aggregator, real ones on loopback."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import asyncssh
from pydantic import SecretStr

from aphub.demo.folder import Folder
from aphub.demo.pupils import everyone
from aphub.sandbox import DemoAuthority, MisState, SftpSink, SmtpSink, WondeStandIn

TOKEN = "invented-token-of-the-demo"
DAY = "2026-03-03"
MIS_SCHOOLS = {"meadow-high": ("Meadow High", "999103"), "station-road": ("Station Road School", "999104")}
DROP_FOLDERS = ("harbour-college", "fenside-academy", "northshire")
ALREADY_MARKED = "00419"
"""A pupil of whom the school's own office knows something, and has marked it."""


class FarSides:
    """Everything that schools and councils run themselves, played."""

    def __init__(self, folder: Folder) -> None:
        """Prepare the servers; entering the context starts them."""
        self._stack = ExitStack()
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.authority = DemoAuthority.create(folder.keys / "demo-authority")
        self.smtp = SmtpSink(self.authority, folder.mail)
        self.sftp = SftpSink(
            folder.drop,
            authorized_keys=[self._client_key.export_public_key().decode()],
            host_key=folder.keys / "drop-host-key",
        )
        for name in DROP_FOLDERS:
            (folder.drop / name).mkdir(exist_ok=True)
        self.mis = WondeStandIn(self.authority, _registers(), token=TOKEN, folder=folder.mis)

    def __enter__(self) -> Self:
        """Start all of them."""
        for server in (self.smtp, self.sftp, self.mis):
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

    def secrets(self) -> dict[str, SecretStr]:
        """Give the secrets that the configuration names."""
        private = self._client_key.export_private_key().decode()
        return {"wonde": SecretStr(TOKEN), "drop-key": SecretStr(private)}

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
        mis = {'base_url = "https://api.wonde.com/v1.0/"': f'base_url = "{self.mis.url}"\n{ca}'}
        hub = {
            'log_level = "info"': 'log_level = "error"',
            "private_networks = []": 'private_networks = ["127.0.0.0/8"]',
        }
        return {
            "hub": hub,
            "providers/sentre": mail | drop | mis,
            "providers/ypm": mail | drop | mis,
            "providers/safe-space": mail,
            "providers/cst": mail | drop,
            "providers/red-everywhere": mail,
        }

    def arrived(self) -> dict[str, int]:
        """Count what has arrived: messages, files, and marks that we wrote into registers."""
        with self.mis.state.lock:
            marks = [mark for school in self.mis.state.schools.values() for mark in school.marks.values()]
        return {
            "messages": len(self.smtp.received),
            "files": len(self.sftp.files()),
            "register marks": sum(mark.made_by == "write-back" for mark in marks),
        }

    def mail_by_address(self) -> Counter[str]:
        """Count the messages that each mailbox has."""
        return Counter(address for mail in self.smtp.received for address in mail.rcpt_to)


def _registers() -> MisState:
    """Fill the schools' own registers with their pupils, and one mark that a school made itself."""
    state = MisState()
    for slug, (name, urn) in MIS_SCHOOLS.items():
        school = state.add_school(name, urn=urn)
        for one in everyone():
            if one.told[0][0] == slug:
                state.add_student(school, one.upn, one.given_name, one.family_name)
                if one.ref == ALREADY_MARKED:
                    state.mark_made_by_school(
                        school, one.upn, date=DAY, session="AM", code="I", made_by="school office"
                    )
    return state
