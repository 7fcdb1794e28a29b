"""Real servers that note what reaches them, while the hub's process is killed again and again."""

import email
import email.policy
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from aphub.sandbox import DemoAuthority, SftpSink, SmtpSink

_REFERENCE = re.compile(r"RB-[0-9A-Z]+-[0-9]+")


@dataclass
class Manifest:
    """What one case's servers hold: every copy of a message by its reference, in order of arrival."""

    mails: dict[str, list[bytes]]
    files: dict[str, bytes]

    @property
    def references(self) -> set[str]:
        """Name every message that arrived anywhere."""
        return {*self.mails, *self.files}

    def copies(self) -> Counter[str]:
        """Count how often each message arrived."""
        return Counter({name: len(copies) for name, copies in self.mails.items()}) + Counter(
            self.files.keys()
        )


class FarSides:
    """A mail server and a file drop; `anew` forgets what the case before left."""

    def __init__(self, folder: Path, public_key: str) -> None:
        self.authority = DemoAuthority.create(folder / "ca")
        self.mail = SmtpSink(self.authority, folder / "mail", durable=False)
        self.drop = SftpSink(folder / "drop", authorized_keys=[public_key], host_key=folder / "host_key")
        self._seen = 0

    def start(self) -> None:
        """Listen."""
        self.mail.start()
        self.drop.start()

    def stop(self) -> None:
        """Close everything."""
        self.mail.stop()
        self.drop.stop()

    def anew(self) -> None:
        """Begin a case: nothing has arrived yet."""
        self._seen = len(self.mail.received)
        for path in self.drop.folder.iterdir():
            shutil.rmtree(path)
        (self.drop.folder / "northshire").mkdir()

    def manifest(self) -> Manifest:
        """Give what has arrived in this case."""
        mails: dict[str, list[bytes]] = {}
        for one in self.mail.received[self._seen :]:
            parsed = email.message_from_bytes(one.raw, policy=email.policy.default)
            mails.setdefault(str(parsed["Message-ID"]).strip("<>").partition("@")[0], []).append(one.raw)
        files = {
            _REFERENCE.findall(name)[0]: content
            for name, content in self.drop.files().items()
            if not name.endswith(".part")
        }
        return Manifest(mails, files)
