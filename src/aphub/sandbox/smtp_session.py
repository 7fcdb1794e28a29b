"""One SMTP conversation, server side: RFC 5321 with STARTTLS, PIPELINING, SIZE, 8BITMIME, DSN and AUTH."""

import base64
import binascii
import hmac
import re
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from aphub.sandbox.smtp import SmtpSink

LINE_LIMIT = 12_288
"""The longest line of a sign-in (RFC 4954 section 4); other commands are far shorter."""
TEXT_LINE_LIMIT = 998
_PATH = re.compile(r"(?i)^(?:FROM|TO):\s*<([^<>\s]*)>((?:\s+\S+)*)\s*$")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_MAIL_OPTIONS = re.compile(r"(?i)^(SIZE=\d+|BODY=(7BIT|8BITMIME)|RET=(FULL|HDRS)|ENVID=\S{1,100}|AUTH=\S+)$")
_RCPT_OPTIONS = re.compile(
    r"(?i)^(NOTIFY=(NEVER|(SUCCESS|FAILURE|DELAY)(,(SUCCESS|FAILURE|DELAY))*)|ORCPT=[^\s;]+;\S+)$"
)


class _LeaveError(Exception):
    """The conversation is over."""


class SmtpSession:
    """Reads commands, gathers the replies to what was pipelined into one packet, and keeps what it accepts."""

    def __init__(self, sink: "SmtpSink", connection: socket.socket, peer: tuple[str, int]) -> None:
        """Take over a connection."""
        self._sink = sink
        self._bare = connection
        self._wire: socket.socket | ssl.SSLSocket = connection
        self._peer = peer
        self._in = bytearray()
        self._out: list[bytes] = []
        self._tls = ""
        self._user = ""
        self._greeted = False
        self._forget()
        self._commands: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _: self._say("250 2.0.0 Ok"),
            "VRFY": lambda _: self._say("252 2.0.0 Send it and see"),
            "QUIT": self._quit,
        }

    def run(self) -> None:
        """Talk until either side leaves."""
        try:
            if self._sink.mode == "tls":
                self._encrypt()
            self._say("220 localhost ESMTP aphub sandbox (a stand-in; nothing is sent on)")
            while True:
                verb, _, rest = self._line().partition(" ")
                command = self._commands.get(verb.upper())
                if command is None:
                    self._say("500 5.5.2 Command not known")
                elif not self._tls and verb.upper() not in {
                    "EHLO",
                    "HELO",
                    "STARTTLS",
                    "NOOP",
                    "QUIT",
                    "RSET",
                }:
                    self._say("530 5.7.0 Must issue a STARTTLS command first")
                else:
                    command(rest.strip())
        except _LeaveError:
            pass
        finally:
            if self._wire is not self._bare:
                self._wire.close()

    # The wire

    def _say(self, *lines: str) -> None:
        self._sink.pause()
        for number, line in enumerate(lines):
            code, words = line[:3], line[4:]
            mark = " " if number == len(lines) - 1 else "-"
            self._out.append(f"{code}{mark}{words}\r\n".encode("ascii", "replace"))
        # More commands are here already: answer them in the same packet (RFC 2920, section 3.2).
        if b"\n" not in self._in:
            self._flush()

    def _flush(self) -> None:
        answer = b"".join(self._out)
        self._out.clear()
        if self._sink.byte_by_byte:
            for byte in answer:
                self._wire.sendall(bytes([byte]))
        elif answer:
            self._wire.sendall(answer)

    def _more(self) -> None:
        self._flush()
        chunk = self._wire.recv(65536)
        if not chunk:
            raise _LeaveError
        self._sink.heard(chunk, in_clear=not self._tls)
        self._in += chunk

    def _line(self) -> str:
        while (end := self._in.find(b"\n")) < 0:
            if len(self._in) > LINE_LIMIT:
                self._out.append(b"421 4.7.0 Line too long\r\n")
                self._flush()
                raise _LeaveError
            self._more()
        line = bytes(self._in[: end + 1])
        del self._in[: end + 1]
        return line.rstrip(b"\r\n").decode("utf-8", "replace")

    def _encrypt(self) -> None:
        self._wire = secured = self._sink.secure(self._bare)
        self._tls = secured.version() or "TLS"

    # The commands

    def _forget(self) -> None:
        self._from: str | None = None
        self._to: list[str] = []
        self._options: list[str] = []

    def _ehlo(self, _: str) -> None:
        self._greeted = True
        self._forget()
        words = ["localhost", f"SIZE {self._sink.size_limit}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self._sink.pipelining:
            words.append("PIPELINING")
        if self._tls:
            words.append("DSN")
            kinds = ["PLAIN", "LOGIN"] * bool(self._sink.credentials) + ["XOAUTH2"] * self._sink.takes_tokens
            words += ["AUTH " + " ".join(kinds)] if kinds else []
        elif self._sink.offers_starttls:
            words.append("STARTTLS")
        self._say(*(f"250 {word}" for word in words))

    def _helo(self, _: str) -> None:
        self._greeted = True
        self._forget()
        self._say("250 localhost")

    def _starttls(self, _: str) -> None:
        if self._tls:
            self._say("503 5.5.1 TLS is on already")
        elif not self._sink.offers_starttls:
            self._say("502 5.5.1 No TLS here")
        else:
            # What was sent behind STARTTLS came in the clear and must not count as said inside (RFC 3207, 4.2).
            self._in.clear()
            self._say("220 2.0.0 Ready to start TLS")
            self._greeted = False
            self._forget()
            self._encrypt()

    def _rset(self, _: str) -> None:
        self._forget()
        self._say("250 2.0.0 Ok")

    def _quit(self, _: str) -> None:
        self._in.clear()
        self._say("221 2.0.0 Bye")
        raise _LeaveError

    def _mail(self, rest: str) -> None:
        match = _PATH.match(rest)
        options = match[2].split() if match else []
        wrong = [option for option in options if not _MAIL_OPTIONS.match(option)]
        if not self._greeted:
            self._say("503 5.5.1 Say EHLO first")
        elif (self._sink.credentials or self._sink.takes_tokens) and not self._user:
            self._say("530 5.7.0 Authentication required")
        elif self._from is not None:
            self._say("503 5.5.1 A message is open already")
        elif match is None or rest[:4].upper() != "FROM" or not rest.isascii():
            self._say("501 5.1.7 That is not MAIL FROM:<address>")
        elif wrong:
            self._say("555 5.5.4 MAIL parameter not known")
        elif any(self._too_large(option) for option in options):
            self._say("552 5.3.4 Larger than the SIZE we announced")
        elif reply := self._sink.obstacle("mail"):
            self._say(reply)
        else:
            self._from, self._options = match[1], options
            self._say("250 2.1.0 Ok")

    def _too_large(self, option: str) -> bool:
        name, _, value = option.partition("=")
        return name.upper() == "SIZE" and int(value) > self._sink.size_limit

    def _rcpt(self, rest: str) -> None:
        match = _PATH.match(rest)
        options = match[2].split() if match else []
        if self._from is None:
            self._say("503 5.5.1 MAIL first")
        elif match is None or rest[:2].upper() != "TO" or "@" not in match[1] or not rest.isascii():
            self._say("501 5.1.3 That is not RCPT TO:<address>")
        elif not all(_RCPT_OPTIONS.match(option) for option in options):
            self._say("555 5.5.4 RCPT parameter not known")
        elif reply := self._sink.recipient_obstacle(self._from, match[1]):
            self._say(reply)
        else:
            self._to.append(match[1])
            self._options += options
            self._say("250 2.1.5 Ok")

    def _data(self, _: str) -> None:
        if self._from is None or not self._to:
            # RFC 2920, section 3.1: a client that pipelined DATA behind refused recipients learns it here.
            self._say("554 5.5.1 No valid recipients")
            return
        if reply := self._sink.obstacle("data"):
            self._say(reply)
            return
        self._out.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        content = self._text()
        trouble = self._trouble(content) or self._sink.obstacle("dot")
        if trouble:
            self._forget()
            self._say(trouble)
            return
        mail = self._sink.new_mail(
            mail_from=self._from,
            rcpt_to=self._to,
            raw=content,
            tls=self._tls,
            peer=self._peer,
            options=self._options,
            signed_in_as=self._user,
        )
        cut = self._sink.cut()
        if cut is None or cut.kept:
            self._sink.keep(mail)
        if cut is not None:
            raise _LeaveError
        self._sink.pause("late")
        self._forget()
        self._say(f"250 2.0.0 Ok: queued as {mail.queue_id}")

    def _text(self) -> bytes:
        """Read up to the lone dot; only CR LF . CR LF ends a message, or mail could be smuggled in."""
        searched = 0
        while True:
            if self._in.startswith(b".\r\n"):
                end, after = 0, 3
                break
            found = self._in.find(b"\r\n.\r\n", searched)
            if found >= 0:
                end, after = found + 2, found + 5
                break
            searched = max(0, len(self._in) - 4)
            self._more()
        content = bytes(self._in[:end])
        del self._in[:after]
        if content.startswith(b".") or b"\r\n." in content:
            content = content.removeprefix(b".").replace(b"\r\n.", b"\r\n")
        return content

    def _trouble(self, content: bytes) -> str:
        if len(content) > self._sink.size_limit:
            return "552 5.3.4 Larger than the SIZE we announced"
        if _BARE.search(content):
            return "550 5.5.2 A line ends in a bare CR or LF"
        if max(map(len, content.split(b"\r\n"))) > TEXT_LINE_LIMIT:
            return "550 5.6.0 A line is longer than 998 octets"
        return ""

    # Sign-in

    def _auth(self, rest: str) -> None:
        kind, _, first = rest.partition(" ")
        if self._user or not self._greeted:
            self._say("503 5.5.1 Not now")
            return
        try:
            signed_in, user = self._sign_in(kind.upper(), first)
        except (binascii.Error, ValueError):
            self._say("501 5.5.2 Cannot read that")
            return
        if reply := self._sink.obstacle("auth"):
            self._say(reply)
        elif signed_in:
            self._user = user
            self._say("235 2.7.0 Signed in")
        else:
            self._say(f"535 {self._sink.sign_in_refusal}")

    def _sign_in(self, kind: str, first: str) -> tuple[bool, str]:
        if kind == "PLAIN" and self._sink.credentials:
            _, user, secret = self._answer(first or self._ask("")).split("\0")
            return same(self._sink.credentials.get(user), secret), user
        if kind == "LOGIN" and self._sink.credentials:
            user = self._answer(first or self._ask("VXNlcm5hbWU6"))
            secret = self._answer(self._ask("UGFzc3dvcmQ6"))
            return same(self._sink.credentials.get(user), secret), user
        if kind == "XOAUTH2" and self._sink.takes_tokens:
            parts = self._answer(first or self._ask("")).split("\x01")
            fields = dict(part.split("=", 1) for part in parts if part)
            user = fields.get("user", "")
            good = self._sink.opens(user, fields.get("auth", "").removeprefix("Bearer "))
            if not good and self._ask(base64.b64encode(self._sink.token_refusal).decode()):
                # The reason travels as a challenge, which the client answers with an empty line and nothing else.
                raise ValueError(kind)
            return good, user
        raise ValueError(kind)

    def _ask(self, challenge: str) -> str:
        self._say(f"334 {challenge}")
        return self._line()

    @staticmethod
    def _answer(text: str) -> str:
        return base64.b64decode(text, validate=True).decode()


def same(expected: str | None, given: str) -> bool:
    """Compare secrets in a time that tells nothing."""
    return expected is not None and hmac.compare_digest(expected.encode(), given.encode())
