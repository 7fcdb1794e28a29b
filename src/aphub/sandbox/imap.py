"""A stand-in of a mailbox that is read over IMAP with TLS: as much of RFC 3501 as reading answers needs.

It notes every command that changes something, so that a test can see that nothing was changed.
"""

import re
import socket
from collections.abc import Sequence

from aphub.sandbox.certificates import LOOPBACK_NAMES, DemoAuthority
from aphub.sandbox.listening import ListeningFarSide

_LONGEST_LINE = 8192
_CHANGES = ("SELECT", "STORE", "EXPUNGE", "APPEND", "COPY", "MOVE", "CREATE", "DELETE", "RENAME", "CLOSE")
_ASKED = re.compile(rb"UID (?P<from>[0-9]+):\*")
_PART = re.compile(rb"BODY\.PEEK\[\]<0\.(?P<most>[0-9]+)>")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')


class ImapStandIn(ListeningFarSide):
    """One mailbox; `changes` has the commands that would have changed something in it."""

    def __init__(
        self,
        authority: DemoAuthority,
        *,
        user: str,
        password: str,
        port: int = 0,
        names: Sequence[str] = LOOPBACK_NAMES,
    ) -> None:
        """Prepare the server; `start` makes it listen."""
        super().__init__(authority, port=port, names=names)
        self._user = user
        self._password = password
        self._mails: list[bytes] = []
        self.changes: list[str] = []

    def arrives(self, mail: bytes) -> int:
        """Put a mail into the mailbox; gives its number there."""
        with self._lock:
            self._mails.append(mail)
            return len(self._mails)

    def serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:  # noqa: ARG002 - as promised
        """Answer one client's commands, line by line, until it leaves."""
        with self.secure(connection) as secured, secured.makefile("rwb") as line:
            line.write(b"* OK stand-in, not a real mailbox\r\n")
            line.flush()
            known = False
            while said := line.readline(_LONGEST_LINE):
                self._record(said)
                tag, _, rest = said.strip().partition(b" ")
                verb = rest.removeprefix(b"UID ").split(b" ", 1)[0].upper().decode("ascii", "replace")
                if verb == "LOGIN":
                    known = self._lets_in(rest)
                    answer = b"OK in" if known else b"NO [AUTHENTICATIONFAILED] not with these"
                elif verb in {"CAPABILITY", "LOGOUT", "NOOP"} or known:
                    for one in self._answer(verb, rest):
                        line.write(one)
                    answer = b"OK [READ-ONLY] done" if verb == "EXAMINE" else b"OK done"
                else:
                    answer = b"NO sign in first"
                line.write(tag + b" " + answer + b"\r\n")
                line.flush()
                if verb == "LOGOUT":
                    return

    def _lets_in(self, rest: bytes) -> bool:
        words = [(quoted or bare).replace(b"\\", b"").decode() for quoted, bare in _QUOTED.findall(rest)]
        return words[1:3] == [self._user, self._password]

    def _answer(self, verb: str, rest: bytes) -> list[bytes]:
        with self._lock:
            mails = list(self._mails)
        if verb in _CHANGES:
            self.changes.append(verb)
        if verb == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1\r\n"]
        if verb == "LOGOUT":
            return [b"* BYE\r\n"]
        if verb in {"SELECT", "EXAMINE"}:
            return [b"* %d EXISTS\r\n" % len(mails), b"* OK [UIDVALIDITY 7] as always\r\n"]
        if verb == "SEARCH":
            asked = _ASKED.search(rest)
            first = int(asked["from"]) if asked else 1
            # A range that ends in * names the last message, also when it lies before the range (RFC 3501 section 6.4.4).
            found = [uid for uid in range(1, len(mails) + 1) if uid >= first] or (
                [len(mails)] if mails else []
            )
            return [b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\n"]
        if verb == "FETCH":
            part = _PART.search(rest)
            if part is None:
                self.changes.append("FETCH that marks as seen")
            most = int(part["most"]) if part else len(rest)
            wanted = [int(uid) for uid in rest.split(b" ")[2].split(b",") if uid.isdigit()]
            return [
                b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (uid, uid, len(mails[uid - 1][:most]))
                + mails[uid - 1][:most]
                + b")\r\n"
                for uid in wanted
                if 0 < uid <= len(mails)
            ]
        return []
